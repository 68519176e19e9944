//! The texts that are embedded, and what is noted on them.

use std::fmt::Write as _;

use serde_json::json;
use sha2::{Digest, Sha256};
use tokio_postgres::{Client, Row};
use tria_chroma::Metadata;

use crate::{ingest::IngestError, knowledge::Passage};

/// The note of a record that holds the SHA-256 of its text, in hexadecimal.
pub(super) const HASH: &str = "hash";

/// The note of a record that names the model that embedded it.
pub(super) const MODEL: &str = "model";

/// A text to embed.
#[derive(Clone, Debug)]
pub(super) struct Text {
    id: String,
    words: String,
    hash: String,
    notes: Vec<(&'static str, String)>,
}

/// The texts of the products that are sold.
pub(super) async fn of_products(client: &Client) -> Result<Vec<Text>, IngestError> {
    let query = "
SELECT sku, name, size, material, category, description
  FROM products WHERE active ORDER BY sku";
    let rows = client.query(query, &[]).await;
    let rows = rows.map_err(IngestError::Database)?;
    let texts = rows.iter().map(Text::of_product);
    texts
        .collect::<Result<_, _>>()
        .map_err(IngestError::Database)
}

// === impl Text ===

impl Text {
    fn new(id: &str, text: String, notes: Vec<(&'static str, String)>) -> Self {
        Self {
            id: id.to_owned(),
            hash: hash(&text),
            words: text,
            notes,
        }
    }

    pub(super) fn of_passage(passage: &Passage) -> Self {
        let notes = vec![
            ("source", passage.source.clone()),
            ("section", passage.section.clone()),
        ];
        Self::new(&passage.id, passage.text.clone(), notes)
    }

    fn of_product(row: &Row) -> Result<Self, tokio_postgres::Error> {
        let sku: String = row.try_get("sku")?;
        let mut text: String = row.try_get("name")?;
        for column in ["size", "material", "category"] {
            let value: Option<&str> = row.try_get(column)?;
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                // Writing to a string does not fail.
                let _ = write!(text, "\n{column}: {value}");
            }
        }
        let description: &str = row.try_get("description")?;
        if !description.is_empty() {
            text.push('\n');
            text.push_str(description);
        }
        Ok(Self::new(&sku, text, vec![("sku", sku.clone())]))
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn text(&self) -> &str {
        &self.words
    }

    pub(super) fn hash(&self) -> &str {
        &self.hash
    }

    /// What the record notes.
    pub(super) fn metadata(&self, model: &str) -> Metadata {
        let mut metadata = Metadata::new();
        metadata.insert(HASH.to_owned(), json!(self.hash));
        metadata.insert(MODEL.to_owned(), json!(model));
        for (name, value) in &self.notes {
            metadata.insert((*name).to_owned(), json!(value));
        }
        metadata
    }
}

fn hash(text: &str) -> String {
    let mut hexadecimal = String::with_capacity(64);
    for byte in Sha256::digest(text.as_bytes()) {
        let _ = write!(hexadecimal, "{byte:02x}");
    }
    hexadecimal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_sha_256_in_hexadecimal() {
        let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hash("abc"), known);
    }
}
