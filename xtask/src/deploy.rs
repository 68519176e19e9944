//! `cargo xtask deploy`: the tree as it is, put into service.

use std::{path::PathBuf, process::ExitCode, time::Duration};

use anyhow::Result;
use clap::Args;
use tria_deploy::{Options, Outcome, deploy, event::Event, plan};

use crate::deployment::{self, Installation, Shared, Telling, code};

#[derive(Args, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    shared: Shared,
    /// Say what would be done and why; change nothing
    #[arg(long)]
    plan: bool,
    /// Skip the restore that proves the backup, and build from the cache; never the dump or a gate
    #[arg(long)]
    quick: bool,
    /// Build from nothing
    #[arg(long, conflicts_with = "quick")]
    no_cache: bool,
    /// Deploy files that are not committed, too
    #[arg(long)]
    allow_dirty: bool,
    /// Apply migrations that take away what the release that serves may use
    #[arg(long)]
    allow_contract: bool,
    /// How long the old release may go on with what it has begun, as in 90s
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    drain: Option<Duration>,
    /// How many backups are kept
    #[arg(long, value_name = "N")]
    keep_backups: Option<usize>,
    /// What must be free on the engine's disk
    #[arg(long, value_name = "BYTES")]
    disk_needed: Option<u64>,
    /// A built tria-server, whose rules judge the environment; otherwise it is built from the tree
    #[arg(long, value_name = "PATH")]
    server: Option<PathBuf>,
}

/// What a build of the judge may take; its own work is done in a moment.
const JUDGE_IS_BUILT: Duration = Duration::from_secs(1200);

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let mut telling = Telling::new(arguments.shared.json);
    tokio::runtime::Runtime::new()?.block_on(async {
        match work(arguments, &mut telling).await? {
            Ok(outcome) => Ok(code(&outcome)),
            Err(early) => Ok(telling.ended_early(&early)),
        }
    })
}

async fn work(
    arguments: &Arguments,
    telling: &mut Telling,
) -> Result<std::result::Result<Outcome, Outcome>> {
    let opened = async {
        let repository = deployment::repository()?;
        if !arguments.plan {
            telling.keep_log(&repository, "deploy");
        }
        let shared = &arguments.shared;
        // It runs in another folder.
        let server = arguments.server.as_deref().map(std::path::absolute);
        let server = server.and_then(Result::ok);
        let installation = Installation::open(shared, repository, server).await?;
        let source = deployment::source(&installation.repository)?;
        deployment::no_secret_in(&source, &shared.env_file)?;
        Ok((installation, source))
    };
    let (installation, source) = match opened.await {
        Ok(opened) => opened,
        Err(early) => return Ok(Err(early)),
    };
    let context = source.unpack()?;
    let desired = installation.desired(&source, context.path());
    if arguments.plan {
        return Ok(match plan(&installation.world, &desired).await {
            Ok(plan) => {
                telling.event(Event::Planned { plan });
                Ok(Outcome::Unchanged)
            }
            Err(problem) => Err(Outcome::Failed {
                phase: None,
                problem,
            }),
        });
    }
    let options = arguments.options();
    let work = async |ground: tria_deploy::Ground<'_>| deploy(ground, &desired).await;
    Ok(Ok(telling.run(&installation, &options, work).await?))
}

// === impl Arguments ===

impl Arguments {
    fn options(&self) -> Options {
        let mut options = Options {
            quick: self.quick,
            no_cache: self.no_cache,
            allow_dirty: self.allow_dirty,
            allow_contract: self.allow_contract,
            ..Options::default()
        };
        if self.server.is_none() {
            options.deadlines.environment = JUDGE_IS_BUILT;
        }
        if let Some(drain) = self.drain {
            options.drain = drain;
        }
        if let Some(keep) = self.keep_backups {
            options.keep_backups = keep;
        }
        if let Some(bytes) = self.disk_needed {
            options.disk_needed_bytes = bytes;
        }
        options
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Arguments,
    }

    fn options(line: &[&str]) -> Options {
        let line = [&["deploy"], line].concat();
        Line::try_parse_from(line)
            .expect("it is understood")
            .arguments
            .options()
    }

    #[test]
    fn without_an_option_nothing_is_skipped_or_allowed() {
        let options = options(&[]);
        let allowed = [
            options.quick,
            options.no_cache,
            options.allow_dirty,
            options.allow_contract,
        ];
        assert_eq!(allowed, [false; 4]);
        assert_eq!(options.deadlines.environment, JUDGE_IS_BUILT);
    }

    #[test]
    fn each_option_is_heard() {
        let line = "--quick --allow-dirty --allow-contract --drain 2m --keep-backups 3 --disk-needed 7 --server x";
        let options = options(&line.split(' ').collect::<Vec<_>>());
        assert!(options.quick && options.allow_dirty && options.allow_contract);
        assert_eq!(options.drain, Duration::from_secs(120));
        assert_eq!((options.keep_backups, options.disk_needed_bytes), (3, 7));
        assert_ne!(options.deadlines.environment, JUDGE_IS_BUILT);
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        for line in [
            &["deploy", "--quick", "--no-cache"][..],
            &["deploy", "--drain", "soon"],
        ] {
            assert!(Line::try_parse_from(line).is_err(), "{line:?}");
        }
    }
}
