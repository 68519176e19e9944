//! What is answered from passages: what a chat model is asked, whether what it said stands in the
//! passages, and what is said where it does not.
//!
//! Nothing here asks a model. What it said is trusted in nothing: an answer is let pass if its
//! sentences are sentences of the passages, nearly in their words. Every other one is replaced by a
//! [`quote()`], which is made of the passages alone.

mod claims;
mod guard;
mod prompt;
mod quote;
mod sentences;

#[cfg(test)]
mod forgeries;
#[cfg(test)]
mod tests;

pub use guard::{LONGEST_ANSWER, Ungrounded, check};
pub use prompt::prompt;
pub use quote::{Quote, quote};

/// What is said when no passage answers. There is an English text only; the language is that of
/// the outlet, as in `de` or `pt-BR`.
pub fn unknown(_language: &str) -> &'static str {
    "I am sorry, I do not know that. I can tell you about our products, delivery, payment, returns \
     and accounts, take an order, or pass you on to a person."
}
