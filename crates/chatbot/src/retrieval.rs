//! Which passages of the knowledge and which products answer a question.
//!
//! Both collections are asked for what lies nearest to the question's vector. What they give is
//! ranked anew in the process, by its nearness and by the words that it shares with the question,
//! the rarer the more. What does not reach the threshold is no answer: then it is said that none
//! is known.

mod error;
mod library;
mod ranking;
mod vocabulary;
pub(crate) mod words;

use std::time::Duration;

use tokio::time::timeout;
use tria_chroma::ChromaClient;

pub use error::{MissingReason, RetrievalError};

use library::{Library, Near, Shelves};
use ranking::Question;

/// Finds passages. One serves all requests; it looks the collections up when it is first asked,
/// and anew when they were rebuilt.
#[derive(Debug)]
pub struct Retriever {
    shelves: Shelves,
    options: RetrievalOptions,
}

/// How passages are found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetrievalOptions {
    /// The lowest score of a passage that answers, 0 to 1. The default is the one that
    /// `tests/labelled/questions.jsonl` was fitted for.
    pub threshold: f32,
    /// No more passages than these are given.
    pub most_passages: usize,
}

/// What answers a question.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// The best first; none if nothing is known. At most [`RetrievalOptions::most_passages`], none
    /// of them below the threshold.
    pub passages: Vec<Passage>,
}

/// A passage of the knowledge, or a product, that answers a question.
#[derive(Clone, Debug, PartialEq)]
pub struct Passage {
    /// The file that it is from; of a product, the name of its collection.
    pub source: String,
    /// Its heading; of a product, its name.
    pub section: String,
    /// The heading, and what stands under it; of a product, its name, a line for each of its
    /// fields, and its description.
    pub text: String,
    /// How likely it answers the question: 0 is not at all, 1 is certainly. The same question and
    /// the same collections give the same score. It is for ordering and for the threshold: twice the
    /// score is not twice as good.
    pub score: f32,
    /// What it is.
    pub kind: Kind,
}

/// What a passage is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A part of what the company tells its customers.
    Knowledge,
    /// Something that is sold.
    Product {
        /// Its number.
        sku: String,
    },
}

// === impl RetrievalOptions ===

impl Default for RetrievalOptions {
    fn default() -> Self {
        Self {
            threshold: ranking::ANSWERS,
            most_passages: 3,
        }
    }
}

// === impl Retriever ===

impl Retriever {
    /// Asks this server. Connects to nothing yet.
    pub fn new(chroma: ChromaClient, options: RetrievalOptions) -> Self {
        Self {
            shelves: Shelves::new(chroma),
            options,
        }
    }

    /// What answers a question, of which the vector is given, by the model that embedded the
    /// collections. Everything together takes no longer than `budget_limit`.
    ///
    /// # Errors
    /// [`RetrievalError`]. That nothing answers is none: then there are no passages.
    pub async fn passages(
        &self,
        question: &str,
        vector: &[f32],
        budget_limit: Duration,
    ) -> Result<Found, RetrievalError> {
        let question = Question::read(question);
        let nearest = timeout(budget_limit, self.shelves.nearest(vector)).await;
        let (library, hits) = nearest.map_err(|_| RetrievalError::OutOfTime)??;
        Ok(self.ranked(&question, &library, hits))
    }

    fn ranked(&self, question: &Question, library: &Library, hits: Vec<Near>) -> Found {
        let scored = hits.into_iter().filter_map(|near| {
            let score = ranking::score(question, library, &near);
            let answers = score >= self.options.threshold;
            answers.then(|| Passage {
                score,
                ..near.document.passage.clone()
            })
        });
        let mut passages: Vec<Passage> = scored.collect();
        // By name where scores are equal, so that the order is always the same.
        passages.sort_by(|one, other| {
            let by_name = || (&one.source, &one.section).cmp(&(&other.source, &other.section));
            other.score.total_cmp(&one.score).then_with(by_name)
        });
        passages.truncate(self.options.most_passages);
        Found { passages }
    }
}
