//! An order as a conversation: what is not plain is asked, and never guessed.

mod draft;
mod texts;
mod words;

#[cfg(test)]
mod tests;

use std::slice;

pub(super) use self::{
    draft::Draft,
    texts::{open_question, placed, refused},
};
use self::{
    draft::{Choice, Manner},
    texts::Remarks,
};
use crate::{
    EmbedError,
    matching::{Match, Matcher},
    order_lines::{self, Line, Quantity, Size},
    outlets::Outlet,
};

/// What a message makes of an order.
#[derive(Debug)]
pub(super) enum Step {
    /// Something is missing, and is asked for.
    Ask {
        /// What is known now.
        draft: Draft,
        /// The question.
        text: String,
    },
    /// The customer gave it up.
    GivenUp,
    /// Everything is known.
    Ready(Draft),
}

/// What a message says of where an order goes to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Destination<'a> {
    /// It is known.
    Known,
    /// To one of these.
    OneOf(&'a [Outlet]),
    /// Nobody said.
    Unknown,
}

/// Goes on with an order. `message` is without the name of the outlet.
///
/// Whether the message said anything that an order can use is told beside the step.
///
/// # Errors
/// [`EmbedError`], from finding the products.
pub(super) async fn advance(
    matcher: &Matcher,
    draft: Draft,
    message: &str,
    destination: Destination<'_>,
) -> Result<(Step, bool), EmbedError> {
    let words = words::words(message);
    let mut reading = Reading {
        draft,
        remarks: Remarks::default(),
        used: false,
    };
    if words::gives_up(&words) && !names_something_else(&order_lines::read(message)) {
        return Ok((Step::GivenUp, true));
    }
    if words::takes_out(&words) {
        reading.take_out(matcher, message).await?;
    } else if reading.draft.choices.is_empty() {
        reading.take(matcher, message).await?;
    } else {
        // To a question which one is meant the answer may come in parts: `the white ones, 20 packs`.
        for part in message.split([',', ';', '\n']) {
            reading.take(matcher, part).await?;
        }
    }
    let Reading {
        draft,
        remarks,
        used,
    } = reading;
    let known = matches!(destination, Destination::Known);
    if draft.is_complete() && known && !remarks.must_be_heard() {
        return Ok((Step::Ready(draft), used));
    }
    let text = texts::question(&draft, &remarks, destination);
    Ok((Step::Ask { draft, text }, used))
}

/// As in `cancel the napkins`, against `cancel my order`.
fn names_something_else(lines: &[Line]) -> bool {
    let of_the_order = [
        "",
        "order",
        "my order",
        "the order",
        "it",
        "that",
        "everything",
        "all",
    ];
    lines
        .iter()
        .any(|line| !of_the_order.contains(&line.phrase.as_str()))
}

/// A message being read into a draft.
struct Reading {
    draft: Draft,
    remarks: Remarks,
    used: bool,
}

// === impl Reading ===

impl Reading {
    /// A message, or a part of one.
    async fn take(&mut self, matcher: &Matcher, message: &str) -> Result<(), EmbedError> {
        let words = words::words(message);
        if self.short_answer(&words) {
            return Ok(());
        }
        // In `the white one` nobody counts.
        let message = words::without_pronoun(message);
        let lines = order_lines::read(message);
        let is_plain = lines.iter().any(|line| line.quantity.packs().is_some());
        if !is_plain
            && !self.draft.choices.is_empty()
            && self.take_as_choice(matcher, message).await?
        {
            return Ok(());
        }
        self.take_lines(matcher, &lines, &words).await
    }

    /// An answer to what was asked, in a word or two. Whether it was one.
    fn short_answer(&mut self, words: &[String]) -> bool {
        let Some(choice) = self.draft.choices.first() else {
            // To `Shall I order this?`.
            let agreed = self.draft.is_complete() && words::agrees(words);
            self.used |= agreed;
            return agreed;
        };
        let candidates = &choice.candidates;
        let meant = match words::pointed_at(words, candidates.len()) {
            Some(at) => Some(candidates[at].clone()),
            None if words::agrees(words) && candidates.len() == 1 => candidates.first().cloned(),
            None => None,
        };
        if let Some(meant) = meant {
            self.draft.settle(0, &meant, None);
        } else if words::refuses(words) {
            let Choice { phrase, .. } = self.draft.choices.remove(0);
            self.remarks.dropped(&phrase);
        } else {
            return false;
        }
        self.used = true;
        true
    }

    /// The lines of a message, found among the products by one request.
    async fn take_lines(
        &mut self,
        matcher: &Matcher,
        lines: &[Line],
        words: &[String],
    ) -> Result<(), EmbedError> {
        let manner = if words::replaces(words) {
            Manner::Replace
        } else if words::adds(words) || self.draft.is_empty() {
            Manner::Add
        } else {
            Manner::Unclear
        };
        let (named, nameless): (Vec<&Line>, Vec<&Line>) =
            lines.iter().partition(|line| !line.phrase.is_empty());
        // Of two lines with one product both are meant, whatever stood there before.
        let named: Vec<Line> = named.into_iter().cloned().collect();
        let mut found = matcher.find_lines(&named).await?.into_iter();
        let mut taken: Vec<i64> = Vec::new();
        for line in &named {
            let Some(found) = found.next() else { break };
            let again = match &found {
                Match::Sure(product) => taken.contains(&product.id),
                _ => false,
            };
            if let Match::Sure(product) = &found {
                taken.push(product.id);
            }
            let manner = if again { Manner::Add } else { manner };
            match self.draft.take(line, found, manner) {
                Some(unknown) => self.remarks.unknown(&unknown),
                None => self.used = true,
            }
        }
        for line in nameless {
            self.take_nameless(matcher, line).await?;
        }
        Ok(())
    }

    /// A quantity or a size without a product: the answer to a question.
    async fn take_nameless(&mut self, matcher: &Matcher, line: &Line) -> Result<(), EmbedError> {
        if line.size.is_some() && !self.draft.choices.is_empty() {
            let meant = self.with_choice("", line.size, line.quantity);
            self.used |= self.narrow(matcher, meant).await?;
            return Ok(());
        }
        match line.quantity {
            Quantity::Packs(packs) if self.draft.set_missing_quantity(packs) => self.used = true,
            Quantity::Packs(packs) => self.remarks.what_of(packs),
            Quantity::Unclear => self.remarks.unclear_quantity(),
            Quantity::Missing => {}
        }
        Ok(())
    }

    /// Words that may say which of the candidates is meant, as in `the white ones`. Whether they
    /// do.
    async fn take_as_choice(
        &mut self,
        matcher: &Matcher,
        message: &str,
    ) -> Result<bool, EmbedError> {
        let words = message.to_lowercase();
        let meant = self.with_choice(&words, Size::find(message), Quantity::Missing);
        let narrowed = self.narrow(matcher, meant).await?;
        self.used |= narrowed;
        Ok(narrowed)
    }

    /// The first choice, said again with more words or a size.
    fn with_choice(&self, words: &str, size: Option<Size>, quantity: Quantity) -> Line {
        let phrase = self
            .draft
            .choices
            .first()
            .map_or("", |choice| &choice.phrase);
        Line {
            quantity,
            phrase: format!("{phrase} {words}").trim().to_owned(),
            size,
            span: 0..0,
        }
    }

    /// Leaves of the first choice what the line means. Whether that is less than before.
    async fn narrow(&mut self, matcher: &Matcher, line: Line) -> Result<bool, EmbedError> {
        let Some(before) = self.draft.choices.first().cloned() else {
            return Ok(false);
        };
        let found = matcher.find_lines(slice::from_ref(&line)).await?;
        for found in found {
            let helps = match &found {
                Match::Sure(product) => before.holds(product.id),
                Match::Unsure(products) => products.iter().any(|it| before.holds(it.id)),
                Match::None => false,
            };
            if helps {
                let _ = self.draft.take(&line, found, Manner::Add);
            }
        }
        Ok(self.draft.choices.first() != Some(&before))
    }

    /// Takes out of the order what the message names.
    async fn take_out(&mut self, matcher: &Matcher, message: &str) -> Result<(), EmbedError> {
        let words = words::words(message);
        let phrase = words::taken_out(&words);
        if phrase.is_empty() {
            let names = self.draft.remove_asked();
            self.used = !names.is_empty();
            for name in &names {
                self.remarks.taken_out(name);
            }
            return Ok(());
        }
        match matcher.find(&phrase.join(" "), None).await? {
            Match::Sure(product) if self.draft.remove(product.id) => {
                self.remarks.taken_out(&product.name);
                self.used = true;
            }
            Match::Unsure(products) => {
                let there: Vec<_> = products
                    .into_iter()
                    .filter(|product| self.draft.holds(product.id))
                    .collect();
                if let [only] = &there[..] {
                    self.draft.remove(only.id);
                    self.remarks.taken_out(&only.name);
                    self.used = true;
                }
            }
            _ => {}
        }
        Ok(())
    }
}
