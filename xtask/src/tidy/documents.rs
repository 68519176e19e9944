//! Documents: how many, where their links lead, and whether the commands they name exist.

use std::{
    collections::BTreeSet,
    ffi::OsStr,
    path::{Component, Path, PathBuf},
};

use anyhow::Result;
use clap::CommandFactory;

use crate::{Arguments, cargo};

use super::{Breach, text};

/// All that the root may hold besides licences.
const AT_THE_ROOT: [&str; 4] = [
    "README.md",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
];

/// Lists the commands of the service, which means building it.
pub(super) type ListServer<'a> = &'a dyn Fn() -> Result<BTreeSet<String>>;

/// The commands of this workspace's service, from its own help.
pub(super) fn server_commands() -> Result<BTreeSet<String>> {
    Ok(listed_in(&cargo::output(&[
        "run", "--quiet", "-p", SERVER, "--", "--help",
    ])?))
}

/// A command that a document names.
#[derive(Debug, PartialEq, Eq)]
struct Named {
    line: usize,
    program: &'static str,
    command: String,
}

pub(super) fn check(root: &Path, files: &[PathBuf], server: ListServer<'_>) -> Vec<Breach> {
    let documents: Vec<_> = files
        .iter()
        .filter(|file| file.extension() == Some(OsStr::new("md")))
        .collect();
    let mut breaches = Vec::new();
    let xtask = xtask_commands();
    // Asked once, and only if a document names the service.
    let mut listed = None;
    for file in documents {
        let mut breach = |line, what, remedy| {
            breaches.push(Breach {
                file: file.clone(),
                line,
                what,
                remedy,
            });
        };
        let name = file.to_string_lossy();
        if file.components().count() == 1
            && !AT_THE_ROOT.contains(&&*name)
            && !name.starts_with("LICENSE")
        {
            breach(
                1,
                format!("{name} is a fifth document at the root"),
                "move it into docs/, or into one of the four",
            );
        }
        let text = text(root, file);
        for (line, target) in links(&text) {
            if !leads_somewhere(root, file, &target) {
                breach(
                    line,
                    format!("the link to {target} leads nowhere"),
                    "correct the path",
                );
            }
        }
        // A changelog speaks of what was, too.
        if name == "CHANGELOG.md" {
            continue;
        }
        for named in named_commands(&text) {
            let known = if named.program == SERVER {
                listed.get_or_insert_with(server).as_ref()
            } else {
                Ok(&xtask)
            };
            match known {
                Ok(known) if known.contains(&named.command) => {}
                Ok(_) => {
                    let what = format!("`{} {}` does not exist", named.program, named.command);
                    breach(named.line, what, "name a command that `--help` lists");
                }
                Err(_) => {
                    let what = format!("`{} {}` cannot be looked up", named.program, named.command);
                    breach(
                        named.line,
                        what,
                        "mend `cargo run -p tria-server -- --help`",
                    );
                }
            }
        }
    }
    breaches
}

const XTASK: &str = "cargo xtask";
const SERVER: &str = "tria-server";

fn xtask_commands() -> BTreeSet<String> {
    Arguments::command()
        .get_subcommands()
        .map(|command| command.get_name().to_owned())
        .collect()
}

/// The names under "Commands:" in a help text.
fn listed_in(help: &str) -> BTreeSet<String> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    lines
        .take_while(|line| line.starts_with(' '))
        .filter_map(|line| line.split_whitespace().next())
        .map(str::to_owned)
        .collect()
}

/// Commands in spans and blocks of code; prose may say what it likes.
fn named_commands(text: &str) -> Vec<Named> {
    let mut found = Vec::new();
    for (index, code) in code(text) {
        let words: Vec<&str> = code.split_whitespace().collect();
        for (at, word) in words.iter().enumerate() {
            let program = match *word {
                "xtask" if at > 0 && words[at - 1] == "cargo" => XTASK,
                word if word == SERVER || word.ends_with("/tria-server") => SERVER,
                _ => continue,
            };
            // `cargo run -p tria-server -- check` has a separator in between.
            let next = words
                .get(at + 1..)
                .unwrap_or_default()
                .iter()
                .find(|word| **word != "--");
            let command = next
                .map(|word| word.trim_end_matches([',', '.', ';', ')']))
                .unwrap_or_default();
            let is_name = command.starts_with(|c: char| c.is_ascii_lowercase())
                && command.chars().all(|c| c.is_ascii_lowercase() || c == '-');
            if is_name {
                found.push(Named {
                    line: index + 1,
                    program,
                    command: command.to_owned(),
                });
            }
        }
    }
    found
}

/// Lines of code, with their index: those of shell blocks, and spans in prose.
fn code(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut block: Option<&str> = None;
    for (index, line) in text.lines().enumerate() {
        let bare = line.trim_start();
        if let Some(kind) = bare.strip_prefix("```") {
            block = if block.is_some() {
                None
            } else {
                Some(kind.trim())
            };
            continue;
        }
        match block {
            // Of a session on the console only what is typed is a command.
            Some("console") => found.extend(
                bare.strip_prefix("$ ")
                    .map(|typed| (index, typed.to_owned())),
            ),
            Some("sh" | "bash" | "shell") => {
                let typed = bare.split('#').next().unwrap_or_default();
                found.push((index, typed.to_owned()));
            }
            Some(_) => {}
            None => found.extend(
                line.split('`')
                    .skip(1)
                    .step_by(2)
                    .map(|span| (index, span.to_owned())),
            ),
        }
    }
    found
}

/// Targets of links in prose that are neither elsewhere nor on the same page, with their lines.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut in_block = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
        }
        if in_block {
            continue;
        }
        let prose: String = line.split('`').step_by(2).collect::<Vec<_>>().join("`");
        for (at, opening) in prose.match_indices("](") {
            let target = prose[at + opening.len()..]
                .split([')', ' '])
                .next()
                .unwrap_or_default();
            let path = target.split('#').next().unwrap_or_default();
            let elsewhere = target.contains("://") || target.starts_with("mailto:");
            if !elsewhere && !path.is_empty() {
                found.push((index + 1, path.to_owned()));
            }
        }
    }
    found
}

fn leads_somewhere(root: &Path, document: &Path, target: &str) -> bool {
    let folder = document.parent().unwrap_or(Path::new(""));
    let path = target
        .strip_prefix('/')
        .map_or_else(|| folder.join(target), PathBuf::from);
    // A path that leaves the repository leads to nowhere on somebody else's machine.
    let depth = path.components().try_fold(0_i32, |depth, part| match part {
        Component::ParentDir if depth == 0 => None,
        Component::ParentDir => Some(depth - 1),
        Component::Normal(_) => Some(depth + 1),
        _ => Some(depth),
    });
    depth.is_some() && root.join(path).exists()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::workspace_with;

    fn told(files: &[(&str, &str)]) -> Vec<String> {
        let folder = workspace_with(files);
        let names: Vec<PathBuf> = files.iter().map(|(name, _)| PathBuf::from(name)).collect();
        let server = || Ok(["serve", "check"].map(str::to_owned).into());
        check(folder.path(), &names, &server)
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn a_fifth_document_at_the_root_is_told() {
        let good = [
            "README.md",
            "ARCHITECTURE.md",
            "CHANGELOG.md",
            "CONTRIBUTING.md",
            "LICENSE.md",
            "docs/RUNBOOK.md",
        ];
        assert_eq!(told(&good.map(|name| (name, "# x\n"))), [""; 0]);
        assert!(
            told(&[("NOTES.md", "# x\n")])[0]
                .starts_with("NOTES.md:1: NOTES.md is a fifth document")
        );
    }

    #[test]
    fn links_that_lead_nowhere_are_told() {
        let good = "[a](docs/a.md#top) [b](https://example.org/b.md) [c](#here) `[d](none.md)`\n```\n[e](none.md)\n```\n";
        assert_eq!(
            told(&[
                ("README.md", good),
                ("docs/a.md", "[up](../README.md) [root](/README.md)\n")
            ]),
            [""; 0]
        );
        let told = told(&[("README.md", "x\n[a](docs/none.md)\n[b](../outside.md)\n")]);
        assert!(
            told[0].starts_with("README.md:2: the link to docs/none.md leads nowhere; "),
            "{told:?}"
        );
        assert!(
            told[1].starts_with("README.md:3: the link to ../outside.md leads nowhere; "),
            "{told:?}"
        );
    }

    #[test]
    fn commands_that_do_not_exist_are_told() {
        let good = "Run `cargo xtask dev --reset`, then cargo xtask and rest. `tria-server` serves.\n\
            ```sh\ncargo run -p tria-server -- check --wait 30s # tria-server nonsense\n./target/debug/tria-server serve\n```\n\
            ```text\ntria-server says hello\n```\n```console\n$ cargo xtask test\ntria-server talks\n```\n";
        assert_eq!(
            told(&[
                ("README.md", good),
                ("CHANGELOG.md", "`cargo xtask gone`\n")
            ]),
            [""; 0]
        );
        let bad = "`cargo xtask gone` and\n```sh\ntria-server vanish\n```\n```console\n$ cargo xtask away\n```\n";
        let told = told(&[("docs/guide.md", bad)]);
        let starts = [
            "docs/guide.md:1: `cargo xtask gone` does not exist; ",
            "docs/guide.md:3: `tria-server vanish` does not exist; ",
            "docs/guide.md:6: `cargo xtask away` does not exist; ",
        ];
        assert_eq!(told.len(), starts.len());
        assert!(
            told.iter()
                .zip(starts)
                .all(|(told, start)| told.starts_with(start)),
            "{told:?}"
        );
    }

    #[test]
    fn commands_are_read_from_a_help_text() {
        let help = "About\n\nUsage: x\n\nCommands:\n  serve  Prove\n  check  Say\n\nOptions:\n  -h, --help\n";
        assert_eq!(
            listed_in(help),
            BTreeSet::from(["serve".to_owned(), "check".to_owned()])
        );
    }
}
