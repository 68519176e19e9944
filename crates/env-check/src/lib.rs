//! Declarative rules over any settings source; every violation reported at once.
//!
//! ```
//! use tria_env_check::{Key, Rules, Source};
//!
//! let rules = Rules::builder()
//!     .key(Key::new("OPENAI_API_KEY").required().secret().prefix("sk-").min_length(20))
//!     .key(Key::new("TAX_RATE").required().float(0.0..=1.0).example("0.09"))
//!     .key(Key::new("PORT").integer(1..=65_535).default("8003"))
//!     .build()?;
//!
//! let source = Source::from_pairs([("TAX_RATE", "9"), ("PORT", "8003")]);
//! let report = rules.validate(&source);
//! assert!(!report.is_valid());
//! let lines = report.to_string();
//! assert!(lines.contains("OPENAI_API_KEY: is not set."));
//! assert!(lines.contains("TAX_RATE: lies outside 0 to 1 (found \"9\")."));
//! # Ok::<(), tria_env_check::RulesError>(())
//! ```
//!
//! What a [`Report`] says is safe to print: it names keys, problems and remedies, never the value
//! of a secret, nor its first characters, nor its length. Values of other keys are quoted for
//! operators only, cleaned and cut.
//!
//! This crate reads neither the environment nor files: both come in through a [`Source`].
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod key;
mod level;
mod rule;
mod rules;
mod source;
mod values;

mod demand;
mod nearest;
mod resolve;
mod shape;
mod strength;
mod url_shape;
mod validate;

mod check;
mod quote;
mod redactor;
mod report;
mod template;

pub use check::EnvCheck;
pub use key::Key;
pub use level::{Level, Severity};
pub use redactor::{REDACTED, Redactor};
pub use report::{Complaint, Report, code};
pub use rule::Rule;
pub use rules::{Rules, RulesBuilder, RulesError, RulesProblem};
pub use source::Source;
pub use strength::{WELL_KNOWN_DEFAULTS, estimated_bits};
pub use template::Template;
pub use values::Values;
