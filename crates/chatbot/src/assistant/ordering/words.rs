//! Words that say what is to happen to an order, beside products and quantities.

/// The words of a message in lowercase, without signs.
pub(super) fn words(message: &str) -> Vec<String> {
    let message = message.to_lowercase().replace('’', "'");
    let parts = message.split(|part: char| !part.is_alphanumeric() && part != '\'');
    parts
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Whether the order is given up.
pub(super) fn gives_up(words: &[String]) -> bool {
    const PHRASES: [&str; 9] = [
        "cancel",
        "never mind",
        "nevermind",
        "forget it",
        "forget the order",
        "forget that",
        "stop the order",
        "don't order",
        "do not order",
    ];
    PHRASES.iter().any(|phrase| holds(words, phrase))
}

/// Whether something is to be taken out.
pub(super) fn takes_out(words: &[String]) -> bool {
    let phrases = [
        "remove",
        "take out",
        "leave out",
        "drop",
        "without",
        "delete",
    ];
    let apart = ["take", "leave"].iter().any(|verb| {
        let at = words.iter().position(|word| word == verb);
        at.is_some_and(|at| words[at..].iter().any(|word| word == "out"))
    });
    apart || phrases.iter().any(|phrase| holds(words, phrase))
}

/// The message without `one` or `ones` at its end, where a word before it says which.
pub(super) fn without_pronoun(message: &str) -> &str {
    let text = message.trim_end_matches(|last: char| !last.is_alphanumeric());
    let Some((before, last)) = text.rsplit_once(char::is_whitespace) else {
        return message;
    };
    let is_pronoun = last.eq_ignore_ascii_case("one") || last.eq_ignore_ascii_case("ones");
    if is_pronoun { before } else { message }
}

/// The words that name what is to be taken out; none where the message means what was just asked
/// about, as in `take them out please`.
pub(super) fn taken_out(words: &[String]) -> Vec<&str> {
    const BESIDE: [&str; 23] = [
        "remove", "take", "out", "leave", "drop", "without", "delete", "it", "them", "that",
        "this", "those", "these", "please", "the", "one", "ones", "then", "ok", "yes", "i", "want",
        "and",
    ];
    let words = words.iter().map(String::as_str);
    words.filter(|word| !BESIDE.contains(word)).collect()
}

/// Whether a quantity takes the place of an earlier one.
pub(super) fn replaces(words: &[String]) -> bool {
    [
        "make it",
        "make that",
        "instead",
        "change",
        "rather",
        "actually",
        "only",
        "in all",
        "in total",
        "correct",
    ]
    .iter()
    .any(|phrase| holds(words, phrase))
}

/// Whether a quantity comes on top of an earlier one.
pub(super) fn adds(words: &[String]) -> bool {
    [
        "also",
        "add",
        "another",
        "more",
        "plus",
        "additionally",
        "on top",
        "extra",
    ]
    .iter()
    .any(|phrase| holds(words, phrase))
}

/// Whether the message only agrees.
pub(super) fn agrees(words: &[String]) -> bool {
    says_only(
        words,
        &[
            "yes", "yep", "yeah", "sure", "ok", "okay", "right", "correct", "exactly", "please",
        ],
        &[
            "that", "that's", "is", "the", "one", "it", "thanks", "thank", "you", "i", "do",
        ],
    )
}

/// Whether the message only refuses.
pub(super) fn refuses(words: &[String]) -> bool {
    says_only(
        words,
        &["no", "nope", "none", "neither", "nothing", "not"],
        &[
            "of", "them", "these", "those", "that", "it", "thanks", "thank", "you", "the", "one",
        ],
    )
}

/// Which one of so many a message points at, counted from 0.
pub(super) fn pointed_at(words: &[String], of: usize) -> Option<usize> {
    const ORDINALS: [&[&str]; 5] = [
        &["1", "one", "first", "1st"],
        &["2", "two", "second", "2nd"],
        &["3", "three", "third", "3rd"],
        &["4", "four", "fourth", "4th"],
        &["5", "five", "fifth", "5th"],
    ];
    const BESIDE: [&str; 12] = [
        "the", "number", "no", "option", "please", "one", "i", "want", "take", "mean", "meant",
        "it's",
    ];
    let place = |word: &str| {
        if word == "last" {
            return of.checked_sub(1);
        }
        ORDINALS.iter().position(|names| names.contains(&word))
    };
    // `the second one` points at the second: the first word that points counts.
    let at = words.iter().find_map(|word| {
        let passes = BESIDE.contains(&word.as_str()) && words.len() > 1;
        if passes { None } else { place(word) }
    })?;
    let rest = words.iter().filter(|word| place(word).is_none());
    let only = rest.clone().all(|word| BESIDE.contains(&word.as_str()));
    (only && at < of).then_some(at)
}

fn says_only(words: &[String], one_of: &[&str], beside: &[&str]) -> bool {
    let is = |list: &[&str], word: &String| list.contains(&word.as_str());
    words.iter().any(|word| is(one_of, word))
        && words
            .iter()
            .all(|word| is(one_of, word) || is(beside, word))
}

/// Whether the words of a phrase stand in this order, side by side.
fn holds(words: &[String], phrase: &str) -> bool {
    let phrase: Vec<&str> = phrase.split(' ').collect();
    words.windows(phrase.len()).any(|window| {
        window
            .iter()
            .zip(&phrase)
            .all(|(word, wanted)| word == wanted)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_given_up_in_many_words() {
        for message in [
            "cancel",
            "Never mind!",
            "please forget it",
            "Cancel the order, thanks",
        ] {
            assert!(gives_up(&words(message)), "{message}");
        }
        for message in ["10 boxes", "mind the size", "yes"] {
            assert!(!gives_up(&words(message)), "{message}");
        }
    }

    #[test]
    fn agreement_and_refusal_are_nothing_else_besides() {
        for message in [
            "yes",
            "Yes please",
            "ok, that one",
            "That's right, thank you",
        ] {
            assert!(agrees(&words(message)), "{message}");
        }
        for message in ["yes, and 5 napkins", "", "12 inch"] {
            assert!(!agrees(&words(message)), "{message}");
        }
        for message in ["no", "none of these", "No, thanks"] {
            assert!(refuses(&words(message)), "{message}");
        }
        assert!(!refuses(&words("no, the kraft ones")));
    }

    #[test]
    fn who_points_with_one_does_not_count() {
        for (message, left) in [
            ("the white one", "the white"),
            (" 20 of the kraft ones, ", " 20 of the kraft"),
            ("one", "one"),
            ("one pack", "one pack"),
            ("", ""),
        ] {
            assert_eq!(without_pronoun(message), left);
        }
    }

    #[test]
    fn one_of_several_is_pointed_at() {
        for (message, at) in [
            ("2", Some(1)),
            ("the second one", Some(1)),
            ("number 3 please", Some(2)),
            ("the last one", Some(2)),
            ("first", Some(0)),
            ("one", Some(0)),
            ("4", None),
            ("12 inch", None),
            ("2 packs", None),
            ("the white one", None),
            ("", None),
        ] {
            assert_eq!(pointed_at(&words(message), 3), at, "{message}");
        }
    }
}
