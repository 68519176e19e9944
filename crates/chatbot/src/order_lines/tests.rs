use proptest::prelude::*;

use super::*;

/// Each line as `quantity phrase @size`.
fn told(message: &str) -> Vec<String> {
    let told = |line: Line| {
        let quantity = match line.quantity {
            Quantity::Packs(packs) => packs.to_string(),
            Quantity::Missing => "-".to_owned(),
            Quantity::Unclear => "?".to_owned(),
        };
        let size = line.size.map(|size| format!(" @{}", size.inches()));
        format!("{quantity} {}{}", line.phrase, size.unwrap_or_default())
    };
    read(message).into_iter().map(told).collect()
}

#[track_caller]
fn reads(message: &str, lines: &[&str]) {
    assert_eq!(told(message), lines, "{message}");
}

#[test]
fn quantities_are_read_in_digits_and_in_words() {
    reads("30 packs of napkins", &["30 napkins"]);
    reads("1,500 napkins", &["1500 napkins"]);
    reads("thirty-one napkins", &["31 napkins"]);
    reads("two hundred and ten napkins", &["210 napkins"]);
    reads("a hundred napkins", &["100 napkins"]);
    reads("three dozen napkins", &["36 napkins"]);
    reads("a dozen paper straws", &["12 paper straws"]);
    reads("half a dozen straws", &["6 straws"]);
    reads("2 dozen straws", &["24 straws"]);
    reads("a couple of cases of straws", &["2 straws"]);
    reads("a pair of oven trays", &["2 oven trays"]);
    reads("a carton of straws", &["1 straws"]);
}

#[test]
fn a_quantity_stands_before_or_after_what_it_counts() {
    reads("straws x 7", &["7 straws"]);
    reads("straws x7, lids x3", &["7 straws", "3 lids"]);
    reads("7x straws", &["7 straws"]);
    reads("calzone boxes: 4 packs", &["4 calzone boxes"]);
    reads(
        "calzone boxes 4 lids 2 forks 9",
        &["4 calzone boxes", "2 lids", "9 forks"],
    );
    reads(
        "calzone boxes - 4\nlids - 2",
        &["4 calzone boxes", "2 lids"],
    );
    reads("calzone boxes, 4 packs", &["4 calzone boxes"]);
}

#[test]
fn a_size_is_never_a_quantity() {
    reads("10 x 12 inch boxes", &["10 boxes @12"]);
    reads("10 12\" boxes", &["10 boxes @12"]);
    reads("ten 12in boxes", &["10 boxes @12"]);
    reads("ten twelve-inch boxes", &["10 boxes @12"]);
    reads("8 boxes of 33 cm liners", &["8 liners @13"]);
    reads("pizza boxes 12 inch: 10", &["10 pizza boxes @12"]);
    reads("I want 12 inch pizza boxes", &["- pizza boxes @12"]);
    reads("3 packs of 12x12 inch sheets", &["3 sheets @12"]);
    reads("6 cases of 8oz cups", &["6 8oz cups"]);
}

#[test]
fn lines_are_parted_by_commas_words_new_lines_and_bullets() {
    let lines = ["2 napkins", "3 straws", "4 lids"];
    reads("2 napkins, 3 straws and 4 lids", &lines);
    reads("2 napkins plus 3 straws. Also 4 lids", &lines);
    reads("2 napkins\n3 straws\r\n4 lids", &lines);
    reads("- 2 napkins\n- 3 straws\n- 4 lids", &lines);
    reads("1. 2 napkins\n2. 3 straws\n3. 4 lids", &lines);
    reads("* 2 napkins\n• 3 straws\n* 4 lids", &lines);
}

#[test]
fn a_correction_changes_what_was_said() {
    reads("5, no, make it 6 boxes of straws", &["6 straws"]);
    reads("5 boxes of straws, actually 6", &["6 straws"]);
    reads("5 boxes of straws. Sorry, I meant 6 boxes", &["6 straws"]);
    reads("5 white boxes, sorry, brown", &["5 brown boxes"]);
    reads("5 12 inch boxes, I mean 16 inch", &["5 boxes @16"]);
    reads(
        "3 straws and 5 lids. Actually forget the straws",
        &["5 lids"],
    );
}

#[test]
fn numbers_that_count_nothing_are_ignored() {
    for noise in [
        "My order #4812 is here.",
        "Call me on 020 7946 0958.",
        "Ring 07700900123.",
        "We open at 11:30.",
        "We close at 10pm.",
        "Deliver on 14 March.",
        "It is for the 5th.",
        "We are at 27 Old Mill Road.",
        "The price was £14.50.",
        "I wrote 2 weeks ago.",
        "Invoice 88213 is paid.",
    ] {
        reads(&format!("{noise} 4 packs of straws please"), &["4 straws"]);
        reads(noise, &[]);
    }
    reads("2 cases of 500 napkins", &["2 napkins"]);
}

#[test]
fn what_is_not_plain_is_unclear() {
    reads("-5 packs of straws", &["5 straws"]);
    reads("send -5 packs of straws", &["? straws"]);
    reads("minus five packs of straws", &["? straws"]);
    reads("0 packs of straws", &["? straws"]);
    reads("2.5 packs of straws", &["? straws"]);
    reads("5 or 6 packs of straws", &["? straws"]);
    reads("5-6 packs of straws", &["? straws"]);
    reads("a few packs of straws", &["? straws"]);
    reads("99999999999999999999999 packs of straws", &["? straws"]);
    reads("20,000 straws", &["? straws"]);
}

#[test]
fn what_a_line_leaves_out_is_taken_from_its_neighbours() {
    reads(
        "white boxes: 5 of the 10 inch, 6 of the 12 inch",
        &["5 white boxes @10", "6 white boxes @12"],
    );
    reads("we are out of straws, send 3 packs", &["3 straws"]);
    reads(
        "10 12 inch brown boxes and 4 white ones",
        &["10 brown boxes @12", "4 white boxes @12"],
    );
}

#[test]
fn what_is_not_wanted_still_names_what_is_meant() {
    reads("no white boxes this time, 5 brown", &["5 brown boxes"]);
    reads("foil rolls (300 mm) x 4", &["4 foil rolls 300mm"]);
    reads(
        "for goodness sake we just need straws, 4 packs",
        &["4 straws"],
    );
    reads(
        "I normally take 5 boxes of straws but 3 will do this week",
        &["3 straws"],
    );
}

#[test]
fn politeness_and_noise_order_nothing() {
    for message in [
        "",
        "hello",
        "thank you very much!",
        "where is my order?",
        "7",
        "🍕🍕",
        "\u{0}",
    ] {
        let lines = read(message);
        assert!(
            lines.iter().all(|line| line.phrase.is_empty()),
            "{message}: {lines:?}"
        );
    }
    reads(
        "Hi there, could you please send me 4 boxes of straws for Monday? Thanks a lot",
        &["4 straws"],
    );
    reads("we ordered 5 packs of straws", &[]);
    reads("no straws this time, 3 lids", &["3 lids"]);
}

#[test]
fn sizes_are_found_in_any_text() {
    assert_eq!(Size::find("12\""), Some(Size::of_inches(12)));
    assert_eq!(Size::find("30 cm"), Some(Size::of_inches(12)));
    assert_eq!(Size::find("large"), None);
}

/// Pieces of which messages are made, in any order.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "\\PC{0,6}",
        "[0-9]{1,30}",
        prop::sample::select(vec![
            " ",
            "\n",
            ", ",
            "-",
            "12\"",
            "30cm",
            "a ",
            "half ",
            "dozen ",
            "hundred ",
            "and ",
            "x",
            "no ",
            "same ",
            "each ",
            "boxes ",
            "packs ",
            "of ",
            "napkins",
            ":",
            "actually ",
            "#",
            "those ",
            "twenty-",
            "'",
            "’",
            "🍕",
            "İ",
            "ones ",
            "one ",
            "kraft ",
            "couple ",
            ".",
        ])
        .prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_message_is_read_and_spans_lie_on_characters(message in pieces()) {
        for line in read(&message) {
            prop_assert!(message.get(line.span.clone()).is_some());
            if let Quantity::Packs(packs) = line.quantity {
                prop_assert!((1..=MOST_PACKS).contains(&packs));
            }
        }
    }
}

/// The longest that is let in, of what makes the most lines, numbers and sizes.
#[test]
fn the_longest_message_is_read() {
    for piece in [
        "5 napkins, ",
        "hundred and ",
        "each 12 inch and ",
        "5 kraft ",
        "napkins ",
        "a half ",
    ] {
        let message: String = piece.chars().cycle().take(4_000).collect();
        read(&message);
    }
}
