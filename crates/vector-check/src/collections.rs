//! Proves the collections.

use futures_util::future::join_all;
use tria_check::{Finding, PrivateText, PublicText, PublicValue};
use tria_chroma::{ChromaClient, Error};

use crate::{CollectionSpec, codes, fault};

/// What to do about a collection that is not as it should be.
#[derive(Clone)]
pub(crate) struct Remedies {
    pub(crate) missing: PublicText,
    pub(crate) dimension: PublicText,
    pub(crate) too_small: PublicText,
}

/// A collection as it was found.
pub(crate) struct Found<'a> {
    pub(crate) name: &'a str,
    pub(crate) records: u64,
    pub(crate) dimension: Option<u32>,
    ready: bool,
}

// === impl Remedies ===

impl Default for Remedies {
    fn default() -> Self {
        Self {
            missing: "create the collection, or configure the database that holds it".into(),
            dimension: "fill the collection again with the embedding model that is configured"
                .into(),
            too_small: "fill the collection".into(),
        }
    }
}

/// Asks for all collections at once. Every one that is missing or wrong gets a finding of its own;
/// a failure that they share is told once.
pub(crate) async fn prove<'a>(
    chroma: &ChromaClient,
    specs: &'a [CollectionSpec],
    remedies: &Remedies,
) -> (Vec<Found<'a>>, Vec<Finding>) {
    let answers = join_all(specs.iter().map(|spec| find(chroma, spec))).await;
    let mut found = Vec::new();
    let mut findings = Vec::new();
    for (spec, answer) in specs.iter().zip(answers) {
        match answer {
            Ok(mut collection) => {
                let wrong = judge(chroma, spec, &collection, remedies);
                collection.ready = wrong.is_empty();
                findings.extend(wrong);
                found.push(collection);
            }
            Err(error) if error.is_not_found() => {
                let text = PublicText::filled(
                    "the collection {} does not exist",
                    &[PublicValue::word(&spec.name)],
                );
                let step = format!("collection {}", spec.name);
                let remedy = remedies.missing.clone();
                let code = codes::COLLECTION_MISSING;
                findings.push(fault::missing(chroma, &step, code, text, remedy, &error));
            }
            Err(error) => {
                let step = format!("collection {}", spec.name);
                push_once(&mut findings, fault::finding(chroma, &step, &error));
            }
        }
    }
    (found, findings)
}

/// Adds a finding, unless the same was found by another request already.
pub(crate) fn push_once(findings: &mut Vec<Finding>, new: Finding) {
    let same = |earlier: &Finding| earlier.code() == new.code() && earlier.text() == new.text();
    if !findings.iter().any(same) {
        findings.push(new);
    }
}

/// `Collections ready: knowledge (0 records), products (12 records, 384 dimensions)`, of those that
/// are; `None` when none is.
pub(crate) fn proven(found: &[Found<'_>]) -> Option<Finding> {
    let ready = list(
        found
            .iter()
            .filter(|collection| collection.ready)
            .map(Found::describe),
    )?;
    Some(Finding::pass(PublicText::filled(
        "Collections ready: {}",
        &[ready],
    )))
}

/// Joins texts with `, `; `None` without any.
pub(crate) fn list(texts: impl Iterator<Item = PublicText>) -> Option<PublicValue> {
    texts
        .map(PublicValue::from)
        .reduce(|list, next| PublicText::filled("{}, {}", &[list, next]).into())
}

async fn find<'a>(chroma: &ChromaClient, spec: &'a CollectionSpec) -> Result<Found<'a>, Error> {
    let collection = chroma.get_collection(&spec.name).await?;
    let records = chroma.count(&collection.id).await?;
    Ok(Found {
        name: &spec.name,
        records,
        dimension: collection.dimension,
        ready: true,
    })
}

fn judge(
    chroma: &ChromaClient,
    spec: &CollectionSpec,
    found: &Found<'_>,
    remedies: &Remedies,
) -> Vec<Finding> {
    let name = || PublicValue::word(&spec.name);
    let detail = || {
        let place = fault::place(chroma);
        PrivateText::new(format!("collection {} ({place})", spec.name))
    };
    let mut findings = Vec::new();
    if let (Some(needed), Some(dimension)) = (spec.dimension, found.dimension)
        && needed != dimension
    {
        let text = PublicText::filled(
            "the collection {} has {} dimensions, {} are needed",
            &[name(), dimension.into(), needed.into()],
        );
        findings.push(
            Finding::fail(codes::DIMENSION_MISMATCH, text)
                .remedy(remedies.dimension.clone())
                .detail(detail()),
        );
    }
    if found.records < spec.min_count {
        let text = PublicText::filled(
            "the collection {} holds too few records: {} of {}",
            &[name(), found.records.into(), spec.min_count.into()],
        );
        findings.push(
            Finding::fail(codes::COLLECTION_TOO_SMALL, text)
                .remedy(remedies.too_small.clone())
                .detail(detail()),
        );
    }
    findings
}

// === impl Found ===

impl Found<'_> {
    /// `products (12 records, 384 dimensions)`
    fn describe(&self) -> PublicText {
        let name = PublicValue::word(self.name);
        let records = self.records.into();
        match (self.dimension, self.records) {
            (Some(dimension), 1) => {
                PublicText::filled("{} (1 record, {} dimensions)", &[name, dimension.into()])
            }
            (Some(dimension), _) => PublicText::filled(
                "{} ({} records, {} dimensions)",
                &[name, records, dimension.into()],
            ),
            (None, _) => PublicText::filled("{} ({} records)", &[name, records]),
        }
    }

    /// `products: 12`
    pub(crate) fn count(&self) -> PublicText {
        PublicText::filled(
            "{}: {}",
            &[PublicValue::word(self.name), self.records.into()],
        )
    }

    /// `products: 384`
    pub(crate) fn dimensions(&self) -> Option<PublicText> {
        let dimension = self.dimension?;
        Some(PublicText::filled(
            "{}: {}",
            &[PublicValue::word(self.name), dimension.into()],
        ))
    }
}
