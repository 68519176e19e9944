//! Clauses put together: what one leaves out is taken from its neighbours, and corrections change
//! what was said before.

use super::{
    Line, Quantity,
    clauses::{Clause, Part, tells_a_product},
    draft::{Draft, MOST_WORDS, alike},
    words,
};

/// More lines than these are not read; that keeps the work linear.
const MOST_LINES: usize = 100;
/// A head is looked for in as many lines before.
const NEAR: usize = 8;

#[derive(Default)]
struct Assembly {
    drafts: Vec<Draft>,
    /// Named without a quantity as yet.
    pending: Vec<(Part, bool)>,
    /// Named before a colon, for the lines after it.
    head: Option<Part>,
    /// Named, and not wanted: `no white boxes, 5 kraft` means boxes.
    denied: Option<Part>,
    /// Named in a question, or in what is told of before.
    mentioned: Option<Part>,
    correcting: bool,
    /// A sentence or line began since the last draft.
    begins: bool,
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
        self.begins |= clause.begins;
        if clause.begins && clause.parts.iter().any(Part::is_of_a_product) {
            self.head = None;
        }
        if clause.mentions {
            let named = clause.parts.iter().find(|part| part.is_of_a_product());
            self.mentioned = named.cloned().or(self.mentioned.take());
            return;
        }
        if clause.denies {
            self.deny(clause);
            return;
        }
        if clause.before && !clause.heads && clause.parts.is_empty() {
            self.drafts
                .push(Draft::of(Part::default(), Quantity::Unclear, false));
            return;
        }
        let corrects = (clause.corrects || self.correcting) && !clause.adds;
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
        let before = self.drafts.len();
        for part in clause.parts.iter().take(MOST_LINES).cloned() {
            self.counted(part, clause, corrects);
        }
        if let Some(draft) = self.drafts.get_mut(before) {
            draft.begins = std::mem::take(&mut self.begins);
        }
        if clause.either {
            for draft in self.drafts.iter_mut().skip(before.saturating_sub(1)) {
                draft.quantity = Quantity::Unclear;
            }
        }
    }

    fn deny(&mut self, clause: &Clause) {
        // `not the large ones` names no product, and means one that was named.
        let points = |part: &Part| clause.points_back && part.needs_a_head();
        let denied: Vec<&str> = clause
            .parts
            .iter()
            .filter(|part| part.is_of_a_product() || points(part))
            .flat_map(|part| part.words.iter().map(String::as_str))
            .filter(|word| tells_a_product(word))
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
        if clause.heads && part.is_of_a_thing() {
            self.head = Some(part);
            return;
        }
        if clause.heads && part.needs_a_head() && !part.names_nothing() {
            // `kraft 10 inch: 5`, maybe below `boxes:`.
            let mut part = part;
            if self.head.is_none()
                && self
                    .pending
                    .last()
                    .is_some_and(|(named, _)| named.is_of_a_thing())
            {
                self.head = self.pending.pop().map(|(named, _)| named);
            }
            if let Some(head) = &self.head {
                part.take_head(head);
            }
            self.pending.push((part, false));
            return;
        }
        if part.needs_a_head()
            && !part.names_nothing()
            && !clause.begins
            && let Some((named, _)) = self.pending.last_mut()
        {
            let mut told = part;
            let another = told.size.is_some() && named.size.is_some();
            told.take_head(named);
            if another {
                // `boxes of 10 and 12 inch`.
                self.pending.push((told, false));
            } else {
                // `napkins, the white`.
                *named = told;
            }
            return;
        }
        let last = self.drafts.last_mut();
        if clause.same
            && (part.needs_a_head() || part.is_of_a_product())
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
            if corrects && part.is_of_a_product() && last.shares_a_word(&part) {
                last.size = part.size.or(last.size);
                last.words = part.words;
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
        if part.is_of_a_thing() {
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
            let again = last.quantity == quantity;
            if corrects || clause.will_do || !last.words.is_empty() && (again || !unit_names) {
                last.quantity = if corrects || clause.will_do || last.quantity == quantity {
                    quantity
                } else {
                    Quantity::Unclear
                };
                return;
            }
        }
        if corrects
            && let Some(last) = self.drafts.last_mut()
            && (last.words.is_empty() || last.shares_a_product(&part))
        {
            last.quantity = quantity;
            if last.words.is_empty() || part.words.len() > last.words.len() {
                last.words = part.words;
            }
            last.size = part.size.or(last.size);
            return;
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
        } else if let Some(mentioned) = &self.mentioned {
            part.take_head(mentioned);
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
                && !draft.is_told_by_kind_and_size()
                && draft.size.is_some() == next.size.is_some()
                && !next.begins
                && (draft.size.is_some() || !draft.words.is_empty())
            {
                let head = Part {
                    words: next.words.clone(),
                    ..Part::default()
                };
                draft.take_head(&head);
            }
        }
        // `one of each:` is no line, those after it are.
        let last_of_each = self.drafts.iter().rposition(|draft| draft.each);
        let mut index = 0;
        self.drafts.retain(|draft| {
            let heads = draft.each && draft.words.is_empty() && draft.size.is_none();
            index += 1;
            !(heads && last_of_each.is_some_and(|last| index <= last))
        });
        let lines = self.drafts.into_iter().filter_map(Draft::line);
        lines.collect()
    }
}
