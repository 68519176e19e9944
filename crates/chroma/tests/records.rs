//! Against a real server: records written, read and found.
#![allow(clippy::unwrap_used)]

mod support;

use serde_json::json;
use support::in_database;
use tria_chroma::{ChromaClient, CollectionId, Error, Get, Include, Metadata, NewCollection};
use tria_chroma::{Query, Record, RecordProblem, RecordUpdate, Selection, Space};

async fn boxes(chroma: &ChromaClient) -> CollectionId {
    let new = NewCollection::new("boxes").space(Space::Cosine);
    let id = chroma.create_collection(&new).await.unwrap().id;
    let records = [
        Record::new("s", vec![1.0, 0.0, 0.0])
            .document("small pizza box")
            .metadata(price(1.5)),
        Record::new("m", vec![0.0, 1.0, 0.0])
            .document("medium pizza box")
            .metadata(price(2.5)),
        Record::new("b", vec![0.0, 0.0, 1.0]).document("paper bag"),
    ];
    chroma.add(&id, &records).await.unwrap();
    id
}

fn price(euro: f64) -> Metadata {
    let price = json!({"euro": euro, "stock": 9_007_199_254_740_993_i64, "kind": "box"});
    price.as_object().unwrap().clone()
}

fn ids(records: &[tria_chroma::StoredRecord]) -> Vec<&str> {
    let mut ids: Vec<_> = records.iter().map(|record| &*record.id).collect();
    ids.sort_unstable();
    ids
}

#[tokio::test]
async fn what_is_written_is_read() {
    in_database(|chroma| async move {
        let id = boxes(&chroma).await;
        let all = chroma.get(&id, &Get::all()).await.unwrap();
        assert_eq!(ids(&all), ["b", "m", "s"]);

        let fields = [Include::Embeddings, Include::Documents, Include::Metadatas];
        let one = chroma
            .get(&id, &Get::ids(["s"]).include(fields))
            .await
            .unwrap();
        assert_eq!(one[0].document.as_deref(), Some("small pizza box"));
        assert_eq!(one[0].metadata, Some(price(1.5)));
        let embedding = one[0].embedding.as_ref().unwrap();
        assert!(
            (embedding[0] - 1.0).abs() < 1e-6 && embedding.len() == 3,
            "{embedding:?}"
        );

        // Fields that were not asked for, and fields that the record does not have.
        let bag = &chroma.get(&id, &Get::ids(["b"])).await.unwrap()[0];
        assert_eq!((&bag.embedding, &bag.metadata), (&None, &None));
        let bare = &chroma.get(&id, &Get::ids(["s"]).include([])).await.unwrap()[0];
        assert_eq!((&bare.document, &bare.metadata), (&None, &None));
        assert_eq!(chroma.get(&id, &Get::ids(["none"])).await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn filters_limit_and_offset() {
    in_database(|chroma| async move {
        let id = boxes(&chroma).await;
        let get = |get: Get| {
            let (chroma, id) = (chroma.clone(), id.clone());
            async move { chroma.get(&id, &get).await }
        };
        let dear = get(Get::all().matching(json!({"euro": {"$gt": 2}})))
            .await
            .unwrap();
        assert_eq!(ids(&dear), ["m"]);
        let pizza = Get::all().document_matching(json!({"$contains": "pizza"}));
        assert_eq!(ids(&get(pizza.clone()).await.unwrap()), ["m", "s"]);
        let first = get(pizza.clone().limit(1)).await.unwrap();
        let second = get(pizza.limit(1).offset(1)).await.unwrap();
        assert_eq!(ids(&[first, second].concat()), ["m", "s"]);

        let error = get(Get::all().matching(json!({"euro": {"$near": 2}})))
            .await
            .unwrap_err();
        assert!(
            error.to_string().contains("Invalid where clause"),
            "{error}"
        );
    })
    .await;
}

#[tokio::test]
async fn add_keeps_upsert_overwrites_update_changes_delete_removes() {
    in_database(|chroma| async move {
        let id = boxes(&chroma).await;
        let text = async || {
            let get = Get::ids(["s", "new"]);
            let mut read = chroma.get(&id, &get).await.unwrap();
            read.sort_by(|a, b| b.id.cmp(&a.id));
            read.into_iter()
                .map(|record| record.document.unwrap_or_default())
                .collect::<Vec<_>>()
        };
        let other = [Record::new("s", vec![0.5; 3]).document("other")];
        chroma.add(&id, &other).await.unwrap();
        assert_eq!(text().await, ["small pizza box"]);
        let with_new = [other[0].clone(), Record::new("new", vec![0.5; 3])];
        chroma.upsert(&id, &with_new).await.unwrap();
        assert_eq!(text().await, ["other", ""]);

        let notes = json!({"euro": null, "colour": "brown"})
            .as_object()
            .unwrap()
            .clone();
        let changes = [
            RecordUpdate::new("s").metadata(notes),
            RecordUpdate::new("new")
                .document("named")
                .embedding(vec![0.1, 0.2, 0.3]),
            RecordUpdate::new("none").document("lost"),
        ];
        chroma.update(&id, &changes).await.unwrap();
        assert_eq!(text().await, ["other", "named"]);
        let read = chroma.get(&id, &Get::ids(["s"])).await.unwrap();
        let notes = read[0].metadata.as_ref().unwrap();
        assert_eq!(
            (notes.get("euro"), &notes["colour"]),
            (None, &json!("brown"))
        );
        assert_eq!(chroma.count(&id).await.unwrap(), 4);

        chroma
            .delete_records(&id, &Selection::ids(["new", "none"]))
            .await
            .unwrap();
        assert_eq!(chroma.count(&id).await.unwrap(), 3);
        let brown = Selection::matching(json!({"colour": "brown"}));
        chroma.delete_records(&id, &brown).await.unwrap();
        assert_eq!(
            ids(&chroma.get(&id, &Get::all()).await.unwrap()),
            ["b", "m"]
        );
    })
    .await;
}

#[tokio::test]
async fn the_nearest_comes_first() {
    in_database(|chroma| async move {
        let id = boxes(&chroma).await;
        let query = Query::nearest(vec![0.9, 0.4, 0.0]).limit(2);
        let hits = chroma.query(&id, &query).await.unwrap().concat();
        assert_eq!([&*hits[0].record.id, &*hits[1].record.id], ["s", "m"]);
        assert!(hits[0].distance.unwrap() < hits[1].distance.unwrap());
        assert_eq!(hits[0].record.document.as_deref(), Some("small pizza box"));
        assert_eq!(hits[0].record.metadata, Some(price(1.5)));

        let bare = query.clone().include([Include::Embeddings]);
        let hits = chroma.query(&id, &bare).await.unwrap().concat();
        assert_eq!((hits[0].distance, &hits[0].record.document), (None, &None));
        assert_eq!(hits[0].record.embedding.as_ref().map(Vec::len), Some(3));

        let filtered = query.matching(json!({"euro": {"$gt": 2}}));
        let hits = chroma.query(&id, &filtered).await.unwrap().concat();
        assert_eq!((hits.len(), &*hits[0].record.id), (1, "m"));
        let bags = Query::nearest(vec![1.0; 3]).document_matching(json!({"$contains": "bag"}));
        assert_eq!(
            chroma.query(&id, &bags).await.unwrap().concat()[0]
                .record
                .id,
            "b"
        );

        let both = Query::nearest_to_each(vec![vec![0.0, 1.0, 0.0], vec![0.0, 0.0, 1.0]]).limit(1);
        let found = chroma.query(&id, &both).await.unwrap();
        assert_eq!(
            (
                found.len(),
                &*found[0][0].record.id,
                &*found[1][0].record.id
            ),
            (2, "m", "b")
        );
    })
    .await;
}

#[tokio::test]
async fn an_empty_collection_has_nothing_near() {
    in_database(|chroma| async move {
        let id = chroma
            .create_collection(&NewCollection::new("empty"))
            .await
            .unwrap()
            .id;
        let found = chroma
            .query(&id, &Query::nearest(vec![1.0, 2.0]))
            .await
            .unwrap();
        assert_eq!(found, [vec![]]);
    })
    .await;
}

#[tokio::test]
async fn another_dimension_is_refused_in_chromas_words() {
    in_database(|chroma| async move {
        let id = boxes(&chroma).await;
        let added = chroma
            .add(&id, &[Record::new("x", vec![1.0, 2.0])])
            .await
            .unwrap_err();
        let asked = chroma
            .query(&id, &Query::nearest(vec![1.0, 2.0]))
            .await
            .unwrap_err();
        for error in [added, asked] {
            assert!(
                error.to_string().contains("dimension of 3, got 2"),
                "{error}"
            );
            assert!(!error.is_transient());
        }
    })
    .await;
}

#[tokio::test]
async fn an_embedding_without_meaning_is_refused_and_named() {
    in_database(|chroma| async move {
        let id = boxes(&chroma).await;
        for (embedding, problem) in [
            (vec![], RecordProblem::Empty),
            (vec![0.0, f32::NAN, 0.0], RecordProblem::NotFinite),
            (vec![0.0, f32::INFINITY, 0.0], RecordProblem::NotFinite),
        ] {
            let records = [
                Record::new("x", vec![1.0; 3]),
                Record::new("y", embedding.clone()),
            ];
            let error = chroma.upsert(&id, &records).await.unwrap_err();
            let Error::InvalidRecord {
                index: 1,
                problem: named,
            } = error
            else {
                panic!("{error:?}");
            };
            assert_eq!(named, problem);
            let error = chroma
                .query(&id, &Query::nearest(embedding))
                .await
                .unwrap_err();
            assert!(matches!(error, Error::InvalidRecord { index: 0, .. }));
        }
        assert_eq!(chroma.count(&id).await.unwrap(), 3);
    })
    .await;
}

#[tokio::test]
async fn text_of_any_language_survives() {
    in_database(|chroma| async move {
        let id = chroma
            .create_collection(&NewCollection::new("texts"))
            .await
            .unwrap()
            .id;
        let texts = [
            "Größe 33 cm – für „Pizza“",
            "ピザの箱",
            "a\n\t\"b\"\\ \u{0}",
            "🍕",
            "",
        ];
        let records: Vec<_> = texts
            .iter()
            .map(|text| Record::new(format!("id {text}"), vec![1.0]).document(*text))
            .collect();
        chroma.add(&id, &records).await.unwrap();
        for text in texts {
            let read = chroma
                .get(&id, &Get::ids([format!("id {text}")]))
                .await
                .unwrap();
            assert_eq!(read[0].document.as_deref(), Some(text));
        }
    })
    .await;
}

#[tokio::test]
async fn a_batch_beyond_the_recommended_size_and_an_empty_one() {
    in_database(|chroma| async move {
        let id = chroma
            .create_collection(&NewCollection::new("many"))
            .await
            .unwrap()
            .id;
        chroma.add(&id, &[]).await.unwrap();
        assert_eq!(chroma.count(&id).await.unwrap(), 0);
        let size = chroma.pre_flight().await.unwrap().max_batch_size + 1;
        let records: Vec<_> = (0..size)
            .map(|number| Record::new(number.to_string(), vec![0.5]))
            .collect();
        chroma.add(&id, &records).await.unwrap();
        assert_eq!(chroma.count(&id).await.unwrap(), u64::from(size));
    })
    .await;
}

#[tokio::test]
async fn an_answer_beyond_the_bound_is_not_read() {
    let small = ChromaClient::builder(&support::server().await).max_body_bytes(20_000);
    let small = small.build().unwrap();
    in_database(|chroma| async move {
        let id = boxes(&chroma).await;
        let long = Record::new("long", vec![1.0; 3]).document("x".repeat(30_000));
        chroma.add(&id, &[long]).await.unwrap();
        let small = small
            .with_database(chroma.tenant(), chroma.database())
            .unwrap();
        let error = small.get(&id, &Get::all()).await.unwrap_err();
        assert!(
            matches!(
                error,
                Error::BodyTooLarge {
                    limit_bytes: 20_000
                }
            ),
            "{error:?}"
        );
        assert_eq!(small.get(&id, &Get::ids(["s"])).await.unwrap().len(), 1);
    })
    .await;
}
