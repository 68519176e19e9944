//! How far the customer's orders are, by what the database says.

use std::fmt::Write as _;

use serde_json::{Value, json};
use time::{Date, OffsetDateTime, macros::format_description};

use super::{answer::amount, reply::Reply};
use crate::orders::status::{Delivery, DeliveryState, InvoiceState, OrderState, OrderStatus};

/// What is said of orders, the newest first. `named` says whether the message named one.
pub(super) fn tell(orders: &[OrderStatus], named: bool) -> Reply {
    if orders.is_empty() {
        return Reply::rules(if named {
            "I find no such order of yours. Please check the number; it stands in the confirmation."
        } else {
            "I find no order of yours."
        });
    }
    let texts: Vec<String> = orders.iter().map(text).collect();
    let told: Vec<Value> = orders.iter().map(value).collect();
    Reply::rules(texts.join("\n")).with("orders", Value::Array(told))
}

fn text(order: &OrderStatus) -> String {
    let mut text = format!(
        "Order {} of {}, total {:.2}: ",
        short(order),
        day(order.created_at.date()),
        order.total
    );
    match order.status {
        OrderState::Cancelled => text.push_str("cancelled."),
        OrderState::Pending => text.push_str("not confirmed yet."),
        _ if order.deliveries.is_empty() => text.push_str("confirmed; no delivery is planned yet."),
        _ => {
            let deliveries: Vec<String> = order.deliveries.iter().map(delivery).collect();
            let _ = write!(text, "{}.", deliveries.join("; "));
        }
    }
    if let Some(invoice) = &order.invoice {
        let state = match invoice.status {
            InvoiceState::Draft => "not issued yet",
            InvoiceState::Issued => "open",
            InvoiceState::Paid => "paid",
            InvoiceState::Void => "void",
            _ => "being looked at",
        };
        let _ = write!(text, " Invoice {}: {state}.", invoice.number);
    }
    text
}

fn delivery(delivery: &Delivery) -> String {
    let number = delivery.number;
    let on = |moment: Option<OffsetDateTime>| {
        moment.map_or_else(String::new, |moment| format!(" on {}", day(moment.date())))
    };
    match delivery.status {
        DeliveryState::Scheduled => match delivery.scheduled_for {
            Some(date) => format!("delivery {number} is planned for {}", day(date)),
            None => format!("delivery {number} is being planned"),
        },
        DeliveryState::Dispatched => {
            let when = on(delivery.dispatched_at);
            format!("delivery {number} left our warehouse{when}")
        }
        DeliveryState::Delivered => {
            let when = on(delivery.delivered_at);
            format!("delivery {number} arrived{when}")
        }
        DeliveryState::Failed => format!("delivery {number} failed, and is being planned anew"),
        DeliveryState::Cancelled => format!("delivery {number} was cancelled"),
        _ => format!("delivery {number} is being looked at"),
    }
}

fn value(order: &OrderStatus) -> Value {
    let deliveries: Vec<Value> = order
        .deliveries
        .iter()
        .map(|delivery| {
            json!({
                "number": delivery.number,
                "status": delivery.status.name(),
                "scheduled_for": delivery.scheduled_for.map(day),
            })
        })
        .collect();
    let invoice = order
        .invoice
        .as_ref()
        .map(|invoice| json!({ "number": invoice.number, "status": invoice.status.name() }));
    json!({
        "order_id": order.id,
        "status": order.status.name(),
        "total": amount(order.total),
        "deliveries": deliveries,
        "invoice": invoice,
    })
}

/// The first digits of an order's id, by which people name it.
fn short(order: &OrderStatus) -> String {
    order.id.simple().to_string()[..8].to_owned()
}

fn day(date: Date) -> String {
    let form = format_description!("[year]-[month]-[day]");
    date.format(form).unwrap_or_default()
}
