//! How orders stand.

use time::{Date, Month, macros::datetime};
use tria_chatbot::{
    orders::{
        Placed, Reference, reference_in,
        status::{DeliveryState, InvoiceState, OrderState, OrderStatus, find, recent},
    },
    turns::Done,
};
use uuid::Uuid;

use crate::{
    said::{Said, decimal, order},
    shop::Shop,
};

impl Shop {
    async fn placed(&self, user: &str, key: &str) -> Placed {
        let said = Said {
            user: user.to_owned(),
            ..order(key, &[(2, 3), (1, 2)])
        };
        match self.keep(&said).await.unwrap().done {
            Some(Done::Order(placed)) => placed,
            other => panic!("{other:?}"),
        }
    }

    async fn found(&self, user: &str, reference: Reference) -> Option<OrderStatus> {
        find(&self.pool, user, &reference).await.unwrap()
    }
}

#[tokio::test]
async fn an_order_is_found_by_any_of_its_numbers_and_by_its_user_only() {
    let shop = Shop::open(&[("12.35", 1, 50), ("0.99", 2, 50)]).await;
    let placed = shop.placed("u-1", "k").await;
    shop.placed("u-1", "k-2").await;
    let beginning = reference_in(&placed.id.to_string()[..8]);
    let beginning = beginning.unwrap_or_else(|| {
        let message = format!("order {}", &placed.id.to_string()[..8]);
        reference_in(&message).unwrap()
    });
    assert!(matches!(beginning, Reference::OrderBeginning(_)));
    let references = [
        Reference::Order(placed.id),
        beginning,
        Reference::Delivery(placed.delivery_number),
        Reference::Invoice(placed.invoice_number),
    ];
    for reference in references {
        let order = shop.found("u-1", reference).await.unwrap();
        assert_eq!((order.id, order.total), (placed.id, placed.total));
        assert_eq!(order.lines, placed.lines);
        assert_eq!(order.status, OrderState::Confirmed);
        let delivery = &order.deliveries[0];
        assert_eq!(delivery.number, placed.delivery_number);
        assert_eq!(delivery.status, DeliveryState::Scheduled);
        assert_eq!(order.deliveries.len(), 1);
        let invoice = order.invoice.unwrap();
        assert_eq!(invoice.number, placed.invoice_number);
        assert_eq!(invoice.status, InvoiceState::Draft);
        assert_eq!(shop.found("u-2", reference).await, None, "{reference:?}");
    }
    for reference in [
        Reference::Order(Uuid::new_v4()),
        Reference::OrderBeginning(u32::MAX),
        Reference::Delivery(i64::MAX),
        Reference::Invoice(i64::MAX),
    ] {
        assert_eq!(shop.found("u-1", reference).await, None, "{reference:?}");
    }
}

#[tokio::test]
async fn the_newest_orders_come_first() {
    let shop = Shop::open(&[("12.35", 1, 50), ("0.99", 2, 50)]).await;
    assert_eq!(recent(&shop.pool, "u-1", 5).await.unwrap(), []);
    let mut placed = Vec::new();
    for number in 0..4 {
        placed.push(shop.placed("u-1", &format!("k-{number}")).await.id);
    }
    shop.placed("u-2", "k").await;
    let ids = async |limit: u32| -> Vec<Uuid> {
        let orders = recent(&shop.pool, "u-1", limit).await.unwrap();
        orders.iter().map(|order| order.id).collect()
    };
    placed.reverse();
    assert_eq!(ids(3).await, placed[..3]);
    assert_eq!(ids(u32::MAX).await, placed);
    let orders = recent(&shop.pool, "u-1", 3).await.unwrap();
    assert!(orders.iter().all(|order| order.lines.len() == 2));
}

#[tokio::test]
async fn what_became_of_an_order_is_told() {
    let shop = Shop::open(&[("12.35", 1, 50), ("0.99", 2, 50)]).await;
    let placed = shop.placed("u-1", "k").await;
    shop.execute(
        "UPDATE orders SET status = 'delivered', created_at = '2026-05-04 10:00+00';
         UPDATE delivery_orders SET status = 'failed', scheduled_for = '2026-05-05';
         INSERT INTO delivery_orders (order_id, outlet_id, delivery_address, status,
                                      scheduled_for, dispatched_at, delivered_at)
         SELECT id, outlet_id, 'x', 'delivered', '2026-05-06', '2026-05-06 08:00+00',
                '2026-05-06 11:30+02' FROM orders;
         UPDATE invoices SET status = 'paid', issued_at = now(), paid_at = now()",
    )
    .await;
    let reference = Reference::Delivery(placed.delivery_number);
    let order = shop.found("u-1", reference).await.unwrap();
    assert_eq!(order.status, OrderState::Delivered);
    assert_eq!(order.created_at, datetime!(2026-05-04 10:00 UTC));
    assert_eq!(order.total, decimal("29.33"));
    let [first, second] = &order.deliveries[..] else {
        panic!("{order:?}");
    };
    assert_eq!(first.status, DeliveryState::Failed);
    assert_eq!((first.dispatched_at, first.delivered_at), (None, None));
    assert_eq!(second.status, DeliveryState::Delivered);
    let day = Date::from_calendar_date(2026, Month::May, 6).unwrap();
    assert_eq!(second.scheduled_for, Some(day));
    assert_eq!(second.dispatched_at, Some(datetime!(2026-05-06 08:00 UTC)));
    assert_eq!(second.delivered_at, Some(datetime!(2026-05-06 09:30 UTC)));
    assert_eq!(order.invoice.unwrap().status, InvoiceState::Paid);
    // By its newer delivery, too.
    let reference = Reference::Delivery(second.number);
    assert_eq!(shop.found("u-1", reference).await.unwrap().id, placed.id);
}

/// A later version may know more of them, while this one still runs.
#[tokio::test]
async fn a_status_that_is_not_known_is_no_error() {
    let shop = Shop::open(&[("12.35", 1, 50), ("0.99", 2, 50)]).await;
    shop.placed("u-1", "k").await;
    shop.execute(
        "ALTER TABLE orders DROP CONSTRAINT orders_status_check;
         ALTER TABLE delivery_orders DROP CONSTRAINT delivery_orders_status_check;
         ALTER TABLE invoices DROP CONSTRAINT invoices_status_check;
         UPDATE orders SET status = 'on hold';
         UPDATE delivery_orders SET status = 'on hold';
         UPDATE invoices SET status = 'on hold'",
    )
    .await;
    let order = recent(&shop.pool, "u-1", 1).await.unwrap().remove(0);
    assert_eq!(order.status, OrderState::Unknown);
    assert_eq!(order.deliveries[0].status, DeliveryState::Unknown);
    assert_eq!(order.invoice.unwrap().status.name(), "unknown");
}
