//! A message as words, numbers and signs.

use std::ops::Range;

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) span: Range<usize>,
    /// Whether it touches what stands before it.
    pub(super) glued: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// In lowercase; apostrophes are taken out, as in `dont`.
    Word(String),
    /// Digits, and what stands between digits, as in `1,000`, `7.30` or `11:30`.
    Number(String),
    Sign(char),
    NewLine,
}

pub(super) fn tokens(message: &str) -> Vec<Token> {
    let characters: Vec<(usize, char)> = message.char_indices().collect();
    let at = |index: usize| characters.get(index).map(|&(_, character)| character);
    let offset = |index: usize| characters.get(index).map_or(message.len(), |&(at, _)| at);
    let mut tokens = Vec::new();
    let mut begin = 0;
    let mut glued = false;
    while let Some(first) = at(begin) {
        let mut end = begin + 1;
        let kind = if first.is_ascii_digit() {
            while at(end).is_some_and(|next| next.is_ascii_digit())
                || (at(end).is_some_and(|next| ".,:/-".contains(next))
                    && at(end + 1).is_some_and(|next| next.is_ascii_digit())
                    && (at(end) != Some(',') || groups_thousands(&at, end)))
            {
                end += 1;
            }
            Kind::Number(message[offset(begin)..offset(end)].to_owned())
        } else if first.is_alphabetic() {
            while at(end).is_some_and(|next| next.is_alphabetic() || is_apostrophe(next)) {
                end += 1;
            }
            // What ends in an apostrophe is a word before a quotation mark.
            while at(end - 1).is_some_and(is_apostrophe) {
                end -= 1;
            }
            let word = message[offset(begin)..offset(end)].chars();
            let mut word: String = word.flat_map(char::to_lowercase).collect();
            if word.contains(is_apostrophe) {
                word.retain(|part| !is_apostrophe(part));
                // `we're` is not `were`.
                if word == "were" {
                    "weare".clone_into(&mut word);
                }
            }
            Kind::Word(word)
        } else if first == '\n' || first == '\r' {
            Kind::NewLine
        } else if first.is_whitespace() {
            glued = false;
            begin = end;
            continue;
        } else {
            Kind::Sign(first)
        };
        let span = offset(begin)..offset(end);
        tokens.push(Token { kind, span, glued });
        glued = true;
        begin = end;
    }
    tokens
}

/// Exactly three digits follow the comma.
fn groups_thousands(at: &impl Fn(usize) -> Option<char>, comma: usize) -> bool {
    let digit = |index| at(index).is_some_and(|next| next.is_ascii_digit());
    (1..=3).all(|ahead| digit(comma + ahead)) && !digit(comma + 4)
}

fn is_apostrophe(character: char) -> bool {
    matches!(character, '\'' | '’')
}

// === impl Token ===

impl Token {
    pub(super) fn word(&self) -> Option<&str> {
        match &self.kind {
            Kind::Word(word) => Some(word),
            _ => None,
        }
    }

    pub(super) fn number(&self) -> Option<&str> {
        match &self.kind {
            Kind::Number(number) => Some(number),
            _ => None,
        }
    }

    pub(super) fn is(&self, sign: char) -> bool {
        self.kind == Kind::Sign(sign)
    }
}
