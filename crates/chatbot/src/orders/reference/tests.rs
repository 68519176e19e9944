//! What names an order, and what only looks like it.

use proptest::prelude::*;

use super::*;

const ID: &str = "3f2a1b4c-63f1-4a0c-9d5c-0c5a8c7d1e42";

#[test]
fn ids_are_found_whole_and_in_part() {
    let id = Uuid::parse_str(ID).unwrap();
    for message in [
        ID.to_owned(),
        format!("where is order {ID}?"),
        format!("ORDER #{}.", ID.to_uppercase()),
        format!("it is ({})", id.simple()),
    ] {
        let found = reference_in(&message);
        assert_eq!(found, Some(Reference::Order(id)), "{message}");
    }
    for message in [
        "3f2a1b4c",
        "what about 3F2A1B4C?",
        "my order #3f2a1b4c, please",
        "order 3f2a1b4c…",
        "order 3f2a1b4c-63f1",
    ] {
        let found = reference_in(message);
        let expected = Some(Reference::OrderBeginning(0x3f2a_1b4c));
        assert_eq!(found, expected, "{message}");
    }
    // Digits alone, or letters alone, are an id only where an order is spoken of, or nothing else.
    for message in ["12345678", "#12345678"] {
        let found = reference_in(message);
        assert_eq!(
            found,
            Some(Reference::OrderBeginning(0x1234_5678)),
            "{message}"
        );
    }
    assert_eq!(
        reference_in("order 12345678 is late"),
        Some(Reference::OrderBeginning(0x1234_5678))
    );
    assert_eq!(
        reference_in("order no. deadbeef"),
        Some(Reference::OrderBeginning(0xdead_beef))
    );
    for message in ["a facaded deadbeef", "ring me at 12345678", "3f2a1b4", ""] {
        assert_eq!(reference_in(message), None, "{message}");
    }
}

#[test]
fn numbers_are_found_where_the_words_leave_no_doubt() {
    for message in [
        "12",
        " #12 ",
        "12.",
        "D-12",
        "where's d-12?",
        "delivery 12",
        "when does delivery no. 12 come?",
        "Delivery number: 12",
        "delivery #12 was short of two boxes",
        "delivery 12, invoice 7",
        "Lieferung Nr. 12",
        "livraison n° 12",
        "where is order 12?",
        "my order number is 12",
        "order #12 boxes were crushed",
        "Order 12 hasn't arrived",
        "what's the status of order 12 please",
        "any news on #12?",
        "PO 12 was late",
    ] {
        let found = reference_in(message);
        assert_eq!(found, Some(Reference::Delivery(12)), "{message}");
    }
    for message in [
        "invoice 7",
        "Invoice #7 is wrong",
        "I have a question about invoice no 7.",
        "inv-7",
        "INV 7?",
        "la factura número 7",
        "Rechnung Nr. 7",
    ] {
        let found = reference_in(message);
        assert_eq!(found, Some(Reference::Invoice(7)), "{message}");
    }
}

#[test]
fn quantities_times_and_dates_are_no_reference() {
    for message in [
        "order 12 large boxes",
        "I want to order 12",
        "can I order 12?",
        "Order 12 please",
        "please order 12, and 3 rolls of foil",
        "order 12",
        "my order 12 boxes never came",
        "delivery 12 May",
        "delivery at 12",
        "delivery 12:30 please",
        "delivery 12/05",
        "delivery 12.50?",
        "delivery of 12 boxes",
        "invoice 12% off",
        "an order of 1,000",
        "order 0",
        "delivery -12",
        "my order: 12 boxes and 3 cups",
        "orders over 100 are free?",
        "50 12 inch boxes",
        "#1 pizza in town",
        "delivery 99999999999999999999",
        "d-12-4",
    ] {
        assert_eq!(reference_in(message), None, "{message}");
    }
}

#[test]
fn the_first_of_several_counts() {
    assert_eq!(
        reference_in("invoice 7, delivery 12"),
        Some(Reference::Invoice(7))
    );
    assert_eq!(
        reference_in("order 12 boxes as in delivery 9"),
        Some(Reference::Delivery(9))
    );
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(message in "\\PC*") {
        let _found = reference_in(&message);
    }

    #[test]
    fn every_id_is_found(id in any::<u128>(), before in "[a-z ]{0,20}") {
        let id = Uuid::from_u128(id);
        let message = format!("{before} {id}, please");
        prop_assert_eq!(reference_in(&message), Some(Reference::Order(id)));
    }
}
