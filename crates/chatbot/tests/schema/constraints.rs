//! What the database itself refuses, whatever the application does.

use crate::support::*;

/// An order of 2 boxes and 1 napkins: 28.33, 21 % of which are 5.95.
fn order(user: &str, key: &str) -> String {
    format!(
        "BEGIN;
WITH placed AS (
    INSERT INTO orders (user_id, outlet_id, idempotency_key, request_hash, subtotal, tax_rate, tax, total)
    VALUES ('{user}', 1, '{key}', sha256('{key}'), 28.33, 0.21, 5.95, 34.28) RETURNING id)
INSERT INTO order_items (order_id, position, product_id, sku, quantity, unit_price, line_total)
SELECT id, 1, 1, 'BOX-33', 2, 12.50, 25.00 FROM placed UNION ALL
SELECT id, 2, 2, 'NAP-2', 1, 3.33, 3.33 FROM placed;
COMMIT"
    )
}

#[tokio::test]
async fn a_whole_order_is_taken() {
    let (_database, client) = shop().await;
    client.batch_execute(&order("ann", "k-1")).await.unwrap();
    client.batch_execute(&order("bob", "k-1")).await.unwrap();
    client.batch_execute(&order("ann", "k-2")).await.unwrap();
    assert_eq!(count(&client, "SELECT count(*) FROM orders", &[]).await, 3);
    client.batch_execute("DELETE FROM orders").await.unwrap();
    assert_eq!(
        count(&client, "SELECT count(*) FROM order_items", &[]).await,
        0
    );
}

#[tokio::test]
async fn a_key_is_used_once_by_a_user() {
    let (_database, client) = shop().await;
    client
        .batch_execute(&order("ann", "test-1732"))
        .await
        .unwrap();
    refused(&client, "orders_idempotency", &order("ann", "test-1732")).await;
    for bad in ["", "with space", "grün", &"x".repeat(256)] {
        refused(&client, "orders_idempotency_key_check", &order("ann", bad)).await;
    }
}

#[tokio::test]
async fn money_adds_up() {
    let (_database, client) = shop().await;
    let good = order("ann", "k");
    let with = |from: &str, to: &str| good.replace(from, to);
    refused(&client, "orders_total", &with("34.28", "34.29")).await;
    refused(&client, "orders_tax", &with("5.95, 34.28", "5.94, 34.27")).await;
    refused(
        &client,
        "order_items_total",
        &with("12.50, 25.00", "12.50, 25.01"),
    )
    .await;
    refused(
        &client,
        "orders_subtotal",
        &with("2, 12.50, 25.00", "3, 12.50, 37.50"),
    )
    .await;
    refused(
        &client,
        "orders_subtotal_check",
        &with("28.33, 0.21, 5.95, 34.28", "0, 0.21, 0, 0"),
    )
    .await;
    refused(
        &client,
        "orders_tax_rate_check",
        &with("0.21, 5.95, 34.28", "1.5, 42.50, 70.83"),
    )
    .await;
    client.batch_execute(&good).await.unwrap();
    refused(
        &client,
        "orders_subtotal",
        "DELETE FROM order_items WHERE position = 2",
    )
    .await;
    refused(
        &client,
        "orders_subtotal",
        "UPDATE orders SET subtotal = 100, tax = 21, total = 121",
    )
    .await;
    let move_line = "UPDATE order_items SET order_id = gen_random_uuid() WHERE position = 2";
    refused(&client, "order_items_order", move_line).await;
    let no_lines = "INSERT INTO orders (user_id, outlet_id, idempotency_key, request_hash, subtotal, tax_rate, tax, total)
        VALUES ('ann', 1, 'empty', sha256('x'), 5, 0, 0, 5)";
    refused(&client, "orders_subtotal", no_lines).await;
}

#[tokio::test]
async fn lines_are_for_something_that_exists() {
    let (_database, client) = shop().await;
    let good = order("ann", "k");
    let with = |from: &str, to: &str| good.replace(from, to);
    refused(
        &client,
        "order_items_quantity_check",
        &with("2, 12.50, 25.00", "0, 12.50, 0"),
    )
    .await;
    refused(
        &client,
        "order_items_product_id_fkey",
        &with("2, 2, 'NAP-2'", "2, 99, 'NAP-2'"),
    )
    .await;
    refused(
        &client,
        "order_items_product",
        &with("2, 2, 'NAP-2'", "2, 1, 'NAP-2'"),
    )
    .await;
    refused(
        &client,
        "orders_outlet_id_fkey",
        &with("'ann', 1,", "'ann', 9,"),
    )
    .await;
    client.batch_execute(&good).await.unwrap();
    refused(
        &client,
        "order_items_product_id_fkey",
        "DELETE FROM products",
    )
    .await;
    refused(&client, "orders_outlet_id_fkey", "DELETE FROM outlets").await;
}

/// Two buyers of the last packs: whoever comes second is refused, not served from nothing.
#[tokio::test]
async fn stock_never_goes_below_zero() {
    let (_database, client) = shop().await;
    let take = "UPDATE products SET stock = stock - 5 WHERE sku = 'NAP-2'";
    client.batch_execute(take).await.unwrap();
    refused(&client, "products_stock_check", take).await;
    let free = "UPDATE products SET unit_price = 0";
    refused(&client, "products_unit_price_check", free).await;
    let same =
        "INSERT INTO products (sku, name, category, unit_price) VALUES ('BOX-33', 'x', 'y', 1)";
    refused(&client, "products_sku_key", same).await;
}

#[tokio::test]
async fn a_session_is_its_users() {
    let (_database, client) = shop().await;
    let open = "INSERT INTO conversation_sessions (id, user_id)
        VALUES ('00000000-0000-4000-8000-000000000001', 'ann')";
    client.batch_execute(open).await.unwrap();
    let inserted = "INSERT INTO orders (";
    let values = |user: &str| {
        order(user, "k")
            .replace(inserted, "INSERT INTO orders (session_id, ")
            .replace(
                "VALUES (",
                "VALUES ('00000000-0000-4000-8000-000000000001', ",
            )
    };
    refused(&client, "orders_session", &values("bob")).await;
    client.batch_execute(&values("ann")).await.unwrap();
    refused(
        &client,
        "orders_session",
        "DELETE FROM conversation_sessions",
    )
    .await;
}

#[tokio::test]
async fn a_message_belongs_to_a_session() {
    let (_database, client) = shop().await;
    let open = "INSERT INTO conversation_sessions (id, user_id)
        VALUES ('00000000-0000-4000-8000-000000000001', 'ann')";
    client.batch_execute(open).await.unwrap();
    let message = |role: &str, confidence: &str, last: &str| {
        format!(
            "INSERT INTO conversation_messages (session_id, role, content, confidence)
             VALUES ('00000000-0000-4000-8000-00000000000{last}', '{role}', 'hello', {confidence})"
        )
    };
    client
        .batch_execute(&message("user", "0.5", "1"))
        .await
        .unwrap();
    refused(
        &client,
        "conversation_messages_role_check",
        &message("robot", "0.5", "1"),
    )
    .await;
    refused(
        &client,
        "conversation_messages_confidence_check",
        &message("user", "1.5", "1"),
    )
    .await;
    refused(
        &client,
        "conversation_messages_session_id_fkey",
        &message("user", "0.5", "2"),
    )
    .await;
    client
        .batch_execute("DELETE FROM conversation_sessions")
        .await
        .unwrap();
    assert_eq!(
        count(&client, "SELECT count(*) FROM conversation_messages", &[]).await,
        0
    );
}

#[tokio::test]
async fn deliveries_and_invoices_follow_an_order() {
    let (_database, client) = shop().await;
    client.batch_execute(&order("ann", "k")).await.unwrap();
    let invoice = "INSERT INTO invoices (order_id, subtotal, tax_rate, tax, total)
        SELECT id, subtotal, tax_rate, tax, total FROM orders";
    client.batch_execute(invoice).await.unwrap();
    refused(&client, "invoices_order_id_key", invoice).await;
    refused(&client, "invoices_total", "UPDATE invoices SET total = 1").await;
    refused(
        &client,
        "invoices_issued",
        "UPDATE invoices SET status = 'issued'",
    )
    .await;
    let paid = "UPDATE invoices SET status = 'paid', issued_at = now()";
    refused(&client, "invoices_paid", paid).await;
    refused(&client, "invoices_order_id_fkey", "DELETE FROM orders").await;

    let delivery = "INSERT INTO delivery_orders (order_id, outlet_id, delivery_address)
        SELECT id, outlet_id, 'Via Roma 1, Napoli' FROM orders";
    client.batch_execute(delivery).await.unwrap();
    client.batch_execute(delivery).await.unwrap();
    let arrived = "UPDATE delivery_orders SET status = 'delivered'";
    refused(&client, "delivery_orders_delivered", arrived).await;
    let sent = "UPDATE delivery_orders SET status = 'dispatched'";
    refused(&client, "delivery_orders_dispatched", sent).await;
    let whole = "UPDATE delivery_orders SET status = 'delivered',
        dispatched_at = now(), delivered_at = now() + interval '1 hour'";
    client.batch_execute(whole).await.unwrap();
}

#[tokio::test]
async fn a_change_is_dated() {
    let (_database, client) = shop().await;
    let fresh = "SELECT count(*) FROM products WHERE updated_at > created_at";
    assert_eq!(count(&client, fresh, &[]).await, 0);
    client
        .batch_execute("UPDATE products SET stock = 1")
        .await
        .unwrap();
    assert_eq!(count(&client, fresh, &[]).await, 2);
}

/// Old conversations can be deleted; the counters of their users stay.
#[tokio::test]
async fn a_summary_outlives_its_last_session() {
    let (_database, client) = shop().await;
    let both = "
WITH opened AS (INSERT INTO conversation_sessions (user_id) VALUES ('ann') RETURNING id)
INSERT INTO user_interaction_summaries (user_id, messages, last_session_id) SELECT 'ann', 3, id FROM opened;
DELETE FROM conversation_sessions";
    client.batch_execute(both).await.unwrap();
    let kept = "SELECT count(*) FROM user_interaction_summaries
        WHERE messages = 3 AND last_session_id IS NULL";
    assert_eq!(count(&client, kept, &[]).await, 1);
    let negative = "UPDATE user_interaction_summaries SET orders = -1";
    refused(&client, "user_interaction_summaries_orders_check", negative).await;
}

fn session(user: &str) -> String {
    format!(
        "INSERT INTO conversation_sessions (id, user_id)
         VALUES ('00000000-0000-4000-8000-000000000001', '{user}')"
    )
}

/// The version before V6 names none of its columns.
#[tokio::test]
async fn a_session_counts_its_turns_and_no_more_orders_than_turns() {
    let (_database, client) = shop().await;
    client.batch_execute(&session("ann")).await.unwrap();
    let begun = "SELECT count(*) FROM conversation_sessions
        WHERE turns = 0 AND orders = 0 AND pending IS NULL";
    assert_eq!(count(&client, begun, &[]).await, 1);
    for (constraint, set) in [
        ("conversation_sessions_orders", "turns = -1"),
        ("conversation_sessions_orders", "turns = 1, orders = 2"),
        ("conversation_sessions_orders", "orders = -1"),
        ("conversation_sessions_pending_check", "pending = '[]'"),
        ("conversation_sessions_pending_check", "pending = 'null'"),
    ] {
        let update = format!("UPDATE conversation_sessions SET {set}");
        refused(&client, constraint, &update).await;
    }
    let good = "UPDATE conversation_sessions SET turns = 2, orders = 2, pending = '{}'";
    client.batch_execute(good).await.unwrap();
}

#[tokio::test]
async fn a_complaint_hangs_on_nothing_of_others() {
    let (_database, client) = shop().await;
    client.batch_execute(&session("ann")).await.unwrap();
    client.batch_execute(&order("ann", "k")).await.unwrap();
    let complaint = |user: &str, key: &str, text: &str| {
        format!(
            "INSERT INTO complaints (user_id, idempotency_key, text, session_id, order_id, outlet_id)
             SELECT '{user}', '{key}', '{text}', conversation_sessions.id, orders.id, 1
               FROM conversation_sessions, orders"
        )
    };
    let good = complaint("ann", "k", "crushed");
    client.batch_execute(&good).await.unwrap();
    refused(&client, "complaints_idempotency", &good).await;
    refused(
        &client,
        "complaints_session",
        &complaint("bob", "k", "crushed"),
    )
    .await;
    let without_session =
        complaint("bob", "k", "crushed").replace("conversation_sessions.id,", "NULL,");
    refused(&client, "complaints_order", &without_session).await;
    refused(
        &client,
        "complaints_text_check",
        &complaint("ann", "k-2", "  "),
    )
    .await;
    refused(
        &client,
        "complaints_user_id_check",
        &complaint("", "k-2", "crushed"),
    )
    .await;
    refused(
        &client,
        "complaints_idempotency_key_check",
        &complaint("ann", "a key", "crushed"),
    )
    .await;
    let status = "UPDATE complaints SET status = 'lost'";
    refused(&client, "complaints_status_check", status).await;
    refused(&client, "complaints_order", "DELETE FROM orders").await;
    refused(
        &client,
        "complaints_session",
        "DELETE FROM conversation_sessions",
    )
    .await;
    let done = "UPDATE complaints SET status = 'resolved'";
    client.batch_execute(done).await.unwrap();
    let dated = "SELECT count(*) FROM complaints WHERE updated_at > created_at";
    assert_eq!(count(&client, dated, &[]).await, 1);
}

/// An answer goes with its conversation, and never to another user.
#[tokio::test]
async fn an_answer_stands_under_a_key_of_its_user() {
    let (_database, client) = shop().await;
    client.batch_execute(&session("ann")).await.unwrap();
    let answer = "INSERT INTO chat_answers
        (user_id, idempotency_key, request_hash, session_id, status, content_type, body)
        VALUES ('ann', 'k', sha256('k'), '00000000-0000-4000-8000-000000000001', 200, 'a/b', 'x')";
    client.batch_execute(answer).await.unwrap();
    refused(&client, "chat_answers_pkey", answer).await;
    let other = answer.replace("'ann', 'k'", "'ann', 'k-2'");
    for (constraint, from, to) in [
        ("chat_answers_session", "'ann'", "'bob'"),
        ("chat_answers_session", "0001', 200", "0002', 200"),
        ("chat_answers_user_id_check", "'ann'", "''"),
        ("chat_answers_idempotency_key_check", "'k-2'", "'grün'"),
        ("chat_answers_request_hash_check", "sha256('k')", "'k'"),
        ("chat_answers_status_check", "200", "600"),
        ("chat_answers_content_type_check", "'a/b'", "''"),
        (
            "chat_answers_body_check",
            "'x')",
            "repeat('x', 65537)::bytea)",
        ),
    ] {
        refused(&client, constraint, &other.replace(from, to)).await;
    }
    let gone = "DELETE FROM conversation_sessions";
    client.batch_execute(gone).await.unwrap();
    assert_eq!(
        count(&client, "SELECT count(*) FROM chat_answers", &[]).await,
        0
    );
}
