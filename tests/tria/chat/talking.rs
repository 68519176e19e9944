//! What is said, and what is left of it in the database.

use serde_json::{Value, json};
use tria_tests::{Door, Post, Reply, Shop};

/// As `docs/chat.md` says it with curl.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hello_is_answered_as_the_documents_say() {
    let open = Shop::shared().await;
    let body = r#"{"message":"hello","user_id":"test"}"#;
    let said = Door::of(&open.url)
        .ask(&Post::raw(body).key("test-1732567890"))
        .await;

    assert_eq!(said.status, 200, "{}", said.body);
    assert_eq!(said.header("content-type"), "application/json");
    assert_eq!(said.header("cache-control"), "no-store");
    assert_eq!(said.header("x-request-id").len(), 36);
    assert_eq!(said.header("idempotent-replayed"), "");
    // Of the limits of user and address that which is nearer to its end.
    assert_eq!(said.header("ratelimit-limit"), "60");
    assert_eq!(said.header("ratelimit-remaining"), "59");
    assert_eq!(said.header("ratelimit-reset"), "1");

    let body = said.body.as_object().unwrap();
    let mut fields: Vec<&str> = body.keys().map(String::as_str).collect();
    fields.sort_unstable();
    let expected = [
        "agent_timeline",
        "citations",
        "confidence",
        "intent",
        "language",
        "message",
        "metadata",
        "mode",
        "session_id",
        "success",
    ];
    assert_eq!(fields, expected);
    assert_eq!(body["success"], true);
    assert_eq!(body["intent"], "greeting");
    assert_eq!(
        (&body["language"], &body["mode"]),
        (&json!("en"), &json!("rules"))
    );
    assert_eq!(
        (&body["citations"], &body["metadata"]),
        (&json!([]), &json!({}))
    );
    assert!(said.message().starts_with("Hello!"), "{}", said.message());
    assert!(body["session_id"].as_str().unwrap().starts_with("s1."));
    let confidence = body["confidence"].as_f64().unwrap();
    assert!(confidence > 0.5 && confidence <= 1.0, "{confidence}");
    assert_eq!(steps(&said), ["recall", "session", "understand"]);
    for step in body["agent_timeline"].as_array().unwrap() {
        for time in ["started_ms", "duration_ms"] {
            assert!(
                step[time].as_f64().is_some_and(|time| time >= 0.0),
                "{step}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_over_three_turns_leaves_what_belongs_to_it() {
    let open = Shop::shared().await;
    let shop = &open.shop;
    let mut ann = open.customer("ann-orders");
    let asks = [
        "I would like to order cleaning wipes",
        "5 packs",
        "for Napoli Express",
    ];
    let mut said = Vec::new();
    for message in asks {
        said.push(ann.says(message).await);
    }
    for open in &said[..2] {
        assert_eq!(open.body["metadata"], json!({ "order_is_open": true }));
        assert_eq!(open.order(), None);
    }
    let placed = &said[2];
    assert_eq!(placed.body["intent"], "order_placement");
    let order = placed.order().expect("an order");
    expect_answer_of_the_order(placed);

    let of_ann = "WHERE user_id = 'ann-orders'";
    let rows = shop.rows(format!(
        "SELECT id, outlet_id, session_id, status, subtotal::text, tax_rate::text, tax::text,
                total::text FROM orders {of_ann}"
    ));
    let [row] = &rows.await[..] else {
        panic!("not one order")
    };
    let napoli = "SELECT id FROM outlets WHERE name = 'Napoli Express'";
    let (napoli, session) = (shop.fixture.count(napoli).await, &row["session_id"]);
    let expected = json!({
        "id": order, "outlet_id": napoli, "session_id": session, "status": "confirmed",
        "subtotal": "28.50", "tax_rate": "0.060000", "tax": "1.71", "total": "30.21",
    });
    assert_eq!(row, &expected);
    let of_order = format!("WHERE order_id = '{order}'");
    let items = shop.rows(format!(
        "SELECT position, sku, quantity, unit_price::text, line_total::text
           FROM order_items {of_order}"
    ));
    let expected = json!({
        "position": 1, "sku": "CW-200", "quantity": 5, "unit_price": "5.70",
        "line_total": "28.50",
    });
    assert_eq!(items.await, [expected]);
    let deliveries = shop.rows(format!(
        "SELECT outlet_id, status, delivery_address LIKE '88 Station Road%' AS there
           FROM delivery_orders {of_order}"
    ));
    let expected = json!({ "outlet_id": napoli, "status": "scheduled", "there": true });
    assert_eq!(deliveries.await, [expected]);
    let invoices = shop.rows(format!(
        "SELECT status, total::text FROM invoices {of_order}"
    ));
    let expected = json!({ "status": "draft", "total": "30.21" });
    assert_eq!(invoices.await, [expected]);
    // Of 280; no other test orders them.
    let stock = "SELECT stock::bigint FROM products WHERE sku = 'CW-200'";
    assert_eq!(shop.fixture.count(stock).await, 275);

    let messages = shop.rows(format!(
        "SELECT role, content, masked_items FROM conversation_messages
          WHERE session_id = {} ORDER BY id",
        session.to_string().replace('"', "'")
    ));
    let turns = asks.iter().zip(&said).flat_map(|(asked, said)| {
        [("user", *asked), ("assistant", said.message())]
            .map(|(role, content)| json!({ "role": role, "content": content, "masked_items": 0 }))
    });
    assert_eq!(messages.await, turns.collect::<Vec<_>>());
    let sessions = shop.rows(format!(
        "SELECT id, outlet_id, turns, orders, pending, closed_at
           FROM conversation_sessions {of_ann}"
    ));
    let expected = json!({
        "id": session, "outlet_id": napoli, "turns": 3, "orders": 1, "pending": null,
        "closed_at": null,
    });
    assert_eq!(sessions.await, [expected]);
    let summaries = shop.rows(format!(
        "SELECT sessions, messages, orders, spent::text, last_session_id, last_outlet_id,
                last_intent, language FROM user_interaction_summaries {of_ann}"
    ));
    let expected = json!({
        "sessions": 1, "messages": 3, "orders": 1, "spent": "30.21", "last_session_id": session,
        "last_outlet_id": napoli, "last_intent": "order_placement", "language": "en",
    });
    assert_eq!(summaries.await, [expected]);
    assert_eq!(shop.count(format!("chat_answers {of_ann}")).await, 3);
}

/// The answer to what was asked back, in one message.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn which_one_and_how_many_may_be_said_at_once() {
    let open = Shop::shared().await;
    let mut ann = open.customer("ann-answers");
    let asked = ann.says("I would like to order kraft pizza boxes").await;
    assert!(asked.message().contains("12 inch"), "{}", asked.message());
    let said = ann.says("12 inch, 20 packs").await;
    let noted = "20 packs of Kraft pizza box 12 inch";
    assert!(said.message().contains(noted), "{}", said.message());
}

fn expect_answer_of_the_order(placed: &Reply) {
    let told = &placed.body["metadata"]["order"];
    let line = json!({
        "sku": "CW-200", "name": "Cleaning wipes", "quantity": 5, "unit_price": "5.70",
        "line_total": "28.50",
    });
    assert_eq!(told["lines"], json!([line]));
    for (field, amount) in [("subtotal", "28.50"), ("tax", "1.71"), ("total", "30.21")] {
        assert_eq!(told[field], amount, "{told}");
        assert!(placed.message().contains(amount), "{}", placed.message());
    }
    assert!(
        placed.message().contains("Napoli Express"),
        "{}",
        placed.message()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_state_of_an_order_is_what_the_database_says_and_its_customers_alone() {
    let open = Shop::shared().await;
    let mut ann = open.customer("ann-asks");
    let placed = ann.says("5 packs of pizza savers for Napoli Express").await;
    let order = placed.order().expect("an order");

    let asked = ann.says("Where is my order?").await;
    assert_eq!(asked.body["intent"], "order_status");
    let told = &asked.body["metadata"]["orders"];
    assert_eq!(told[0]["order_id"], order);
    assert_eq!(told[0]["total"], "33.39");
    assert_eq!(told[0]["deliveries"][0]["status"], "scheduled");
    assert!(asked.message().contains(&order[..8]), "{}", asked.message());
    let dispatch = format!(
        "UPDATE delivery_orders SET status = 'dispatched', dispatched_at = now()
          WHERE order_id = '{order}'"
    );
    open.shop.fixture.execute(&dispatch).await;
    let asked = ann.says("Where is my order?").await;
    let delivery = &asked.body["metadata"]["orders"][0]["deliveries"][0];
    assert_eq!(delivery["status"], "dispatched");

    // Neither by asking for all nor by naming it.
    let mut bob = open.customer("bob-asks");
    for message in [
        "Where is my order?".to_owned(),
        format!("Where is order {order}?"),
        format!("What is the status of order {}?", &order[..8]),
    ] {
        let asked = bob.says(&message).await;
        assert!(asked.body["metadata"]["orders"].is_null(), "{}", asked.body);
        assert!(!asked.message().contains("33.39"), "{}", asked.message());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_complaint_is_handed_on() {
    let open = Shop::shared().await;
    let mut ann = open.customer("ann-complains");
    let placed = ann.says("5 packs of pizza savers for Napoli Express").await;
    let order = placed.order().expect("an order");
    let message = format!("Order {} arrived damaged, I am very unhappy", &order[..8]);
    let said = ann.says(&message).await;

    assert_eq!(said.body["intent"], "complaint");
    let told = &said.body["metadata"];
    assert_eq!(told["escalated"], true);
    let rows = open.shop.rows(
        "SELECT id, number, order_id, status, text FROM complaints
          WHERE user_id = 'ann-complains'",
    );
    let expected = json!({
        "id": told["complaint"]["id"], "number": told["complaint"]["number"], "order_id": order, "status": "open", "text": message,
    });
    assert_eq!(rows.await, [expected]);
    let number = told["complaint"]["number"].to_string();
    assert!(said.message().contains(&number), "{}", said.message());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_written_down_is_answered_with_its_source_and_nothing_else_is() {
    let open = Shop::shared().await;
    let mut ann = open.customer("ann-wonders");
    for (question, source, section, part) in [
        (
            "How long can I return unopened packs?",
            "returns.md",
            "Returning unused goods",
            "14 days",
        ),
        (
            "What does the delivery cost?",
            "delivery.md",
            "Delivery charge",
            "9.50",
        ),
    ] {
        let said = ann.says(question).await;
        assert_eq!(said.body["mode"], "quoted");
        let cited = said.body["citations"].as_array().unwrap();
        let named = |it: &&Value| it["source"] == source && it["section"] == section;
        let cited = cited.iter().find(named);
        let cited = cited.unwrap_or_else(|| panic!("{question}: {}", said.body));
        let score = cited["score"].as_f64().unwrap();
        assert!(score > 0.5 && score <= 1.0, "{score}");
        assert!(said.message().contains(part), "{}", said.message());
    }
    // The example of docs/chat.md.
    let said = ann.says("how long can I return boxes?").await;
    assert_ne!(said.body["citations"], json!([]), "{}", said.body);
    let product = ann.says("How much are white napkins?").await;
    assert!(product.message().contains("4.80"), "{}", product.message());
    assert_ne!(product.body["citations"], json!([]));

    for question in [
        "Who won the world cup in 1998?",
        "What is the capital of France?",
        "How do I bake a chocolate cake?",
    ] {
        let said = ann.says(question).await;
        assert_eq!(
            said.body["citations"],
            json!([]),
            "{question}: {}",
            said.body
        );
        assert_eq!(
            said.body["metadata"]["known"], false,
            "{question}: {}",
            said.body
        );
        assert_eq!(said.body["mode"], "rules");
        assert!(said.message().contains("do not know"), "{}", said.message());
    }
    let kept = open.shop.count(
        "conversation_messages m JOIN conversation_sessions s ON s.id = m.session_id
          WHERE user_id = 'ann-wonders' AND citations <> '[]'",
    );
    assert_eq!(kept.await, 4);
}

const PHONE: &str = "07700 900412";
const MAIL: &str = "anna.rossi@example.com";
const CARD: &str = "4111 1111 1111 1111";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn personal_data_stay_with_whoever_said_them() {
    let mut shop = Shop::new().await;
    shop.fixture.set("LOG_LEVEL", "trace");
    let (running, url) = shop.open();
    let mut ann = Door::of(&url).customer("ann");
    let order = format!(
        "5 packs of pizza savers for Napoli Express. Call me on {PHONE} or write to {MAIL}, \
         my card is {CARD}"
    );
    let said = ann.says(&order).await;
    assert!(said.order().is_some(), "{}", said.body);
    let complaint = format!("The last delivery was damaged, call {PHONE} or write to {MAIL}!");
    let said = ann.says(&complaint).await;
    assert_eq!(said.body["metadata"]["escalated"], true, "{}", said.body);

    let masked = shop.rows(
        "SELECT content, masked_items FROM conversation_messages WHERE role = 'user' ORDER BY id",
    );
    let masked = masked.await;
    assert_eq!(
        (&masked[0]["masked_items"], &masked[1]["masked_items"]),
        (&json!(3), &json!(2))
    );
    for placeholder in ["[phone]", "[email]", "[card]"] {
        assert!(masked[0].to_string().contains(placeholder), "{}", masked[0]);
    }
    let asked = shop.model.asked();
    assert!(asked.iter().any(|asked| asked.contains("[phone]")));
    running.signal("TERM");
    let ended = running.ended();
    ended.expect(0, &["answered"]);
    for secret in [PHONE, MAIL, CARD] {
        assert!(
            !asked.iter().any(|asked| asked.contains(secret)),
            "the model was told {secret}"
        );
        assert!(!ended.text().contains(secret), "the log tells {secret}");
        assert_eq!(
            tables_that_hold(&shop, secret).await,
            Vec::<String>::new(),
            "{secret}"
        );
    }
}

/// The tables in whose rows a text stands, as a text or as bytes.
async fn tables_that_hold(shop: &Shop, text: &str) -> Vec<String> {
    let tables = shop.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'");
    let mut holding = Vec::new();
    for table in tables.await {
        let table = table["tablename"].as_str().unwrap();
        let bytes: Vec<String> = text.bytes().map(|byte| format!("{byte:02x}")).collect();
        let bytes = bytes.concat();
        let found =
            format!("\"{table}\" it WHERE it::text LIKE '%{text}%' OR it::text LIKE '%{bytes}%'");
        if shop.count(&found).await > 0 {
            holding.push(table.to_owned());
        }
    }
    holding
}

fn steps(said: &Reply) -> Vec<&str> {
    let steps = said.body["agent_timeline"].as_array().unwrap().iter();
    steps.map(|step| step["step"].as_str().unwrap()).collect()
}
