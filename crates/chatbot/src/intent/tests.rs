use super::*;

#[test]
fn names_are_told_and_read_alike() {
    for intent in Intent::ALL {
        assert_eq!(intent.name().parse(), Ok(intent));
    }
    assert!(
        "Greeting"
            .parse::<Intent>()
            .unwrap_err()
            .to_string()
            .contains("order_placement")
    );
}

#[test]
fn a_plain_quantity_of_a_product_speaks_for_an_order() {
    let of = |message| evidence::of(Intent::OrderPlacement, message);
    assert!(of("10 packs of napkins") > 0.0);
    assert!(of("can I get 10 packs of napkins?") > 0.0);
    assert!(of("how many napkins are in 10 packs?") < 0.0);
    assert!(of("hello") == 0.0);
    assert!(of("the 10 boxes of napkins came damaged") == 0.0);
}

#[test]
fn the_number_of_an_order_speaks_for_its_status() {
    let of = |message| evidence::of(Intent::OrderStatus, message);
    assert!(of("order #10442") > 0.0);
    assert!(of("my order of napkins") == 0.0);
    assert!(evidence::of(Intent::Complaint, "the boxes were crushed") > 0.0);
}

#[test]
fn the_nearest_example_weighs_most() {
    assert!((nearness([0.9, 0.2].into_iter()) - (0.9 + 0.6 * 0.2) / 1.6).abs() < 1e-6);
    let many = nearness([0.5; 40].into_iter());
    assert!((many - nearness([0.5, 0.5, 0.5].into_iter())).abs() < 1e-6);
    assert!(nearness(std::iter::empty()) < -0.5);
}

#[test]
fn a_thin_reading_has_a_small_margin() {
    let reading = Reading {
        intent: Intent::Greeting,
        confidence: 0.5,
        margin: 0.05,
        runner_up: Intent::GeneralQuery,
    };
    assert!(reading.is_thin());
    assert!(
        !Reading {
            margin: 0.9,
            ..reading
        }
        .is_thin()
    );
}
