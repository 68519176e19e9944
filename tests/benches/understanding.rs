//! How many labelled messages are understood as people labelled them: intents by the examples
//! under `data/`, and lines of orders by the catalogue there, with the embeddings of the local
//! model that the tests share.
//!
//! An order is right when all its lines are: the quantity, the size, and the same product (or the
//! same few to ask about) as the label's own words find. One that is labelled as unsure is right
//! when something is asked back and nothing is taken for sure that the label does not hold.

#![allow(clippy::print_stdout, reason = "a bench prints what it measured")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde_json::Value;
use tria_chatbot::{
    Embedder,
    catalogue::Catalogue,
    intent::{Classifier, Examples, Reading},
    matching::{CatalogueItem, Match, Matcher},
    order_lines::{self, Line, Quantity, Size},
};

const GOAL: f64 = 0.9;

/// A line of an order with the products that it may mean.
#[derive(PartialEq)]
struct Told {
    quantity: Option<u64>,
    size: Option<Size>,
    found: Found,
}

#[derive(PartialEq)]
enum Found {
    Sure(String),
    /// In the order of their numbers.
    Unsure(Vec<String>),
    None,
}

#[tokio::main]
async fn main() {
    // `cargo test --benches` only wants to see that it builds.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let stack = tria_devstack::shared().await.expect("the servers run");
    // An error means that it is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let embedder = Embedder::at(
        &stack.model_base_url(),
        stack.model_key(),
        stack.embedding_model(),
    );
    println!("embeddings of {}", embedder.model());
    let examples = Examples::parse(&text("data/intents.toml")).expect("the examples");
    let classifier = Classifier::new(embedder.clone(), &examples).await;
    let classifier = classifier.expect("embeddings");
    for set in ["intents", "intents_held_out"] {
        intents(&embedder, &classifier, set).await;
    }
    let matcher = Matcher::new(embedder, catalogue()).await;
    let matcher = matcher.expect("embeddings");
    for set in ["orders", "orders_mended", "orders_held_out"] {
        orders(&matcher, set).await;
    }
}

/// Whether the errors in a set are to be told one by one: its name is an argument.
fn tells(set: &str) -> bool {
    std::env::args().any(|argument| argument == set)
}

// === intents ===

async fn intents(embedder: &Embedder, classifier: &Classifier, set: &str) {
    let labelled = labelled(set);
    let messages = labelled.iter().map(|label| string(label, "message"));
    let asked: Vec<String> = messages.clone().map(Classifier::asked).collect();
    let vectors = embedder.embed(&asked).await.expect("embeddings");
    let begin = Instant::now();
    let readings: Vec<Reading> = messages
        .zip(&vectors)
        .map(|(message, vector)| classifier.read(message, vector))
        .collect();
    let taken = begin.elapsed();
    let (mut right, mut thin, mut right_of_thin) = (0, 0, 0);
    let mut confusions: BTreeMap<(String, String), usize> = BTreeMap::new();
    for (label, reading) in labelled.iter().zip(&readings) {
        let expected = string(label, "intent");
        let is_right = reading.intent.name() == expected;
        right += usize::from(is_right);
        thin += usize::from(reading.is_thin());
        right_of_thin += usize::from(is_right && reading.is_thin());
        if !is_right && tells(set) {
            let pair = (expected.to_owned(), reading.intent.name().to_owned());
            *confusions.entry(pair).or_default() += 1;
            println!("  {} read as {}", label["message"], reading.intent);
        }
    }
    let all = labelled.len();
    println!("{set:18} {}", share(right, all));
    println!(
        "  not thin         {}",
        share(right - right_of_thin, all - thin)
    );
    println!("  thin             {}", share(right_of_thin, thin));
    println!("  read in          {} each", each(taken, all));
    for ((expected, read), count) in &confusions {
        println!("  {count:3}  {expected} read as {read}");
    }
}

// === orders ===

async fn orders(matcher: &Matcher, set: &str) {
    let labelled = labelled(set);
    let (mut right, mut guessed, mut plain, mut right_of_plain) = (0, 0, 0, 0);
    let (mut named, mut certain, mut taken) = (0, 0, Duration::ZERO);
    for label in &labelled {
        let unsure = label["unsure"] == true;
        let mut expected = Vec::new();
        for line in label["lines"].as_array().expect("the lines") {
            let size = line["size"].as_str().and_then(Size::find);
            let found = matcher.find(string(line, "product"), size).await;
            let found = Found::of(found.expect("an embedding"));
            named += 1;
            certain += usize::from(matches!(found, Found::Sure(_)));
            let quantity = line["quantity"].as_u64();
            expected.push(Told {
                quantity,
                size,
                found,
            });
        }
        let begin = Instant::now();
        let lines = order_lines::read(string(label, "message"));
        taken += begin.elapsed();
        let found = matcher.find_lines(&lines).await.expect("embeddings");
        let told = lines.iter().zip(found).map(|(line, found)| Told {
            quantity: line.quantity.packs().map(u64::from),
            size: line.size,
            found: Found::of(found),
        });
        let told: Vec<Told> = told.collect();
        let is_right = if unsure {
            asks_back(&told, &expected)
        } else {
            told == expected
        };
        right += usize::from(is_right);
        guessed += usize::from(!is_certain(&told, &expected));
        plain += usize::from(!unsure);
        right_of_plain += usize::from(is_right && !unsure);
        if !is_right && tells(set) {
            let read: Vec<String> = lines.iter().map(shown).collect();
            println!("  wrong: {} read as {read:?}", label["message"]);
        }
    }
    let all = labelled.len();
    println!("{set:18} {}", share(right, all));
    println!("  plain            {}", share(right_of_plain, plain));
    println!(
        "  asked back       {}",
        share(right - right_of_plain, all - plain)
    );
    println!("  guessed          {guessed}, where it should have asked back");
    println!("  read in          {} each", each(taken, all));
    println!("  labels whose words name one product: {certain} of {named}");
}

/// Something is left to ask, and what is sure is labelled so.
fn asks_back(told: &[Told], expected: &[Told]) -> bool {
    let asks = told.is_empty() || !told.iter().all(is_sure);
    asks && is_certain(told, expected)
}

/// Whatever is sure is labelled so: nothing that was not meant would be ordered.
fn is_certain(told: &[Told], expected: &[Told]) -> bool {
    let mut sure = told.iter().filter(|line| is_sure(line));
    sure.all(|line| expected.contains(line))
}

fn is_sure(line: &Told) -> bool {
    line.quantity.is_some() && matches!(line.found, Found::Sure(_))
}

impl Found {
    fn of(found: Match) -> Self {
        match found {
            Match::Sure(item) => Self::Sure(item.sku),
            Match::Unsure(items) => {
                let mut numbers: Vec<String> = items.into_iter().map(|item| item.sku).collect();
                numbers.sort();
                Self::Unsure(numbers)
            }
            Match::None => Self::None,
        }
    }
}

fn shown(line: &Line) -> String {
    let quantity = match line.quantity {
        Quantity::Packs(packs) => packs.to_string(),
        Quantity::Missing => "no quantity".to_owned(),
        Quantity::Unclear => "an unclear quantity".to_owned(),
    };
    let size = line.size.map(|size| format!(", {size}"));
    format!("{quantity}: {}{}", line.phrase, size.unwrap_or_default())
}

// === the files ===

fn text(file: &str) -> String {
    let path = root().join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("it lies in the workspace").to_owned()
}

fn labelled(set: &str) -> Vec<Value> {
    let text = text(&format!("tests/labelled/{set}.jsonl"));
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines
        .map(|line| serde_json::from_str(line).expect("a label"))
        .collect()
}

fn string<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().expect("a string")
}

fn catalogue() -> Vec<CatalogueItem> {
    let catalogue = Catalogue::read(&root().join("data/catalogue")).expect("the catalogue");
    let items = catalogue.products().iter().zip(1..).map(|(product, id)| {
        let product = product.clone();
        CatalogueItem {
            id,
            sku: product.sku,
            name: product.name,
            description: product.description,
            category: product.category,
            size: product.size,
            material: product.material,
        }
    });
    items.collect()
}

#[allow(clippy::cast_precision_loss)] // Labels are few.
fn share(right: usize, all: usize) -> String {
    let share = right as f64 / all.max(1) as f64;
    let goal = if share >= GOAL { "" } else { "below " };
    format!("{right} of {all}: {share:.3} ({goal}the goal of {GOAL})")
}

/// In millionths of a second.
fn each(taken: Duration, all: usize) -> String {
    let all = u128::try_from(all.max(1)).unwrap_or(1);
    format!("{} µs", taken.as_micros() / all)
}
