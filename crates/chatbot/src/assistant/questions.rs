//! Answers from what the company has written down.

use std::pin::pin;

use deadpool_postgres::Pool;
use futures_util::StreamExt;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::{
    answer::{Citation, Mode, amount},
    error::AnswerError,
    reply::Reply,
    timeline::Timeline,
};
use crate::{
    budget::Budget,
    grounding,
    model::{Model, Prompt},
    retrieval::{Found, Kind, Passage},
};

/// How many products are told about in one answer.
const MOST_PRODUCTS: usize = 3;
/// How many passages the model is given.
const MOST_PASSAGES: usize = 3;

/// A product as the database has it now.
struct Product {
    sku: String,
    name: String,
    unit_price: Decimal,
    pack_quantity: i32,
    minimum: i32,
    stock: i32,
    description: String,
}

/// What the answer is made with.
pub(super) struct Desk<'a> {
    pub(super) pool: &'a Pool,
    /// `None`: passages are quoted, and no model is asked.
    pub(super) model: Option<&'a Model>,
    pub(super) budget: Budget,
}

// === impl Desk ===

impl Desk<'_> {
    /// Answers from the passages that were found, the best first.
    pub(super) async fn answer(
        &self,
        question: &str,
        language: &str,
        found: Found,
        timeline: &mut Timeline,
    ) -> Result<Reply, AnswerError> {
        let passages = found.passages;
        let Some(best) = passages.first() else {
            let reply = Reply::rules(grounding::unknown(language));
            return Ok(reply.with("known", json!(false)));
        };
        if matches!(best.kind, Kind::Product { .. }) {
            let products = timeline.step("products", self.products(&passages)).await?;
            if !products.is_empty() {
                return Ok(of_products(&products, &passages));
            }
        }
        let passages: Vec<Passage> = passages
            .into_iter()
            .filter(|passage| matches!(passage.kind, Kind::Knowledge))
            .take(MOST_PASSAGES)
            .collect();
        if passages.is_empty() {
            let reply = Reply::rules(grounding::unknown(language));
            return Ok(reply.with("known", json!(false)));
        }
        if let Some(model) = self.model {
            let generated = self.generate(model, question, language, &passages, timeline);
            if let Some(text) = generated.await {
                return Ok(Reply {
                    text,
                    mode: Mode::Generated,
                    citations: passages.iter().map(citation).collect(),
                    metadata: Map::new(),
                });
            }
        }
        let quote = grounding::quote(question, &passages);
        timeline.text(&quote.text);
        let used = quote.used.iter().filter_map(|at| passages.get(*at));
        Ok(Reply {
            text: quote.text,
            mode: Mode::Quoted,
            citations: used.map(citation).collect(),
            metadata: Map::new(),
        })
    }

    /// What the model says, as far as the passages say so too. Told sentence by sentence, each
    /// after it was checked, so that nothing is ever taken back. `None`, if not even the first
    /// sentence holds, or the model gave none.
    async fn generate(
        &self,
        model: &Model,
        question: &str,
        language: &str,
        passages: &[Passage],
        timeline: &Timeline,
    ) -> Option<String> {
        let (system, user) = grounding::prompt(question, passages, language);
        let prompt = Prompt::new(system).user(user);
        let mut stream = pin!(model.stream(&prompt, self.budget));
        let (mut sentences, mut said) = (Sentences::default(), String::new());
        let mut ended = false;
        while !ended {
            let sentence = match stream.next().await {
                Some(Ok(piece)) => sentences.push(&piece),
                // What was cut off is left out; the client of the model tells why in the log.
                Some(Err(_)) => break,
                None => {
                    ended = true;
                    sentences.last()
                }
            };
            let Some(sentence) = sentence else { continue };
            if grounding::check(&sentence, question, passages).is_err() {
                break;
            }
            let gap = if said.is_empty() { "" } else { " " };
            let text = format!("{gap}{sentence}");
            timeline.text(&text);
            said.push_str(&text);
        }
        (!said.is_empty()).then_some(said)
    }

    /// The products among the passages, as they are now.
    async fn products(&self, passages: &[Passage]) -> Result<Vec<Product>, AnswerError> {
        let skus = passages.iter().filter_map(|passage| match &passage.kind {
            Kind::Product { sku } => Some(sku.as_str()),
            Kind::Knowledge => None,
        });
        let skus: Vec<&str> = skus.take(MOST_PRODUCTS).collect();
        let client = self.pool.get().await?;
        let rows = client.query(PRODUCTS, &[&skus]).await?;
        let products = rows.iter().map(|row| Product {
            sku: row.get(0),
            name: row.get(1),
            unit_price: row.get(2),
            pack_quantity: row.get(3),
            minimum: row.get(4),
            stock: row.get(5),
            description: row.get(6),
        });
        Ok(products.collect())
    }
}

/// In the order in which they were asked for.
const PRODUCTS: &str = "
SELECT sku, name, unit_price, pack_quantity, minimum_order, stock, description
  FROM products WHERE sku = ANY($1) AND active ORDER BY array_position($1, sku)";

fn of_products(products: &[Product], passages: &[Passage]) -> Reply {
    let lines: Vec<String> = products.iter().map(Product::told).collect();
    let text = match &lines[..] {
        [only] => only.clone(),
        several => format!("These fit:\n- {}", several.join("\n- ")),
    };
    let cited = products.iter().filter_map(|product| {
        let of_it = |passage: &&Passage| {
            matches!(&passage.kind, Kind::Product { sku } if *sku == product.sku)
        };
        passages.iter().find(of_it).map(citation)
    });
    let told: Vec<Value> = products.iter().map(Product::to_value).collect();
    Reply::rules(text)
        .citing(cited.collect())
        .with("products", Value::Array(told))
}

fn citation(passage: &Passage) -> Citation {
    Citation {
        source: passage.source.clone(),
        section: passage.section.clone(),
        score: passage.score,
    }
}

// === impl Product ===

impl Product {
    fn told(&self) -> String {
        let Self {
            name,
            unit_price,
            pack_quantity,
            description,
            ..
        } = self;
        let stock = if self.stock > 0 {
            "in stock"
        } else {
            "sold out at the moment"
        };
        let minimum = match self.minimum {
            1 => String::new(),
            minimum => format!(", from {minimum} packs upwards"),
        };
        let gap = if description.is_empty() { "" } else { " " };
        format!(
            "{name} ({}): {unit_price:.2} before tax for a pack of {pack_quantity}{minimum}; \
             {stock}.{gap}{description}",
            self.sku
        )
    }

    fn to_value(&self) -> Value {
        json!({
            "sku": self.sku,
            "name": self.name,
            "unit_price": amount(self.unit_price),
            "pack_quantity": self.pack_quantity,
            "minimum_order": self.minimum,
            "in_stock": self.stock > 0,
        })
    }
}

/// Cuts what comes in pieces into sentences.
#[derive(Debug, Default)]
struct Sentences {
    open: String,
}

/// A sentence of fewer words, as `Yes.`, says nothing alone: it goes with the next.
const FEWEST_WORDS: usize = 4;

// === impl Sentences ===

impl Sentences {
    /// The sentence that the piece completes.
    fn push(&mut self, piece: &str) -> Option<String> {
        self.open.push_str(piece);
        // Behind a sign that ends a sentence there is a gap; `9.50` has none.
        let ends = self.open.match_indices(['.', '!', '?', '\n']);
        let end = ends
            .map(|(at, sign)| at + sign.len())
            .filter(|end| self.open[*end..].starts_with(char::is_whitespace))
            .find(|end| self.open[..*end].split_whitespace().count() >= FEWEST_WORDS)?;
        let rest = self.open.split_off(end);
        let sentence = std::mem::replace(&mut self.open, rest);
        Some(sentence.trim().to_owned())
    }

    /// What is left, if it is a sentence.
    fn last(&mut self) -> Option<String> {
        let left = std::mem::take(&mut self.open);
        let left = left.trim();
        let is_whole = left.ends_with(['.', '!', '?']);
        is_whole.then(|| left.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(pieces: &[&str]) -> Vec<String> {
        let mut sentences = Sentences::default();
        let mut cut: Vec<String> = pieces
            .iter()
            .filter_map(|piece| sentences.push(piece))
            .collect();
        while let Some(more) = sentences.push("") {
            cut.push(more);
        }
        cut.extend(sentences.last());
        cut
    }

    #[test]
    fn sentences_end_at_signs_with_a_gap_behind() {
        assert_eq!(
            cut(&[
                "The charge is 9",
                ".50 for small",
                " orders. It is",
                " waived from 150.00 on."
            ]),
            [
                "The charge is 9.50 for small orders.",
                "It is waived from 150.00 on."
            ]
        );
    }

    #[test]
    fn a_short_sentence_goes_with_the_next_and_a_cut_one_is_left_out() {
        assert_eq!(
            cut(&["Yes. We deliver on Mondays. And on"]),
            ["Yes. We deliver on Mondays."]
        );
        assert!(cut(&["", " "]).is_empty());
    }
}
