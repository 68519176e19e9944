//! Against a real server.
#![allow(clippy::unwrap_used)]

mod support;

use support::{codes, detail, fill, in_database, remedy, run, server, texts};
use tria_check::conformance::Kit;
use tria_check::{Check, Code, Criticality, Registry, Retry, Status};
use tria_chroma::ChromaClient;
use tria_vector_check::{CollectionSpec, InvalidSpec, VectorCheck, Version, codes as code};

#[tokio::test]
async fn all_is_proven() {
    in_database(|chroma| async move {
        fill(&chroma, "knowledge", 0, 1).await;
        fill(&chroma, "products", 12, 384).await;
        fill(&chroma, "single", 1, 2).await;
        let check = VectorCheck::new(chroma)
            .collections([
                CollectionSpec::new("knowledge").dimension(384),
                CollectionSpec::new("products").dimension(384).min_count(12),
                CollectionSpec::new("single"),
            ])
            .unwrap();
        let outcome = Kit::new().verify(&check).await.unwrap();
        let ready = "Collections ready: knowledge (0 records), \
                     products (12 records, 384 dimensions), single (1 record, 2 dimensions)";
        assert_eq!(texts(&outcome), ["Connected to ChromaDB 1.0.0", ready]);
        assert_eq!(outcome.status(), Status::Pass);

        let observed = |name| outcome.observed_value(name).unwrap().to_string();
        let millis: f64 = observed("response_time_ms").parse().unwrap();
        assert!(millis > 0.0 && millis < 5000.0, "{millis}");
        assert_eq!(observed("server_version"), "1.0.0");
        assert_eq!(
            (observed("collections"), observed("records")),
            ("3".into(), "13".into())
        );
        assert_eq!(
            observed("collection_records"),
            "knowledge: 0, products: 12, single: 1"
        );
        assert_eq!(
            observed("collection_dimensions"),
            "products: 384, single: 2"
        );
    })
    .await;
}

#[tokio::test]
async fn without_collections_the_server_and_its_database_are_proven() {
    in_database(|chroma| async move {
        let outcome = Kit::new().verify(&VectorCheck::new(chroma)).await.unwrap();
        assert_eq!(texts(&outcome), ["Connected to ChromaDB 1.0.0"]);
    })
    .await;
}

#[tokio::test]
async fn everything_that_is_wrong_is_told_at_once() {
    in_database(|chroma| async move {
        fill(&chroma, "products", 3, 8).await;
        fill(&chroma, "empty", 0, 1).await;
        fill(&chroma, "fine", 2, 8).await;
        let check = VectorCheck::new(chroma.clone())
            .collections([
                CollectionSpec::new("knowledge"),
                CollectionSpec::new("products").dimension(384).min_count(10),
                CollectionSpec::new("recipes"),
                CollectionSpec::new("empty").dimension(384).min_count(1),
                CollectionSpec::new("fine").dimension(8).min_count(2),
            ])
            .unwrap();
        let outcome = Kit::new().verify(&check).await.unwrap();
        assert_eq!(
            texts(&outcome),
            [
                "Connected to ChromaDB 1.0.0",
                "Collections ready: fine (2 records, 8 dimensions)",
                "the collection knowledge does not exist",
                "the collection products has 8 dimensions, 384 are needed",
                "the collection products holds too few records: 3 of 10",
                "the collection recipes does not exist",
                "the collection empty holds too few records: 0 of 1",
            ]
        );
        let failures = [
            code::COLLECTION_MISSING,
            code::DIMENSION_MISMATCH,
            code::COLLECTION_TOO_SMALL,
            code::COLLECTION_MISSING,
            code::COLLECTION_TOO_SMALL,
        ];
        assert_eq!(codes(&outcome)[2..], failures);
        assert!(outcome.is_permanent_failure());
        for failure in &outcome.findings()[2..] {
            assert_eq!(failure.retry(), Retry::Permanent);
            assert!(detail(failure).contains(chroma.database()));
            assert!(!failure.text().as_str().contains("127.0.0.1"));
        }
    })
    .await;
}

#[tokio::test]
async fn remedies_are_the_callers_to_word() {
    in_database(|chroma| async move {
        fill(&chroma, "products", 1, 8).await;
        let specs = [
            CollectionSpec::new("knowledge"),
            CollectionSpec::new("products").dimension(9).min_count(2),
        ];
        let plain = VectorCheck::new(chroma).collections(specs).unwrap();
        let outcome = run(&plain).await;
        let missing = outcome
            .findings()
            .iter()
            .find(|it| it.code() == code::COLLECTION_MISSING);
        assert!(remedy(missing.unwrap()).starts_with("create the collection"));

        let worded = plain
            .missing_remedy("run `shop migrate`")
            .dimension_remedy("run `shop ingest --again`")
            .too_small_remedy("run `shop ingest`");
        let outcome = run(&worded).await;
        let worded: Vec<_> = outcome.findings()[1..].iter().map(remedy).collect();
        let expected = [
            "run `shop migrate`",
            "run `shop ingest --again`",
            "run `shop ingest`",
        ];
        assert_eq!(worded, expected);
    })
    .await;
}

#[tokio::test]
async fn a_missing_home_is_told_without_its_consequences() {
    let url = server().await;
    let specs = || [CollectionSpec::new("knowledge")];
    for (tenant, database, expected) in [
        ("no-such-tenant", "default_database", code::TENANT_MISSING),
        ("default_tenant", "no-such-database", code::DATABASE_MISSING),
    ] {
        let chroma = ChromaClient::builder(&url)
            .tenant(tenant)
            .database(database);
        let check = VectorCheck::new(chroma.build().unwrap())
            .collections(specs())
            .unwrap();
        let outcome = Kit::new().verify(&check).await.unwrap();
        assert_eq!(codes(&outcome), [Code::OK, expected]);
        assert!(outcome.is_permanent_failure());
        assert!(detail(&outcome.findings()[1]).contains("NotFoundError"));
    }
}

#[tokio::test]
async fn a_version_below_the_minimum_is_too_old() {
    in_database(|chroma| async move {
        let check = VectorCheck::new(chroma).min_version(Version::new(1, 0, 1));
        let outcome = Kit::new().verify(&check).await.unwrap();
        assert_eq!(codes(&outcome), [code::SERVER_TOO_OLD]);
        assert_eq!(
            texts(&outcome),
            ["ChromaDB 1.0.0 is too old, 1.0.1 or newer is needed"]
        );
        assert_eq!(
            remedy(&outcome.findings()[0]),
            "upgrade ChromaDB to 1.0.1 or newer"
        );
        assert!(outcome.is_permanent_failure());
    })
    .await;
}

#[tokio::test]
async fn nothing_of_a_run_is_kept_for_the_next() {
    // openebs/mayastor-control-plane#1121: a failure cached at construction never cleared.
    in_database(|chroma| async move {
        let specs = [CollectionSpec::new("products").min_count(2)];
        let check = VectorCheck::new(chroma.clone()).collections(specs).unwrap();
        assert_eq!(run(&check).await.code(), code::COLLECTION_MISSING);
        fill(&chroma, "products", 1, 4).await;
        assert_eq!(run(&check).await.code(), code::COLLECTION_TOO_SMALL);
        // Made again, it has another id.
        chroma.delete_collection("products").await.unwrap();
        fill(&chroma, "products", 2, 4).await;
        assert_eq!(run(&check).await.code(), Code::OK);
    })
    .await;
}

#[tokio::test]
async fn a_meta_of_the_callers_keeps_the_codes() {
    let chroma = ChromaClient::new("http://127.0.0.1:1").unwrap();
    let check = VectorCheck::new(chroma)
        .configure(|meta| meta.criticality(Criticality::Optional).codes(&[]));
    assert_eq!(check.meta().name(), "chromadb");
    assert!(!check.meta().is_critical());
    assert_eq!(check.meta().declared_codes(), code::ALL);
    Registry::builder().register(check).build().unwrap();
}

#[tokio::test]
async fn a_list_that_can_never_pass_is_refused_when_built() {
    let chroma = ChromaClient::new("http://127.0.0.1:1").unwrap();
    let twice = [CollectionSpec::new("a"), CollectionSpec::new("a")];
    let error = VectorCheck::new(chroma).collections(twice).unwrap_err();
    assert_eq!(error, InvalidSpec::Duplicate("a".into()));
}
