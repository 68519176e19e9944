//! Which product a phrase means, among those that are sold.
//!
//! Two scores are added up: how near the phrase and the product lie by their embeddings, and how
//! many of the phrase's words the product has. A size or a kind that the phrase names must be the
//! product's. What does not stand out is asked back.

mod fold;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    EmbedError, Embedder,
    matching::fold::{attributes, fold},
    order_lines::{Line, Size, is_product},
};

/// A product, as far as it is told from others by words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogueItem {
    /// Its number in the database.
    pub id: i64,
    /// Its number for people.
    pub sku: String,
    /// What it is called.
    pub name: String,
    /// What it is, in sentences; may be empty.
    pub description: String,
    /// What it stands beside.
    pub category: String,
    /// As in `12 inch`.
    pub size: Option<String>,
    /// What it is made of.
    pub material: Option<String>,
}

/// What a phrase means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Match {
    /// This product.
    Sure(CatalogueItem),
    /// One of these, the likeliest first: ask which. Two to [`MOST_CANDIDATES`], or one that is
    /// likely and not certain.
    Unsure(Vec<CatalogueItem>),
    /// Nothing that is sold.
    None,
}

/// Finds products by phrases. It embedded the products once.
#[derive(Debug)]
pub struct Matcher {
    embedder: Embedder,
    entries: Vec<Entry>,
    /// How much each word tells: the rarer, the more.
    weights: BTreeMap<String, f32>,
}

/// No more products than these are asked about.
pub const MOST_CANDIDATES: usize = 5;

/// A score below it is of another thing.
const LIKELY: f32 = 0.5;
/// A score from which a product is meant that stands out.
const CERTAIN: f32 = 0.62;
/// By so much of a phrase's words a product must hold more than others, to be meant alone.
const LEAD: f32 = 0.1;
/// What a size weighs beside the words.
const SIZE: f32 = 1.0;
/// How much the words weigh against the embedding.
const LEXICAL: f32 = 0.65;
/// What a word weighs that no product has.
const UNKNOWN_WORD: f32 = 1.0;

/// A product that a phrase may mean.
struct Candidate<'a> {
    entry: &'a Entry,
    /// How much of the phrase the words of the product hold, 0 to 1.
    coverage: f32,
    score: f32,
    /// Whether the phrase names every thing that the product's name does.
    is_whole: bool,
}

#[derive(Debug)]
struct Entry {
    item: CatalogueItem,
    vector: Vec<f32>,
    /// Of its name, size and material.
    words: BTreeSet<String>,
    /// Of its description and category besides.
    more: BTreeSet<String>,
    /// Those of its name that name a thing rather than a kind or a material.
    heads: BTreeSet<String>,
    size: Option<Size>,
}

// === impl Matcher ===

impl Matcher {
    /// Embeds the products.
    ///
    /// # Errors
    /// [`EmbedError`].
    pub async fn new(embedder: Embedder, items: Vec<CatalogueItem>) -> Result<Self, EmbedError> {
        let texts: Vec<String> = items.iter().map(text).collect();
        let vectors = embedder.embed(&texts).await?;
        let entries: Vec<Entry> = items
            .into_iter()
            .zip(vectors)
            .map(|(item, vector)| Entry::new(item, vector))
            .collect();
        let mut counts: BTreeMap<String, f32> = BTreeMap::new();
        for word in entries.iter().flat_map(|entry| &entry.words) {
            *counts.entry(word.clone()).or_default() += 1.0;
        }
        #[allow(clippy::cast_precision_loss)] // A catalogue is small.
        let all = entries.len() as f32;
        let weights = counts.into_iter().map(|(word, count)| {
            let weight = 0.5 + 0.5 * (all / count).ln() / all.max(2.0).ln();
            (word, weight)
        });
        Ok(Self {
            embedder,
            weights: weights.collect(),
            entries,
        })
    }

    /// The product that a line of an order means.
    ///
    /// # Errors
    /// [`EmbedError`].
    pub async fn find_line(&self, line: &Line) -> Result<Match, EmbedError> {
        self.find(&line.phrase, line.size).await
    }

    /// The product that a phrase means, of a size if one is given. Embeds it: one request, none
    /// for an empty phrase.
    ///
    /// # Errors
    /// [`EmbedError`].
    pub async fn find(&self, phrase: &str, size: Option<Size>) -> Result<Match, EmbedError> {
        let size = size.or_else(|| Size::find(phrase));
        let words = fold(phrase);
        if words.is_empty() || self.entries.is_empty() {
            return Ok(Match::None);
        }
        let phrase: Vec<&str> = words.iter().map(String::as_str).collect();
        let mut vectors = self.embedder.embed(&[phrase.join(" ")]).await?;
        let vector = vectors.pop().ok_or(EmbedError::Misfit)?;
        Ok(self.choose(&words, size, &vector))
    }

    fn choose(&self, words: &BTreeSet<String>, size: Option<Size>, vector: &[f32]) -> Match {
        let mut candidates: Vec<Candidate<'_>> = self
            .entries
            .iter()
            .filter(|entry| entry.agrees(words, size))
            .map(|entry| self.candidate(entry, words, size, vector))
            .filter(|candidate| candidate.score >= LIKELY)
            .collect();
        let most = candidates.iter().map(|candidate| candidate.coverage);
        let most = most.fold(0.0, f32::max);
        candidates.retain(|candidate| most - candidate.coverage < LEAD);
        // Of a cup and its lid, `12oz cup` means the cup; a word alone, as `rolls`, is too little.
        if words.len() > 1 && candidates.iter().any(|candidate| candidate.is_whole) {
            candidates.retain(|candidate| candidate.is_whole);
        }
        candidates.sort_by(|one, other| other.score.total_cmp(&one.score));
        match &candidates[..] {
            [] => Match::None,
            [only] if only.score >= CERTAIN => Match::Sure(only.entry.item.clone()),
            several => {
                let items = several.iter().take(MOST_CANDIDATES);
                Match::Unsure(
                    items
                        .map(|candidate| candidate.entry.item.clone())
                        .collect(),
                )
            }
        }
    }

    fn candidate<'a>(
        &self,
        entry: &'a Entry,
        words: &BTreeSet<String>,
        size: Option<Size>,
        vector: &[f32],
    ) -> Candidate<'a> {
        let weight = |word: &str| self.weights.get(word).copied().unwrap_or(UNKNOWN_WORD);
        let (mut shared, mut all) = (0.0, 0.0);
        for word in words {
            let weight = weight(word);
            all += weight;
            if entry.words.contains(word) || is_misspelt_in(word, &entry.words) {
                shared += weight;
            } else if entry.more.contains(word) {
                shared += weight / 2.0;
            }
        }
        if size.is_some() {
            all += SIZE;
            shared += if entry.size == size { SIZE } else { 0.0 };
        }
        let coverage = shared / all;
        let cosine: f32 = entry.vector.iter().zip(vector).map(|(a, b)| a * b).sum();
        let named = |head: &String| words.contains(head) || is_misspelt_in(head, words);
        Candidate {
            entry,
            coverage,
            score: LEXICAL * coverage + (1.0 - LEXICAL) * cosine.max(0.0),
            is_whole: entry.heads.iter().all(named),
        }
    }
}

/// What of a product is embedded.
fn text(item: &CatalogueItem) -> String {
    let words: Vec<String> = fold(&item.name).into_iter().collect();
    format!("{} {}", item.name.to_lowercase(), words.join(" "))
}

/// One letter is missing, too many or another, in a word long enough to tell.
fn is_misspelt_in(word: &str, words: &BTreeSet<String>) -> bool {
    word.len() >= 4
        && word.bytes().all(|byte| byte.is_ascii_lowercase())
        && words
            .iter()
            .any(|other| is_one_edit_away(word.as_bytes(), other.as_bytes()))
}

fn is_one_edit_away(one: &[u8], other: &[u8]) -> bool {
    let (short, long) = if one.len() <= other.len() {
        (one, other)
    } else {
        (other, one)
    };
    if short.len() < 4 || long.len() - short.len() > 1 {
        return false;
    }
    let same = short.iter().zip(long).take_while(|(a, b)| a == b).count();
    if short.len() == long.len() {
        return short[same..].len() <= 1 || short[same + 1..] == long[same + 1..];
    }
    short[same..] == long[same + 1..]
}

// === impl Entry ===

impl Entry {
    fn new(item: CatalogueItem, vector: Vec<f32>) -> Self {
        let mut words = fold(&item.name);
        let material = item.material.as_deref().map(fold).unwrap_or_default();
        let heads = words
            .iter()
            .filter(|word| is_product(word) && *word != "paper" && !material.contains(*word));
        let heads = heads.cloned().collect();
        words.extend(material);
        let size = item.size.as_deref().and_then(Size::find);
        if size.is_none() {
            words.extend(item.size.as_deref().map(fold).into_iter().flatten());
        }
        let size = size.or_else(|| Size::find(&item.name));
        let mut more = fold(&item.description);
        more.extend(fold(&item.category));
        Self {
            item,
            vector,
            words,
            more,
            heads,
            size,
        }
    }

    /// Whether what the phrase names of size and kind is not another than the product's.
    fn agrees(&self, words: &BTreeSet<String>, size: Option<Size>) -> bool {
        if size.is_some() && self.size.is_some() && size != self.size {
            return false;
        }
        let own = attributes(&self.words);
        attributes(words).into_iter().all(|(kind, word)| {
            let mut of_kind = own.iter().filter(|(own, _)| *own == kind).peekable();
            of_kind.peek().is_none() || of_kind.any(|(_, own)| *own == word)
        })
    }
}
