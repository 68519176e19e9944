//! The rules of a whole program.

use std::collections::BTreeSet;

use crate::{
    Key, Redactor, Report, Source, Template, Values, demand::Condition, rule::Fault,
    validate::validate,
};

/// The rules of a whole program. They are themselves judged when built: each default and each
/// example satisfies the rules of its own key.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    pub(crate) keys: Vec<Key>,
    pub(crate) relations: Vec<Relation>,
    pub(crate) prefixes: Vec<&'static str>,
    pub(crate) strict: Option<Condition>,
}

/// Collects the rules of a program.
#[derive(Clone, Debug, Default)]
pub struct RulesBuilder(Rules);

/// A rule over several keys; `keys[0]` is the one to complain about.
#[derive(Clone, Debug)]
pub(crate) struct Relation {
    pub(crate) keys: Vec<&'static str>,
    pub(crate) problem: &'static str,
    pub(crate) remedy: &'static str,
    pub(crate) holds: Condition,
}

/// What is wrong with the rules themselves.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum RulesProblem {
    /// A key is empty, or holds `=` or a NUL, and can therefore be in no environment.
    #[error("{0:?} cannot be a key")]
    InvalidKey(String),
    /// Two keys have one name, or one has the name of the other's file.
    #[error("the key {0:?} is given twice")]
    Duplicate(String),
    /// A secret has a default, which would be known to everyone.
    #[error("the secret {0:?} has a default")]
    SecretDefault(String),
    /// A default breaks the rules of its key.
    #[error("the default of {key:?} {problem}")]
    BadDefault {
        /// The key.
        key: String,
        /// What is wrong with its default.
        problem: String,
    },
    /// An example breaks the rules of its key.
    #[error("the example of {key:?} {problem}")]
    BadExample {
        /// The key.
        key: String,
        /// What is wrong with its example.
        problem: String,
    },
    /// A relation names no key, or one that is not given.
    #[error("a relation names {0:?}, which is not given")]
    UnknownInRelation(String),
}

/// All that is wrong with the rules themselves.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("invalid rules: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub struct RulesError(pub Vec<RulesProblem>);

// === impl Rules ===

impl Rules {
    /// An empty builder.
    pub fn builder() -> RulesBuilder {
        RulesBuilder::default()
    }

    /// Judges the settings of a source.
    pub fn validate(&self, source: &Source) -> Report {
        self.read(source).1
    }

    /// Judges the settings of a source, and gives the values of the known keys, so that a secret
    /// in a file is read once only. The values are fit for use where the report is valid.
    pub fn read(&self, source: &Source) -> (Values, Report) {
        validate(self, source)
    }

    /// The keys, in order.
    pub fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// An env file to begin with: every key with what it means and an example.
    pub fn template(&self) -> Template<'_> {
        Template::new(self)
    }

    /// Takes the secrets among `values` out of text.
    pub fn redactor(&self, values: &Values) -> Redactor {
        Redactor::new(&self.keys, values)
    }

    /// All names that may be set: the keys, and those that name the files of secrets.
    pub(crate) fn known_names(&self) -> Vec<String> {
        self.keys
            .iter()
            .flat_map(|key| [Some(key.name().to_owned()), key.file_key()])
            .flatten()
            .collect()
    }
}

// === impl RulesBuilder ===

impl RulesBuilder {
    /// Adds a key.
    pub fn key(mut self, key: Key) -> Self {
        self.0.keys.push(key);
        self
    }

    /// Adds keys.
    pub fn keys(mut self, keys: impl IntoIterator<Item = Key>) -> Self {
        self.0.keys.extend(keys);
        self
    }

    /// Adds a rule over several keys, judged where none of them breaks a rule of its own. Where
    /// it does not hold, `problem` goes on the sentence that begins with the first of `keys`.
    pub fn relation(
        mut self,
        keys: impl IntoIterator<Item = &'static str>,
        problem: &'static str,
        remedy: &'static str,
        holds: impl Fn(&Values) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.0.relations.push(Relation {
            keys: keys.into_iter().collect(),
            problem,
            remedy,
            holds: Condition::new(holds),
        });
        self
    }

    /// Names the prefixes (`REDIS_`) whose unknown keys are warned of.
    pub fn known_prefixes(mut self, prefixes: impl IntoIterator<Item = &'static str>) -> Self {
        self.0.prefixes.extend(prefixes);
        self
    }

    /// Says when the rules are strict; never, unless this is called.
    pub fn strict_when(
        mut self,
        condition: impl Fn(&Values) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.0.strict = Some(Condition::new(condition));
        self
    }

    /// The rules.
    ///
    /// # Errors
    /// All that is wrong with them.
    pub fn build(self) -> Result<Rules, RulesError> {
        let problems = problems(&self.0);
        if problems.is_empty() {
            Ok(self.0)
        } else {
            Err(RulesError(problems))
        }
    }
}

fn problems(rules: &Rules) -> Vec<RulesProblem> {
    let mut problems = Vec::new();
    let mut seen = BTreeSet::new();
    for name in rules.known_names() {
        if name.is_empty() || name.contains(['=', '\0']) {
            problems.push(RulesProblem::InvalidKey(name));
        } else if !seen.insert(name.clone()) {
            problems.push(RulesProblem::Duplicate(name));
        }
    }
    for key in &rules.keys {
        let name = || key.name().to_owned();
        if key.is_secret() && key.get_default().is_some() {
            problems.push(RulesProblem::SecretDefault(name()));
        }
        if let Some(problem) = key.get_default().and_then(|value| broken(key, value)) {
            problems.push(RulesProblem::BadDefault {
                key: name(),
                problem,
            });
        }
        if let Some(problem) = key.get_example().and_then(|value| broken(key, value)) {
            problems.push(RulesProblem::BadExample {
                key: name(),
                problem,
            });
        }
    }
    for relation in &rules.relations {
        if relation.keys.is_empty() {
            problems.push(RulesProblem::UnknownInRelation(String::new()));
        }
        for name in &relation.keys {
            if !rules.keys.iter().any(|key| key.name() == *name) {
                problems.push(RulesProblem::UnknownInRelation((*name).to_owned()));
            }
        }
    }
    problems
}

/// What is wrong with the form of a default or an example. That an example is a weak secret is
/// no mistake.
fn broken(key: &Key, value: &str) -> Option<String> {
    key.rules()
        .iter()
        .filter(|rule| rule.is_unconditional() && !rule.judges_strength())
        .find_map(|rule| rule.judge(value).err())
        .map(|Fault { problem, .. }| problem.to_string())
}
