//! What is proven before the service serves, in order.

use std::{
    io::{stderr, stdout},
    time::Duration,
};

use tria_check::Runner;
use tria_orchestrator::{Banner, EventLog, Patience, Phase, Startup, StartupBuilder, Wording};

use crate::settings::LogFormat;

/// What is proven, and what the run is called.
pub(crate) struct Plan {
    pub(crate) phases: Vec<Phase>,
    wording: Wording,
}

/// The phase that judges the environment, and its check.
pub(crate) const ENVIRONMENT: &str = "environment";

/// The phase that proves PostgreSQL.
pub(crate) const DATABASE: &str = "database";

/// The phase that proves Redis.
pub(crate) const REDIS: &str = "redis";

/// The plan of a start.
pub(crate) fn startup() -> Plan {
    let phases = vec![
        environment(),
        database()
            .check("database.migrations")
            .check("database.schema"),
        redis(),
        openai(),
        chromadb("ChromaDB Validation").check("chromadb"),
    ];
    let wording = Wording {
        title: "TRIA AIBPO PRODUCTION STARTUP",
        ..Wording::default()
    };
    Plan { phases, wording }
}

/// The plan of a preflight: that of a start, without what changes anything.
pub(crate) fn preflight() -> Plan {
    let mut phases = startup().phases;
    phases[1] = database().check("database.schema");
    let wording = Wording {
        title: "TRIA AIBPO PREFLIGHT",
        complete: "PREFLIGHT PASSED - ALL CRITICAL SERVICES OPERATIONAL",
        refused: "PREFLIGHT FAILED",
    };
    Plan { phases, wording }
}

/// The plan of bringing the stores up to date.
pub(crate) fn migration() -> Plan {
    let collections = chromadb("ChromaDB Collections");
    let phases = vec![
        environment(),
        database()
            .check("database.migrations")
            .check("database.schema"),
        collections.check("chromadb.collections").check("chromadb"),
    ];
    let wording = Wording {
        title: "TRIA AIBPO MIGRATION",
        complete: "MIGRATION COMPLETE - SCHEMA AND COLLECTIONS ARE UP TO DATE",
        refused: "MIGRATION FAILED",
    };
    Plan { phases, wording }
}

/// The plan of what `seed` needs.
pub(crate) fn seeding() -> Plan {
    let phases = vec![environment(), database().check("database.schema")];
    let wording = Wording {
        title: "TRIA AIBPO SEED",
        complete: "THE DATABASE IS READY",
        refused: "SEED REFUSED - NOTHING WAS CHANGED",
    };
    Plan { phases, wording }
}

/// The plan of what `ingest` needs.
pub(crate) fn ingestion() -> Plan {
    let collections = chromadb("ChromaDB Collections");
    let phases = vec![
        environment(),
        database().check("database.schema"),
        openai(),
        collections.check("chromadb.collections").check("chromadb"),
    ];
    let wording = Wording {
        title: "TRIA AIBPO INGEST",
        complete: "DATABASE, MODEL AND COLLECTIONS ARE READY",
        refused: "INGEST REFUSED - NOTHING WAS WRITTEN",
    };
    Plan { phases, wording }
}

fn environment() -> Phase {
    Phase::new(ENVIRONMENT, "Environment Validation")
        .check(ENVIRONMENT)
        .configuration()
}

fn database() -> Phase {
    Phase::new(DATABASE, "Database Initialization")
        .check("database")
        .keys(["DATABASE_URL"])
}

fn redis() -> Phase {
    let keys = [
        "REDIS_HOST",
        "REDIS_PORT",
        "REDIS_PASSWORD",
        "REDIS_DB",
        "REDIS_TLS",
    ];
    Phase::new(REDIS, "Redis Initialization")
        .check("redis")
        .keys(keys)
}

fn openai() -> Phase {
    let keys = [
        "OPENAI_API_KEY",
        "OPENAI_BASE_URL",
        "OPENAI_MODEL",
        "OPENAI_EMBEDDING_MODEL",
    ];
    Phase::new("openai", "OpenAI API Validation")
        .check("openai")
        .keys(keys)
}

fn chromadb(title: &str) -> Phase {
    Phase::new("chromadb", title).keys(["CHROMA_URL", "CHROMA_TENANT", "CHROMA_DATABASE"])
}

// === impl Plan ===

impl Plan {
    /// A run of the plan that tells what happens in the form of the log, or to nobody.
    pub(crate) fn over(
        self,
        runner: Runner,
        patience: Option<Duration>,
        format: Option<LogFormat>,
    ) -> StartupBuilder {
        let patience = patience.map_or(Patience::Once, Patience::For);
        let builder = Startup::builder(runner).patience(patience);
        let builder = self.phases.into_iter().fold(builder, StartupBuilder::phase);
        match format {
            Some(LogFormat::Pretty) => {
                builder.observer(Banner::new(self.wording, stdout(), stderr()))
            }
            Some(LogFormat::Json) => builder.observer(EventLog),
            None => builder,
        }
    }
}
