//! Steps of a start whose success is their effect. They are checks, so that the runner gives them
//! a timeout, isolates their panics, retries and reports them like everything else.

use std::time::Duration;

use deadpool_postgres::Pool;
use tria_chatbot::{
    collections,
    schema::{MigrateError, MigrateOptions, MigrationReport, migrate},
};
use tria_check::{
    Check, CheckContext, CheckMeta, Code, Finding, Group, Outcome, PrivateText, PublicText,
    PublicValue,
};
use tria_chroma::ChromaClient;
use tria_db_check::Fault;

/// Applying migrations may take long, and nobody wants them cut.
const MIGRATION_TIMEOUT: Duration = Duration::from_secs(300);

const LOCKED: Code = Code::new("migration_locked");
const CHANGED: Code = Code::new("migration_changed");
const UNAPPLIED: Code = Code::new("migration_left_out");
const FAILED: Code = Code::new("migration_failed");
const COLLECTION_FAILED: Code = Code::new("collection_failed");

/// Brings the database schema up to date.
pub(crate) struct Migrations {
    meta: CheckMeta,
    pool: Pool,
}

/// Creates the vector collections that are missing.
pub(crate) struct Collections {
    meta: CheckMeta,
    chroma: ChromaClient,
}

// === impl Migrations ===

impl Migrations {
    pub(crate) fn new(pool: Pool) -> Self {
        let meta = CheckMeta::new("database.migrations")
            .groups([Group::Startup])
            .timeout(MIGRATION_TIMEOUT)
            .codes(MIGRATION_CODES);
        Self { meta, pool }
    }
}

/// The step's own codes, and those of a database that refuses.
const MIGRATION_CODES: &[Code] = &{
    const OWN: [Code; 4] = [LOCKED, CHANGED, UNAPPLIED, FAILED];
    let mut codes = [FAILED; OWN.len() + tria_db_check::CODES.len()];
    let mut index = 0;
    while index < codes.len() {
        codes[index] = if index < OWN.len() {
            OWN[index]
        } else {
            tria_db_check::CODES[index - OWN.len()]
        };
        index += 1;
    }
    codes
};

impl Check for Migrations {
    fn meta(&self) -> &CheckMeta {
        &self.meta
    }

    async fn check(&self, _cx: &CheckContext) -> Outcome {
        match migrate(&self.pool, MigrateOptions::default()).await {
            Ok(report) => applied(&report),
            Err(error) => refused(&error).into(),
        }
    }
}

fn applied(report: &MigrationReport) -> Outcome {
    let count = report.applied.len();
    let text = match report.applied.last() {
        None => PublicText::new("No migration to apply"),
        Some(last) => PublicText::filled(
            "Applied migrations up to {} ({} of them)",
            &[PublicValue::word(&last.to_string()), count.into()],
        ),
    };
    Outcome::from(Finding::pass(text))
        .observe("migrations_applied", count, "")
        .observe("migration", report.current, "")
}

fn refused(error: &MigrateError) -> Finding {
    let detail = PrivateText::from_error(error);
    match error {
        MigrateError::Locked { .. } => Finding::fail(LOCKED, "another server is migrating")
            .transient(None)
            .remedy("wait for it; if there is none, end the session that holds the lock")
            .detail(detail),
        MigrateError::Changed { .. } => {
            Finding::fail(CHANGED, "a migration was changed after it was applied")
                .remedy("restore the migration's file, and put the change into a new one")
                .detail(detail)
        }
        MigrateError::Unapplied { .. } => Finding::fail(
            UNAPPLIED,
            "a migration was left out, though a later one was applied",
        )
        .remedy("give the migration a number above the newest applied one")
        .detail(detail),
        MigrateError::Connect(_) | MigrateError::State(_) => match Fault::in_chain(error) {
            Some(fault) => fault.finding(detail),
            None => failed(detail).transient(None),
        },
        // A lost connection may come back; a statement that is refused stays refused.
        MigrateError::Failed { .. } => match Fault::in_chain(error) {
            Some(fault) if fault.is_transient() && !fault.is_refused_statement() => {
                fault.finding(detail)
            }
            _ => failed(detail),
        },
        _ => failed(detail),
    }
}

fn failed(detail: PrivateText) -> Finding {
    Finding::fail(FAILED, "a migration failed and was rolled back")
        .remedy("see the detail for what the server refused; the migrations before it are applied")
        .detail(detail)
}

// === impl Collections ===

impl Collections {
    pub(crate) fn new(chroma: ChromaClient) -> Self {
        let meta = CheckMeta::new("chromadb.collections")
            .groups([Group::Startup])
            .timeout(Duration::from_secs(30))
            .codes(&[COLLECTION_FAILED]);
        Self { meta, chroma }
    }
}

impl Check for Collections {
    fn meta(&self) -> &CheckMeta {
        &self.meta
    }

    async fn check(&self, _cx: &CheckContext) -> Outcome {
        match collections::ensure_collections(&self.chroma).await {
            Ok(created) if created.is_empty() => Finding::pass("No collection to create").into(),
            Ok(created) => {
                let names = [PublicValue::words(created)];
                Finding::pass(PublicText::filled("Created the collections {}", &names)).into()
            }
            Err(error) => {
                let finding = Finding::fail(COLLECTION_FAILED, "the collections cannot be created")
                    .detail(PrivateText::from_error(&error))
                    .remedy("see the detail, CHROMA_URL, CHROMA_TENANT and CHROMA_DATABASE");
                if error.is_transient() {
                    finding.transient(None)
                } else {
                    finding
                }
                .into()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tria_check::{Status, conformance::Kit};
    use tria_db_check::pool::{PoolOptions, build};

    use super::*;

    fn pool(url: &str) -> Pool {
        build(&url.to_owned().into(), &PoolOptions::default()).unwrap()
    }

    #[tokio::test]
    async fn migrating_conforms_where_it_can_and_where_it_cannot() {
        let stack = tria_devstack::shared().await.unwrap();
        let kit = || Kit::new().secret(stack.postgres_password());
        let database = stack.fresh_database().await.unwrap();
        let outcome = kit()
            .verify(&Migrations::new(pool(database.url())))
            .await
            .unwrap();
        assert_eq!(outcome.status(), Status::Pass);

        let wrong = database
            .url()
            .replace(stack.postgres_password(), "wrong-Hj4kL9");
        let kit = kit().secret("wrong-Hj4kL9");
        let outcome = kit.verify(&Migrations::new(pool(&wrong))).await.unwrap();
        assert!(outcome.is_permanent_failure(), "{outcome:?}");
    }

    #[tokio::test]
    async fn creating_collections_conforms_where_it_can_and_where_it_cannot() {
        let stack = tria_devstack::shared().await.unwrap();
        let database = stack.chroma_database().await.unwrap();
        let client = |name: &str| {
            ChromaClient::builder(&stack.chroma_url())
                .database(name)
                .build()
                .unwrap()
        };
        let collections = Collections::new(client(database.name()));
        let outcome = Kit::new().verify(&collections).await.unwrap();
        assert_eq!(outcome.status(), Status::Pass);

        let nowhere = Collections::new(client("there-is-no-such-database"));
        let outcome = Kit::new().verify(&nowhere).await.unwrap();
        assert_eq!(
            (outcome.status(), outcome.code()),
            (Status::Fail, COLLECTION_FAILED)
        );
    }
}
