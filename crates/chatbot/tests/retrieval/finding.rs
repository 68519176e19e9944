//! What is found.

use tria_chatbot::retrieval::{Kind, RetrievalOptions, Retriever};

use crate::support::{LIMIT, NAPKINS, Shelves, names};

#[tokio::test]
async fn the_passage_that_answers_is_found_with_where_it_is_from() {
    let shelves = Shelves::filled().await;
    let retriever = shelves.retriever();
    let found = shelves.ask(&retriever, "What does shipping cost?").await;
    let found = found.unwrap();
    let best = &found.passages[0];
    assert_eq!(best.source, "delivery.md");
    assert_eq!(best.section, "Delivery charge");
    assert_eq!(best.kind, Kind::Knowledge);
    assert!((0.5..1.0).contains(&best.score), "{}", best.score);
    assert!(
        best.text.ends_with("the delivery charge is 9.50."),
        "{}",
        best.text
    );
}

#[tokio::test]
async fn a_measure_finds_the_product_that_has_it() {
    let shelves = Shelves::filled().await;
    let retriever = shelves.retriever();
    for question in ["napkins 33x33", "serviettes of 33 x 33 cm"] {
        let found = shelves.ask(&retriever, question).await.unwrap();
        assert_eq!(names(&found)[0], "NA-WH", "{question}");
        assert_eq!(found.passages[0].text, NAPKINS);
        let sku = "NA-WH".to_owned();
        assert_eq!(found.passages[0].kind, Kind::Product { sku });
    }
}

#[tokio::test]
async fn what_nothing_answers_finds_nothing() {
    let shelves = Shelves::filled().await;
    let retriever = shelves.retriever();
    for question in [
        "Will it rain tomorrow?",
        "My back hurts, what can I take?",
        "",
        "?!",
    ] {
        let found = shelves.ask(&retriever, question).await;
        // An empty text may have no vector, and must have no answer.
        assert_eq!(found.unwrap().passages, [], "{question}");
    }
}

#[tokio::test]
async fn the_best_is_first_none_is_below_the_threshold_and_the_score_stays() {
    let shelves = Shelves::filled().await;
    let options = RetrievalOptions {
        threshold: 0.0,
        most_passages: 3,
    };
    let retriever = Retriever::new(shelves.chroma.clone(), options);
    let question = "What does shipping cost?";
    let found = shelves.ask(&retriever, question).await.unwrap();
    let scores: Vec<f32> = found.passages.iter().map(|passage| passage.score).collect();
    assert_eq!(scores.len(), 3);
    assert!(scores.is_sorted_by(|one, other| one >= other), "{scores:?}");
    assert_eq!(shelves.ask(&retriever, question).await.unwrap(), found);
    let default = shelves.ask(&shelves.retriever(), question).await.unwrap();
    let threshold = RetrievalOptions::default().threshold;
    let above = found.passages.iter().filter(|it| it.score >= threshold);
    assert!(default.passages.iter().eq(above));
}

#[tokio::test]
async fn what_was_ingested_since_is_found_and_told_as_it_is_now() {
    let shelves = Shelves::filled().await;
    let retriever = shelves.retriever();
    let question = "Do you repair coffee grinders?";
    assert!(
        shelves
            .ask(&retriever, question)
            .await
            .unwrap()
            .passages
            .is_empty()
    );
    let text = "Repairs\nWe repair coffee grinders of every make for 20.00.";
    shelves.write_knowledge("repairs.md#Repairs", text).await;
    let found = shelves.ask(&retriever, question).await.unwrap();
    assert_eq!(names(&found), ["Repairs"]);
    // Also the weights of the words are those of now.
    let fresh = shelves.ask(&shelves.retriever(), question).await;
    assert_eq!(found, fresh.unwrap());
    let dearer = text.replace("20.00", "25.00");
    shelves.write_knowledge("repairs.md#Repairs", &dearer).await;
    let found = shelves.ask(&retriever, question).await.unwrap();
    assert_eq!(found.passages[0].text, dearer);
}

#[tokio::test]
async fn many_at_once_find_the_same() {
    let shelves = Shelves::filled().await;
    let retriever = shelves.retriever();
    let question = "What does shipping cost?";
    let vector = shelves.vector(question).await;
    let all = (0..20).map(|_| retriever.passages(question, &vector, LIMIT));
    let found = futures_util::future::join_all(all).await;
    for one in found {
        assert_eq!(names(&one.unwrap())[0], "Delivery charge");
    }
}
