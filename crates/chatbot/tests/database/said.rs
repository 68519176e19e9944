//! Turns to keep, with answers that tell what was done.

use std::str::FromStr;

use deadpool_postgres::Pool;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tria_chatbot::{
    idempotency::{Key, StoredAnswer},
    intent::Intent,
    orders::{DraftLine, Limits},
    turns::{Composed, Done, Kept, SessionRef, Turn, TurnError, Work, keep},
};
use uuid::Uuid;

use crate::shop::Shop;

pub(crate) fn decimal(text: &str) -> Decimal {
    Decimal::from_str(text).unwrap()
}

pub(crate) fn limits() -> Limits {
    Limits {
        max_quantity_per_item: 1000,
        max_line_items: 3,
        min_total: decimal("1.00"),
        max_total: decimal("5000.00"),
        tax_rate: decimal("0.06"),
    }
}

/// A turn that owns what it says.
#[derive(Clone)]
pub(crate) struct Said {
    pub(crate) user: String,
    pub(crate) key: Key,
    pub(crate) hash: [u8; 32],
    pub(crate) session: Uuid,
    /// At which number of turns it goes on; it opens the session otherwise.
    pub(crate) at: Option<i32>,
    pub(crate) outlet: Option<i64>,
    pub(crate) citations: Value,
    pub(crate) pending: Option<Value>,
    pub(crate) work: Asked,
}

#[derive(Clone)]
pub(crate) enum Asked {
    Nothing,
    Order(i64, Vec<DraftLine>),
    Complaint(Option<Uuid>),
}

/// Makes a turn under a key.
pub(crate) type Make = fn(&str) -> Said;

/// A greeting that opens a conversation of its own.
pub(crate) fn hello(key: &str) -> Said {
    Said {
        user: "u-1".to_owned(),
        key: Key::parse(key).unwrap(),
        hash: [7; 32],
        session: Uuid::new_v4(),
        at: None,
        outlet: Some(1),
        citations: json!([]),
        pending: None,
        work: Asked::Nothing,
    }
}

/// An order that opens a conversation of its own.
pub(crate) fn order(key: &str, lines: &[(i64, u32)]) -> Said {
    let lines = lines.iter().map(|&(product_id, quantity)| DraftLine {
        product_id,
        quantity,
    });
    Said {
        work: Asked::Order(1, lines.collect()),
        ..hello(key)
    }
}

/// A complaint that opens a conversation of its own.
pub(crate) fn complaint(key: &str, order: Option<Uuid>) -> Said {
    Said {
        work: Asked::Complaint(order),
        ..hello(key)
    }
}

impl Said {
    pub(crate) fn turn(&self) -> Turn<'_> {
        Turn {
            user_id: &self.user,
            key: &self.key,
            request_hash: self.hash,
            session: match self.at {
                Some(turns) => SessionRef::At {
                    id: self.session,
                    turns,
                },
                None => SessionRef::New {
                    id: self.session,
                    language: "de",
                },
            },
            message: "hello, my number is [phone]",
            masked_items: 1,
            intent: Intent::Greeting,
            confidence: 0.93,
            citations: &self.citations,
            outlet_id: self.outlet,
            pending: self.pending.as_ref(),
            work: match &self.work {
                Asked::Nothing => Work::Nothing,
                Asked::Order(outlet_id, lines) => Work::Order {
                    outlet_id: *outlet_id,
                    lines,
                },
                Asked::Complaint(order_id) => Work::Complaint {
                    order_id: *order_id,
                    text: "the boxes were crushed",
                },
            },
        }
    }

    /// The next turn of the same conversation.
    pub(crate) fn then(&self, next: Self) -> Self {
        Self {
            session: self.session,
            user: self.user.clone(),
            at: Some(self.at.unwrap_or(0) + 1),
            ..next
        }
    }

    pub(crate) async fn keep(&self, pool: &Pool) -> Result<Kept, TurnError> {
        keep(pool, &self.turn(), &limits(), compose).await
    }
}

/// An answer that no other turn has.
pub(crate) fn compose(done: &Done) -> Composed {
    let text = match done {
        Done::Nothing => format!("hello {}", Uuid::new_v4()),
        Done::Order(placed) => format!("delivery {}", placed.delivery_number),
        Done::Complaint(complaint) => format!("complaint {}", complaint.number),
    };
    let answer = StoredAnswer {
        status: 200,
        content_type: "application/json".to_owned(),
        body: json!({ "message": text }).to_string().into_bytes(),
    };
    Composed { text, answer }
}

impl Shop {
    pub(crate) async fn keep(&self, said: &Said) -> Result<Kept, TurnError> {
        said.keep(&self.pool).await
    }

    /// All of them at once.
    pub(crate) async fn race(
        &self,
        all: impl IntoIterator<Item = Said>,
    ) -> Vec<Result<Kept, TurnError>> {
        let mut race = JoinSet::new();
        for said in all {
            let pool = self.pool.clone();
            race.spawn(async move { said.keep(&pool).await });
        }
        race.join_all().await
    }
}
