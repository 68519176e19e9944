//! The documents tell the truth: codes, keys, options, command lines, exit codes and output.

pub(crate) mod reading;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use serde_json::Value;
use tria_check::Code;
use tria_tests::{ClosedPort, Fixture, Keys, run};

use self::reading::{
    blocks, code_of, commands_in, files, keys_of, long_options, parsed, read, root, rows, section,
    without_numbers,
};

const FAILURES: &str = "docs/failures.md";
const CONFIGURATION: &str = "docs/configuration.md";

/// The codes that the program itself adds to those of the crates, each with the section it belongs
/// to. A program cannot be imported, so its source is read to see that none is left out.
const OF_THE_PROGRAM: [(&str, &str); 8] = [
    ("circuit_half_open", "The chat"),
    ("circuit_open", "The chat"),
    ("collection_failed", "ChromaDB"),
    ("migration_changed", "PostgreSQL"),
    ("migration_failed", "PostgreSQL"),
    ("migration_left_out", "PostgreSQL"),
    ("migration_locked", "PostgreSQL"),
    ("unusable", "Environment"),
];

#[test]
fn every_code_stands_in_the_section_of_its_dependency_and_no_other_does() {
    let crates: [(&str, &[&[Code]]); 7] = [
        ("Environment", &[tria_env_check::code::ALL]),
        ("PostgreSQL", &[tria_db_check::CODES]),
        ("Redis", &[tria_redis_check::codes::ALL]),
        ("OpenAI API", &[tria_llm_check::codes::ALL]),
        ("ChromaDB", &[tria_vector_check::codes::ALL]),
        ("System", &[tria_health::resources::codes::ALL]),
        ("The runner", &[Code::RUNNER, &[tria_health::STALE]]),
    ];
    let mut expected: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (section, lists) in crates {
        let codes = lists.iter().copied().flatten();
        expected.insert(section.into(), codes.map(ToString::to_string).collect());
    }
    for (code, section) in OF_THE_PROGRAM {
        let codes = expected.entry(section.to_owned()).or_default();
        assert!(codes.insert(code.to_owned()), "{code} is a crate's already");
    }

    let mut documented: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in rows(&read(FAILURES)) {
        let Some(code) = code_of(&row) else { continue };
        let codes = documented.entry(row.section.clone()).or_default();
        assert!(codes.insert(code.to_owned()), "{code} stands twice");
        let [class, meaning, remedy] = &row.cells[1..] else {
            panic!("the row of {code} has {} cells", row.cells.len());
        };
        assert!(
            ["waits", "gives up", "warning", "none"]
                .iter()
                .any(|word| class.starts_with(word)),
            "{code}: {class:?} does not say what a start does"
        );
        assert!(
            !meaning.is_empty() && !remedy.is_empty(),
            "{code} is not explained"
        );
    }
    assert_eq!(documented, expected);
}

#[test]
fn the_codes_of_the_program_are_known_here() {
    let mut found = BTreeSet::new();
    for file in files(&root().join("bin/tria-server/src"), "rs") {
        let source = fs::read_to_string(&file).unwrap();
        for rest in source.split("Code::new(\"").skip(1) {
            found.insert(rest.split('"').next().unwrap().to_owned());
        }
    }
    let known = OF_THE_PROGRAM.map(|(code, _)| code.to_owned());
    assert_eq!(found, BTreeSet::from(known));
}

#[test]
fn quoted_output_names_codes_that_exist() {
    let failures = read(FAILURES);
    let known: BTreeSet<String> = rows(&failures)
        .iter()
        .filter_map(code_of)
        .map(str::to_owned)
        .collect();
    let mut quoted = 0;
    for line in blocks(&failures, "text").iter().flat_map(|it| it.lines()) {
        let code = line.rsplit_once('[').and_then(|(_, it)| it.split_once(']'));
        let Some((code, _)) = code else { continue };
        assert!(known.contains(code), "there is no code {code}: {line}");
        quoted += 1;
    }
    assert!(quoted > 0);
}

#[test]
fn every_key_is_documented_with_its_default_and_its_rule() {
    let template = run(&["config", "--template"], &Keys::new());
    template.expect(0, &[]);
    let expected = keys_of(&template);
    let mut documented = BTreeSet::new();
    for row in rows(&read(CONFIGURATION)) {
        if row.heads != ["key", "meaning", "default", "rule"] {
            continue;
        }
        let key = row.cells[0].trim_matches('`');
        let known = expected.get(key);
        let known = known.unwrap_or_else(|| panic!("there is no key {key}"));
        let (default, rule) = (&row.cells[2], &row.cells[3]);
        assert!(
            default.starts_with(&known.default),
            "{key}: the default is {default:?}, not {:?}",
            known.default
        );
        assert!(
            rule.starts_with(&known.rule),
            "{key}: the rule is {rule:?}, not {:?}",
            known.rule
        );
        assert_eq!(
            row.cells[1].ends_with("*Secret.*"),
            known.secret,
            "{key}: secret"
        );
        assert!(documented.insert(key.to_owned()), "{key} stands twice");
    }
    let expected: BTreeSet<String> = expected.into_keys().collect();
    assert_eq!(documented, expected);
}

/// What the program reads is a field of its settings, but for the level of the log.
#[test]
fn keys_that_are_not_used_yet_are_named() {
    let settings = read("bin/tria-server/src/settings.rs");
    let body = settings.split("struct Settings {").nth(1).unwrap();
    let body = body.split("\n}").next().unwrap();
    let fields = body.lines().filter_map(|line| {
        let (name, _) = line.trim().strip_prefix("pub(crate) ")?.split_once(':')?;
        Some(name.to_uppercase())
    });
    let used: BTreeSet<String> = fields.chain(["LOG_LEVEL".to_owned()]).collect();
    let all: BTreeSet<String> = keys_of(&run(&["config", "--template"], &Keys::new()))
        .into_keys()
        .collect();
    assert_eq!(used.difference(&all).next(), None, "a field is no key");

    let document = read(CONFIGURATION);
    let named: BTreeSet<String> = section(&document, "Judged, but not used yet")
        .split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect();
    let unused: BTreeSet<String> = all.difference(&used).cloned().collect();
    assert_eq!(named, unused);
}

#[test]
fn every_command_and_option_is_documented_and_exists() {
    let help = |command: &str| {
        let words: Vec<&str> = command.split_whitespace().chain(["--help"]).collect();
        let ended = run(&words, &Keys::new());
        ended.expect(0, &["Usage:"]);
        ended.stdout
    };
    let mut commands = BTreeSet::new();
    let mut options: BTreeSet<(String, String)> = BTreeSet::new();
    let top = help("");
    let listed = top.split("Commands:").nth(1).unwrap();
    for line in listed.lines().skip(1).take_while(|line| !line.is_empty()) {
        let command = line.split_whitespace().next().unwrap();
        if command == "help" {
            continue;
        }
        commands.insert(format!("tria-server {command}"));
        for option in long_options(&help(command)) {
            if option != "--help" {
                options.insert((option, command.to_owned()));
            }
        }
    }
    options.insert(("--help".into(), "all".into()));
    options.insert(("--version".into(), "without a command".into()));
    assert_eq!(
        long_options(&top),
        BTreeSet::from(["--help".into(), "--version".into()])
    );

    let rows = rows(&read(CONFIGURATION));
    let plain = |cell: &String| cell.trim_matches('`').to_owned();
    let documented = rows.iter().filter(|row| row.heads[0] == "command");
    assert_eq!(
        documented
            .map(|row| plain(&row.cells[0]))
            .collect::<BTreeSet<_>>(),
        commands
    );
    let documented = rows.iter().filter(|row| row.heads[0] == "option");
    assert_eq!(
        documented
            .map(|row| (plain(&row.cells[0]), plain(&row.cells[1])))
            .collect::<BTreeSet<_>>(),
        options
    );
}

#[test]
fn every_command_line_is_accepted() {
    let mut lines = Vec::new();
    let documents = ["README.md", "ARCHITECTURE.md"].map(|name| root().join(name));
    for document in documents
        .into_iter()
        .chain(files(&root().join("docs"), "md"))
    {
        let text = fs::read_to_string(&document).unwrap();
        let found = commands_in(&text).into_iter();
        lines.extend(found.map(|line| (document.display().to_string(), line)));
    }
    assert!(lines.len() > 20, "{lines:#?}");
    for (document, line) in lines {
        let arguments: Vec<&str> = line.iter().map(String::as_str).collect();
        let helped: Vec<&str> = arguments.iter().copied().chain(["--help"]).collect();
        let ended = run(&helped, &Keys::new());
        let told = ended.text();
        assert_eq!(ended.code, Some(0), "{document}: {arguments:?}\n{told}");
        // The names of phases are judged before the environment, which is empty here.
        if arguments.first() == Some(&"check") {
            let ended = run(&arguments, &Keys::new());
            let told = ended.text();
            assert_eq!(ended.code, Some(78), "{document}: {arguments:?}\n{told}");
        }
    }
}

#[test]
fn every_exit_code_is_documented() {
    let help = run(&["--help"], &Keys::new()).stdout;
    let listed = help.split("Exit codes:").nth(1).unwrap();
    let first_word = |text: &str| text.split_whitespace().next().unwrap().to_owned();
    let expected: BTreeSet<String> = listed.split(',').map(first_word).collect();
    let rows = rows(&read(CONFIGURATION));
    let documented = rows.iter().filter(|row| row.section == "Exit codes");
    assert_eq!(
        documented
            .map(|row| row.cells[0].clone())
            .collect::<BTreeSet<_>>(),
        expected
    );
}

/// Line by line, but for the numbers, and for the server that happens to be installed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_good_start_looks_as_shown() {
    let fixture = Fixture::migrated().await;
    let running = fixture.serve();
    let written = running.wait_for("STARTUP COMPLETE");
    let shown = blocks(section(&read(CONFIGURATION), "A good start"), "text").join("");
    assert_eq!(without_numbers(&shown), without_numbers(&written));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_looks_as_shown() {
    let port = ClosedPort::take();
    let mut fixture = Fixture::migrated().await;
    fixture.set("REDIS_PORT", port.number().to_string());
    fixture.set("LOG_FORMAT", "json");
    let ended = fixture.run(&["check"]);
    let events = ended.stdout.lines().map(parsed);
    let written = events.filter(|event| event["message"] == "problem");
    let shown = blocks(section(&read(CONFIGURATION), "Logs"), "json").join("");
    let same = |mut event: Value| {
        event["timestamp"] = Value::Null;
        let detail = without_numbers(event["detail"].as_str().unwrap());
        event["detail"] = detail.into();
        event
    };
    assert_eq!(
        written.map(same).collect::<Vec<_>>(),
        [same(parsed(&shown))]
    );
}
