//! Reads what `/metrics` answers.

use std::collections::{BTreeMap, BTreeSet};

/// The families of a page.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// Its type, by the name of each family that also has a help text.
    pub(super) kinds: BTreeMap<String, String>,
    pub(super) samples: Vec<Sample>,
}

#[derive(Debug)]
pub(super) struct Sample {
    pub(super) name: String,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) value: f64,
}

// === impl Page ===

impl Page {
    /// Reads a page whose values of labels hold no quotation marks.
    pub(super) fn read(text: &str) -> Self {
        let mut page = Self::default();
        let mut helped = BTreeSet::new();
        for line in text.lines().filter(|line| !line.is_empty()) {
            if let Some(help) = line.strip_prefix("# HELP ") {
                let (name, help) = help.split_once(' ').unwrap();
                assert!(help.len() > 10 && help.ends_with('.'), "{line}");
                assert!(helped.insert(name.to_owned()), "{name} is told twice");
            } else if let Some(kind) = line.strip_prefix("# TYPE ") {
                let (name, kind) = kind.split_once(' ').unwrap();
                assert!(helped.contains(name), "{name} has no help");
                page.kinds.insert(name.to_owned(), kind.to_owned());
            } else {
                page.samples.push(Sample::read(line));
            }
        }
        for sample in &page.samples {
            assert!(
                page.kinds.contains_key(&page.family_of(&sample.name)),
                "{sample:?} belongs to no family"
            );
        }
        page
    }

    /// The value of the one sample that has these labels and no others.
    pub(super) fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let wanted = labels
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let wanted: BTreeMap<String, String> = wanted.collect();
        let mut found = self.samples_of(name).filter(|it| it.labels == wanted);
        let value = found.next()?.value;
        assert!(found.next().is_none(), "{name} {labels:?} stands twice");
        Some(value)
    }

    pub(super) fn samples_of(&self, name: &str) -> impl Iterator<Item = &Sample> {
        self.samples.iter().filter(move |it| it.name == name)
    }

    /// The values of a label of a family.
    pub(super) fn values_of(&self, name: &str, label: &str) -> BTreeSet<String> {
        self.samples_of(name)
            .filter_map(|sample| sample.labels.get(label).cloned())
            .collect()
    }

    /// The name without what a histogram adds to it.
    pub(super) fn family_of(&self, name: &str) -> String {
        let parts = ["_bucket", "_sum", "_count"];
        let base = parts.iter().find_map(|part| name.strip_suffix(part));
        let base = base.filter(|base| self.kinds.get(*base).is_some_and(|it| it == "histogram"));
        base.unwrap_or(name).to_owned()
    }
}

// === impl Sample ===

impl Sample {
    fn read(line: &str) -> Self {
        let (series, value) = line.rsplit_once(' ').unwrap();
        let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
        let labels = labels.strip_suffix('}').unwrap();
        let labels = labels.split("\",").filter(|label| !label.is_empty());
        let labels = labels.map(|label| {
            let (name, value) = label.split_once("=\"").unwrap();
            (name.to_owned(), value.trim_end_matches('"').to_owned())
        });
        Self {
            name: name.to_owned(),
            labels: labels.collect(),
            value: value.parse().unwrap(),
        }
    }
}
