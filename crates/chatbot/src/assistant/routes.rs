//! Which way a message goes, and what comes of it.

use std::borrow::Cow;

use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Asked, Inner, Learnt,
    answer::{Answer, Mode, TimelineStep, amount},
    complaint,
    error::AnswerError,
    ordering::{self, Destination, Draft, Step},
    questions::Desk,
    reply::Reply,
    shelf::Stock,
    status,
    timeline::Timeline,
    understanding::{Understood, understand},
};
use crate::{
    budget::Budget,
    intent::Intent,
    orders::{self, Placed, Problem},
    outlets::{Outlet, OutletMatch},
    sessions::Session,
    turns::{Done, Kept},
};

/// How many orders are told of, when none is named.
const RECENT_ORDERS: u32 = 3;

/// What came of a message, before it is kept.
pub(super) struct Outcome {
    pub(super) intent: Intent,
    pub(super) confidence: f32,
    /// What is said; of an order or a complaint it is known only when that is written.
    pub(super) reply: Reply,
    /// The outlet that the conversation is about from now on.
    pub(super) outlet_id: Option<i64>,
    /// The order that is to be completed.
    pub(super) pending: Option<Draft>,
    pub(super) errand: Errand,
}

/// What is to be written besides the messages.
pub(super) enum Errand {
    /// Nothing.
    Nothing,
    /// An order that is complete.
    Order { draft: Draft, outlet: Outlet },
    /// A complaint, about an order if one was named.
    Complaint { order_id: Option<Uuid> },
}

/// Where a conversation stands.
struct Scene<'a> {
    stock: &'a Stock,
    message: &'a str,
    understood: Understood,
    draft: Option<Draft>,
    outlet: Option<Outlet>,
    /// Outlets of which the message may mean one.
    outlets: Vec<Outlet>,
    /// Whether the message names the outlet.
    names_outlet: bool,
}

// === impl Inner ===

impl Inner {
    /// Finds out what a message asks for, and does what writes nothing.
    pub(super) async fn outcome(
        &self,
        learnt: &Learnt,
        (asked, message, session): (&Asked, &str, Option<&Session>),
        budget: Budget,
        timeline: &mut Timeline,
    ) -> Result<Outcome, AnswerError> {
        let Learnt { classifier, stock } = learnt;
        let understood = understand(classifier, &self.model, message, self.options.judge, budget);
        let understood = timeline.step("understand", understood).await?;
        let scene = Scene::of(asked, message, session, stock, understood)?;
        let customer = &asked.conversation.user_id;
        let language = super::language(asked, session);

        let intent = scene.understood.intent;
        if intent == Intent::OrderPlacement || scene.may_go_on() {
            let (next, used) = timeline.step("order", scene.order()).await?;
            if intent == Intent::OrderPlacement || used || scene.names_outlet {
                return Ok(scene.ordered(next));
            }
        }
        let reply = match intent {
            Intent::Greeting => Reply::rules(GREETING),
            Intent::OrderStatus => {
                let told = self.orders_of(customer, message);
                timeline.step("orders", told).await?
            }
            Intent::Complaint => {
                let named = self.order_named(customer, message);
                let order_id = timeline.step("orders", named).await?;
                return Ok(scene.complaint(order_id));
            }
            Intent::OrderPlacement
            | Intent::ProductInquiry
            | Intent::PolicyQuestion
            | Intent::GeneralQuery => {
                let found =
                    self.retriever
                        .passages(message, &scene.understood.vector, budget.left());
                let found = timeline.step("retrieve", found).await?;
                let desk = Desk {
                    pool: &self.pool,
                    model: self.options.generate.then_some(&self.model),
                    budget,
                };
                desk.answer(message, language, found, timeline).await?
            }
        };
        Ok(scene.said(reply))
    }

    async fn orders_of(&self, user: &str, message: &str) -> Result<Reply, AnswerError> {
        let reference = orders::reference_in(message);
        let found = match &reference {
            Some(reference) => {
                let found = orders::status::find(&self.pool, user, reference).await?;
                found.into_iter().collect()
            }
            None => orders::status::recent(&self.pool, user, RECENT_ORDERS).await?,
        };
        Ok(status::tell(&found, reference.is_some()))
    }

    /// The order that a message names, if it is one of this user.
    async fn order_named(&self, user: &str, message: &str) -> Result<Option<Uuid>, AnswerError> {
        let Some(reference) = orders::reference_in(message) else {
            return Ok(None);
        };
        let found = orders::status::find(&self.pool, user, &reference).await?;
        Ok(found.map(|order| order.id))
    }
}

const GREETING: &str = "Hello! I am Tria. I take orders for pizza boxes and everything around them, \
                        tell you how far an order is, and answer questions about products and \
                        deliveries. What can I do for you?";

// === impl Scene ===

impl<'a> Scene<'a> {
    fn of(
        asked: &Asked,
        message: &'a str,
        session: Option<&Session>,
        stock: &'a Stock,
        understood: Understood,
    ) -> Result<Self, AnswerError> {
        let mut outlets = Vec::new();
        let mut named = None;
        match stock.outlets.by_name(message) {
            OutletMatch::Sure(outlet) => named = Some(outlet),
            OutletMatch::Unsure(several) => outlets = several,
            OutletMatch::None => {}
        }
        let names_outlet = named.is_some();
        let of_request = match (asked.outlet_id, &asked.outlet_name) {
            (Some(id), _) => Some(
                stock
                    .outlets
                    .get(id)
                    .cloned()
                    .ok_or(AnswerError::NoSuchOutlet)?,
            ),
            (None, Some(name)) => match stock.outlets.by_name(name) {
                OutletMatch::Sure(outlet) => Some(outlet),
                OutletMatch::Unsure(several) => {
                    outlets = several;
                    None
                }
                OutletMatch::None => return Err(AnswerError::NoSuchOutletName),
            },
            (None, None) => None,
        };
        // What the message says counts for more than what its sender sends with each of them.
        let known = session.and_then(|session| session.outlet_id);
        let known = known.and_then(|id| stock.outlets.get(id).cloned());
        let outlet = named.or(of_request).or(known);
        let draft = session.and_then(|session| session.pending.clone());
        // One of another version is forgotten.
        let draft = draft.and_then(|draft| serde_json::from_value(draft).ok());
        Ok(Self {
            stock,
            message,
            understood,
            draft,
            outlet,
            outlets,
            names_outlet,
        })
    }

    /// Whether the message may go on with an order, unless it plainly wants something else.
    fn may_go_on(&self) -> bool {
        let other = match self.understood.intent {
            Intent::Complaint | Intent::OrderStatus => true,
            Intent::ProductInquiry | Intent::PolicyQuestion => self.message.contains('?'),
            Intent::Greeting | Intent::GeneralQuery | Intent::OrderPlacement => false,
        };
        self.draft.is_some() && (self.understood.is_thin || !other)
    }

    async fn order(&self) -> Result<(Step, bool), AnswerError> {
        let message = match &self.outlet {
            Some(outlet) if self.names_outlet => without(self.message, &outlet.name),
            _ => Cow::Borrowed(self.message),
        };
        let draft = self.draft.clone().unwrap_or_default();
        let step =
            ordering::advance(&self.stock.matcher, draft, &message, self.destination()).await?;
        Ok(step)
    }

    fn destination(&self) -> Destination<'_> {
        match &self.outlet {
            Some(_) => Destination::Known,
            None if self.outlets.is_empty() => Destination::Unknown,
            None => Destination::OneOf(&self.outlets),
        }
    }

    fn ordered(self, step: Step) -> Outcome {
        let by_rule = self.understood.intent != Intent::OrderPlacement;
        let confidence = if by_rule {
            1.0
        } else {
            self.understood.confidence
        };
        let outlet_id = self.outlet.as_ref().map(|outlet| outlet.id);
        let (reply, pending, errand) = match (step, self.outlet) {
            (Step::Ready(draft), Some(outlet)) => {
                (Reply::rules(""), None, Errand::Order { draft, outlet })
            }
            (Step::Ready(draft), None) => {
                let reply = Reply::rules(ordering::open_question(&draft, Destination::Unknown));
                (reply, Some(draft), Errand::Nothing)
            }
            (Step::Ask { draft, text }, _) => {
                let reply = Reply::rules(text).with("order_is_open", json!(true));
                (reply, Some(draft), Errand::Nothing)
            }
            (Step::GivenUp, _) => {
                let text = "I dropped the order; nothing was ordered. Is there anything else?";
                (Reply::rules(text), None, Errand::Nothing)
            }
        };
        Outcome {
            intent: Intent::OrderPlacement,
            confidence,
            reply,
            outlet_id,
            pending,
            errand,
        }
    }

    fn complaint(self, order_id: Option<Uuid>) -> Outcome {
        Outcome {
            errand: Errand::Complaint { order_id },
            ..self.said(Reply::rules(""))
        }
    }

    /// An answer beside an order that stays open, of which it reminds.
    fn said(self, mut reply: Reply) -> Outcome {
        if let Some(draft) = &self.draft {
            reply.text.push_str("\n\nYour order is still open. ");
            let question = ordering::open_question(draft, self.destination());
            reply.text.push_str(&question);
            reply = reply.with("order_is_open", json!(true));
        }
        Outcome {
            intent: self.understood.intent,
            confidence: self.understood.confidence,
            reply,
            outlet_id: self.outlet.map(|outlet| outlet.id),
            pending: self.draft,
            errand: Errand::Nothing,
        }
    }
}

/// The message without a name that is in it, so that its words are not taken for a product.
fn without<'a>(message: &'a str, name: &str) -> Cow<'a, str> {
    let at = message.char_indices().map(|(at, _)| at).find(|at| {
        let part = message.get(*at..at + name.len());
        part.is_some_and(|part| part.eq_ignore_ascii_case(name))
    });
    match at {
        Some(at) => {
            let before = message[..at].trim_end();
            let before = ["for", "to", "at"]
                .iter()
                .find_map(|word| {
                    let rest = before.get(..before.len().checked_sub(word.len())?)?;
                    let is_word = rest.is_empty() || rest.ends_with(char::is_whitespace);
                    (is_word && before.ends_with(word)).then_some(rest)
                })
                .unwrap_or(before);
            Cow::Owned(format!("{before} {}", &message[at + name.len()..]))
        }
        None => Cow::Borrowed(message),
    }
}

// === impl Outcome ===

impl Outcome {
    /// Whether it is the same whatever else was said in the conversation meanwhile.
    pub(super) fn stands_alone(&self) -> bool {
        self.pending.is_none()
            && matches!(self.errand, Errand::Nothing)
            && self.intent != Intent::OrderPlacement
    }

    /// What is said instead of placing the order.
    pub(super) fn refused(self, problems: &[Problem]) -> Self {
        let Errand::Order { mut draft, .. } = self.errand else {
            return self;
        };
        let nowhere = problems.contains(&Problem::NoSuchOutlet);
        let text = ordering::refused(&mut draft, problems);
        Self {
            reply: Reply::rules(text).with("order_is_open", json!(true)),
            outlet_id: self.outlet_id.filter(|_| !nowhere),
            pending: Some(draft),
            errand: Errand::Nothing,
            ..self
        }
    }

    pub(super) fn pending_value(&self) -> Option<Value> {
        let draft = self.pending.as_ref()?;
        serde_json::to_value(draft).ok()
    }

    /// The whole answer, once it is known what was written.
    pub(super) fn compose(
        &self,
        done: &Done,
        session_id: String,
        language: &str,
        steps: &[TimelineStep],
    ) -> Answer {
        let (reply, order_id) = match (done, &self.errand) {
            (Done::Order(order), Errand::Order { outlet, .. }) => {
                (placed(order, &outlet.name), Some(order.id))
            }
            (Done::Complaint(complaint), Errand::Complaint { order_id }) => {
                let order = order_id.map(|id| id.simple().to_string()[..8].to_owned());
                let mut reply = complaint::escalated(complaint, order.as_deref());
                // A reminder of an order that is open.
                reply.text.push_str(&self.reply.text);
                reply.metadata.extend(self.reply.metadata.clone());
                (reply, None)
            }
            _ => (self.reply.clone(), None),
        };
        // Fixed texts and what is quoted are English.
        let language = match reply.mode {
            Mode::Generated => language,
            Mode::Rules | Mode::Quoted => "en",
        };
        Answer {
            success: true,
            session_id,
            message: reply.text,
            intent: self.intent,
            confidence: self.confidence.clamp(0.0, 1.0),
            language: language.to_owned(),
            citations: reply.citations,
            mode: reply.mode,
            metadata: reply.metadata,
            order_id,
            agent_timeline: steps.to_vec(),
        }
    }

    pub(super) fn answered(self, kept: Kept) -> super::Answered {
        super::Answered {
            was_there: kept.was_there(),
            answer: kept.answer,
            intent: self.intent.name(),
        }
    }
}

fn placed(order: &Placed, outlet: &str) -> Reply {
    let lines = order.lines.iter().map(|line| {
        json!({
            "sku": line.sku,
            "name": line.name,
            "quantity": line.quantity,
            "unit_price": amount(line.unit_price),
            "line_total": amount(line.line_total),
        })
    });
    let lines: Vec<Value> = lines.collect();
    let told = json!({
        "lines": lines,
        "subtotal": amount(order.subtotal),
        "tax": amount(order.tax),
        "total": amount(order.total),
        "delivery_number": order.delivery_number,
        "invoice_number": order.invoice_number,
    });
    Reply::rules(ordering::placed(order, outlet)).with("order", told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_taken_out_with_the_word_before_it() {
        for (message, left) in [
            ("10 boxes for napoli express please", "10 boxes   please"),
            ("Napoli Express", " "),
            ("deliver to Napoli Express", "deliver  "),
            ("10 boxes, Napoli Express", "10 boxes, "),
            ("10 boxes", "10 boxes"),
            ("motto Napoli Express", "motto "),
        ] {
            let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert_eq!(
                words(&without(message, "Napoli Express")),
                words(left),
                "{message}"
            );
        }
        assert_eq!(without("ß", "ab"), "ß");
    }
}
