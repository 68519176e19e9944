//! Fills the stores: the catalogue into the database, catalogue and knowledge into the
//! collections.

use std::{error::Error as StdError, path::Path};

use deadpool_postgres::Pool;
use tokio::sync::watch;
use tria_chatbot::{
    DataErrors, Embedder,
    catalogue::{Catalogue, Changes, SeedOptions, Seeded, seed},
    ingest::{IngestOptions, Ingested, Records, Stores, ingest},
    knowledge::Knowledge,
};
use tria_check::{Phase, PrivateText, Runner};
use tria_db_check::Fault;
use tria_env_check::Redactor;
use tria_lifecycle::Signals;
use tria_orchestrator::exit_code;

use crate::{
    DATA, checks,
    cli::{IngestCommand, SeedCommand},
    environment::{Environment, Usable},
    interruptible::until_a_signal,
    plan::{self, Plan},
    refusal::refuse,
    settings::LogFormat,
    telemetry::{complain, say},
};

/// The folders of the data folder.
const CATALOGUE: &str = "catalogue";
const KNOWLEDGE: &str = "knowledge";

/// What to do where the collections were made by another model.
const REBUILD: &str = "set OPENAI_EMBEDDING_MODEL back, or run `tria-server ingest --rebuild`, \
                       which deletes the collections and makes them anew";

/// Seeds the catalogue, and gives the exit code. Cut short, it is rolled back.
pub(crate) fn run_seed(options: &SeedCommand, signals: &Signals) -> anyhow::Result<u8> {
    let environment = Environment::read()?;
    until_a_signal(&environment, signals, seeding(options, &environment))
}

/// Fills the collections, and gives the exit code. Cut short, what was ingested is whole.
pub(crate) fn run_ingest(options: &IngestCommand, signals: &Signals) -> anyhow::Result<u8> {
    let environment = Environment::read()?;
    until_a_signal(&environment, signals, ingesting(options, &environment))
}

async fn seeding(options: &SeedCommand, environment: &Environment) -> anyhow::Result<u8> {
    let Some(usable) = environment.usable() else {
        return refuse(plan::seeding(), environment).await;
    };
    let teller = Teller::of(environment)?;
    let catalogue = match Catalogue::read(&options.data.join(CATALOGUE)) {
        Ok(catalogue) => catalogue,
        Err(errors) => return Ok(teller.bad_data(&errors)),
    };
    if let Some(code) = prove(plan::seeding(), environment, usable).await? {
        return Ok(code);
    }
    let pool = &usable.dependencies.database.main;
    let options = SeedOptions {
        reset_stock: options.reset_stock,
        ..SeedOptions::default()
    };
    match seed(pool, &catalogue, options).await {
        Ok(Seeded { products, outlets }) => {
            teller.seeded("products", products);
            teller.seeded("outlets", outlets);
            Ok(0)
        }
        Err(error) => {
            let fault = fault_of(&error);
            let passes = fault.is_some_and(Fault::is_transient);
            let otherwise = "see what the database refused; nothing was changed";
            let remedy = fault.map_or(otherwise, Fault::remedy);
            Ok(teller.failed(&error, passes, remedy))
        }
    }
}

async fn ingesting(options: &IngestCommand, environment: &Environment) -> anyhow::Result<u8> {
    let Some(usable) = environment.usable() else {
        return refuse(plan::ingestion(), environment).await;
    };
    let teller = Teller::of(environment)?;
    let knowledge = match read_knowledge(&options.data) {
        Ok(knowledge) => knowledge,
        Err(errors) => return Ok(teller.bad_data(&errors)),
    };
    if let Some(code) = prove(plan::ingestion(), environment, usable).await? {
        return Ok(code);
    }
    let pool: &Pool = &usable.dependencies.database.main;
    let model = usable.settings.openai_embedding_model.clone();
    let stores = Stores {
        pool,
        chroma: &usable.dependencies.chroma,
        embedder: &Embedder::new(usable.dependencies.openai.client(), model),
    };
    let options = IngestOptions {
        rebuild: options.rebuild,
        ..IngestOptions::default()
    };
    let progress = |done, of| tracing::info!(done, of, "embedded");
    match ingest(stores, &knowledge, options, progress).await {
        Ok(Ingested {
            knowledge,
            products,
        }) => {
            teller.ingested("passages", knowledge);
            teller.ingested("products", products);
            Ok(0)
        }
        Err(error) => {
            let fault = fault_of(&error);
            let passes = error.is_transient() || fault.is_some_and(Fault::is_transient);
            let otherwise = if error.is_mismatch() {
                REBUILD
            } else {
                "see what was refused, then run it again, which goes on from there"
            };
            let remedy = fault.map_or(otherwise, Fault::remedy);
            Ok(teller.failed(&error, passes, remedy))
        }
    }
}

fn read_knowledge(data: &Path) -> Result<Knowledge, DataErrors> {
    Knowledge::read(&data.join(KNOWLEDGE))
}

/// Proves what the work needs. The exit code, if it may not begin.
async fn prove(
    plan: Plan,
    environment: &Environment,
    usable: &Usable,
) -> anyhow::Result<Option<u8>> {
    let registry = checks::of_migration(environment, usable)?;
    // The sender may go: the work stays in one phase.
    let (_, phase) = watch::channel(Phase::Starting);
    let patience = Some(usable.settings.startup_deadline);
    let format = Some(usable.settings.log_format);
    let runner = Runner::new(registry, phase);
    let verdict = plan.over(runner, patience, format).build().prove().await;
    Ok(verdict.exit_code())
}

/// What is wrong with the database. A statement that it refused for none of the known reasons is
/// refused again.
fn fault_of(error: &(dyn StdError + 'static)) -> Option<&'static Fault> {
    Fault::in_chain(error).filter(|fault| !fault.is_refused_statement())
}

/// Tells what came of the work, in the form of the log.
struct Teller {
    format: LogFormat,
    redactor: Redactor,
}

// === impl Teller ===

impl Teller {
    fn of(environment: &Environment) -> anyhow::Result<Self> {
        Ok(Self {
            format: environment.log_format(),
            redactor: environment.redactor()?,
        })
    }

    fn seeded(&self, what: &str, changes: Changes) {
        let Changes {
            added,
            changed,
            unchanged,
            deactivated,
        } = changes;
        let total = changes.total();
        match self.format {
            LogFormat::Json => {
                tracing::info!(
                    what,
                    total,
                    added,
                    changed,
                    unchanged,
                    deactivated,
                    "seeded"
                );
            }
            LogFormat::Pretty => {
                let parts = [
                    (added, "added"),
                    (changed, "changed"),
                    (deactivated, "deactivated"),
                ];
                say(&line(total, what, &parts));
            }
        }
    }

    fn ingested(&self, what: &str, records: Records) {
        let Records {
            embedded,
            unchanged,
            deleted,
        } = records;
        let total = records.total();
        match self.format {
            LogFormat::Json => {
                tracing::info!(what, total, embedded, unchanged, deleted, "ingested");
            }
            LogFormat::Pretty => {
                let parts = [(embedded, "embedded"), (deleted, "deleted")];
                say(&line(total, what, &parts));
            }
        }
    }

    /// Tells each problem, and gives the exit code.
    fn bad_data(&self, errors: &DataErrors) -> u8 {
        for problem in errors.problems() {
            match self.format {
                LogFormat::Json => tracing::error!(%problem, "bad data"),
                LogFormat::Pretty => complain(&format!("❌ {problem}")),
            }
        }
        DATA
    }

    /// Tells why it failed and what to do, and gives the exit code.
    fn failed(&self, error: &(dyn StdError + 'static), passes: bool, remedy: &str) -> u8 {
        let chain = self.redactor.redact(&chain(error)).to_string();
        match self.format {
            LogFormat::Json => tracing::error!(error = chain, remedy, "failed"),
            LogFormat::Pretty => {
                complain(&format!("❌ {chain}"));
                complain(&format!("   remedy: {remedy}"));
            }
        }
        if passes {
            exit_code::TEMPORARY
        } else {
            exit_code::UNAVAILABLE
        }
    }
}

/// How much of an error is told: an answer of a server may be quoted in it, however long.
const LONGEST: usize = 500;

fn chain(error: &(dyn StdError + 'static)) -> String {
    let text = PrivateText::from_error(error);
    let characters = text.expose().chars();
    characters
        .map(|character| {
            if character.is_control() {
                ' '
            } else {
                character
            }
        })
        .take(LONGEST)
        .collect()
}

/// As in `✅ 57 products: 55 added, 2 changed`.
fn line(total: usize, what: &str, parts: &[(usize, &str)]) -> String {
    let one = what.strip_suffix('s').filter(|_| total == 1);
    let what = one.unwrap_or(what);
    let told: Vec<String> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    if told.is_empty() {
        return format!("✅ {total} {what}: nothing to do");
    }
    format!("✅ {total} {what}: {}", told.join(", "))
}

#[cfg(test)]
mod tests {
    use tria_chatbot::ingest::IngestError;

    use super::*;

    #[test]
    fn a_line_tells_what_happened_and_nothing_else() {
        let parts = [(55, "added"), (2, "changed"), (0, "deactivated")];
        assert_eq!(
            line(57, "products", &parts),
            "✅ 57 products: 55 added, 2 changed"
        );
        let nothing = [(0, "added")];
        assert_eq!(
            line(57, "products", &nothing),
            "✅ 57 products: nothing to do"
        );
        assert_eq!(line(1, "outlets", &nothing), "✅ 1 outlet: nothing to do");
    }

    #[test]
    fn a_chain_is_one_line_and_bounded() {
        let error = IngestError::OtherModel {
            collection: "a\nb".into(),
            stored: "x".repeat(1_000),
            given: String::new(),
        };
        let told = chain(&error);
        assert!(told.starts_with("collection a b was embedded by xxx"));
        assert_eq!(told.chars().count(), LONGEST);
    }
}
