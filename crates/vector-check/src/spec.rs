//! What an application needs of its collections.

/// A collection that the application needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectionSpec {
    /// Its name.
    pub name: String,
    /// The length of its embeddings, which the embedding model decides; `None` when any will do.
    /// A collection without records has none yet, and matches.
    pub dimension: Option<u32>,
    /// The fewest records that it must hold.
    pub min_count: u64,
}

/// Why a list of collections cannot be checked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidSpec {
    /// Chroma has no collection of such a name.
    #[error("a collection's name must not be empty or a dot segment")]
    Name,
    /// The same collection twice.
    #[error("the collection {0:?} is named twice")]
    Duplicate(String),
    /// No embedding has this length.
    #[error("the collection {0:?} cannot have embeddings of dimension 0")]
    ZeroDimension(String),
}

// === impl CollectionSpec ===

impl CollectionSpec {
    /// A collection that must exist, of any dimension and with any number of records.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            dimension: None,
            min_count: 0,
        }
    }

    /// Sets the length of its embeddings.
    pub fn dimension(mut self, dimension: u32) -> Self {
        self.dimension = Some(dimension);
        self
    }

    /// Sets the fewest records that it must hold.
    pub fn min_count(mut self, records: u64) -> Self {
        self.min_count = records;
        self
    }
}

/// Judges a whole list.
pub(crate) fn validate(specs: &[CollectionSpec]) -> Result<(), InvalidSpec> {
    for (index, spec) in specs.iter().enumerate() {
        if matches!(&*spec.name, "" | "." | "..") {
            return Err(InvalidSpec::Name);
        }
        if specs[..index]
            .iter()
            .any(|earlier| earlier.name == spec.name)
        {
            return Err(InvalidSpec::Duplicate(spec.name.clone()));
        }
        if spec.dimension == Some(0) {
            return Err(InvalidSpec::ZeroDimension(spec.name.clone()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_can_never_pass_is_refused() {
        let good = || CollectionSpec::new("a").dimension(3).min_count(1);
        assert_eq!(validate(&[good(), CollectionSpec::new("b")]), Ok(()));
        let duplicate = Err(InvalidSpec::Duplicate("a".into()));
        assert_eq!(
            validate(&[good(), CollectionSpec::new("b"), good()]),
            duplicate
        );
        assert_eq!(
            validate(&[good(), CollectionSpec::new("..")]),
            Err(InvalidSpec::Name)
        );
        assert_eq!(validate(&[CollectionSpec::new("")]), Err(InvalidSpec::Name));
        let zero = validate(&[good().dimension(0)]);
        assert_eq!(zero, Err(InvalidSpec::ZeroDimension("a".into())));
    }
}
