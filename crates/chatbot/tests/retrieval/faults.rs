//! Collections that are away, silent, missing or unfit: never "nothing is known".

use std::time::Duration;

use tria_chatbot::{
    collections::{COLLECTIONS, KNOWLEDGE, PRODUCTS, ensure_collections},
    retrieval::{MissingReason, RetrievalError},
};
use tria_chroma::{Metadata, NewCollection, Space};
use tria_devstack::{FaultProxy, Mode};

use crate::support::{COSTS, KRAFT, LIMIT, Shelves, names};

const QUESTION: &str = "What does shipping cost?";

fn is_missing(error: &RetrievalError, name: &str, why: MissingReason) -> bool {
    matches!(error, RetrievalError::Missing { collection, reason } if *collection == name && *reason == why)
}

/// Nothing of the way to the server may be told.
fn tells_nothing(error: &RetrievalError) {
    let told = error.to_string();
    for word in ["127.0.0.1", "http", "tcp", "tria-chroma", "refused"] {
        assert!(!told.contains(word), "{told}");
    }
}

#[tokio::test]
async fn a_server_that_is_away_is_unavailable_and_found_again_when_it_is_back() {
    let shelves = Shelves::filled().await;
    let stack = tria_devstack::shared().await.unwrap();
    let address = format!("127.0.0.1:{}", stack.chroma_port());
    let mut proxy = FaultProxy::start(address).await.unwrap();
    let retriever = shelves.retriever_at(&format!("http://{}", proxy.address()));
    proxy.set(Mode::Refuse).await;
    for _ in 0..2 {
        let error = shelves.ask(&retriever, QUESTION).await.unwrap_err();
        assert!(matches!(error, RetrievalError::Unavailable(_)), "{error:?}");
        assert!(error.is_transient());
        tells_nothing(&error);
    }
    proxy.set(Mode::Pass).await;
    let found = shelves.ask(&retriever, QUESTION).await.unwrap();
    assert_eq!(names(&found)[0], "Delivery charge");
    // Away again, with the collections looked up before.
    proxy.set(Mode::Refuse).await;
    let error = shelves.ask(&retriever, QUESTION).await.unwrap_err();
    assert!(matches!(error, RetrievalError::Unavailable(_)), "{error:?}");
}

#[tokio::test]
async fn a_server_that_is_silent_is_out_of_time() {
    let shelves = Shelves::filled().await;
    let stack = tria_devstack::shared().await.unwrap();
    let address = format!("127.0.0.1:{}", stack.chroma_port());
    let mut proxy = FaultProxy::start(address).await.unwrap();
    let retriever = shelves.retriever_at(&format!("http://{}", proxy.address()));
    let vector = shelves.vector(QUESTION).await;
    proxy.set(Mode::BlackHole).await;
    let limit = Duration::from_millis(100);
    // Two at once: one waits for the other, and no longer than its own limit.
    let (one, other) = tokio::join!(
        retriever.passages(QUESTION, &vector, limit),
        retriever.passages(QUESTION, &vector, limit)
    );
    for error in [one.unwrap_err(), other.unwrap_err()] {
        assert!(matches!(error, RetrievalError::OutOfTime), "{error:?}");
        assert!(error.is_transient());
        tells_nothing(&error);
    }
    proxy.set(Mode::Pass).await;
    let found = retriever.passages(QUESTION, &vector, LIMIT).await.unwrap();
    assert_eq!(names(&found)[0], "Delivery charge");
}

#[tokio::test]
async fn a_server_that_answers_nonsense_is_no_empty_answer() {
    let shelves = Shelves::filled().await;
    let stack = tria_devstack::shared().await.unwrap();
    let address = format!("127.0.0.1:{}", stack.chroma_port());
    let mut proxy = FaultProxy::start(address).await.unwrap();
    let retriever = shelves.retriever_at(&format!("http://{}", proxy.address()));
    shelves.ask(&retriever, QUESTION).await.unwrap();
    for mode in [Mode::Garbage, Mode::ResetMidReply] {
        proxy.set(mode).await;
        let error = shelves.ask(&retriever, QUESTION).await.unwrap_err();
        tells_nothing(&error);
    }
}

#[tokio::test]
async fn collections_that_are_rebuilt_between_two_questions_are_found_again() {
    let shelves = Shelves::filled().await;
    let retriever = shelves.retriever();
    shelves.ask(&retriever, QUESTION).await.unwrap();
    for name in COLLECTIONS {
        shelves.chroma.delete_collection(name).await.unwrap();
    }
    let error = shelves.ask(&retriever, QUESTION).await.unwrap_err();
    let RetrievalError::Missing { reason, .. } = error else {
        panic!("{error:?}");
    };
    assert_eq!(reason, MissingReason::Absent);
    ensure_collections(&shelves.chroma).await.unwrap();
    let error = shelves.ask(&retriever, QUESTION).await.unwrap_err();
    assert!(error.is_transient(), "{error:?}");
    shelves.write_product("PB-12-KR", KRAFT).await;
    let error = shelves.ask(&retriever, QUESTION).await.unwrap_err();
    assert!(
        is_missing(&error, KNOWLEDGE, MissingReason::Empty),
        "{error:?}"
    );
    let now = COSTS.replace("9.50", "8.00");
    shelves
        .write_knowledge("delivery.md#Delivery charge", &now)
        .await;
    let found = shelves.ask(&retriever, QUESTION).await.unwrap();
    assert!(found.passages[0].text.contains("8.00"));
}

#[tokio::test]
async fn a_vector_of_another_model_is_told() {
    let shelves = Shelves::filled().await;
    let retriever = shelves.retriever();
    let answer = retriever.passages(QUESTION, &[1.0, 0.0, 0.0], LIMIT).await;
    let error = answer.unwrap_err();
    let reason = MissingReason::OtherDimension {
        stored: 384,
        given: 3,
    };
    assert!(is_missing(&error, KNOWLEDGE, reason), "{error:?}");
    assert!(!error.is_transient());
}

#[tokio::test]
async fn distances_that_are_no_cosines_are_told() {
    let shelves = Shelves::filled().await;
    shelves.chroma.delete_collection(PRODUCTS).await.unwrap();
    let new = NewCollection::new(PRODUCTS).space(Space::L2);
    shelves.chroma.create_collection(&new).await.unwrap();
    shelves.write_product("PB-12-KR", KRAFT).await;
    let error = shelves
        .ask(&shelves.retriever(), QUESTION)
        .await
        .unwrap_err();
    assert!(
        is_missing(&error, PRODUCTS, MissingReason::OtherSpace),
        "{error:?}"
    );
}

#[tokio::test]
async fn empty_collections_that_another_model_fills_are_told() {
    let shelves = Shelves::empty().await;
    let retriever = shelves.retriever();
    let error = shelves.ask(&retriever, QUESTION).await.unwrap_err();
    assert!(matches!(
        error,
        RetrievalError::Missing {
            reason: MissingReason::Empty,
            ..
        }
    ));
    for name in COLLECTIONS {
        let vector = vec![1.0, 0.0, 0.0];
        let foreign = shelves.write_vector(name, "x", "A text", vector, Metadata::new());
        foreign.await;
    }
    let error = shelves.ask(&retriever, QUESTION).await.unwrap_err();
    let reason = MissingReason::OtherDimension {
        stored: 3,
        given: 384,
    };
    assert!(is_missing(&error, KNOWLEDGE, reason), "{error:?}");
}
