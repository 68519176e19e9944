//! Reads names out of expressions of Prometheus, so that no file names a metric that nobody exports.

/// What is selected: a metric, and what its labels must be.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Selector {
    pub(super) metric: String,
    /// Label, operator and value.
    pub(super) matchers: Vec<(String, String, String)>,
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Text(String),
    Sign(char),
}

const KEYWORDS: [&str; 5] = ["and", "or", "unless", "bool", "offset"];

/// What stands before a list of labels.
const LISTS: [&str; 6] = [
    "by",
    "without",
    "on",
    "ignoring",
    "group_left",
    "group_right",
];

/// The selectors of an expression, and the labels that it groups or joins by.
pub(super) fn read(expression: &str) -> (Vec<Selector>, Vec<String>) {
    let tokens = tokens(expression);
    let (mut selectors, mut grouped) = (Vec::new(), Vec::new());
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        at += 1;
        let Token::Word(word) = token else { continue };
        let next = tokens.get(at);
        if LISTS.contains(&word.as_str()) && next == Some(&Token::Sign('(')) {
            let list = tokens[at + 1..].iter();
            let list: Vec<_> = list
                .take_while(|token| **token != Token::Sign(')'))
                .collect();
            at += list.len() + 2;
            grouped.extend(list.into_iter().filter_map(|token| match token {
                Token::Word(word) => Some(word.clone()),
                _ => None,
            }));
        } else if !is_applied(next)
            && !KEYWORDS.contains(&word.as_str())
            && !word.starts_with(|letter: char| letter.is_ascii_digit() || letter == '$')
        {
            let matchers = if next == Some(&Token::Sign('{')) {
                let inner = tokens[at + 1..].iter();
                let inner: Vec<_> = inner
                    .take_while(|token| **token != Token::Sign('}'))
                    .collect();
                at += inner.len() + 1;
                inner
                    .split(|it| **it == Token::Sign(','))
                    .map(matcher)
                    .collect()
            } else {
                Vec::new()
            };
            let metric = word.clone();
            selectors.push(Selector { metric, matchers });
        }
    }
    (selectors, grouped)
}

/// Whether a word is a function or an aggregation: `rate(…)`, `sum by (…) (…)`.
fn is_applied(next: Option<&Token>) -> bool {
    match next {
        Some(Token::Sign(sign)) => *sign == '(',
        Some(Token::Word(word)) => word == "by" || word == "without",
        _ => false,
    }
}

fn matcher(tokens: &[&Token]) -> (String, String, String) {
    let [Token::Word(label), signs @ .., Token::Text(value)] = tokens else {
        panic!("no matcher: {tokens:?}")
    };
    let signs = signs.iter().map(|token| match token {
        Token::Sign(sign) => *sign,
        _ => panic!("no matcher: {tokens:?}"),
    });
    (label.clone(), signs.collect(), value.clone())
}

fn tokens(expression: &str) -> Vec<Token> {
    let is_word = |letter: char| letter.is_alphanumeric() || "_:.$".contains(letter);
    let mut tokens = Vec::new();
    let mut rest = expression.trim_start();
    while let Some(first) = rest.chars().next() {
        let end = if first == '"' {
            let end = rest[1..].find('"').expect("a text ends") + 1;
            tokens.push(Token::Text(rest[1..end].to_owned()));
            end + 1
        } else if first == '[' {
            // A range: `[5m]`.
            rest.find(']').expect("a range ends") + 1
        } else if is_word(first) {
            let end = rest.find(|letter| !is_word(letter)).unwrap_or(rest.len());
            tokens.push(Token::Word(rest[..end].to_owned()));
            end
        } else {
            tokens.push(Token::Sign(first));
            first.len_utf8()
        };
        rest = rest[end..].trim_start();
    }
    tokens
}

#[test]
fn names_are_read_out_of_expressions() {
    let (selectors, grouped) = read(
        "sum by (job, x) (rate(a_total{is=\"on\", at!~\"b|c{2}\"}[5m])) / on (job) d > 0.05 or vector(0)",
    );
    let texts = |label: &str, sign: &str, value: &str| (label.into(), sign.into(), value.into());
    let first = Selector {
        metric: "a_total".to_owned(),
        matchers: vec![texts("is", "=", "on"), texts("at", "!~", "b|c{2}")],
    };
    let second = Selector {
        metric: "d".to_owned(),
        matchers: Vec::new(),
    };
    assert_eq!(selectors, [first, second]);
    assert_eq!(grouped, ["job", "x", "job"]);
}
