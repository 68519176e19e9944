//! How a message is worded: what of it is embedded, and the words by which it is compared besides.

use std::collections::BTreeSet;

use crate::order_lines::{is_a_number, is_only_a_unit, is_product};

/// Models of embeddings take some hundreds of tokens, of which none is shorter than a byte.
const MOST_BYTES: usize = 480;
/// More words than these say nothing new.
const MOST_WORDS: usize = 400;
/// A number of as many digits names something and counts nothing.
const DIGITS_OF_A_NAME: usize = 4;

/// The message in lowercase, with words as they are spelt in chats written out; its beginning, if
/// it is long. Never empty, as a model has no vector for nothing.
pub(super) fn plain(message: &str) -> String {
    let mut plain = String::new();
    let text = lowercase(message);
    for part in text.split_inclusive(|sign: char| !is_of_a_word(sign)) {
        let word = part.trim_end_matches(|sign: char| !is_of_a_word(sign));
        plain.push_str(spelt_out(word).unwrap_or(word));
        plain.push_str(&part[word.len()..]);
        if plain.len() > MOST_BYTES {
            break;
        }
    }
    plain.truncate(plain.floor_char_boundary(MOST_BYTES));
    if plain.trim().is_empty() {
        return ".".to_owned();
    }
    plain
}

/// Its words, its pairs of words, and those that it begins with. What is sold, numbers, and the
/// names of numbers are each one word, as which of them it is tells nothing of what is wanted.
pub(super) fn traits(message: &str) -> BTreeSet<String> {
    let words = words(message);
    let mut traits: BTreeSet<String> = words.iter().cloned().collect();
    traits.extend(words.windows(2).map(|pair| pair.join(" ")));
    if let Some(first) = words.first() {
        traits.insert(format!("^{first}"));
        traits.insert(format!("^{}", words[..words.len().min(2)].join(" ")));
    }
    traits
}

fn words(message: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut push = |word: &str| {
        if word.is_empty() {
            return true;
        }
        let kind = kind(word);
        // `white pizza boxes` are goods once.
        if kind.is_none() || words.last().map(String::as_str) != kind {
            words.push(kind.unwrap_or(word).to_owned());
        }
        words.len() < MOST_WORDS
    };
    let text = lowercase(message);
    let mut rest = text.as_str();
    while let Some(first) = rest.chars().next() {
        let of_it = |sign: char| {
            if first.is_ascii_digit() {
                sign.is_ascii_digit()
            } else {
                is_of_a_word(sign) && !sign.is_ascii_digit()
            }
        };
        let end = rest.find(|sign| !of_it(sign)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end.max(first.len_utf8()));
        rest = after;
        let goes_on = match spelt_out(word) {
            Some(several) => several.split(' ').all(&mut push),
            None if is_of_a_word(first) => push(&word.replace('\'', "")),
            None if matches!(first, '?' | '!' | '#') => push(word),
            None => true,
        };
        if !goes_on {
            break;
        }
    }
    words
}

fn lowercase(message: &str) -> String {
    message.to_lowercase().replace('’', "'")
}

fn is_of_a_word(sign: char) -> bool {
    sign.is_alphanumeric() || sign == '\''
}

fn kind(word: &str) -> Option<&'static str> {
    if word.bytes().all(|byte| byte.is_ascii_digit()) {
        let names = word.len() >= DIGITS_OF_A_NAME;
        return Some(if names { "<name>" } else { "<number>" });
    }
    if word != "pizza" && (is_product(word) || is_of_goods(word)) {
        return Some("<goods>");
    }
    if is_only_a_unit(word) {
        return Some("<unit>");
    }
    is_a_number(word).then_some("<number>")
}

fn is_of_goods(word: &str) -> bool {
    matches!(
        word,
        "kraft"
            | "white"
            | "printed"
            | "brown"
            | "plain"
            | "nitrile"
            | "vinyl"
            | "wooden"
            | "thermal"
            | "greaseproof"
            | "carrier"
            | "slice"
            | "slices"
            | "salad"
    )
}

/// The words for which one stands that is spelt as in chats.
fn spelt_out(word: &str) -> Option<&'static str> {
    Some(match word {
        "u" => "you",
        "ur" => "your",
        "r" => "are",
        "n" => "and",
        "k" => "ok",
        "hv" => "have",
        "cn" => "can",
        "abt" => "about",
        "coz" => "because",
        "pls" | "plz" | "plss" => "please",
        "thx" | "thanx" | "ty" => "thanks",
        "wat" | "wot" => "what",
        "what's" | "whats" => "what is",
        "where's" | "wheres" => "where is",
        "how's" | "hows" => "how is",
        "who's" | "whos" => "who is",
        "that's" | "thats" => "that is",
        "there's" | "theres" => "there is",
        "it's" | "its" => "it is",
        "let's" | "lets" => "let us",
        "wher" => "where",
        "wen" => "when",
        "i'm" | "im" => "i am",
        "i've" | "ive" => "i have",
        "i'd" | "id" => "i would",
        "i'll" => "i will",
        "we've" | "weve" => "we have",
        "we'd" => "we would",
        "we're" => "we are",
        "you're" | "youre" => "you are",
        "don't" | "dont" => "do not",
        "doesn't" | "doesnt" => "does not",
        "didn't" | "didnt" => "did not",
        "can't" | "cant" | "cannot" => "can not",
        "won't" | "wont" => "will not",
        "isn't" | "isnt" => "is not",
        "aren't" | "arent" => "are not",
        "wasn't" | "wasnt" => "was not",
        "hasn't" | "hasnt" => "has not",
        "haven't" | "havent" => "have not",
        "couldn't" | "couldnt" => "could not",
        "gonna" => "going to",
        "wanna" => "want to",
        "gimme" => "give me",
        "ordr" => "order",
        "delivry" => "delivery",
        "dlvr" => "deliver",
        "tmr" | "tmrw" => "tomorrow",
        "msg" => "message",
        "recieve" => "receive",
        "recieved" => "received",
        "rong" => "wrong",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told(message: &str) -> String {
        words(message).join(" ")
    }

    #[test]
    fn words_of_chats_are_spelt_out_in_what_is_embedded() {
        assert_eq!(
            plain("Where’s my stuff, pls?"),
            "where is my stuff, please?"
        );
        assert_eq!(plain("dont u know"), "do not you know");
        assert_eq!(plain(" \n"), ".");
        assert_eq!(plain(""), ".");
    }

    #[test]
    fn what_is_embedded_is_bounded_in_bytes_of_whole_characters() {
        for sign in ["a", "a ", "é", "각", "🍕", "' ", "u ", "İ"] {
            let plain = plain(&sign.repeat(4_000));
            assert!(plain.len() <= MOST_BYTES && plain.len() > MOST_BYTES - 4);
        }
    }

    #[test]
    fn goods_and_numbers_are_each_one_word() {
        assert_eq!(
            told("How much are 20 packs of the Kraft pizza boxes?"),
            "how much are <number> <unit> of the <goods> pizza <goods> ?"
        );
        assert_eq!(told("twenty five 12 lids"), "<number> <goods>");
        assert_eq!(told("order #10442"), "order # <name>");
        assert_eq!(told("''"), "");
    }

    #[test]
    fn the_first_words_are_told_apart() {
        let traits = traits("send lids");
        let expected = ["<goods>", "^send", "^send <goods>", "send", "send <goods>"];
        assert!(traits.iter().eq(expected));
        assert!(super::traits("").is_empty());
    }

    proptest! {
        #[test]
        fn any_message_is_worded(message in any::<String>()) {
            prop_assert!(!plain(&message).is_empty());
            prop_assert!(plain(&message).len() <= MOST_BYTES);
            let _ = traits(&message);
        }
    }
}
