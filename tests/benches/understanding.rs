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
};

use serde_json::Value;
use tria_chatbot::{
    Embedder,
    intent::{Classifier, Examples},
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
    intents(embedder.clone()).await;
    orders(embedder).await;
}

// === intents ===

async fn intents(embedder: Embedder) {
    let examples = Examples::parse(&text("data/intents.toml")).expect("the examples");
    let classifier = Classifier::new(embedder, &examples).await;
    let classifier = classifier.expect("embeddings");
    let labelled = labelled("intents.jsonl");
    let (mut right, mut thin, mut right_of_thin) = (0, 0, 0);
    let mut confusions: BTreeMap<(String, String), usize> = BTreeMap::new();
    for label in &labelled {
        let reading = classifier.classify(string(label, "message")).await;
        let reading = reading.expect("an embedding");
        let expected = string(label, "intent");
        let is_right = reading.intent.name() == expected;
        right += usize::from(is_right);
        thin += usize::from(reading.is_thin());
        right_of_thin += usize::from(is_right && reading.is_thin());
        if !is_right {
            let pair = (expected.to_owned(), reading.intent.name().to_owned());
            *confusions.entry(pair).or_default() += 1;
        }
    }
    let all = labelled.len();
    println!("intents       {}", share(right, all));
    println!("  not thin    {}", share(right - right_of_thin, all - thin));
    println!("  thin        {}", share(right_of_thin, thin));
    for ((expected, read), count) in &confusions {
        println!("  {count:3}  {expected} read as {read}");
    }
}

// === orders ===

async fn orders(embedder: Embedder) {
    let items = catalogue(&text("data/catalogue/products.csv"));
    let matcher = Matcher::new(embedder, items).await.expect("embeddings");
    let labelled = labelled("orders.jsonl");
    let (mut right, mut plain, mut right_of_plain) = (0, 0, 0);
    let (mut named, mut certain) = (0, 0);
    for label in &labelled {
        let unsure = label["unsure"] == true;
        let mut expected = Vec::new();
        for line in label["lines"].as_array().expect("the lines") {
            let size = line["size"].as_str().and_then(Size::find);
            let found = found(&matcher, string(line, "product"), size).await;
            named += 1;
            certain += usize::from(matches!(found, Found::Sure(_)));
            let quantity = line["quantity"].as_u64();
            expected.push(Told {
                quantity,
                size,
                found,
            });
        }
        let lines = order_lines::read(string(label, "message"));
        let mut told = Vec::new();
        for line in &lines {
            told.push(Told {
                quantity: line.quantity.packs().map(u64::from),
                size: line.size,
                found: found(&matcher, &line.phrase, line.size).await,
            });
        }
        let is_right = if unsure {
            asks_back(&told, &expected)
        } else {
            told == expected
        };
        right += usize::from(is_right);
        plain += usize::from(!unsure);
        right_of_plain += usize::from(is_right && !unsure);
        if !is_right {
            let read: Vec<String> = lines.iter().map(shown).collect();
            println!("  wrong: {} read as {read:?}", label["message"]);
        }
    }
    let all = labelled.len();
    println!("orders        {}", share(right, all));
    println!("  plain       {}", share(right_of_plain, plain));
    println!(
        "  asked back  {}",
        share(right - right_of_plain, all - plain)
    );
    println!("labels whose words name one product: {certain} of {named}");
}

/// Something is left to ask, and what is sure is labelled so.
fn asks_back(told: &[Told], expected: &[Told]) -> bool {
    let is_sure = |line: &Told| line.quantity.is_some() && matches!(line.found, Found::Sure(_));
    let asks = told.is_empty() || !told.iter().all(is_sure);
    asks && told
        .iter()
        .filter(|line| is_sure(line))
        .all(|line| expected.contains(line))
}

async fn found(matcher: &Matcher, phrase: &str, size: Option<Size>) -> Found {
    match matcher.find(phrase, size).await.expect("an embedding") {
        Match::Sure(item) => Found::Sure(item.sku),
        Match::Unsure(items) => {
            let mut numbers: Vec<String> = items.into_iter().map(|item| item.sku).collect();
            numbers.sort();
            Found::Unsure(numbers)
        }
        Match::None => Found::None,
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

fn labelled(file: &str) -> Vec<Value> {
    let text = text(&format!("tests/labelled/{file}"));
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines
        .map(|line| serde_json::from_str(line).expect("a label"))
        .collect()
}

fn string<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().expect("a string")
}

fn catalogue(text: &str) -> Vec<CatalogueItem> {
    let mut records = records(text).into_iter();
    let head = records.next().expect("a head");
    let rows = records.zip(1..).map(|(record, id)| {
        let field = |name: &str| {
            let column = head.iter().position(|column| column == name);
            column
                .and_then(|column| record.get(column))
                .cloned()
                .unwrap_or_default()
        };
        CatalogueItem {
            id,
            sku: field("sku"),
            name: field("name"),
            description: field("description"),
            category: field("category"),
            size: Some(field("size")).filter(|size| !size.is_empty()),
            material: Some(field("material")).filter(|material| !material.is_empty()),
        }
    });
    rows.collect()
}

/// Comma-separated values, in which a field may be quoted.
fn records(text: &str) -> Vec<Vec<String>> {
    let (mut records, mut record, mut field) = (Vec::new(), Vec::new(), String::new());
    let mut quoted = false;
    let mut characters = text.trim_start_matches('\u{feff}').chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                field.push('"');
                characters.next();
            }
            '"' => quoted = !quoted,
            ',' if !quoted => record.push(std::mem::take(&mut field)),
            '\n' if !quoted => {
                record.push(std::mem::take(&mut field));
                records.push(std::mem::take(&mut record));
            }
            '\r' if !quoted => {}
            other => field.push(other),
        }
    }
    if !field.is_empty() || !record.is_empty() {
        record.push(field);
        records.push(record);
    }
    records.retain(|record| record.iter().any(|field| !field.is_empty()));
    records
}

#[allow(clippy::cast_precision_loss)] // Labels are few.
fn share(right: usize, all: usize) -> String {
    let share = right as f64 / all.max(1) as f64;
    let goal = if share >= GOAL { "" } else { "below " };
    format!("{right} of {all}: {share:.3} ({goal}the goal of {GOAL})")
}
