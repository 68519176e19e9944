//! Databases of their own on the shared server, and short ways to run a check.
#![allow(dead_code, reason = "each test binary uses a part")]

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tria_check::{Check, CheckContext, Code, Finding, Outcome, Phase};
use tria_chroma::{ChromaClient, Record};
use tria_vector_check::VectorCheck;

/// The base URL of the shared real server.
pub(crate) async fn server() -> String {
    tria_devstack::shared().await.unwrap().chroma_url()
}

/// Runs a test in a database of its own, which goes with it, also when the test fails.
pub(crate) async fn in_database<F: Future<Output = ()> + Send + 'static>(
    test: impl FnOnce(ChromaClient) -> F,
) {
    let database = tria_devstack::shared()
        .await
        .unwrap()
        .chroma_database()
        .await
        .unwrap();
    let root = ChromaClient::new(&server().await).unwrap();
    test(root.with_database(root.tenant(), database.name()).unwrap()).await;
}

/// Makes a collection with so many records of a dimension.
pub(crate) async fn fill(chroma: &ChromaClient, name: &str, records: usize, dimension: usize) {
    let new = tria_chroma::NewCollection::new(name);
    let id = chroma.create_collection(&new).await.unwrap().id;
    let record = |number: usize| Record::new(number.to_string(), vec![0.5; dimension]);
    chroma
        .add(&id, &(0..records).map(record).collect::<Vec<_>>())
        .await
        .unwrap();
}

/// One run as the runner makes it, without its panic isolation.
pub(crate) async fn run(check: &VectorCheck) -> Outcome {
    once(check).await
}

/// As [`run`], of any check.
pub(crate) async fn once(check: &impl Check) -> Outcome {
    let deadline = Instant::now() + check.meta().get_timeout();
    let cx = CheckContext::new(deadline, CancellationToken::new(), Phase::Ready);
    tokio::time::timeout_at(deadline, check.check(&cx))
        .await
        .expect("an answer in time")
}

pub(crate) fn codes(outcome: &Outcome) -> Vec<Code> {
    outcome.findings().iter().map(Finding::code).collect()
}

pub(crate) fn texts(outcome: &Outcome) -> Vec<&str> {
    outcome
        .findings()
        .iter()
        .map(|finding| finding.text().as_str())
        .collect()
}

pub(crate) fn remedy(finding: &Finding) -> &str {
    finding.get_remedy().expect("a remedy").as_str()
}

pub(crate) fn detail(finding: &Finding) -> &str {
    finding.get_detail().expect("a detail").expose()
}
