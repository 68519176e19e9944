//! How much each intent is like a message: a weighted sum of the likeness of every example.
//!
//! The weights are those of a kernel ridge regression, which has one solution: that by which the
//! examples themselves are told best, without trusting any of them too much. It is found by
//! Cholesky's way, in time cubic in the examples.

use std::collections::{BTreeMap, BTreeSet};

use super::{Intent, wording::traits};

/// A number for each intent, in the order of [`Intent::ALL`].
pub(super) type Scores = [f32; Intent::ALL.len()];

/// What the examples teach.
#[derive(Debug)]
pub(super) struct Likeness {
    /// The traits that several examples share, by number.
    known: BTreeMap<String, u32>,
    examples: Vec<(Point, Scores)>,
}

/// A message, placed among others.
#[derive(Debug)]
struct Point {
    vector: Vec<f32>,
    /// In rising order.
    traits: Vec<u32>,
}

/// A trait of fewer examples says nothing.
const FEWEST_WITH_A_TRAIT: u32 = 2;
/// What all traits of a message weigh against its meaning.
const TRAITS: f32 = 0.25;
/// How fast likeness falls with distance. Like the other two it was set by leaving out one
/// example at a time; from half to twice as much makes little difference.
const FALL: f32 = 0.5;
/// How little a single example is trusted.
const DOUBT: f64 = 0.1;

// === impl Likeness ===

impl Likeness {
    /// Learns of examples with their vectors, all of length 1. Takes time: call it where that
    /// holds up nothing else.
    pub(super) fn of(examples: Vec<(Intent, String, Vec<f32>)>) -> Self {
        let worded: Vec<BTreeSet<String>> =
            examples.iter().map(|(_, text, _)| traits(text)).collect();
        let known = shared(&worded);
        let mut intents = Vec::with_capacity(examples.len());
        let mut points = Vec::with_capacity(examples.len());
        for ((intent, _, vector), traits) in examples.into_iter().zip(&worded) {
            intents.push(intent);
            points.push(Point::new(vector, traits, &known));
        }
        let weights = weights(&points, &intents);
        Self {
            known,
            examples: points.into_iter().zip(weights).collect(),
        }
    }

    /// About 1 for the intent of a message and about -1 for the others, by its words and a vector
    /// of length 1 for its meaning.
    pub(super) fn read(&self, message: &str, vector: &[f32]) -> Scores {
        let point = Point::new(vector.to_owned(), &traits(message), &self.known);
        let mut scores = Scores::default();
        for (example, weights) in &self.examples {
            let like = example.like(&point);
            for (score, weight) in scores.iter_mut().zip(weights) {
                *score += like * weight;
            }
        }
        scores
    }
}

fn shared(worded: &[BTreeSet<String>]) -> BTreeMap<String, u32> {
    let mut counts: BTreeMap<&String, u32> = BTreeMap::new();
    for of_it in worded.iter().flatten() {
        *counts.entry(of_it).or_default() += 1;
    }
    let shared = counts
        .into_iter()
        .filter(|(_, count)| *count >= FEWEST_WITH_A_TRAIT);
    shared.map(|(of_it, _)| of_it.clone()).zip(0..).collect()
}

/// Solves `(K + D) W = Y`: K is how like the examples are to each other, Y is 1 where an example is
/// of an intent and -1 elsewhere, and D is the doubt, less of intents that have few examples.
#[allow(clippy::cast_precision_loss)] // Examples are few.
fn weights(points: &[Point], intents: &[Intent]) -> Vec<Scores> {
    let of = |intent| intents.iter().filter(|other| **other == intent).count() as f64;
    let kinds = Intent::ALL.into_iter().filter(|&intent| of(intent) > 0.0);
    // The mean of `1 / of(intent)` over all examples.
    let mean = kinds.count() as f64 / points.len().max(1) as f64;
    let mut rows: Vec<Vec<f64>> = Vec::with_capacity(points.len());
    for (index, (point, &intent)) in points.iter().zip(intents).enumerate() {
        let mut row: Vec<f64> = points[..index]
            .iter()
            .map(|other| f64::from(point.like(other)))
            .collect();
        row.push(1.0 + DOUBT * of(intent) * mean);
        factor(&rows, &mut row);
        rows.push(row);
    }
    let mut weights = vec![Scores::default(); points.len()];
    for (column, kind) in Intent::ALL.into_iter().enumerate() {
        let told = intents
            .iter()
            .map(|&intent| if intent == kind { 1.0 } else { -1.0 });
        for (weights, solved) in weights.iter_mut().zip(solve(&rows, told.collect())) {
            #[allow(clippy::cast_possible_truncation)] // It is about 1.
            let solved = solved as f32;
            weights[column] = solved;
        }
    }
    weights
}

/// Makes a row of a symmetric matrix, up to its diagonal, one of its lower factor, of which all
/// rows before it are known.
fn factor(rows: &[Vec<f64>], row: &mut [f64]) {
    for column in 0..row.len() {
        let of = rows.get(column).map_or(&row[..column], |of| &of[..column]);
        let rest = row[column] - scalar(of, &row[..column]);
        row[column] = match rows.get(column) {
            Some(of) => rest / of[column],
            None => rest.sqrt(),
        };
    }
}

/// Solves for one column by the lower factor.
fn solve(rows: &[Vec<f64>], mut column: Vec<f64>) -> Vec<f64> {
    for (index, row) in rows.iter().enumerate() {
        column[index] = (column[index] - scalar(row, &column[..index])) / row[index];
    }
    for (index, row) in rows.iter().enumerate().rev() {
        column[index] /= row[index];
        let solved = column[index];
        for (before, of) in column[..index].iter_mut().zip(row) {
            *before -= solved * of;
        }
    }
    column
}

fn scalar(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(a, b)| a * b).sum()
}

// === impl Point ===

impl Point {
    fn new(vector: Vec<f32>, traits: &BTreeSet<String>, known: &BTreeMap<String, u32>) -> Self {
        let mut traits: Vec<u32> = traits
            .iter()
            .filter_map(|of| known.get(of).copied())
            .collect();
        traits.sort_unstable();
        Self { vector, traits }
    }

    /// 1 of the same, less the farther: the distances of meaning and of words add up.
    fn like(&self, other: &Self) -> f32 {
        let cosine: f32 = self
            .vector
            .iter()
            .zip(&other.vector)
            .map(|(a, b)| a * b)
            .sum();
        let meaning = 2.0 - 2.0 * cosine;
        (-FALL * (meaning + TRAITS * self.words_apart(other))).exp()
    }

    /// The square of the distance of their traits, of which each has the length 1.
    #[allow(clippy::cast_precision_loss)] // Traits are few.
    fn words_apart(&self, other: &Self) -> f32 {
        let count = |point: &Self| point.traits.len() as f32;
        let lengths = count(self).min(1.0) + count(other).min(1.0);
        if lengths < 2.0 {
            return lengths;
        }
        let shared = shared_of(&self.traits, &other.traits) as f32;
        lengths - 2.0 * shared / (count(self) * count(other)).sqrt()
    }
}

/// How many numbers stand in both, which are in rising order.
fn shared_of(one: &[u32], other: &[u32]) -> usize {
    let (mut one, mut other) = (one.iter().peekable(), other.iter().peekable());
    let mut shared = 0;
    while let (Some(a), Some(b)) = (one.peek(), other.peek()) {
        match a.cmp(b) {
            std::cmp::Ordering::Less => {
                one.next();
            }
            std::cmp::Ordering::Greater => {
                other.next();
            }
            std::cmp::Ordering::Equal => {
                shared += 1;
                one.next();
                other.next();
            }
        }
    }
    shared
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(index: usize) -> Vec<f32> {
        let mut vector = vec![0.0; 4];
        vector[index] = 1.0;
        vector
    }

    fn taught() -> Likeness {
        Likeness::of(vec![
            (Intent::Greeting, "hello there".to_owned(), unit(0)),
            (Intent::Greeting, "hello you".to_owned(), unit(0)),
            (Intent::Complaint, "it is broken".to_owned(), unit(1)),
            (Intent::Complaint, "all is broken".to_owned(), unit(1)),
        ])
    }

    fn score(scores: &Scores, intent: Intent) -> f32 {
        scores[intent as usize]
    }

    #[test]
    fn examples_are_told_by_what_they_teach() {
        let taught = taught();
        let scores = taught.read("hello there", &unit(0));
        assert!(score(&scores, Intent::Greeting) > 0.7);
        assert!(score(&scores, Intent::Complaint) < -0.7);
        assert!(score(&scores, Intent::OrderStatus) < -0.7);
    }

    #[test]
    fn meaning_and_words_both_count() {
        let taught = taught();
        let by_meaning = taught.read("moin", &unit(1));
        assert!(score(&by_meaning, Intent::Complaint) > score(&by_meaning, Intent::Greeting));
        let by_words = taught.read("broken", &unit(3));
        assert!(score(&by_words, Intent::Complaint) > score(&by_words, Intent::Greeting));
        let by_none = taught.read("moin", &unit(3));
        let (one, other) = (
            score(&by_none, Intent::Complaint),
            score(&by_none, Intent::Greeting),
        );
        assert!((one - other).abs() < 1e-3, "{one} {other}");
    }

    #[test]
    fn the_factor_solves_what_it_was_made_of() {
        let matrix = [[2.0, 0.5, 0.3], [0.5, 1.5, 0.2], [0.3, 0.2, 1.2]];
        let mut rows: Vec<Vec<f64>> = Vec::new();
        for (index, row) in matrix.iter().enumerate() {
            let mut row = row[..=index].to_vec();
            factor(&rows, &mut row);
            rows.push(row);
        }
        let solved = solve(&rows, vec![1.0, -1.0, 0.5]);
        for (row, expected) in matrix.iter().zip([1.0, -1.0, 0.5]) {
            assert!((scalar(row, &solved) - expected).abs() < 1e-9);
        }
    }

    #[test]
    fn likeness_is_one_of_the_same_and_alike_both_ways() {
        let known = [("a".to_owned(), 0), ("b".to_owned(), 1)].into();
        let point = |index, words: &[&str]| {
            let words = words.iter().map(|&word| word.to_owned()).collect();
            Point::new(unit(index), &words, &known)
        };
        let (one, other) = (point(0, &["a", "b"]), point(1, &["b", "c"]));
        assert!((one.like(&one) - 1.0).abs() < 1e-6);
        assert!((one.like(&other) - other.like(&one)).abs() < 1e-6);
        assert!(one.like(&other) < one.like(&point(0, &["b"])));
        assert_eq!(shared_of(&[1, 3, 5], &[0, 3, 4, 5, 6]), 2);
    }
}
