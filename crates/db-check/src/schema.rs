//! Proves that the migrations and the required tables are there.

use std::collections::BTreeSet;

use deadpool_postgres::Pool;
use tokio_postgres::SimpleQueryRow;
use tria_check::{Check, CheckContext, CheckMeta, Code, Finding, Outcome, PublicText, PublicValue};

use crate::{
    CODES, SchemaSpec, Target,
    database::TIMEOUT,
    fault,
    lease::Unanswered,
    source::{Source, Taken},
};

pub(crate) const SCHEMA_MISSING: Code = Code::new("schema_missing");
pub(crate) const SCHEMA_OUTDATED: Code = Code::new("schema_outdated");
pub(crate) const SCHEMA_NEWER: Code = Code::new("schema_newer");
pub(crate) const SCHEMA_INCOMPATIBLE: Code = Code::new("schema_incompatible");

/// Proves that the database stands at the expected migration, and that every required table and
/// column exists; all that is missing is named at once.
///
/// A **newer** schema is a matter of its migrations' names, `V<n>__expand_<what>` or
/// `V<n>__contract_<what>`: during a rollout the old version must run on the new schema, so where
/// all that is newer only expands it is a warning (`schema_newer`); anything else that is newer
/// is a failure (`schema_incompatible`).
///
/// Observed: `migration`, `migration_expected`, `tables_required`, `tables_checked`, and the pool
/// as in [`crate::DatabaseCheck`].
pub struct SchemaCheck {
    meta: CheckMeta,
    source: Source,
    spec: SchemaSpec,
    migrate: PublicText,
    upgrade: PublicText,
}

/// What the catalog says: the names of the tables and columns that exist, and the migrations.
#[derive(Debug, Default)]
struct Found {
    has_history: bool,
    tables: BTreeSet<String>,
    columns: BTreeSet<(String, String)>,
    migrations: Vec<(u32, String)>,
}

// === impl SchemaCheck ===

impl SchemaCheck {
    /// A critical check named `database.schema` over the application's own pool, with a timeout of
    /// 3 s.
    pub fn new(pool: Pool, spec: SchemaSpec) -> Self {
        Self {
            meta: CheckMeta::new("database.schema")
                .timeout(TIMEOUT)
                .codes(CODES),
            source: Source::new(pool),
            spec,
            migrate: "run the migrations".into(),
            upgrade: "deploy a version that knows this schema".into(),
        }
    }

    /// Changes name, groups, timeout, period and so on.
    pub fn configure(mut self, change: impl FnOnce(CheckMeta) -> CheckMeta) -> Self {
        self.meta = change(self.meta);
        self
    }

    /// Lends it a pool that nothing else uses; see [`crate::DatabaseCheck::probe_pool`].
    pub fn probe_pool(mut self, pool: Pool) -> Self {
        self.source.probe = Some(pool);
        self
    }

    /// Tells it where the pool leads, for the private detail of failures.
    pub fn target(mut self, target: Target) -> Self {
        self.source.target = Some(target);
        self
    }

    /// Sets what to do about a schema that is missing, too old or incomplete; name the command.
    pub fn migrate_remedy(mut self, remedy: impl Into<PublicText>) -> Self {
        self.migrate = remedy.into();
        self
    }

    /// Sets what to do about a schema that is newer than this program.
    pub fn upgrade_remedy(mut self, remedy: impl Into<PublicText>) -> Self {
        self.upgrade = remedy.into();
        self
    }

    async fn prove(&self, cx: &CheckContext) -> Outcome {
        let answer_by = Source::answer_by(cx);
        let Taken { lease, busy } = self.source.take(answer_by).await;
        let busy = busy.then(|| self.source.busy());
        let mut lease = match lease {
            Ok(lease) => lease,
            Err(failed) => return Outcome::new(failed.into_iter().chain(busy)),
        };

        let mut found = Found::default();
        let asked = async {
            found.read_catalog(
                &lease.ask(&self.catalog_query(), answer_by).await?,
                &self.spec,
            );
            if found.has_history {
                found.read_history(&lease.ask(&self.history_query(), answer_by).await?);
            }
            Ok::<(), Unanswered>(())
        };
        if let Err(unanswered) = asked.await {
            let failed = self.source.unanswered(&unanswered);
            return Outcome::new(std::iter::once(failed).chain(busy));
        }
        drop(lease);

        let (missing, columns) = (self.missing_tables(&found), self.missing_columns(&found));
        let complete = missing.is_none() && columns.is_none();
        let findings = std::iter::once(self.judge_migrations(&found))
            .chain(complete.then(|| self.all_tables_exist()))
            .chain(missing)
            .chain(columns)
            .chain(busy);
        let outcome = Outcome::new(findings)
            .observe("migration_expected", self.spec.migration, "")
            .observe("tables_required", self.spec.required(), "tables")
            .observe("tables_checked", self.spec.tables.len(), "tables");
        match found.migrations.last() {
            Some((newest, _)) => outcome.observe("migration", *newest, ""),
            None => outcome,
        }
    }

    /// Every table with each of its columns; a table without columns has one row without a
    /// column. The names were checked to be plain identifiers when the spec was made.
    fn catalog_query(&self) -> String {
        let tables = self.spec.tables.iter().map(|table| &table.name);
        let names: Vec<String> = tables
            .chain([&self.spec.history])
            .map(|name| format!("('{name}')"))
            .collect();
        format!(
            "SELECT wanted.name AS name, attribute.attname AS attribute
               FROM (VALUES {}) AS wanted(name)
               JOIN pg_class AS class ON class.oid = to_regclass(quote_ident(wanted.name))
                AND class.relkind IN ('r', 'p', 'v', 'm', 'f')
               LEFT JOIN pg_attribute AS attribute ON attribute.attrelid = class.oid
                AND attribute.attnum > 0 AND NOT attribute.attisdropped",
            names.join(", ")
        )
    }

    fn history_query(&self) -> String {
        let history = &self.spec.history;
        format!("SELECT version, name FROM \"{history}\" ORDER BY version")
    }

    fn judge_migrations(&self, found: &Found) -> Finding {
        let expected = self.spec.migration;
        let Some((newest, _)) = found.migrations.last() else {
            return Finding::fail(
                SCHEMA_MISSING,
                "no migration was ever applied to the database",
            )
            .remedy(self.migrate.clone())
            .detail(self.source.detail(None));
        };
        let numbers = [PublicValue::from(*newest), expected.into()];
        if *newest < expected {
            let text = PublicText::filled("the schema is at migration {} of {}", &numbers);
            return Finding::fail(SCHEMA_OUTDATED, text)
                .remedy(self.migrate.clone())
                .detail(self.source.detail(None));
        }
        if *newest == expected {
            let text = PublicText::filled("Schema up to date (migration {})", &numbers[..1]);
            return Finding::pass(text);
        }
        let newer = found
            .migrations
            .iter()
            .filter(|(version, _)| *version > expected);
        let breaking: Vec<String> = newer
            .filter(|(_, name)| !name.starts_with("expand_"))
            .map(|(version, name)| format!("V{version}__{name}"))
            .collect();
        if breaking.is_empty() {
            let text = PublicText::filled(
                "the schema is at migration {}, and this version knows {}; what is newer only adds",
                &numbers,
            );
            return Finding::warn(SCHEMA_NEWER, text).remedy(self.upgrade.clone());
        }
        let [newest, expected] = numbers;
        let text = PublicText::filled(
            "the schema is at migration {}, this version knows {}, and cannot run with {}",
            &[newest, expected, PublicValue::words(breaking)],
        );
        Finding::fail(SCHEMA_INCOMPATIBLE, text)
            .remedy(self.upgrade.clone())
            .detail(self.source.detail(None))
    }

    fn all_tables_exist(&self) -> Finding {
        Finding::pass(PublicText::filled(
            "All {} required tables exist",
            &[self.spec.required().into()],
        ))
    }

    fn missing_tables(&self, found: &Found) -> Option<Finding> {
        let tables = self.spec.tables.iter().map(|table| &table.name);
        let missing: Vec<&String> = tables
            .filter(|name| !found.tables.contains(*name))
            .collect();
        self.missing(
            found,
            fault::TABLE_MISSING.code(),
            "missing tables: {}",
            missing,
        )
    }

    fn missing_columns(&self, found: &Found) -> Option<Finding> {
        let mut missing = Vec::new();
        for table in &self.spec.tables {
            if !found.tables.contains(&table.name) {
                continue;
            }
            for column in &table.columns {
                let key = (table.name.clone(), column.clone());
                if !found.columns.contains(&key) {
                    missing.push(format!("{}.{column}", table.name));
                }
            }
        }
        self.missing(
            found,
            fault::COLUMN_MISSING.code(),
            "missing columns: {}",
            missing,
        )
    }

    fn missing<S: AsRef<str>>(
        &self,
        found: &Found,
        code: Code,
        template: &'static str,
        names: Vec<S>,
    ) -> Option<Finding> {
        if names.is_empty() {
            return None;
        }
        let text = PublicText::filled(template, &[PublicValue::words(names)]);
        // Migrations that are recorded as applied do not bring back what somebody took away.
        let remedy = if found.newest() >= Some(self.spec.migration) {
            PublicText::new("restore what was dropped, from a backup: its migration is applied")
        } else {
            self.migrate.clone()
        };
        let failed = Finding::fail(code, text).remedy(remedy);
        Some(failed.detail(self.source.detail(None)))
    }
}

impl Check for SchemaCheck {
    fn meta(&self) -> &CheckMeta {
        &self.meta
    }

    async fn check(&self, cx: &CheckContext) -> Outcome {
        let outcome = self.prove(cx).await;
        self.source.observe_pool(outcome)
    }
}

// === impl Found ===

impl Found {
    /// The number of the newest applied migration.
    fn newest(&self) -> Option<u32> {
        self.migrations.last().map(|(version, _)| *version)
    }

    fn read_catalog(&mut self, rows: &[SimpleQueryRow], spec: &SchemaSpec) {
        for row in rows {
            let Some(table) = row.get("name") else {
                continue;
            };
            self.has_history |= table == spec.history;
            self.tables.insert(table.to_owned());
            if let Some(column) = row.get("attribute") {
                self.columns.insert((table.to_owned(), column.to_owned()));
            }
        }
    }

    fn read_history(&mut self, rows: &[SimpleQueryRow]) {
        let migration = |row: &SimpleQueryRow| {
            let version = row.get("version")?.parse().ok()?;
            Some((version, row.get("name")?.to_owned()))
        };
        self.migrations = rows.iter().filter_map(migration).collect();
    }
}
