//! What the application reads and writes, as data.

/// A table that the application needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// All its columns.
    pub columns: &'static [&'static str],
    /// The table whose detail it is, as the lines are of an order.
    pub detail_of: Option<&'static str>,
}

/// The tables that the migrations up to [`super::LATEST`] make: eight, and those that are a detail
/// of one of them.
pub fn required_tables() -> &'static [Table] {
    TABLES
}

const TABLES: &[Table] = &[
    table(
        "products",
        &[
            "id",
            "sku",
            "name",
            "description",
            "category",
            "size",
            "material",
            "unit_price",
            "pack_quantity",
            "minimum_order",
            "stock",
            "active",
            "created_at",
            "updated_at",
        ],
    ),
    table(
        "outlets",
        &[
            "id",
            "name",
            "address_line",
            "postal_code",
            "city",
            "country",
            "language",
            "active",
            "created_at",
            "updated_at",
        ],
    ),
    table(
        "orders",
        &[
            "id",
            "user_id",
            "outlet_id",
            "session_id",
            "idempotency_key",
            "request_hash",
            "status",
            "subtotal",
            "tax_rate",
            "tax",
            "total",
            "created_at",
            "updated_at",
        ],
    ),
    Table {
        detail_of: Some("orders"),
        ..table(
            "order_items",
            &[
                "order_id",
                "position",
                "product_id",
                "sku",
                "quantity",
                "unit_price",
                "line_total",
            ],
        )
    },
    table(
        "delivery_orders",
        &[
            "id",
            "order_id",
            "number",
            "outlet_id",
            "delivery_address",
            "status",
            "scheduled_for",
            "dispatched_at",
            "delivered_at",
            "created_at",
            "updated_at",
        ],
    ),
    table(
        "invoices",
        &[
            "id",
            "order_id",
            "number",
            "status",
            "subtotal",
            "tax_rate",
            "tax",
            "total",
            "external_id",
            "issued_at",
            "due_on",
            "paid_at",
            "created_at",
            "updated_at",
        ],
    ),
    table(
        "conversation_sessions",
        &[
            "id",
            "user_id",
            "outlet_id",
            "language",
            "created_at",
            "last_active_at",
            "closed_at",
            "turns",
            "orders",
            "pending",
        ],
    ),
    table(
        "conversation_messages",
        &[
            "id",
            "session_id",
            "role",
            "content",
            "masked_items",
            "intent",
            "confidence",
            "citations",
            "created_at",
        ],
    ),
    Table {
        detail_of: Some("conversation_messages"),
        ..table(
            "chat_answers",
            &[
                "user_id",
                "idempotency_key",
                "request_hash",
                "session_id",
                "status",
                "content_type",
                "body",
                "created_at",
            ],
        )
    },
    Table {
        detail_of: Some("conversation_sessions"),
        ..table(
            "complaints",
            &[
                "id",
                "number",
                "user_id",
                "session_id",
                "outlet_id",
                "order_id",
                "idempotency_key",
                "text",
                "status",
                "created_at",
                "updated_at",
            ],
        )
    },
    table(
        "user_interaction_summaries",
        &[
            "user_id",
            "sessions",
            "messages",
            "orders",
            "spent",
            "last_session_id",
            "last_outlet_id",
            "last_intent",
            "language",
            "first_seen_at",
            "last_seen_at",
        ],
    ),
];

const fn table(name: &'static str, columns: &'static [&'static str]) -> Table {
    Table {
        name,
        columns,
        detail_of: None,
    }
}
