//! Sizes of source files, and who reads the environment.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
};

use super::{Breach, text};

/// A file may not be longer.
pub(super) const MOST_LINES: usize = 500;
/// A longer file is worth a thought.
const MANY_LINES: usize = 400;
/// `lib.rs` is a table of contents.
const MOST_LINES_OF_CONTENTS: usize = 60;

/// What reads or changes the environment.
const ENVIRONMENT: [&str; 6] = ["var", "vars", "var_os", "vars_os", "set_var", "remove_var"];

pub(super) fn check(root: &Path, files: &[PathBuf]) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for file in sources(files) {
        let text = text(root, file);
        let lines = text.lines().count();
        let mut breach = |line, what, remedy| {
            breaches.push(Breach {
                file: file.clone(),
                line,
                what,
                remedy,
            });
        };
        if lines > MOST_LINES {
            breach(
                MOST_LINES + 1,
                format!("{lines} lines are more than {MOST_LINES}"),
                "split the file by concern",
            );
        }
        if file.file_name() == Some(OsStr::new("lib.rs")) && lines > MOST_LINES_OF_CONTENTS {
            let what = format!("{lines} lines of lib.rs are more than {MOST_LINES_OF_CONTENTS}");
            let remedy =
                "keep documents, modules and `pub use` there, and move the rest into modules";
            breach(MOST_LINES_OF_CONTENTS + 1, what, remedy);
        }
        if !is_of_a_program(file) {
            for (index, call) in reads_environment(&text) {
                let remedy = "read it in `bin` or `xtask` and hand the value on";
                breach(
                    index + 1,
                    format!("std::env::{call} outside of the programs"),
                    remedy,
                );
            }
        }
    }
    breaches
}

/// Files that are long, but not too long, with their lines.
pub(super) fn long<'a>(root: &Path, files: &'a [PathBuf]) -> Vec<(&'a PathBuf, usize)> {
    let counted = sources(files).map(|file| (file, text(root, file).lines().count()));
    counted
        .filter(|(_, lines)| (MANY_LINES + 1..=MOST_LINES).contains(lines))
        .collect()
}

/// Programs read the environment; examples are programs of somebody else's.
fn is_of_a_program(file: &Path) -> bool {
    file.starts_with("bin")
        || file.starts_with("xtask")
        || file.iter().any(|part| part == "examples")
}

fn sources(files: &[PathBuf]) -> impl Iterator<Item = &PathBuf> {
    files
        .iter()
        .filter(|file| file.extension() == Some(OsStr::new("rs")))
}

/// Lines, from 0, with a call on the environment outside of comments.
fn reads_environment(text: &str) -> Vec<(usize, &'static str)> {
    let lines = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim_start().starts_with("//"));
    lines
        .filter_map(|(index, line)| call_in(line).map(|call| (index, call)))
        .collect()
}

fn call_in(line: &str) -> Option<&'static str> {
    line.match_indices("env::").find_map(|(at, module)| {
        let rest = &line[at + module.len()..];
        let name: String = rest
            .chars()
            .take_while(|letter| letter.is_alphanumeric() || *letter == '_')
            .collect();
        ENVIRONMENT.into_iter().find(|call| *call == name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::workspace_with;

    fn told(files: &[(&str, &str)]) -> Vec<String> {
        let folder = workspace_with(files);
        let names: Vec<PathBuf> = files.iter().map(|(name, _)| PathBuf::from(name)).collect();
        check(folder.path(), &names)
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn long_files_and_long_contents_are_told() {
        let (fits, long) = ("//\n".repeat(500), "//\n".repeat(501));
        let (contents, chapter) = ("//\n".repeat(60), "//\n".repeat(61));
        assert_eq!(
            told(&[
                ("crates/a/src/x.rs", &fits),
                ("crates/a/src/lib.rs", &contents),
                ("notes.md", &long)
            ]),
            [""; 0]
        );
        let told = told(&[
            ("crates/a/src/x.rs", &long),
            ("crates/a/src/lib.rs", &chapter),
        ]);
        assert!(
            told[0].starts_with("crates/a/src/x.rs:501: 501 lines are more than 500; "),
            "{told:?}"
        );
        assert!(
            told[1].starts_with("crates/a/src/lib.rs:61: 61 lines of lib.rs are more than 60; "),
            "{told:?}"
        );
    }

    #[test]
    fn files_near_the_limit_are_noted() {
        let folder =
            workspace_with(&[("a.rs", &"//\n".repeat(401)), ("b.rs", &"//\n".repeat(400))]);
        let files = [PathBuf::from("a.rs"), PathBuf::from("b.rs")];
        assert_eq!(long(folder.path(), &files), [(&files[0], 401)]);
    }

    #[test]
    fn only_programs_read_the_environment() {
        let line = |call: &str| format!("fn f() {{\n    let _ = std::env::{call}(\"HOME\");\n}}\n");
        assert_eq!(
            told(&[
                ("bin/tria-server/src/main.rs", &line("var")),
                ("xtask/src/main.rs", &line("vars")),
                ("crates/a/examples/x.rs", &line("var"))
            ]),
            [""; 0]
        );
        let innocent =
            "// std::env::var is not for us\nlet x = env!(\"X\"); std::env::temp_dir();\n";
        assert_eq!(told(&[("crates/a/src/x.rs", innocent)]), [""; 0]);
        for call in ENVIRONMENT {
            let told = told(&[("crates/a/src/x.rs", &line(call))]);
            assert_eq!(told.len(), 1, "{call}");
            assert!(
                told[0].starts_with(&format!("crates/a/src/x.rs:2: std::env::{call} outside")),
                "{told:?}"
            );
        }
    }
}
