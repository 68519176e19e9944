//! The set of checks of a process.

use std::{collections::BTreeSet, sync::Arc};

use crate::{Check, CheckMeta, Criticality, Group, InvalidMeta, check::ErasedCheck};

/// The checks of a process, in the order in which they were added. It cannot change once built.
#[derive(Default)]
pub struct Registry {
    entries: Vec<Arc<Entry>>,
}

/// Collects checks, and says all that is wrong with them at once.
#[derive(Default)]
pub struct RegistryBuilder {
    entries: Vec<Entry>,
    optional: BTreeSet<String>,
    problems: Vec<RegistryProblem>,
}

pub(crate) struct Entry {
    pub(crate) meta: CheckMeta,
    pub(crate) check: Box<dyn ErasedCheck>,
}

/// What is wrong with one check of a registry.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum RegistryProblem {
    /// The check's meta is invalid.
    #[error(transparent)]
    Meta(#[from] InvalidMeta),
    /// Two checks have one name.
    #[error("two checks have the name {0:?}")]
    Duplicate(String),
    /// A name that was made optional is no check's.
    #[error("there is no check named {unknown:?} to make optional; the checks are {known}")]
    UnknownOptional {
        /// The name.
        unknown: String,
        /// All names, joined with `, `.
        known: String,
    },
}

/// All that is wrong with a registry.
#[derive(Debug, thiserror::Error)]
#[error("invalid checks: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub struct RegistryError(pub Vec<RegistryProblem>);

// === impl Registry ===

impl Registry {
    /// An empty builder.
    pub fn builder() -> RegistryBuilder {
        RegistryBuilder::default()
    }

    /// The meta of all checks, in order.
    pub fn metas(&self) -> impl Iterator<Item = &CheckMeta> {
        self.entries.iter().map(|entry| &entry.meta)
    }

    /// The names of the checks of a group, in order.
    pub fn names_in(&self, group: Group) -> Vec<String> {
        let members = self.metas().filter(|meta| meta.is_in(group));
        members.map(|meta| meta.name().to_owned()).collect()
    }

    /// The meta of a check.
    pub fn meta(&self, name: &str) -> Option<&CheckMeta> {
        self.metas().find(|meta| meta.name() == name)
    }

    pub(crate) fn entry(&self, name: &str) -> Option<Arc<Entry>> {
        self.entries
            .iter()
            .find(|entry| entry.meta.name() == name)
            .cloned()
    }
}

// === impl RegistryBuilder ===

impl RegistryBuilder {
    /// Adds a check.
    pub fn register(mut self, check: impl Check) -> Self {
        let meta = check.meta().clone();
        if let Err(invalid) = meta.validate() {
            self.problems.push(invalid.into());
        }
        if self
            .entries
            .iter()
            .any(|entry| entry.meta.name() == meta.name())
        {
            self.problems
                .push(RegistryProblem::Duplicate(meta.name().to_owned()));
        }
        self.entries.push(Entry {
            meta,
            check: Box::new(check),
        });
        self
    }

    /// Makes the named checks optional, whatever they say of themselves, and with them those that
    /// belong to them: `database` covers `database.schema` too.
    pub fn optional<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.optional.extend(names.into_iter().map(Into::into));
        self
    }

    /// The registry.
    ///
    /// # Errors
    /// Every invalid meta, every name given twice, every unknown name made optional.
    pub fn build(mut self) -> Result<Registry, RegistryError> {
        let names: Vec<&str> = self.entries.iter().map(|entry| entry.meta.name()).collect();
        let unknown = self
            .optional
            .iter()
            .filter(|name| !names.contains(&name.as_str()));
        for unknown in unknown {
            let (unknown, known) = (unknown.clone(), names.join(", "));
            self.problems
                .push(RegistryProblem::UnknownOptional { unknown, known });
        }
        if !self.problems.is_empty() {
            return Err(RegistryError(self.problems));
        }
        for entry in &mut self.entries {
            let name = entry.meta.name();
            if self.optional.iter().any(|optional| covers(optional, name)) {
                entry.meta = entry.meta.clone().criticality(Criticality::Optional);
            }
        }
        Ok(Registry {
            entries: self.entries.into_iter().map(Arc::new).collect(),
        })
    }
}

/// Whether `name` is `whole`, or belongs to it.
fn covers(whole: &str, name: &str) -> bool {
    let rest = name.strip_prefix(whole);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CheckContext, Finding, Outcome};

    struct Named(CheckMeta);

    impl Check for Named {
        fn meta(&self) -> &CheckMeta {
            &self.0
        }
        async fn check(&self, _cx: &CheckContext) -> Outcome {
            Finding::pass("fine").into()
        }
    }

    fn named(name: &'static str) -> Named {
        Named(CheckMeta::new(name))
    }

    #[test]
    fn all_problems_are_told_at_once() {
        let built = Registry::builder()
            .register(named("a"))
            .register(named("a"))
            .register(named("Bad Name"))
            .optional(["nobody"])
            .build();
        let Err(RegistryError(problems)) = built else {
            panic!("accepted")
        };
        assert_eq!(problems.len(), 3, "{problems:?}");
        let told = RegistryError(problems).to_string();
        for needle in ["\"a\"", "Bad Name", "nobody"] {
            assert!(told.contains(needle), "{told}");
        }
    }

    #[test]
    fn optional_overrides_what_the_check_says() {
        let registry = Registry::builder()
            .register(named("a"))
            .register(named("b"))
            .optional(["b"])
            .build();
        let registry = registry.unwrap();
        assert!(registry.meta("a").unwrap().is_critical());
        assert!(!registry.meta("b").unwrap().is_critical());
    }

    #[test]
    fn what_belongs_to_an_optional_check_is_optional_too() {
        let names = ["a", "a.b", "ab", "b.a"];
        let builder = names
            .into_iter()
            .fold(Registry::builder(), |b, n| b.register(named(n)));
        let registry = builder.optional(["a"]).build().unwrap();
        let critical: Vec<bool> = registry.metas().map(CheckMeta::is_critical).collect();
        assert_eq!(critical, [false, false, true, true]);
    }
}
