//! Reads tables, blocks and command lines out of documents, and the same out of what the program
//! writes.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;
use tria_tests::Ended;

/// A row of a table.
pub(crate) struct Row {
    /// The text of the last heading of the second level.
    pub(crate) section: String,
    pub(crate) heads: Vec<String>,
    pub(crate) cells: Vec<String>,
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

pub(crate) fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap()
}

/// The files of a folder and of those in it, in order.
pub(crate) fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let mut found = Vec::new();
    for path in paths {
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|it| it == extension) {
            found.push(path);
        }
    }
    found
}

pub(crate) fn rows(text: &str) -> Vec<Row> {
    let (mut section, mut heads) = (String::new(), None);
    let mut rows = Vec::new();
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            title.clone_into(&mut section);
        }
        let inner = line.strip_prefix('|').and_then(|it| it.strip_suffix('|'));
        let Some(inner) = inner else {
            heads = None;
            continue;
        };
        let cells: Vec<String> = inner.split('|').map(|it| it.trim().to_owned()).collect();
        match &heads {
            None => heads = Some(cells),
            Some(_) if cells[0].starts_with("---") => {}
            Some(heads) => rows.push(Row {
                section: section.clone(),
                heads: heads.clone(),
                cells,
            }),
        }
    }
    rows
}

/// The code that a row of one of the tables of codes is about.
pub(crate) fn code_of(row: &Row) -> Option<&str> {
    (row.heads.get(1)? == "waits or gives up").then(|| row.cells[0].trim_matches('`'))
}

/// What stands under a heading, up to the next one of any level.
pub(crate) fn section<'a>(text: &'a str, title: &str) -> &'a str {
    let marks = [format!("\n## {title}\n"), format!("\n### {title}\n")];
    let found = marks.iter().find_map(|mark| text.split_once(mark.as_str()));
    let (_, rest) = found.unwrap_or_else(|| panic!("there is no heading {title}"));
    rest.split("\n#").next().unwrap()
}

/// The blocks of code of a kind.
pub(crate) fn blocks(text: &str, kind: &str) -> Vec<String> {
    let opening = format!("```{kind}\n");
    let parts = text.split(opening.as_str()).skip(1);
    parts
        .map(|part| part.split("```").next().unwrap().to_owned())
        .collect()
}

/// The arguments of every command line of the program, in shell blocks and in spans.
pub(crate) fn commands_in(text: &str) -> Vec<Vec<String>> {
    let mut code = Vec::new();
    let mut block = None;
    for line in text.lines() {
        match (line.strip_prefix("```"), block) {
            (Some(kind), None) => block = Some(kind),
            (Some(_), Some(_)) => block = None,
            (None, Some("sh")) => code.push(line),
            (None, Some(_)) => {}
            (None, None) => code.extend(line.split('`').skip(1).step_by(2)),
        }
    }
    code.into_iter().filter_map(arguments).collect()
}

/// What follows the program's name, up to where the shell goes on with something else.
fn arguments(code: &str) -> Option<Vec<String>> {
    let mut words = code.split_whitespace();
    words.find(|word| *word == "tria-server" || word.ends_with("/tria-server"))?;
    let end = ["#", "|", ">", "&&", ";"];
    let words = words.take_while(|word| !end.contains(word));
    // What `cargo run -p tria-server` puts in between.
    let words = words.filter(|word| *word != "--");
    Some(words.map(str::to_owned).collect())
}

/// What the template says of a key, as the document must say it.
pub(crate) struct Known {
    pub(crate) default: String,
    pub(crate) rule: String,
    pub(crate) secret: bool,
}

/// The keys of an env file as `config --template` writes it.
pub(crate) fn keys_of(template: &Ended) -> BTreeMap<String, Known> {
    let mut keys = BTreeMap::new();
    let mut comment = String::new();
    for line in template.stdout.lines() {
        if let Some(words) = line.strip_prefix("# ") {
            comment = format!("{comment} {words}");
            continue;
        }
        if let Some((key, _)) = line.trim_start_matches('#').split_once('=') {
            keys.insert(key.to_owned(), Known::from_comment(&comment));
        }
        comment.clear();
    }
    assert!(keys.len() > 30, "{}", template.stdout);
    keys
}

impl Known {
    fn from_comment(comment: &str) -> Self {
        let labels = [
            (" Required: ", "required"),
            (" Required in production: ", "required in production"),
            (" Required in some cases: ", "none"),
            (" Optional: ", "none"),
        ];
        let found = labels
            .iter()
            .find_map(|(label, default)| Some((comment.split_once(label)?.1, *default)));
        let (sentence, mut default) = found.map_or_else(
            || panic!("no label in {comment:?}"),
            |(sentence, default)| (sentence, default.to_owned()),
        );
        let (sentence, secret) = match sentence.split_once(" Secret; ") {
            Some((sentence, _)) => (sentence, true),
            None => (sentence, false),
        };
        let mut rule = sentence;
        if let Some((before, set)) = sentence.split_once(" Default: ") {
            rule = before;
            default = format!("`{}`", set.trim_end_matches('.'));
        }
        Self {
            default,
            rule: rule.trim_end_matches('.').to_owned(),
            secret,
        }
    }
}

pub(crate) fn long_options(help: &str) -> BTreeSet<String> {
    let options = help.split("Options:").nth(1).unwrap();
    let words = options.lines().filter_map(|line| {
        let words = line.trim_start();
        let long = words.strip_prefix("-h, ").or(words.strip_prefix("-V, "));
        let word = long.unwrap_or(words).split_whitespace().next()?;
        word.starts_with("--").then(|| word.to_owned())
    });
    words.collect()
}

pub(crate) fn parsed(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

/// With every number, and every version, as one mark.
pub(crate) fn without_numbers(text: &str) -> String {
    let mut out = String::new();
    for character in text.replace("Valkey", "Redis").chars() {
        let digit = character.is_ascii_digit();
        match (digit, out.ends_with('#')) {
            (true, true) => {}
            (true, false) => out.push('#'),
            (false, true) if character == '.' => {}
            (false, _) => out.push(character),
        }
    }
    out
}
