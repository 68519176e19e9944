//! Phase 1: whether the machine can do it and the tree is what it says.

use crate::{
    definition::PROXY,
    engine::EngineFacts,
    halt::{Halt, Result},
    phases::Work,
    session::Session,
};

/// The oldest API that has all that is used (Docker 20.10).
const OLDEST_API: (u32, u32) = (1, 41);

pub(super) async fn run(session: &mut Session<'_>, work: &Work<'_>) -> Result<()> {
    tree(session, work)?;
    migrations(session, work)?;
    let facts = session.world.engine.facts().await?;
    engine(session, &facts)?;
    clock(session, &facts)?;
    memory(session, &facts)?;
    disk(session, &facts).await?;
    ports(session, work).await?;
    name(session, work).await
}

fn tree(session: &Session<'_>, work: &Work<'_>) -> Result<()> {
    let uncommitted = &work.desired.uncommitted;
    if uncommitted.is_empty() {
        session.reporter.step("The tree is committed");
        return Ok(());
    }
    let listed = uncommitted
        .iter()
        .take(5)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    let text = format!("{} files are not committed: {listed}", uncommitted.len());
    if session.options.allow_dirty {
        session.reporter.warn(text);
        return Ok(());
    }
    Err(Halt::new(
        "tree_dirty",
        text,
        "commit them, or deploy them as they are with `--allow-dirty`",
    ))
}

fn migrations(session: &Session<'_>, work: &Work<'_>) -> Result<()> {
    let contracting = &work.plan.contracting;
    if contracting.is_empty() || session.options.allow_contract {
        return Ok(());
    }
    Err(Halt::new(
        "contract_not_allowed",
        format!(
            "migrations take away what an older release may use: {}",
            contracting.join(", ")
        ),
        "see that the release that serves no longer uses it, then say so with `--allow-contract`; after it a rollback needs `--restore`",
    ))
}

fn engine(session: &Session<'_>, facts: &EngineFacts) -> Result<()> {
    let (major, minor) = facts.api;
    if facts.api < OLDEST_API {
        return Err(Halt::new(
            "engine_too_old",
            format!(
                "engine {} speaks API {major}.{minor}, at least {}.{} is needed",
                facts.version, OLDEST_API.0, OLDEST_API.1
            ),
            "update the container engine",
        ));
    }
    session
        .reporter
        .step(format!("Engine {} (API {major}.{minor})", facts.version));
    Ok(())
}

fn clock(session: &Session<'_>, facts: &EngineFacts) -> Result<()> {
    let Some(theirs) = facts.time else {
        return Ok(());
    };
    let ours = session.world.clock.here();
    let apart = ours.since(theirs).max(theirs.since(ours));
    if apart > session.options.clock_skew {
        return Err(Halt::new(
            "clock_skew",
            format!("the engine's clock is {} s from ours", apart.as_secs()),
            "let both machines take their time from NTP",
        ));
    }
    session.reporter.step("Clocks agree");
    Ok(())
}

fn memory(session: &Session<'_>, facts: &EngineFacts) -> Result<()> {
    let needed = session.options.memory_needed_bytes;
    if facts.memory_bytes < needed {
        return Err(Halt::new(
            "memory_low",
            format!(
                "the machine has {} MB of memory, {} MB are needed",
                facts.memory_bytes >> 20,
                needed >> 20
            ),
            "give the machine more memory",
        ));
    }
    session
        .reporter
        .step(format!("{} MB of memory", facts.memory_bytes >> 20));
    Ok(())
}

async fn disk(session: &Session<'_>, facts: &EngineFacts) -> Result<()> {
    let needed = session.options.disk_needed_bytes;
    let Some(free) = facts.disk_free_bytes else {
        session
            .reporter
            .note("The engine's disk cannot be seen from here");
        return Ok(());
    };
    let mut free = free;
    if free < needed {
        session.reporter.note(format!(
            "{} MB free of {} MB: old releases and images are removed",
            free >> 20,
            needed >> 20
        ));
        session.sweep().await?;
        free = session
            .world
            .engine
            .facts()
            .await?
            .disk_free_bytes
            .unwrap_or(free);
    }
    if free < needed {
        return Err(Halt::new(
            "disk_low",
            format!(
                "{} MB are free on the engine's disk, {} MB are needed",
                free >> 20,
                needed >> 20
            ),
            "free space (`docker system df` shows what takes it), then deploy again",
        ));
    }
    session
        .reporter
        .step(format!("{} MB free on the disk", free >> 20));
    Ok(())
}

async fn ports(session: &Session<'_>, work: &Work<'_>) -> Result<()> {
    let definition = &work.desired.definition;
    let proxy = definition.container_name(PROXY);
    let running = session.world.engine.container(&proxy).await?;
    if running.is_some() {
        return Ok(());
    }
    for port in definition.container(PROXY)?.ports {
        if !port.udp && !session.world.probe.port_is_free(port.published).await {
            return Err(Halt::new(
                "port_taken",
                format!("port {} is taken by another program", port.published),
                "stop that program, or give the proxy another port",
            ));
        }
    }
    session.reporter.step("Ports are free");
    Ok(())
}

async fn name(session: &Session<'_>, work: &Work<'_>) -> Result<()> {
    let Some(domain) = &work.desired.domain else {
        return Ok(());
    };
    if !session.world.probe.resolves(domain).await {
        return Err(Halt::new(
            "dns",
            format!("{domain} leads to no address"),
            "add the record at your DNS provider; the certificate cannot be had before",
        ));
    }
    session
        .reporter
        .step(format!("{domain} leads to an address"));
    Ok(())
}
