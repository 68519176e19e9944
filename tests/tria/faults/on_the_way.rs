//! What can happen between the service and a dependency, by a proxy before the real server.

use std::time::Duration;

use tria_devstack::Mode;
use tria_tests::Dependency;

use super::{
    bounds::Manner::{self, Loud, Silent},
    table::Row,
    trial::{Case, Trial},
    watched::{Watched, migrated},
};

/// The codes that may be told of one dependency.
type Codes = &'static [&'static str];

/// What a proxy does.
pub(super) struct Fault {
    name: &'static str,
    mode: Mode,
    manner: Manner,
    postgres: Codes,
    redis: Codes,
    model: Codes,
    chroma: Codes,
}

/// A dependency that says nothing; its connection may be open already or not.
const SILENT: Fault = Fault {
    name: "black hole",
    mode: Mode::BlackHole,
    manner: Silent,
    postgres: &["connect_timeout", "query_timeout"],
    redis: &["connect_timeout", "response_timeout"],
    model: &["response_timeout"],
    chroma: &["response_timeout"],
};

/// Every fault that is a row of each dependency.
pub(super) const FAULTS: [Fault; 5] = [
    Fault {
        name: "refused",
        mode: Mode::Refuse,
        manner: Loud,
        postgres: &["connect_refused"],
        redis: &["connect_refused"],
        model: &["connect_refused"],
        chroma: &["connect_refused"],
    },
    SILENT,
    Fault {
        name: "5 s latency",
        mode: Mode::Delay(Duration::from_secs(5)),
        ..SILENT
    },
    Fault {
        name: "reset mid-reply",
        mode: Mode::ResetMidReply,
        manner: Loud,
        postgres: &["connection_lost"],
        redis: &["connection_closed"],
        model: &["connection_lost"],
        chroma: &["connection_lost"],
    },
    Fault {
        name: "garbage",
        mode: Mode::Garbage,
        manner: Loud,
        postgres: &["protocol_error"],
        redis: &["not_redis"],
        model: &["not_openai_api"],
        chroma: &["not_chroma"],
    },
];

// === impl Fault ===

impl Fault {
    /// What the row of a dependency is.
    pub(super) fn case(&self, dependency: Dependency) -> Case {
        let codes = match dependency {
            Dependency::Postgres => self.postgres,
            Dependency::Redis => self.redis,
            Dependency::Model => self.model,
            Dependency::Chroma => self.chroma,
        };
        Case::of(dependency, self.name, self.manner, codes)
    }

    /// The row of a dependency.
    pub(super) async fn row(self, dependency: Dependency) -> Row {
        let mut fixture = migrated().await;
        let mut proxy = fixture.put_proxy_before(dependency).await;
        let watched = Watched::start(&mut fixture).await;

        let mut trial = Trial::begin(&watched, self.case(dependency));
        proxy.set(self.mode).await;
        trial.shows().await;
        proxy.set(Mode::Pass).await;
        trial.mended();
        trial.recovers().await;
        trial.end().await
    }
}
