//! `cargo xtask setup`.

use std::time::Instant;

use anyhow::Result;
use tria_devstack::{Installation, Progress, Workspace};

use crate::tell;

pub(crate) fn run() -> Result<Installation> {
    let started = Instant::now();
    let installation = tria_devstack::setup(&Workspace::current(), &Progress::on_stderr())?;
    tell(&format!(
        "ready to run: PostgreSQL {}, Redis {}, ChromaDB and the local models ({:.1} s)",
        installation.postgres_version(),
        installation.redis_version(),
        started.elapsed().as_secs_f64()
    ));
    Ok(installation)
}
