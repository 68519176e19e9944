//! How the commands about a deployment begin and end.

use std::{io::Write, path::Path, process::ExitCode};

use anyhow::Result;
use serde::Serialize;
use tria_deploy::{Desired, Options, Outcome, preview_restore};

use super::{Installation, Shared, Telling, code, refused, repository, source};
use crate::{person::Person, tell};

/// What a command works on that builds nothing.
pub(crate) struct Opened {
    pub(crate) installation: Installation,
    pub(crate) desired: Desired,
}

/// Runs a command that changes what is deployed, told and logged under its name.
pub(crate) fn run(
    shared: &Shared,
    name: &str,
    work: impl AsyncFnOnce(&Opened, &Telling) -> Result<Outcome>,
) -> Result<ExitCode> {
    let mut telling = Telling::new(shared.json);
    tokio::runtime::Runtime::new()?.block_on(async {
        let opened = async {
            let repository = repository()?;
            telling.keep_log(&repository, name);
            let source = source(&repository)?;
            let installation = Installation::open(shared, repository, None).await?;
            let desired = installation.desired(&source, Path::new(""));
            Ok(Opened {
                installation,
                desired,
            })
        };
        match opened.await {
            Ok(opened) => Ok(code(&work(&opened, &telling).await?)),
            Err(early) => Ok(telling.ended_early(&early)),
        }
    })
}

/// Runs a command that only looks.
pub(crate) fn look(
    shared: &Shared,
    work: impl AsyncFnOnce(&Installation) -> Result<ExitCode>,
) -> Result<ExitCode> {
    tokio::runtime::Runtime::new()?.block_on(async {
        let opened = async {
            let repository = repository()?;
            Installation::open(shared, repository, None).await
        };
        match opened.await {
            Ok(installation) => work(&installation).await,
            Err(early) => Ok(Telling::new(shared.json).ended_early(&early)),
        }
    })
}

/// Says what a restore would overwrite, and asks whether it is meant; the way it ends if not.
pub(crate) async fn confirm_restore(
    opened: &Opened,
    id: &str,
    yes: bool,
) -> Result<std::result::Result<(), Outcome>> {
    let options = Options::default();
    let compared = Telling::nobody()
        .run(&opened.installation, &options, async |ground| {
            preview_restore(ground, &opened.desired, id).await
        })
        .await?;
    let lines = match compared {
        Ok(lines) => lines,
        Err(outcome) => return Ok(Err(outcome)),
    };
    tell(&format!(
        "the database is replaced by backup {id}; nobody is served meanwhile"
    ));
    if lines.is_empty() {
        tell("  every table has as many rows as then");
    }
    for line in lines {
        tell(&format!("  {line}"));
    }
    if yes {
        return Ok(Ok(()));
    }
    let Some(person) = Person::find() else {
        return Ok(Err(refused(
            "not_confirmed",
            "nobody is there to say that it is meant",
            "say so with `--yes`",
        )));
    };
    Ok(if person.confirms("What was written since is lost.") {
        Ok(())
    } else {
        Err(refused(
            "not_confirmed",
            "it was not meant",
            "run the command again when it is",
        ))
    })
}

/// Writes an answer to standard output, as a line of JSON or for people.
pub(crate) fn say(
    json: bool,
    answer: &impl Serialize,
    text: impl FnOnce() -> String,
) -> Result<()> {
    let line = if json {
        serde_json::to_string(answer)?
    } else {
        text()
    };
    Ok(writeln!(std::io::stdout(), "{line}")?)
}
