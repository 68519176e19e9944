//! The names of the shop's own outlets, and some that are hard to tell apart.

use std::{fs, path::Path};

use proptest::prelude::*;

use super::*;

fn outlets(names: &[&str]) -> Outlets {
    let outlet = |(id, name): (i64, &&str)| Outlet {
        id,
        name: (*name).to_owned(),
        address_line: "1 High Street".to_owned(),
        postal_code: String::new(),
        city: "Porto".to_owned(),
        country: "PT".to_owned(),
        language: "en".to_owned(),
    };
    (1..).zip(names).map(outlet).collect()
}

/// The outlets of `data/catalogue`.
fn own() -> Outlets {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/catalogue/outlets.csv");
    let file = fs::read_to_string(file).unwrap();
    let names = file
        .lines()
        .skip(1)
        .map(|line| line.split(',').next().unwrap());
    outlets(&names.collect::<Vec<_>>())
}

fn sure(outlets: &Outlets, text: &str) -> String {
    match outlets.by_name(text) {
        OutletMatch::Sure(outlet) => outlet.name,
        other => panic!("{text}: {other:?}"),
    }
}

fn unsure(outlets: &Outlets, text: &str) -> Vec<String> {
    match outlets.by_name(text) {
        OutletMatch::Unsure(outlets) => outlets.into_iter().map(|outlet| outlet.name).collect(),
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn each_name_is_found_in_a_sentence_however_it_is_written() {
    let own = own();
    assert!(own.iter().count() > 10);
    for outlet in own.iter() {
        let name = &outlet.name;
        for text in [
            name.clone(),
            name.to_uppercase(),
            format!("50 large boxes for {} please", name.to_lowercase()),
            format!("it's the {name}, in the town"),
            format!("deliver to {}.", name.replace(' ', "  ")),
            format!("the order of {} was late", name.replace(' ', "-")),
        ] {
            assert_eq!(sure(&own, &text), *name, "{text}");
        }
    }
}

#[test]
fn one_slip_in_a_long_word_is_forgiven() {
    let own = own();
    for (text, name) in [
        ("this is Vesuvo Harbour", "Vesuvio Harbour"),
        ("for Vesuvio Habrour", "Vesuvio Harbour"),
        ("for Quatro Mani please", "Quattro Mani"),
        ("Margerita West", "Margherita West"),
        ("Margarita West", ""),
        ("we are La Piazeta", ""),
        ("Vesuvo Harbor", ""),
        ("Forno Sud", ""),
        ("Pizza Fiord", "Pizza Fjord"),
    ] {
        let found = own.by_name(text);
        match name {
            "" => assert!(!matches!(found, OutletMatch::Sure(_)), "{text}: {found:?}"),
            name => assert_eq!(sure(&own, text), name),
        }
    }
}

#[test]
fn accents_and_special_letters_do_not_matter() {
    let outlets = outlets(&[
        "Café Grün",
        "Straßenbäckerei",
        "Øst Pizzeria",
        "Luigi's Corner",
    ]);
    for (text, name) in [
        ("for cafe grun", "Café Grün"),
        ("for CAFÉ GRÜN", "Café Grün"),
        ("for Cafe\u{301} Gru\u{308}n", "Café Grün"),
        ("strassenbackerei", "Straßenbäckerei"),
        ("ost pizzeria", "Øst Pizzeria"),
        ("luigis corner", "Luigi's Corner"),
        ("at Luigi’s corner", "Luigi's Corner"),
    ] {
        assert_eq!(sure(&outlets, text), name);
    }
}

#[test]
fn between_two_nothing_is_guessed() {
    let own = own();
    let both = ["Forno Nord", "Forno Sul"];
    for text in [
        "Forno",
        "the Forno one please",
        "20 boxes for Forno",
        "for Forno Süd",
    ] {
        assert_eq!(unsure(&own, text), both, "{text}");
    }
    let text = "is it Forno Nord or Forno Sul?";
    assert_eq!(unsure(&own, text), both);
    let alike = outlets(&["Casa Marino", "Casa Merino", "Casa"]);
    assert_eq!(sure(&alike, "for Casa Marino"), "Casa Marino");
    assert_eq!(sure(&alike, "for Casa Merino"), "Casa Merino");
    assert_eq!(
        unsure(&alike, "for Casa Mrino"),
        ["Casa Marino", "Casa Merino"]
    );
    assert_eq!(
        unsure(&alike, "for Casa Murino"),
        ["Casa Marino", "Casa Merino"]
    );
    assert_eq!(sure(&alike, "for the casa"), "Casa");
    let numbered = outlets(&["Pizzeria 1", "Pizzeria 2"]);
    assert_eq!(sure(&numbered, "pizzeria 2"), "Pizzeria 2");
    assert_eq!(unsure(&numbered, "pizzeria").len(), 2);
    assert_eq!(unsure(&numbered, "to pizzeria 3").len(), 2);
}

#[test]
fn a_part_of_a_name_is_an_answer_and_in_a_sentence_a_question() {
    let own = own();
    for (text, name) in [
        ("Vesuvio", "Vesuvio Harbour"),
        ("the Vesuvio one please", "Vesuvio Harbour"),
        ("It's Piazzetta", "La Piazzetta"),
        ("mamma", "Mamma Lucia"),
    ] {
        assert_eq!(sure(&own, text), name);
    }
    for (text, name) in [
        ("50 large boxes for Vesuvio, and napkins", "Vesuvio Harbour"),
        ("send 20 cups to the Piazzetta tomorrow", "La Piazzetta"),
        ("10 rolls for Bella Napoli", "Bella Mole"),
    ] {
        assert_eq!(unsure(&own, text), [name], "{text}");
    }
}

#[test]
fn words_of_the_trade_name_no_outlet() {
    let own = own();
    for text in [
        "",
        "  !? ",
        "50 large pizza boxes please",
        "what do you have for pizza?",
        "do you offer express delivery?",
        "a box for the harbour party",
        "how much is a slice box?",
        "la",
        "to il",
        "hello",
        "for me",
        "Bella Napoli",
    ] {
        assert_eq!(own.by_name(text), OutletMatch::None, "{text}");
    }
    let none = Outlets::default();
    assert_eq!(none.by_name("Vesuvio Harbour"), OutletMatch::None);
    assert_eq!(outlets(&["!"]).by_name("!"), OutletMatch::None);
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC*", name in "\\PC*") {
        let _found = outlets(&[&name, "La"]).by_name(&text);
        let _found = own().by_name(&text);
    }
}
