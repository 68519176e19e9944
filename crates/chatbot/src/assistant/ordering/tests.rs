use super::*;
use crate::matching::CatalogueItem;

fn item(id: i64, name: &str, size: Option<&str>) -> CatalogueItem {
    CatalogueItem {
        id,
        sku: format!("S-{id}"),
        name: name.to_owned(),
        description: String::new(),
        category: String::new(),
        size: size.map(str::to_owned),
        material: None,
    }
}

async fn matcher() -> Matcher {
    let items = vec![
        item(1, "Kraft pizza box 10 inch", Some("10 inch")),
        item(2, "Kraft pizza box 12 inch", Some("12 inch")),
        item(3, "White pizza box 12 inch", Some("12 inch")),
        item(4, "Kraft napkins", None),
        item(5, "White napkins", None),
        item(6, "Aluminium foil roll", None),
    ];
    let embedder = crate::embedder::tests::embedder().await;
    Matcher::new(embedder, items).await.unwrap()
}

/// Says these one after another, to a known outlet. The last step, and what was said to all.
async fn said(messages: &[&str]) -> (Step, String) {
    let matcher = matcher().await;
    let mut draft = Draft::default();
    let mut all = String::new();
    for (at, message) in (1..).zip(messages) {
        let (step, _) = advance(&matcher, draft, message, Destination::Known)
            .await
            .unwrap();
        if let Step::Ask { text, .. } = &step {
            all.push_str(text);
            all.push('\n');
        }
        match step {
            Step::Ask { draft: now, .. } if at < messages.len() => draft = now,
            last => {
                assert_eq!(at, messages.len(), "it ended at {message:?}: {last:?}");
                return (last, all);
            }
        }
    }
    panic!("nothing was said");
}

/// The products and packs of an order that is ready.
async fn ordered(messages: &[&str]) -> Vec<(i64, u32)> {
    match said(messages).await {
        (Step::Ready(draft), _) => {
            let lines = draft.lines().into_iter();
            lines.map(|line| (line.product_id, line.quantity)).collect()
        }
        (step, all) => panic!("{messages:?} is not ready: {step:?}\n{all}"),
    }
}

/// What is asked at the end.
async fn asked(messages: &[&str]) -> String {
    match said(messages).await {
        (Step::Ask { text, .. }, _) => text,
        (step, _) => panic!("{messages:?} asks nothing: {step:?}"),
    }
}

#[tokio::test]
async fn what_is_plain_is_ready_at_once() {
    for (message, lines) in [
        ("20 packs of 12 inch kraft pizza boxes", vec![(2, 20)]),
        (
            "5 packs of white napkins and two rolls of foil please",
            vec![(5, 5), (6, 2)],
        ),
    ] {
        assert_eq!(ordered(&[message]).await, lines, "{message}");
    }
}

#[tokio::test]
async fn what_is_open_is_settled_by_later_messages() {
    for (messages, lines) in [
        (
            &["12 inch boxes, 20 packs", "the kraft ones"][..],
            vec![(2, 20)],
        ),
        (
            &["12 inch boxes, 20 packs", "the second one"],
            vec![(3, 20)],
        ),
        (&["kraft pizza boxes", "12 inch", "7"], vec![(2, 7)]),
        (&["kraft pizza boxes", "12 inch, 20 packs"], vec![(2, 20)]),
        (&["kraft pizza boxes", "20 packs, 12 inch"], vec![(2, 20)]),
        (&["12 inch boxes", "the white one, 20 packs"], vec![(3, 20)]),
        (&["12 inch boxes", "2, 20 packs"], vec![(3, 20)]),
        (&["napkins", "white", "3 packs"], vec![(5, 3)]),
        (&["some foil rolls", "4"], vec![(6, 4)]),
    ] {
        assert_eq!(ordered(messages).await, lines, "{messages:?}");
    }
}

#[tokio::test]
async fn several_questions_are_asked_at_once() {
    let text = asked(&["napkins and 12 inch boxes"]).await;
    assert!(
        text.contains("\"napkins\"") && text.contains("White pizza box 12 inch"),
        "{text}"
    );
}

#[tokio::test]
async fn what_is_not_sold_must_be_heard_before_the_rest_is_ordered() {
    let text = asked(&["20 packs of 12 inch kraft boxes and 3 unicorn horns"]).await;
    assert!(text.contains("I know no product that fits"), "{text}");
    let messages = [
        "20 packs of 12 inch kraft boxes and 3 unicorn horns",
        "yes please",
    ];
    assert_eq!(ordered(&messages).await, [(2, 20)]);
}

#[tokio::test]
async fn an_order_that_is_open_can_be_changed() {
    let text = asked(&[
        "10 packs of kraft napkins and 12 inch boxes",
        "make it 20 kraft napkins",
        "white",
    ])
    .await;
    assert!(text.contains("20 packs of Kraft napkins"), "{text}");
    assert!(
        text.contains("How many packs of White pizza box 12 inch"),
        "{text}"
    );
    let messages = [
        "10 packs of kraft napkins and some foil rolls",
        "leave out the foil",
    ];
    assert_eq!(ordered(&messages).await, [(4, 10)]);
}

#[tokio::test]
async fn an_order_is_given_up_in_so_many_words() {
    let (step, _) = said(&["napkins", "never mind"]).await;
    assert!(matches!(step, Step::GivenUp), "{step:?}");
}

#[tokio::test]
async fn a_message_without_goods_is_asked_what_it_wants() {
    for message in ["I want to order", "20 packs", "yes"] {
        let text = asked(&[message]).await;
        assert!(text.contains("What would you like to order?"), "{text}");
    }
}
