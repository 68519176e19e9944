//! What a schema must hold, as data.

use std::collections::BTreeSet;

/// The schema that a program needs.
#[derive(Clone, Debug)]
pub struct SchemaSpec {
    pub(crate) migration: u32,
    pub(crate) tables: Vec<TableSpec>,
    pub(crate) history: String,
}

/// A table that must exist, with the columns that must be in it.
#[derive(Clone, Debug)]
pub struct TableSpec {
    pub(crate) name: String,
    pub(crate) columns: Vec<String>,
    pub(crate) detail_of: Option<String>,
}

/// Why a specification was refused.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidSpec {
    /// A name that is not a plain SQL identifier.
    #[error("{0:?} is not a plain identifier of at most 63 characters")]
    Name(String),
    /// The same table twice.
    #[error("the table {0:?} is specified twice")]
    DuplicateTable(String),
    /// A detail of a table that is not specified.
    #[error("the table {0:?} is a detail of {1:?}, which is not specified")]
    UnknownMaster(String, String),
}

// === impl SchemaSpec ===

impl SchemaSpec {
    /// The schema at the given number of refinery's migrations with these tables. Names are
    /// looked up in the connection's `search_path`.
    ///
    /// # Errors
    /// A name that is not an identifier (ASCII letters, digits, `_`), or a contradiction.
    pub fn new(
        migration: u32,
        tables: impl IntoIterator<Item = TableSpec>,
    ) -> Result<Self, InvalidSpec> {
        let tables: Vec<TableSpec> = tables.into_iter().collect();
        let mut names = BTreeSet::new();
        for table in &tables {
            for name in std::iter::once(&table.name).chain(&table.columns) {
                plain(name)?;
            }
            if !names.insert(table.name.as_str()) {
                return Err(InvalidSpec::DuplicateTable(table.name.clone()));
            }
        }
        for table in &tables {
            if let Some(master) = &table.detail_of
                && !names.contains(master.as_str())
            {
                let (name, master) = (table.name.clone(), master.clone());
                return Err(InvalidSpec::UnknownMaster(name, master));
            }
        }
        Ok(Self {
            migration,
            tables,
            history: "refinery_schema_history".to_owned(),
        })
    }

    /// The table of applied migrations, where it is not `refinery_schema_history`.
    ///
    /// # Errors
    /// A name that is not an identifier.
    pub fn history_table(mut self, name: impl Into<String>) -> Result<Self, InvalidSpec> {
        self.history = name.into();
        plain(&self.history)?;
        Ok(self)
    }

    /// The number of tables, those that are a detail of another not counted.
    pub fn required(&self) -> usize {
        let required = self.tables.iter().filter(|table| table.detail_of.is_none());
        required.count()
    }
}

// === impl TableSpec ===

impl TableSpec {
    /// A table and its columns.
    pub fn new<C: Into<String>>(
        name: impl Into<String>,
        columns: impl IntoIterator<Item = C>,
    ) -> Self {
        Self {
            name: name.into(),
            columns: columns.into_iter().map(Into::into).collect(),
            detail_of: None,
        }
    }

    /// Makes it a detail of another table, as an order's lines are of the order: it is proven
    /// and named like any other, and counted with its master.
    pub fn detail_of(mut self, master: impl Into<String>) -> Self {
        self.detail_of = Some(master.into());
        self
    }
}

/// Names stand in queries as they are, and in public texts.
fn plain(name: &str) -> Result<(), InvalidSpec> {
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let begins = name.bytes().next().is_some_and(|b| !b.is_ascii_digit());
    if begins && name.len() <= 63 && name.bytes().all(letters) {
        return Ok(());
    }
    Err(InvalidSpec::Name(name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(tables: impl IntoIterator<Item = TableSpec>) -> InvalidSpec {
        SchemaSpec::new(1, tables).unwrap_err()
    }

    #[test]
    fn only_plain_names_are_taken() {
        for bad in ["", "a b", "a'b", "1a", "ä", "a;--", &"x".repeat(64)] {
            let expected = InvalidSpec::Name(bad.to_owned());
            assert_eq!(refused([TableSpec::new(bad, ["id"])]), expected);
            assert_eq!(refused([TableSpec::new("t", [bad])]), expected);
            let spec = SchemaSpec::new(1, []).unwrap();
            assert_eq!(spec.history_table(bad).unwrap_err(), expected);
        }
        assert!(SchemaSpec::new(1, [TableSpec::new("_a1", ["B_2"])]).is_ok());
    }

    #[test]
    fn a_table_is_specified_once_and_its_master_exists() {
        let twice = [TableSpec::new("t", ["a"]), TableSpec::new("t", ["b"])];
        assert_eq!(refused(twice), InvalidSpec::DuplicateTable("t".into()));
        let orphan = TableSpec::new("lines", ["id"]).detail_of("orders");
        assert_eq!(
            refused([orphan]),
            InvalidSpec::UnknownMaster("lines".into(), "orders".into())
        );
    }

    #[test]
    fn a_detail_is_not_counted() {
        let tables = [
            TableSpec::new("orders", ["id"]),
            TableSpec::new("lines", ["id"]).detail_of("orders"),
        ];
        assert_eq!(SchemaSpec::new(1, tables).unwrap().required(), 1);
    }
}
