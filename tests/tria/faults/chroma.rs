//! A ChromaDB that is broken itself.

use tria_devstack::{Chroma, ChromaOptions};
use tria_tests::{Dependency::Chroma as CHROMA, Fixture};

use super::{
    bounds::Manner::{Loud, Silent},
    table::Row,
    trial::{Case, paused, restarted},
    watched::{Watched, migrate},
};

/// The rows that break a server of their own, one after the other.
pub(super) async fn on_its_own() -> Vec<Row> {
    let options = ChromaOptions::default();
    let mut chroma = Chroma::start(options).await.expect("a ChromaDB");
    let mut fixture = Fixture::empty().await;
    fixture
        .set("CHROMA_URL", chroma.url())
        .unset("CHROMA_DATABASE");
    migrate(&mut fixture).await;
    let watched = Watched::start(&mut fixture).await;

    let case = Case::of(CHROMA, "paused", Silent, &["response_timeout"]);
    let paused = paused(&watched, case, &chroma).await;
    let codes = &["connect_refused", "connection_lost", "response_timeout"];
    let case = Case::of(CHROMA, "restarted", Loud, codes);
    let restarted = restarted(&watched, case, &mut chroma).await;
    let rotated = Row::not_applicable(
        "ChromaDB: password rotated",
        "not applicable: 1.5.9 has no authentication",
    );
    vec![paused, restarted, rotated]
}
