use super::*;

fn item(id: i64, name: &str, size: Option<&str>, material: Option<&str>) -> CatalogueItem {
    CatalogueItem {
        id,
        sku: format!("S-{id}"),
        name: name.to_owned(),
        description: String::new(),
        category: String::new(),
        size: size.map(str::to_owned),
        material: material.map(str::to_owned),
    }
}

async fn matcher() -> Matcher {
    let embedder = crate::embedder::tests::embedder().await;
    let items = vec![
        item(1, "Kraft pizza box 10 inch", Some("10 inch"), Some("kraft")),
        item(2, "Kraft pizza box 12 inch", Some("12 inch"), Some("kraft")),
        item(
            3,
            "White pizza box 12 inch",
            Some("12 inch"),
            Some("white board"),
        ),
        item(4, "Calzone box", None, Some("kraft")),
        item(5, "Paper napkins", None, Some("paper")),
        item(6, "Cup 12oz", None, None),
        item(7, "Cup 16oz", None, None),
        item(8, "Cup lid 12oz", None, None),
        item(9, "Nitrile gloves medium", Some("medium"), Some("nitrile")),
        item(10, "Nitrile gloves large", Some("large"), Some("nitrile")),
        item(11, "Foil tray", None, Some("aluminium")),
        item(12, "Foil tray lid", None, None),
    ];
    Matcher::new(embedder, items).await.unwrap()
}

fn ids(found: &Match) -> Vec<i64> {
    match found {
        Match::Sure(item) => vec![item.id],
        Match::Unsure(items) => {
            let mut ids: Vec<i64> = items.iter().map(|item| item.id).collect();
            ids.insert(0, 0);
            ids
        }
        Match::None => Vec::new(),
    }
}

#[tokio::test]
async fn a_phrase_that_fits_one_product_is_sure() {
    let matcher = matcher().await;
    for (phrase, inches, id) in [
        ("kraft boxes", Some(12), 2),
        ("brown pizza boxs", Some(10), 1),
        ("white pizza boxes", None, 3),
        ("calzone boxes", None, 4),
        ("serviettes", None, 5),
        ("napkinns", None, 5),
        ("16 oz cups", None, 7),
        ("12oz cups lids", None, 8),
        ("large gloves", None, 10),
        ("foil trays", None, 11),
        ("lids for foil trays", None, 12),
    ] {
        let found = matcher
            .find(phrase, inches.map(Size::of_inches))
            .await
            .unwrap();
        assert_eq!(ids(&found), [id], "{phrase}");
    }
}

#[tokio::test]
async fn what_fits_several_is_asked_back() {
    let matcher = matcher().await;
    for (phrase, inches, expected) in [
        ("pizza boxes", Some(12), [2, 3]),
        ("kraft pizza boxes", None, [1, 2]),
        ("nitrile gloves", None, [9, 10]),
        ("lids", None, [8, 12]),
    ] {
        let found = matcher
            .find(phrase, inches.map(Size::of_inches))
            .await
            .unwrap();
        let ids = ids(&found);
        assert!(
            ids[0] == 0 && expected.iter().all(|id| ids.contains(id)),
            "{phrase} {ids:?}"
        );
    }
}

#[tokio::test]
async fn what_is_not_sold_is_none() {
    let matcher = matcher().await;
    for (phrase, inches) in [
        ("bicycles", None),
        ("the weather", None),
        ("", None),
        ("kraft pizza boxes", Some(40)),
    ] {
        let found = matcher
            .find(phrase, inches.map(Size::of_inches))
            .await
            .unwrap();
        assert_eq!(found, Match::None, "{phrase}");
    }
}

#[tokio::test]
async fn the_lines_of_an_order_are_found_at_once() {
    let matcher = matcher().await;
    let lines = crate::order_lines::read("3 serviettes, 5, 2 bicycles and 4 calzone boxes");
    let mut found = matcher.find_lines(&lines).await.unwrap();
    assert_eq!(found.len(), lines.len());
    for line in lines.iter().rev() {
        let alone = matcher.find(&line.phrase, line.size).await.unwrap();
        assert_eq!(found.pop().unwrap(), alone, "{line:?}");
    }
    assert_eq!(matcher.find_lines(&[]).await.unwrap(), []);
    assert_eq!(matcher.items().len(), 12);
    assert_eq!(matcher.item(4).unwrap().name, "Calzone box");
    assert_eq!(matcher.item(40), None);
}

#[tokio::test]
async fn no_phrase_is_too_long_for_the_model() {
    let matcher = matcher().await;
    for phrase in ["x".repeat(4_000), "각 ".repeat(4_000), "12345 ".repeat(600)] {
        assert_eq!(matcher.find(&phrase, None).await.unwrap(), Match::None);
    }
}

#[tokio::test]
async fn a_word_that_is_almost_right_is_forgiven_where_the_meaning_agrees() {
    let matcher = matcher().await;
    for (phrase, id) in [
        ("krfat pizza boxs 10 inch", 1),
        ("serviets", 5),
        ("galzone boxes", 0),
        ("nitril glovs large", 10),
    ] {
        let found = ids(&matcher.find(phrase, None).await.unwrap());
        assert_eq!(found.first(), Some(&id), "{phrase} {found:?}");
    }
    // One letter away, and another thing.
    assert!(!matches!(
        matcher.find("caps", None).await.unwrap(),
        Match::Sure(_)
    ));
}

#[tokio::test]
async fn a_size_that_no_product_has_is_asked_back() {
    let embedder = crate::embedder::tests::embedder().await;
    let items = vec![
        item(1, "Kraft pizza box 12 inch", Some("12 inch"), Some("kraft")),
        item(2, "Kraft napkins", Some("25 x 30 cm"), Some("paper")),
        item(3, "Cling film roll", Some("30 cm x 300 m"), None),
        item(4, "Pizza slice box", Some("one slice"), Some("kraft")),
    ];
    let matcher = Matcher::new(embedder, items).await.unwrap();
    for (phrase, inches, expected) in [
        ("kraft", 12, vec![1]),
        ("kraft napkins", 10, vec![2]),
        ("kraft napkins", 14, vec![0, 2]),
        ("cling film", 12, vec![3]),
        ("cling film", 18, vec![]),
        ("pizza slice boxes", 20, vec![0, 4]),
    ] {
        let found = matcher.find(phrase, Some(Size::of_inches(inches))).await;
        assert_eq!(ids(&found.unwrap()), expected, "{phrase} {inches}");
    }
}
