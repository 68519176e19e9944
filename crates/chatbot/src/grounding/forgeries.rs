//! Every sentence of the own knowledge, as it stands and falsified in each way that is tried here.

use std::path::Path;

use super::{Ungrounded, check, sentences::sentences};
use crate::{
    knowledge::Knowledge,
    retrieval::{Kind, Passage},
};

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/knowledge");

fn passages() -> Vec<Passage> {
    let knowledge = Knowledge::read(Path::new(DATA)).unwrap();
    let passages = knowledge.passages().iter().map(|passage| {
        let text = passage.text.split("\n<!--").next().unwrap();
        Passage {
            source: passage.source.clone(),
            section: passage.section.clone(),
            text: text.to_owned(),
            score: 0.9,
            kind: Kind::Knowledge,
        }
    });
    passages.collect()
}

/// Each sentence of all passages, with its passage.
fn all() -> Vec<(String, Passage)> {
    let mut all = Vec::new();
    for passage in passages() {
        let (_, body) = passage.text.split_once('\n').unwrap();
        for sentence in sentences(body) {
            all.push((sentence.to_owned(), passage.clone()));
        }
    }
    assert!(all.len() > 250, "{}", all.len());
    all
}

/// How many of the forgeries pass, of how many; each that does is printed.
fn passing(forge: impl Fn(&str) -> Vec<String>) -> (usize, usize) {
    let (mut passed, mut made) = (0, 0);
    for (sentence, passage) in all() {
        for forged in forge(&sentence) {
            made += 1;
            // The sentence as the question, so that it is never refused as beside the point.
            if check(
                &forged,
                &sentence_without_numbers(&sentence),
                std::slice::from_ref(&passage),
            )
            .is_ok()
            {
                println!("{forged:?} of {sentence:?}");
                passed += 1;
            }
        }
    }
    assert!(made > 20, "only {made} forgeries");
    (passed, made)
}

/// A question lends quantities, and must not do so here.
fn sentence_without_numbers(sentence: &str) -> String {
    let letters = sentence.chars().filter(|it| !it.is_ascii_digit());
    letters.collect()
}

/// The text with each occurrence of a word replaced, one at a time.
fn replaced(sentence: &str, word: &str, by: &str) -> Vec<String> {
    let padded = format!(" {sentence}");
    let wanted = format!(" {word}");
    let places = padded.match_indices(&wanted);
    let ends = |end: usize| !padded[end..].starts_with(char::is_alphanumeric);
    places
        .map(|(place, found)| (place, place + found.len()))
        .filter(|(_, end)| ends(*end))
        .map(|(place, end)| format!("{} {by}{}", &padded[..place], &padded[end..]))
        .collect()
}

#[test]
fn nearly_every_sentence_passes_as_it_stands() {
    let mut refused = Vec::new();
    let all = all();
    for (sentence, passage) in &all {
        if let Err(reason) = check(sentence, sentence, std::slice::from_ref(passage)) {
            refused.push((sentence, reason));
        }
    }
    // Short ones say too little; some mention what the guard takes for talk of the model itself.
    let unlike = |reason: &Ungrounded| *reason != Ungrounded::Words && *reason != Ungrounded::Aside;
    assert!(refused.len() * 20 < all.len(), "{refused:#?}");
    assert!(
        refused.iter().filter(|it| unlike(&it.1)).count() < 4,
        "{refused:#?}"
    );
}

#[test]
fn no_other_number_passes() {
    let forge = |sentence: &str| {
        let digits = sentence.char_indices().filter(|it| it.1.is_ascii_digit());
        let forged = digits.map(|(index, digit)| {
            let other = if digit == '9' { '8' } else { '9' };
            format!("{}{other}{}", &sentence[..index], &sentence[index + 1..])
        });
        forged.collect()
    };
    assert_eq!(passing(forge).0, 0);
}

#[test]
fn no_other_number_in_words_passes() {
    let numbers = ["two", "three", "four", "five", "seven", "ten", "fifteen"];
    let forge = |sentence: &str| {
        let others = numbers.iter().zip(numbers.iter().cycle().skip(1));
        others
            .flat_map(|(one, other)| replaced(sentence, one, other))
            .collect()
    };
    assert_eq!(passing(forge).0, 0);
}

#[test]
fn no_denial_can_be_left_out() {
    let forge = |sentence: &str| {
        let mut forged = replaced(sentence, "cannot", "can");
        for no in ["not ", "never ", "no "] {
            let padded = format!(" {sentence}");
            forged.extend(
                padded
                    .match_indices(&format!(" {no}"))
                    .map(|(place, found)| {
                        format!("{} {}", &padded[..place], &padded[place + found.len()..])
                    }),
            );
        }
        forged
    };
    assert_eq!(passing(forge).0, 0);
}

#[test]
fn no_denial_can_be_put_in() {
    let forge = |sentence: &str| {
        let verbs = ["is", "are", "can", "may", "must"];
        let verbs = verbs.iter();
        let denied = verbs.flat_map(|verb| replaced(sentence, verb, &format!("{verb} not")));
        denied.collect()
    };
    assert_eq!(passing(forge).0, 0);
}

#[test]
fn no_other_day_or_condition_passes() {
    let forge = |sentence: &str| {
        let swaps = [
            ("Monday", "Tuesday"),
            ("Friday", "Saturday"),
            ("Saturdays", "Mondays"),
            ("before", "after"),
            ("after", "before"),
            ("within", "after"),
            ("until", "after"),
            ("above", "below"),
            ("Below", "Above"),
            ("only", "also"),
            ("Unopened", "Opened"),
            ("unopened", "opened"),
            ("largest", "smallest"),
            ("each", "every second"),
            ("without", "with"),
            ("inside", "outside"),
        ];
        let swapped = swaps
            .iter()
            .flat_map(|(one, other)| replaced(sentence, one, other));
        swapped.collect()
    };
    assert_eq!(passing(forge).0, 0);
}

#[test]
fn no_part_of_a_sentence_promises_more_than_the_whole() {
    // What stands before a mark or behind it, where the other part holds a number or a no.
    let binds = |part: &str| {
        part.contains(|it: char| it.is_ascii_digit())
            || [" not ", " no ", "cannot", "only", "unless"]
                .iter()
                .any(|it| part.contains(it))
    };
    let forge = |sentence: &str| {
        let mut forged = Vec::new();
        for (place, _) in sentence.match_indices(", ") {
            let (before, after) = (&sentence[..place], &sentence[place + 2..]);
            if binds(after) {
                forged.push(format!("{before}."));
            }
            if binds(before) {
                forged.push(after.to_owned());
            }
        }
        forged
    };
    let (passed, made) = passing(forge);
    println!("{passed} of {made}");
    // A clause that says no beside one that says yes may be left out with all that it says.
    assert!(passed * 4 < made, "{passed} of {made}");
}

#[test]
fn nothing_is_free_or_costs_something_else() {
    let forge = |sentence: &str| {
        let said = sentence.trim_end_matches('.');
        vec![
            format!("{said} free of charge for everybody."),
            format!("{said} for 0.01."),
            format!("{said} for €5."),
            format!("{said}. Everything is free of charge."),
            format!("Yes, {said}."),
        ]
    };
    assert_eq!(passing(forge).0, 0);
}
