//! The check.

use std::fmt;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use tria_check::{Check, CheckContext, CheckMeta, Finding, Outcome};
use tria_check::{PrivateText, PublicText, PublicValue};
use tria_chroma::{ChromaClient, Error};

use crate::collections::{self, Found, Remedies, push_once};
use crate::{CollectionSpec, InvalidSpec, Version, codes, fault, spec};

/// How long a run may take: a `ChromaDB` that is silent for so long is none.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(3);

/// Kept back of the check's time, so that it can still tell what it found until then.
const RESERVE: Duration = Duration::from_millis(50);

/// Proves a `ChromaDB` and what the application needs of it: the v2 API, the version, the client's
/// tenant and database, and the collections.
///
/// - Pass: `Connected to ChromaDB 1.0.0`, and `Collections ready: ...` when collections are asked for.
/// - Fail: see [`codes`]. All of one run at once, causes without their consequences: while the tenant
///   is missing nothing is said about collections.
///
/// Observed: `response_time_ms` (the heartbeat alone), `server_version`, `collections`, `records` (of
/// all together), `collection_records` and `collection_dimensions` (`name: number` of each).
pub struct VectorCheck {
    meta: CheckMeta,
    chroma: ChromaClient,
    min_version: Version,
    collections: Vec<CollectionSpec>,
    remedies: Remedies,
}

/// What one run has seen so far; survives its running out of time.
#[derive(Default)]
struct Seen<'a> {
    findings: Vec<Finding>,
    response_time: Option<Duration>,
    version: Option<Version>,
    collections: Option<Vec<Found<'a>>>,
}

// === impl VectorCheck ===

impl VectorCheck {
    /// A critical check named `chromadb` of the server, tenant and database of a client, for version
    /// 1.0.0 or newer, with a timeout of 3 s.
    pub fn new(chroma: ChromaClient) -> Self {
        Self {
            meta: CheckMeta::new("chromadb")
                .timeout(TIMEOUT)
                .codes(codes::ALL),
            chroma,
            min_version: Version::new(1, 0, 0),
            collections: Vec::new(),
            remedies: Remedies::default(),
        }
    }

    /// Changes name, groups, criticality, timeout or period.
    pub fn configure(mut self, change: impl FnOnce(CheckMeta) -> CheckMeta) -> Self {
        self.meta = change(self.meta).codes(codes::ALL);
        self
    }

    /// Sets the oldest version that serves. It is the one which the server reports: the package
    /// `chromadb` 1.5.9 reports 1.0.0.
    pub fn min_version(mut self, version: Version) -> Self {
        self.min_version = version;
        self
    }

    /// Sets the collections that must be there.
    ///
    /// # Errors
    /// [`InvalidSpec`] for a list that can never be proven.
    pub fn collections(
        mut self,
        specs: impl IntoIterator<Item = CollectionSpec>,
    ) -> Result<Self, InvalidSpec> {
        self.collections = specs.into_iter().collect();
        spec::validate(&self.collections)?;
        Ok(self)
    }

    /// Sets what to do about a missing collection, where the application has a command for it.
    pub fn missing_remedy(mut self, remedy: impl Into<PublicText>) -> Self {
        self.remedies.missing = remedy.into();
        self
    }

    /// Sets what to do about a collection of another dimension.
    pub fn dimension_remedy(mut self, remedy: impl Into<PublicText>) -> Self {
        self.remedies.dimension = remedy.into();
        self
    }

    /// Sets what to do about a collection with too few records.
    pub fn too_small_remedy(mut self, remedy: impl Into<PublicText>) -> Self {
        self.remedies.too_small = remedy.into();
        self
    }

    async fn prove<'a>(&'a self, seen: &mut Seen<'a>) {
        let begun = Instant::now();
        if let Err(error) = self.chroma.heartbeat().await {
            seen.findings
                .push(fault::finding(&self.chroma, "heartbeat", &error));
            return;
        }
        seen.response_time = Some(begun.elapsed());

        let (version, tenant, database) = tokio::join!(
            self.chroma.version(),
            self.chroma.get_tenant(self.chroma.tenant()),
            self.chroma.get_database(self.chroma.database()),
        );
        self.judge_version(version, seen);
        let home = self.judge_home(tenant.err(), database.err());
        let homeless = !home.is_empty();
        for finding in home {
            push_once(&mut seen.findings, finding);
        }
        if homeless || self.collections.is_empty() {
            return;
        }
        let (found, wrong) =
            collections::prove(&self.chroma, &self.collections, &self.remedies).await;
        seen.findings.extend(collections::proven(&found));
        for finding in wrong {
            push_once(&mut seen.findings, finding);
        }
        seen.collections = Some(found);
    }

    fn judge_version(&self, version: Result<String, Error>, seen: &mut Seen<'_>) {
        let reported = match version {
            Ok(reported) => reported,
            Err(error) => {
                seen.findings
                    .push(fault::finding(&self.chroma, "version", &error));
                return;
            }
        };
        let detail = || PrivateText::new(fault::place(&self.chroma));
        // Only numbers become public: what else a server says here can be anything.
        seen.version = Version::parse(&reported);
        seen.findings.push(match seen.version {
            Some(version) if version < self.min_version => {
                let (version, least) = (word(version), word(self.min_version));
                let remedy = "upgrade ChromaDB to {} or newer";
                let remedy = PublicText::filled(remedy, std::slice::from_ref(&least));
                let text = "ChromaDB {} is too old, {} or newer is needed";
                let text = PublicText::filled(text, &[version, least]);
                Finding::fail(codes::SERVER_TOO_OLD, text)
                    .remedy(remedy)
                    .detail(detail())
            }
            Some(version) => {
                let text = PublicText::filled("Connected to ChromaDB {}", &[word(version)]);
                Finding::pass(text).detail(detail())
            }
            None => {
                let text = "ChromaDB answers, but its version cannot be read";
                Finding::warn(codes::VERSION_UNREADABLE, text)
                    .remedy("check that the server is a released ChromaDB")
                    .detail(detail())
            }
        });
    }

    /// Tenant and database. They are asked for by name, since a list of collections is just as
    /// empty where they are missing.
    fn judge_home(&self, tenant: Option<Error>, database: Option<Error>) -> Vec<Finding> {
        let missing = |step, code, text, remedy: &'static str, error: &Error| {
            fault::missing(&self.chroma, step, code, text, remedy, error)
        };
        let mut findings = Vec::new();
        match tenant {
            Some(error) if error.is_not_found() => {
                let text = "the tenant does not exist in ChromaDB";
                let remedy = "create the tenant, or correct the name that is configured";
                // A tenant that is not there has no databases either.
                return vec![missing(
                    "tenant",
                    codes::TENANT_MISSING,
                    text,
                    remedy,
                    &error,
                )];
            }
            Some(error) => findings.push(fault::finding(&self.chroma, "tenant", &error)),
            None => {}
        }
        match database {
            Some(error) if error.is_not_found() => {
                let text = "the database does not exist in ChromaDB";
                let remedy = "create the database, or correct the name that is configured";
                let code = codes::DATABASE_MISSING;
                findings.push(missing("database", code, text, remedy, &error));
            }
            Some(error) => {
                push_once(
                    &mut findings,
                    fault::finding(&self.chroma, "database", &error),
                );
            }
            None => {}
        }
        findings
    }
}

impl Check for VectorCheck {
    fn meta(&self) -> &CheckMeta {
        &self.meta
    }

    async fn check(&self, cx: &CheckContext) -> Outcome {
        let mut seen = Seen::default();
        if timeout_at(answer_by(cx), self.prove(&mut seen))
            .await
            .is_err()
        {
            seen.findings.push(fault::timed_out(&self.chroma));
        }
        seen.outcome()
    }
}

impl fmt::Debug for VectorCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VectorCheck")
            .field("name", &self.meta.name())
            .field("collections", &self.collections)
            .finish_non_exhaustive()
    }
}

// === impl Seen ===

impl Seen<'_> {
    fn outcome(self) -> Outcome {
        let mut outcome = Outcome::new(self.findings);
        if let Some(elapsed) = self.response_time {
            let millis = elapsed.as_secs_f64() * 1000.0;
            outcome = outcome.observe("response_time_ms", millis, "ms");
        }
        if let Some(version) = self.version {
            outcome = outcome.observe("server_version", word(version), "");
        }
        let Some(found) = self.collections else {
            return outcome;
        };
        let records = found
            .iter()
            .map(|collection| collection.records)
            .fold(0, u64::saturating_add);
        outcome = outcome
            .observe("collections", found.len(), "collections")
            .observe("records", records, "records");
        if let Some(counts) = collections::list(found.iter().map(Found::count)) {
            outcome = outcome.observe("collection_records", counts, "records");
        }
        if let Some(dimensions) = collections::list(found.iter().filter_map(Found::dimensions)) {
            outcome = outcome.observe("collection_dimensions", dimensions, "dimensions");
        }
        outcome
    }
}

/// Until when a check that is told `cx` must have its answer, to be able to report it.
pub(crate) fn answer_by(cx: &CheckContext) -> Instant {
    cx.deadline() - RESERVE.min(cx.remaining() / 10)
}

fn word(version: Version) -> PublicValue {
    PublicValue::word(&version.to_string())
}
