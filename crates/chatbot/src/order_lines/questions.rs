//! Whether a part of a message asks, or tells how things are, so that it orders nothing.

use super::{
    cues,
    marks::{Kind, Mark},
};

/// Whether these marks open a question that is none for goods, or thanks for what came. `could you
/// send 5 packs` is an order; `could you tell`, `how much` and `are there` are not.
pub(super) fn asks(marks: &[Mark]) -> bool {
    let words: Vec<&str> = marks.iter().map(word).collect();
    let begin = words.iter().position(|word| !leads_in(word));
    let words = &words[begin.unwrap_or(words.len())..];
    let at = |index: usize| words.get(index).copied().unwrap_or_default();
    let sends = sends(words);
    match at(0) {
        "how" => at(1) != "about",
        "wheres" | "whens" | "whos" | "whys" | "hows" | "whats" | "there" | "theres" => true,
        "what" | "which" => !matches!(at(1), "i" | "we" | "about" | "if"),
        "when" | "where" | "why" | "who" => is_auxiliary(at(1)),
        "thanks" | "thank" => at(1) == "for" || at(2) == "for",
        _ if sends => false,
        "was" | "were" => matches!(
            at(1),
            "the" | "my" | "our" | "your" | "these" | "those" | "they" | "it" | "there" | "any"
        ),
        "is" | "are" | "am" => {
            let offers = |word: &&str| matches!(*word, "possible" | "able" | "chance" | "ok");
            !words.iter().any(offers)
        }
        "do" | "does" | "did" | "has" | "have" | "had" => {
            !matches!(at(1), "" | "me" | "us" | "a" | "some")
        }
        "will" | "would" | "can" | "could" | "may" | "should" if is_a_person(at(1)) => {
            inquires(at(2)) || at(3) == "back"
        }
        "would" if at(1) == "it" => false,
        "will" | "would" | "can" | "could" | "should" => words.len() > 1 && at(1) != "do",
        // `I would like to know`.
        _ => words
            .windows(2)
            .any(|pair| pair[0] == "to" && matches!(pair[1], "know" | "ask" | "hear" | "cancel")),
    }
}

/// Whether these marks want something, so that a question before them is over.
pub(super) fn wants(marks: &[Mark]) -> bool {
    let words: Vec<&str> = marks.iter().map(word).collect();
    let plain = |word: &&str| matches!(*word, "need" | "want" | "take" | "please");
    let would_like = |pair: &[&str]| pair[1] == "like" && matches!(pair[0], "id" | "wed" | "would");
    sends(&words) || words.iter().any(plain) || words.windows(2).any(would_like)
}

/// `the order` sends nothing.
fn sends(words: &[&str]) -> bool {
    words.iter().enumerate().any(|(index, &word)| {
        let before = index.checked_sub(1).map_or("", |before| words[before]);
        let named = matches!(
            before,
            "the" | "my" | "our" | "an" | "your" | "last" | "this"
        );
        let returns = words.get(index + 1) == Some(&"back");
        cues::sends(word) && !returns && !(word == "order" && named)
    })
}

/// Empty for what is no word.
fn word(mark: &Mark) -> &str {
    match &mark.kind {
        Kind::Word(word) => word,
        _ => "",
    }
}

/// May stand before a question.
fn leads_in(word: &str) -> bool {
    matches!(
        word,
        "hi" | "hello" | "hey" | "ok" | "okay" | "well" | "please" | "sorry" | "just" | "now"
    )
}

fn is_auxiliary(word: &str) -> bool {
    matches!(
        word,
        "is" | "are"
            | "was"
            | "were"
            | "do"
            | "does"
            | "did"
            | "will"
            | "would"
            | "can"
            | "could"
            | "should"
            | "has"
            | "have"
    )
}

fn is_a_person(word: &str) -> bool {
    matches!(
        word,
        "i" | "we" | "you" | "u" | "ya" | "somebody" | "someone" | "anyone"
    )
}

/// What is done with goods that are there, or with words.
fn inquires(word: &str) -> bool {
    matches!(
        word,
        "ask"
            | "cancel"
            | "check"
            | "confirm"
            | "exchange"
            | "explain"
            | "freeze"
            | "know"
            | "pay"
            | "recycle"
            | "return"
            | "see"
            | "swap"
            | "tell"
            | "track"
            | "use"
    )
}
