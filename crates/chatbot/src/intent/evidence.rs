//! What the words of a message say for an intent by themselves.

use super::Intent;
use crate::order_lines::{self, Quantity};

/// What clear words are worth, in cosines.
const CLEAR: f32 = 0.15;
/// What words are worth that say it less clearly.
const SOME: f32 = 0.08;

/// What the words of a message say for an intent; negative where they speak against it.
pub(super) fn of(intent: Intent, message: &str) -> f32 {
    let words = words(message);
    let any = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    let complains = complains(&words);
    let asks = asks(message, &words);
    match intent {
        Intent::Complaint if complains => CLEAR,
        _ if complains => 0.0,
        Intent::OrderPlacement if asks && !asks_for_goods(&words) => -SOME,
        Intent::OrderPlacement if orders(message) => CLEAR,
        Intent::OrderStatus if names_an_order(message, &words) => SOME,
        Intent::OrderStatus
            if any(&["my", "our"]) && any(GOODS_ON_THEIR_WAY) && any(ON_THE_WAY) =>
        {
            SOME
        }
        Intent::PolicyQuestion if asks && any(TERMS) && !any(&["my", "our"]) => SOME,
        Intent::ProductInquiry if asks && !any(TERMS) && names_a_product(&words) => SOME,
        _ => 0.0,
    }
}

const GOODS_ON_THEIR_WAY: &[&str] = &["order", "orders", "delivery", "parcel", "boxes", "van"];
const ON_THE_WAY: &[&str] = &[
    "where",
    "wheres",
    "when",
    "status",
    "track",
    "tracking",
    "arrive",
    "arriving",
    "shipped",
    "dispatched",
    "update",
    "news",
    "yet",
    "coming",
];
const TERMS: &[&str] = &[
    "return",
    "returns",
    "refund",
    "refunds",
    "minimum",
    "deliver",
    "delivery",
    "pay",
    "payment",
    "invoice",
    "discount",
    "discounts",
    "policy",
    "credit",
    "cancel",
    "vat",
    "fee",
    "charge",
];

fn names_a_product(words: &[String]) -> bool {
    words.iter().any(|word| order_lines::is_product(word))
}

fn words(message: &str) -> Vec<String> {
    let kept: String = message
        .chars()
        .filter(|character| !matches!(character, '\'' | '’'))
        .flat_map(char::to_lowercase)
        .collect();
    let parts = kept.split(|character: char| !character.is_alphanumeric() && character != '#');
    parts
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}

/// A plain quantity of something that is sold.
fn orders(message: &str) -> bool {
    order_lines::read(message).iter().any(|line| {
        matches!(line.quantity, Quantity::Packs(_))
            && line.phrase.split(' ').any(order_lines::is_product)
    })
}

/// A question for something else than goods.
fn asks(message: &str, words: &[String]) -> bool {
    let first = words.first().map_or("", String::as_str);
    let opens = matches!(
        first,
        "do" | "does"
            | "is"
            | "are"
            | "what"
            | "whats"
            | "how"
            | "which"
            | "when"
            | "where"
            | "wheres"
            | "why"
            | "who"
            | "will"
            | "did"
            | "has"
            | "have"
    );
    opens || (message.trim_end().ends_with('?') && !asks_for_goods(words))
}

/// `can I have`, `could you send`: in the form of a question, and an order.
fn asks_for_goods(words: &[String]) -> bool {
    let any = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    any(&["can", "could", "may", "please", "pls"])
        && any(&[
            "get", "have", "send", "order", "put", "add", "bring", "deliver", "take", "do",
        ])
}

fn names_an_order(message: &str, words: &[String]) -> bool {
    let numbered = |word: &String| {
        let digits = word.trim_start_matches('#');
        digits.len() >= 3 && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    let named = words.iter().any(|word| {
        matches!(
            word.as_str(),
            "order" | "po" | "tracking" | "ref" | "delivery"
        )
    });
    named && words.iter().any(numbered) && !orders(message)
}

fn complains(words: &[String]) -> bool {
    words.iter().any(|word| {
        matches!(
            word.as_str(),
            "apology"
                | "bent"
                | "dirty"
                | "dripping"
                | "fault"
                | "ignored"
                | "leak"
                | "missing"
                | "mistake"
                | "smell"
                | "smells"
                | "smudged"
                | "snapped"
                | "stained"
                | "tear"
                | "tears"
                | "twice"
                | "damaged"
                | "broken"
                | "crushed"
                | "torn"
                | "ripped"
                | "leaking"
                | "mouldy"
                | "soggy"
                | "faulty"
                | "defective"
                | "unacceptable"
                | "disgraceful"
                | "disgusting"
                | "terrible"
                | "awful"
                | "appalling"
                | "useless"
                | "rubbish"
                | "furious"
                | "fed"
                | "complain"
                | "complaint"
                | "overcharged"
                | "wrong"
                | "disappointed"
                | "leaked"
                | "leaks"
                | "ridiculous"
                | "rude"
                | "ruined"
                | "shocking"
                | "squashed"
                | "unhappy"
                | "worst"
        )
    })
}
