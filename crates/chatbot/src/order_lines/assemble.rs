//! Clauses put together: what one leaves out is taken from its neighbours, and corrections change
//! what was said before.

use std::ops::Range;

use super::{
    Line, Quantity, Size,
    clauses::{Clause, Part},
    words,
};

/// More lines than these are not read; that keeps the work linear.
const MOST_LINES: usize = 100;
/// A head is looked for in as many lines before.
const NEAR: usize = 8;
/// A phrase that is longer is cut.
const MOST_WORDS: usize = 12;

#[derive(Clone, Debug)]
struct Draft {
    quantity: Quantity,
    unit: Option<String>,
    words: Vec<String>,
    size: Option<Size>,
    span: Range<usize>,
    /// Its quantity is for each of several.
    each: bool,
}

#[derive(Default)]
struct Assembly {
    drafts: Vec<Draft>,
    /// Named without a quantity as yet.
    pending: Vec<(Part, bool)>,
    /// Named before a colon, for the lines after it.
    head: Option<Part>,
    /// Named, and not wanted: `no white boxes, 5 kraft` means boxes.
    denied: Option<Part>,
    correcting: bool,
}

pub(super) fn assemble(clauses: &[Clause]) -> Vec<Line> {
    let mut assembly = Assembly::default();
    for clause in clauses {
        if assembly.is_full() {
            break;
        }
        assembly.take(clause);
    }
    assembly.finish()
}

// === impl Assembly ===

impl Assembly {
    fn is_full(&self) -> bool {
        self.drafts.len() + self.pending.len() >= MOST_LINES
    }

    fn take(&mut self, clause: &Clause) {
        if clause.begins && clause.parts.iter().any(Part::is_of_a_product) {
            self.head = None;
        }
        if clause.denies {
            self.deny(clause);
            return;
        }
        let corrects = clause.corrects || self.correcting;
        // A cue alone is about the clause after it.
        self.correcting = clause.parts.is_empty() && corrects;
        let counted = clause.parts.iter().any(|part| part.quantity.is_some());
        if !counted {
            for part in &clause.parts {
                self.uncounted(part.clone(), clause, corrects);
            }
            if clause.same && clause.parts.is_empty() {
                self.correcting = false;
            }
            return;
        }
        for part in clause.parts.iter().take(MOST_LINES).cloned() {
            self.counted(part, clause, corrects);
        }
    }

    fn deny(&mut self, clause: &Clause) {
        let denied: Vec<&str> = clause
            .parts
            .iter()
            .filter(|part| part.is_of_a_product())
            .flat_map(|part| part.words.iter().map(String::as_str))
            .collect();
        if denied.is_empty() {
            if clause.points_back && clause.parts.is_empty() && self.pending.pop().is_none() {
                self.drafts.pop();
            }
            return;
        }
        self.denied = clause
            .parts
            .iter()
            .find(|part| part.is_of_a_product())
            .cloned();
        let holds = |words: &[String]| {
            denied
                .iter()
                .all(|word| words.iter().any(|other| alike(other, word)))
        };
        self.drafts.retain(|draft| !holds(&draft.words));
        self.pending.retain(|(part, _)| !holds(&part.words));
    }

    fn uncounted(&mut self, part: Part, clause: &Clause, corrects: bool) {
        if clause.heads && part.is_of_a_product() {
            self.head = Some(part);
            return;
        }
        let last = self.drafts.last_mut();
        if clause.same
            && let Some(last) = last
        {
            let mut again = last.clone();
            again.change_attributes(&part);
            again.span = part.span;
            self.drafts.push(again);
            return;
        }
        if let Some(last) = last {
            if corrects && part.needs_a_head() {
                last.change_attributes(&part);
                return;
            }
            // `2 bags, the 18 inch ones`.
            if part.needs_a_head() && !last.each && self.pending.is_empty() {
                if last.size.is_none() || part.size.is_none() {
                    last.size = last.size.or(part.size);
                    last.add_attributes(&part);
                }
                return;
            }
            if last.each && !clause.begins {
                let each = Draft::of(part, last.quantity, true);
                self.drafts.push(each);
                return;
            }
            // The head that lines before it have left out.
            if part.is_of_a_product()
                && self.drafts.iter().all(Draft::needs_a_head)
                && !clause.wants
            {
                for draft in &mut self.drafts {
                    draft.take_head(&part);
                }
                return;
            }
        }
        if part.is_of_a_product() {
            let listed = clause.wants || (!clause.begins && !self.drafts.is_empty());
            self.pending.push((part, listed));
        }
    }

    fn counted(&mut self, mut part: Part, clause: &Clause, corrects: bool) {
        let Some(quantity) = part.quantity else {
            return;
        };
        if part.names_nothing()
            && let Some(last) = self.drafts.last_mut()
            && self.pending.is_empty()
            && self.head.is_none()
        {
            // A quantity alone after a whole line puts it right, or leaves it in doubt.
            let unit_names = part
                .unit
                .as_deref()
                .is_some_and(|unit| !words::is_only_a_unit(unit));
            if corrects || clause.will_do || !last.words.is_empty() && !unit_names {
                last.quantity = if corrects || clause.will_do || last.quantity == quantity {
                    quantity
                } else {
                    Quantity::Unclear
                };
                return;
            }
        }
        if corrects && let Some(last) = self.drafts.last_mut() {
            let shares = part.words.iter().any(|word| {
                last.words
                    .iter()
                    .any(|other| alike(other, word) && words::is_product(word))
            });
            if last.words.is_empty() || shares {
                last.quantity = quantity;
                if last.words.is_empty() || part.words.len() > last.words.len() {
                    last.words = part.words;
                }
                last.size = part.size.or(last.size);
                return;
            }
        }
        if part.needs_a_head() {
            self.fill(&mut part, clause);
        } else if clause.points_back
            && let Some(words) = self.last_words()
        {
            // `lids for them`.
            let back: Vec<String> = words
                .into_iter()
                .filter(|word| !part.words.contains(word))
                .collect();
            if part.words.len() == 1 {
                part.words.splice(0..0, back.into_iter().take(MOST_WORDS));
            }
        } else {
            self.settle();
        }
        self.drafts.push(Draft::of(part, quantity, clause.each));
    }

    /// Gives a part what it leaves out.
    fn fill(&mut self, part: &mut Part, clause: &Clause) {
        if let Some((head, _)) = self.pending.pop() {
            part.take_head(&head);
            if clause.each {
                for (other, _) in std::mem::take(&mut self.pending) {
                    let quantity = part.quantity.unwrap_or(Quantity::Missing);
                    self.drafts.push(Draft::of(other, quantity, false));
                }
            }
            self.settle();
            return;
        }
        let only_the_unit = part.words.is_empty()
            && part.size.is_none()
            && !clause.points_back
            && part
                .unit
                .as_deref()
                .is_some_and(|unit| !words::is_only_a_unit(unit));
        if let Some(head) = &self.head {
            part.take_head(head);
        } else if only_the_unit {
        } else if let Some(last) = self
            .drafts
            .iter()
            .rev()
            .take(NEAR)
            .find(|draft| !draft.needs_a_head())
        {
            let head = Part {
                words: last.words.clone(),
                size: last.size,
                ..Part::default()
            };
            part.take_head(&head);
        } else if let Some(denied) = &self.denied
            && !part.words.is_empty()
        {
            let head = Part {
                words: denied.words.clone(),
                ..Part::default()
            };
            part.take_head(&head);
        }
    }

    /// What was named without a quantity and was meant as a line becomes one.
    fn settle(&mut self) {
        for (part, listed) in std::mem::take(&mut self.pending) {
            if listed && self.drafts.iter().all(|draft| !draft.names(&part)) {
                self.drafts.push(Draft::of(part, Quantity::Missing, false));
            }
        }
    }

    fn last_words(&self) -> Option<Vec<String>> {
        match self.pending.last() {
            Some((part, _)) => Some(part.words.clone()),
            None => self.drafts.last().map(|draft| draft.words.clone()),
        }
    }

    fn finish(mut self) -> Vec<Line> {
        if self.drafts.is_empty()
            && let Some(head) = self.head.take()
        {
            self.pending.push((head, true));
        }
        if self.drafts.is_empty() {
            for (_, listed) in &mut self.pending {
                *listed = true;
            }
        }
        self.settle();
        // A line without a head takes it from the next: `5 each of the 10 and 12 inch boxes`.
        for index in (1..self.drafts.len()).rev() {
            let (before, after) = self.drafts.split_at_mut(index);
            let (draft, next) = (&mut before[index - 1], &after[0]);
            if draft.needs_a_head()
                && !next.needs_a_head()
                && (draft.size.is_some() || !draft.words.is_empty())
            {
                let head = Part {
                    words: next.words.clone(),
                    ..Part::default()
                };
                draft.take_head(&head);
            }
        }
        let lines = self.drafts.into_iter().filter_map(Draft::line);
        lines.collect()
    }
}

// === impl Draft ===

impl Draft {
    fn of(part: Part, quantity: Quantity, each: bool) -> Self {
        Self {
            quantity,
            unit: part.unit,
            words: part.words,
            size: part.size,
            span: part.span,
            each,
        }
    }

    fn needs_a_head(&self) -> bool {
        self.words
            .iter()
            .all(|word| words::kind_of_attribute(word).is_some())
    }

    fn names(&self, part: &Part) -> bool {
        part.words
            .iter()
            .all(|word| self.words.iter().any(|other| alike(other, word)))
    }

    fn take_head(&mut self, head: &Part) {
        if self.needs_a_head() {
            self.words = with_head(&self.words, &head.words);
            self.size = self.size.or(head.size);
        }
    }

    fn change_attributes(&mut self, change: &Part) {
        self.words = with_head(&change.words, &self.words);
        self.size = change.size.or(self.size);
    }

    fn add_attributes(&mut self, more: &Part) {
        self.words = with_head(&more.words, &self.words);
    }

    /// `None` where a number stood alone and nothing tells that it is an order.
    fn line(self) -> Option<Line> {
        let mut words = self.words;
        if words.is_empty() {
            words.extend(self.unit.filter(|unit| !words::is_only_a_unit(unit)));
        }
        if words.is_empty() && self.size.is_none() && self.quantity == Quantity::Missing {
            return None;
        }
        Some(Line {
            quantity: self.quantity,
            phrase: words.join(" "),
            size: self.size,
            span: self.span,
        })
    }
}

// === impl Part ===

impl Part {
    fn take_head(&mut self, head: &Part) {
        self.words = with_head(&self.words, &head.words);
        self.size = self.size.or(head.size);
    }
}

/// The words of `head`, in which attributes take the place of those of their kind.
fn with_head(attributes: &[String], head: &[String]) -> Vec<String> {
    let kinds: Vec<Option<u8>> = attributes
        .iter()
        .map(|word| words::kind_of_attribute(word))
        .collect();
    let kept = head.iter().filter(|word| {
        let kind = words::kind_of_attribute(word);
        kind.is_none() || !kinds.contains(&kind)
    });
    attributes
        .iter()
        .chain(kept)
        .take(MOST_WORDS)
        .cloned()
        .collect()
}

fn alike(one: &str, other: &str) -> bool {
    words::singular(one) == words::singular(other)
}
