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
    order_lines::{Line, Size, is_misspelt, is_product},
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
/// Models of embeddings take some hundreds of tokens, of which none is shorter than a byte.
const MOST_BYTES: usize = 480;
/// What a word that is almost right weighs against one that is.
const FORGIVEN: f32 = 0.8;
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
    /// By which it is told from others of its name.
    size: Option<Size>,
    extents: Vec<Size>,
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

    /// The products that it finds, in the order in which they were given.
    pub fn items(&self) -> impl ExactSizeIterator<Item = &CatalogueItem> {
        self.entries.iter().map(|entry| &entry.item)
    }

    /// The product of this number in the database.
    pub fn item(&self, id: i64) -> Option<&CatalogueItem> {
        self.items().find(|item| item.id == id)
    }

    /// The products that the lines of an order mean, in their order. Embeds them all by one
    /// request (one for each 64), and by none where no line names anything.
    ///
    /// # Errors
    /// [`EmbedError`].
    pub async fn find_lines(&self, lines: &[Line]) -> Result<Vec<Match>, EmbedError> {
        let asked = lines.iter().map(|line| (line.phrase.as_str(), line.size));
        self.find_all(asked.collect()).await
    }

    /// The product that a phrase means, of a size if one is given. Embeds it: one request, none
    /// for an empty phrase.
    ///
    /// # Errors
    /// [`EmbedError`].
    pub async fn find(&self, phrase: &str, size: Option<Size>) -> Result<Match, EmbedError> {
        let mut found = self.find_all(vec![(phrase, size)]).await?;
        Ok(found.pop().unwrap_or(Match::None))
    }

    async fn find_all(&self, asked: Vec<(&str, Option<Size>)>) -> Result<Vec<Match>, EmbedError> {
        let asked: Vec<(BTreeSet<String>, Option<Size>)> = asked
            .into_iter()
            .map(|(phrase, size)| (fold(phrase), size.or_else(|| Size::find(phrase))))
            .collect();
        let named = |words: &BTreeSet<String>| !words.is_empty() && !self.entries.is_empty();
        let texts: Vec<String> = asked
            .iter()
            .filter(|(words, _)| named(words))
            .map(|(words, _)| self.embedded(words))
            .collect();
        let mut vectors = self.embedder.embed(&texts).await?.into_iter();
        let found = asked.iter().map(|(words, size)| {
            if !named(words) {
                return Ok(Match::None);
            }
            let vector = vectors.next().ok_or(EmbedError::Misfit)?;
            Ok(self.choose(words, *size, &vector))
        });
        found.collect()
    }

    /// What of a phrase is embedded: its words, as the products spell them.
    fn embedded(&self, words: &BTreeSet<String>) -> String {
        let spelt = |word: &String| {
            let known = self.weights.contains_key(word);
            let meant = || self.weights.keys().find(|meant| is_misspelt(word, meant));
            let meant = if known { None } else { meant() };
            meant.unwrap_or(word).clone()
        };
        let words: Vec<String> = words.iter().map(spelt).collect();
        let mut text = words.join(" ");
        text.truncate(text.floor_char_boundary(MOST_BYTES));
        text
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
            [only] if only.score >= CERTAIN && only.entry.is_of_size(size) => {
                Match::Sure(only.entry.item.clone())
            }
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
            if entry.words.contains(word) {
                shared += weight;
            } else if is_misspelt_in(word, &entry.words) {
                shared += weight * FORGIVEN;
            } else if entry.more.contains(word) {
                shared += weight / 2.0;
            }
        }
        if size.is_some() {
            all += SIZE;
            shared += match entry.size {
                named if named == size => SIZE,
                None if entry.is_of_size(size) => SIZE / 2.0,
                _ => 0.0,
            };
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

fn is_misspelt_in(word: &str, words: &BTreeSet<String>) -> bool {
    words.iter().any(|meant| is_misspelt(word, meant))
}

/// The size by which a product is known, as of `12 inch` or `30 cm x 300 m`, and how far it
/// extends, as of `25 x 30 cm`.
fn sizes(text: &str) -> (Option<Size>, Vec<Size>) {
    let unit = text.rsplit(' ').next().unwrap_or_default();
    let parts = || text.split(" x ");
    let extents = parts()
        .filter_map(|part| Size::find(part).or_else(|| Size::find(&format!("{part} {unit}"))));
    (parts().next().and_then(Size::find), extents.collect())
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
        let (size, extents) = item.size.as_deref().map(sizes).unwrap_or_default();
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
            extents,
        }
    }

    /// Whether it has a size that a phrase names, if it names one.
    fn is_of_size(&self, size: Option<Size>) -> bool {
        size.is_none_or(|size| self.size == Some(size) || self.extents.contains(&size))
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
