//! How many labelled questions are answered as people labelled them: by the passages and products
//! under `data/`, in collections of the bench's own, with the embeddings and the chat model that
//! the tests share.
//!
//! The weights of the ranking were fitted to `questions.jsonl`; `questions_held_out.jsonl` was
//! written before them, and is for measuring only. A label names every passage and product that
//! answers, and of some a text that the answer must hold.
//!
//! `cargo bench -p tria-tests --bench answers -- tuning` measures the first file alone, and
//! `-- quick` asks the chat model nothing, and `-- shown` prints each question that went wrong and
//! what the model answered.

#![allow(clippy::print_stdout, reason = "a bench prints what it measured")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use deadpool_postgres::{Manager, Pool, Runtime};
use serde_json::{Value, json};
use tokio_postgres::NoTls;
use tria_chatbot::{
    Embedder,
    catalogue::{Catalogue, SeedOptions, seed},
    grounding,
    ingest::{IngestOptions, Stores, ingest},
    knowledge::Knowledge,
    retrieval::{Kind, Passage, RetrievalOptions, Retriever},
    schema::{MigrateOptions, migrate},
};
use tria_chroma::{ChromaClient, DEFAULT_TENANT};
use tria_devstack::{ChromaDatabase, SharedStack};

const GOAL: f64 = 0.9;
const LIMIT: Duration = Duration::from_secs(10);

/// What is measured, and what is printed of it.
struct Wishes {
    tuning_alone: bool,
    quick: bool,
    shown: bool,
}

/// A question with what it found.
struct Asked {
    question: String,
    answers: Vec<String>,
    says: Vec<String>,
    /// All passages in their order, also those that do not answer.
    ranked: Vec<Passage>,
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let has = |wanted: &str| arguments.iter().any(|argument| argument == wanted);
    // `cargo test --benches` only wants to see that it builds.
    if has("--test") {
        return;
    }
    let wishes = Wishes {
        tuning_alone: has("tuning"),
        quick: has("quick"),
        shown: has("shown"),
    };
    let stack = tria_devstack::shared().await.expect("the servers run");
    // An error means that it is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let embedder = Embedder::at(
        &stack.model_base_url(),
        stack.model_key(),
        stack.embedding_model(),
    );
    let (chroma, _database) = filled(&stack, &embedder).await;
    println!("embeddings of {}", embedder.model());
    let mut files = vec!["questions.jsonl"];
    if !wishes.tuning_alone {
        files.push("questions_held_out.jsonl");
    }
    for file in files {
        println!("\n{file}");
        let asked = ask(&embedder, &chroma, file).await;
        retrieval(&asked, &wishes);
        quotes(&asked, &wishes);
        if !wishes.quick {
            model(&stack, &asked, &wishes).await;
        }
    }
}

// === the collections ===

async fn filled(stack: &SharedStack, embedder: &Embedder) -> (ChromaClient, ChromaDatabase) {
    let database = stack.fresh_database().await.expect("a database");
    let manager = Manager::new(database.url().parse().expect("its URL"), NoTls);
    let pool = Pool::builder(manager).runtime(Runtime::Tokio1).build();
    let pool = pool.expect("a pool");
    let data = root().join("data");
    let catalogue = Catalogue::read(&data.join("catalogue")).expect("the catalogue");
    let knowledge = Knowledge::read(&data.join("knowledge")).expect("the knowledge");
    let migrated = migrate(&pool, MigrateOptions::default()).await;
    migrated.expect("the schema");
    let seeded = seed(&pool, &catalogue, SeedOptions::default()).await;
    seeded.expect("the products");
    let own = stack.chroma_database().await.expect("a database");
    let chroma = ChromaClient::builder(&stack.chroma_url())
        .tenant(DEFAULT_TENANT)
        .database(own.name())
        .build()
        .expect("a client");
    let stores = Stores {
        pool: &pool,
        chroma: &chroma,
        embedder,
    };
    let ingested = ingest(stores, &knowledge, IngestOptions::default(), |_, _| ()).await;
    ingested.expect("the collections");
    (chroma, own)
}

// === retrieval ===

async fn ask(embedder: &Embedder, chroma: &ChromaClient, file: &str) -> Vec<Asked> {
    let everything = RetrievalOptions {
        threshold: 0.0,
        most_passages: usize::MAX,
    };
    let retriever = Retriever::new(chroma.clone(), everything);
    let mut asked = Vec::new();
    for label in labelled(file) {
        let question = label["question"].as_str().expect("a question").to_owned();
        let vector = embedder.embed(&[&question]).await.expect("an embedding");
        let found = retriever.passages(&question, &vector[0], LIMIT).await;
        asked.push(Asked {
            answers: strings(&label["answers"]),
            says: strings(&label["says"]),
            ranked: found.expect("the collections").passages,
            question,
        });
    }
    asked
}

fn retrieval(asked: &[Asked], wishes: &Wishes) {
    let (known, unknown): (Vec<_>, Vec<_>) = asked.iter().partition(|it| !it.answers.is_empty());
    let first = known.iter().filter(|it| it.place() == Some(0));
    let third = known
        .iter()
        .filter(|it| it.place().is_some_and(|it| it < 3));
    let kept = known.iter().filter(|it| !it.found().is_empty());
    let silent = unknown.iter().filter(|it| it.found().is_empty());
    println!("recall@1             {}", share(first.count(), known.len()));
    println!("recall@3             {}", share(third.count(), known.len()));
    println!("not wrongly unknown  {}", share(kept.count(), known.len()));
    println!(
        "rightly unknown      {}",
        share(silent.count(), unknown.len())
    );
    if wishes.shown {
        for it in asked {
            let best: Vec<String> = it.ranked.iter().take(2).map(shown).collect();
            let is_wrong = match it.place() {
                Some(place) => place > 0 || it.found().is_empty(),
                None => !it.answers.is_empty() || !it.found().is_empty(),
            };
            if is_wrong {
                println!(
                    "  wrong: {:?} found {best:?}, not {:?}",
                    it.question, it.answers
                );
            }
        }
    }
}

// === quotes ===

fn quotes(asked: &[Asked], wishes: &Wishes) {
    let (mut held, mut all, mut held_of_right, mut right) = (0, 0, 0, 0);
    for it in asked.iter().filter(|it| !it.says.is_empty()) {
        let quote = grounding::quote(&it.question, it.found()).text;
        let is_right = it.place() == Some(0) && !it.found().is_empty();
        let holds = holds(&quote, &it.says);
        all += 1;
        held += usize::from(holds);
        right += usize::from(is_right);
        held_of_right += usize::from(holds && is_right);
        if wishes.shown && is_right && !holds {
            println!(
                "  without the fact {:?}: {:?} quoted {quote:?}",
                it.says, it.question
            );
        }
    }
    println!("quotes with the fact {}", share(held, all));
    println!("  of the right ones  {}", share(held_of_right, right));
}

// === the model ===

async fn model(stack: &SharedStack, asked: &[Asked], wishes: &Wishes) {
    let client = reqwest::Client::new();
    let (mut all, mut passed, mut facts, mut held, mut most_tokens) = (0, 0, 0, 0, 0);
    let mut refused: BTreeMap<String, usize> = BTreeMap::new();
    for it in asked.iter().filter(|it| !it.found().is_empty()) {
        let (system, user) = grounding::prompt(&it.question, it.found(), "en");
        let (answer, tokens) = said(&client, stack, &system, &user).await;
        most_tokens = most_tokens.max(tokens);
        all += 1;
        match grounding::check(&answer, &it.question, it.found()) {
            Ok(()) => {
                passed += 1;
                if !it.says.is_empty() {
                    facts += 1;
                    held += usize::from(holds(&answer, &it.says));
                }
                if wishes.shown {
                    let label = if it.answers.is_empty() {
                        " (nothing answers)"
                    } else {
                        ""
                    };
                    println!("  passed{label}: {:?} -> {answer:?}", it.question);
                }
            }
            Err(reason) => {
                if wishes.shown {
                    println!("  refused ({reason}): {:?} -> {answer:?}", it.question);
                }
                *refused.entry(reason.to_string()).or_default() += 1;
            }
        }
    }
    println!("model's answers that pass the guard: {passed} of {all}");
    println!("  with the fact, where one is labelled: {held} of {facts}");
    println!("  longest prompt: {most_tokens} tokens");
    for (reason, count) in refused {
        println!("  {count:3}  {reason}");
    }
}

/// What the chat model answers, and how many tokens it was asked with.
async fn said(
    client: &reqwest::Client,
    stack: &SharedStack,
    system: &str,
    user: &str,
) -> (String, u64) {
    let body = json!({
        "model": stack.chat_model(),
        "messages": [
            { "role": "system", "content": system },
            { "role": "user", "content": user },
        ],
        "max_tokens": 80,
        "temperature": 0,
    });
    let request = client
        .post(format!("{}/chat/completions", stack.model_base_url()))
        .bearer_auth(stack.model_key())
        .json(&body);
    let answer = request.send().await.expect("an answer");
    let answer: Value = answer.json().await.expect("its JSON");
    let text = answer["choices"][0]["message"]["content"].as_str();
    let tokens = answer["usage"]["prompt_tokens"].as_u64();
    (text.expect("a text").to_owned(), tokens.unwrap_or_default())
}

// === impl Asked ===

impl Asked {
    /// Where the first passage stands that answers.
    fn place(&self) -> Option<usize> {
        let mut names = self.ranked.iter().map(name);
        names.position(|name| self.answers.contains(&name))
    }

    /// What the service would find.
    fn found(&self) -> &[Passage] {
        let options = RetrievalOptions::default();
        let answer = |passage: &&Passage| passage.score >= options.threshold;
        let count = self.ranked.iter().take_while(answer).count();
        &self.ranked[..count.min(options.most_passages)]
    }
}

fn name(passage: &Passage) -> String {
    match &passage.kind {
        Kind::Knowledge => format!("{}#{}", passage.source, passage.section),
        Kind::Product { sku } => sku.clone(),
    }
}

fn shown(passage: &Passage) -> String {
    format!("{} {:.2}", name(passage), passage.score)
}

fn holds(text: &str, says: &[String]) -> bool {
    let text = text.to_lowercase();
    says.iter().any(|it| text.contains(&it.to_lowercase()))
}

// === the files ===

fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("it lies in the workspace").to_owned()
}

fn labelled(file: &str) -> Vec<Value> {
    let path = root().join("tests/labelled").join(file);
    let text = fs::read_to_string(path).expect("the labels");
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines
        .map(|line| serde_json::from_str(line).expect("a label"))
        .collect()
}

fn strings(value: &Value) -> Vec<String> {
    let values = value.as_array().into_iter().flatten();
    values
        .map(|value| value.as_str().expect("a string").to_owned())
        .collect()
}

#[allow(clippy::cast_precision_loss)] // Labels are few.
fn share(right: usize, all: usize) -> String {
    let share = right as f64 / all.max(1) as f64;
    let goal = if share >= GOAL { "" } else { "below " };
    format!("{right} of {all}: {share:.3} ({goal}the goal of {GOAL})")
}
