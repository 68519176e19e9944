//! The values of all keys, those from files included.

use std::{collections::BTreeMap, io::ErrorKind};

use tria_check::PublicText;

use crate::{
    Complaint, Key, Rules, Severity, Source, Values, code, quote, url_shape::embedded_passwords,
};

/// What was found for each key, in the order of the rules.
pub(crate) struct Resolved {
    pub(crate) values: Values,
    pub(crate) states: Vec<State>,
    /// Every value of a secret key, also of one that cannot be used, and the passwords in them.
    pub(crate) secrets: Vec<String>,
}

/// What was found for one key.
pub(crate) enum State {
    Missing,
    /// Set, to nothing or to white space.
    Empty,
    Set(String),
    /// It cannot even be judged.
    Broken(Complaint),
}

// === impl Resolved ===

impl Resolved {
    pub(crate) fn new(rules: &Rules, source: &Source) -> Self {
        let mut set = BTreeMap::new();
        let mut defaults = BTreeMap::new();
        let mut secrets = Vec::new();
        let mut states = Vec::new();
        for key in rules.keys() {
            let plain = source.get(key.name());
            if let Some(value) = plain.as_deref().filter(|_| key.is_secret()) {
                remember(value, &mut secrets);
            }
            let state = state(key, plain, source);
            if let State::Set(value) = &state {
                if key.is_secret() {
                    remember(value, &mut secrets);
                }
                set.insert(key.name().to_owned(), value.clone());
            }
            if let Some(default) = key.get_default() {
                defaults.insert(key.name().to_owned(), default);
            }
            states.push(state);
        }
        Self {
            values: Values::new(set, defaults),
            states,
            secrets,
        }
    }
}

/// A secret may stand elsewhere without the blanks around it, or be the password of a URL.
fn remember(secret: &str, secrets: &mut Vec<String>) {
    secrets.push(secret.trim().to_owned());
    secrets.extend(embedded_passwords(secret));
}

fn state(key: &Key, plain: Option<String>, source: &Source) -> State {
    let file = key
        .file_key()
        .and_then(|file_key| Some((source.get(&file_key)?, file_key)))
        .filter(|(path, _)| !path.trim().is_empty());
    match (plain, file) {
        (Some(value), None) if value.trim().is_empty() => State::Empty,
        (Some(value), None) => State::Set(value),
        (Some(value), Some((_, file_key))) if !value.trim().is_empty() => {
            State::Broken(Complaint {
                key: key.name().to_owned(),
                code: code::CONFLICTING,
                severity: Severity::Violation,
                problem: PublicText::filled("is set, and {} is too", &[quote::key_word(&file_key)]),
                found: None,
                remedy: "remove one of the two".into(),
            })
        }
        (_, Some((path, file_key))) => from_file(&path, &file_key, source),
        (None, None) => State::Missing,
    }
}

/// The path is quoted only where it is sure to be one: whoever puts the secret itself into
/// `<KEY>_FILE` must not find it in a log.
fn from_file(path: &str, file_key: &str, source: &Source) -> State {
    let broken = |code, problem: &'static str, remedy: &'static str, is_path: bool| {
        State::Broken(Complaint {
            key: file_key.to_owned(),
            code,
            severity: Severity::Violation,
            problem: problem.into(),
            found: is_path.then(|| quote::quoted(path, &[])).flatten(),
            remedy: remedy.into(),
        })
    };
    match source.read(path) {
        Ok(content) => {
            let value = content.trim_end_matches(['\r', '\n']);
            if value.trim().is_empty() {
                let remedy = "write the secret into the file, or name another one";
                return broken(code::EMPTY, "names a file that is empty", remedy, true);
            }
            State::Set(value.to_owned())
        }
        Err(error) => {
            let (problem, remedy) = match error.kind() {
                ErrorKind::NotFound => (
                    "names a file that does not exist",
                    "write the secret into that file, or name another one; it must be the path as the process sees it",
                ),
                ErrorKind::PermissionDenied => (
                    "names a file that the process may not read",
                    "let the user that the process runs as read the file",
                ),
                ErrorKind::InvalidData => (
                    "names a file that is not UTF-8 text",
                    "write the secret into the file as text",
                ),
                ErrorKind::IsADirectory => (
                    "names a directory",
                    "name the file in it that holds the secret",
                ),
                ErrorKind::Unsupported => (
                    "names a file, and this program reads secrets from no file",
                    "set the secret itself",
                ),
                _ => (
                    "names a file that cannot be read",
                    "name a file that the process can read",
                ),
            };
            let exists = matches!(
                error.kind(),
                ErrorKind::InvalidData | ErrorKind::IsADirectory
            );
            broken(
                code::UNREADABLE_FILE,
                problem,
                remedy,
                exists || is_plainly_a_path(path),
            )
        }
    }
}

/// Whether it is absolute, with a folder and a file, and nothing that Base64 has and paths have
/// not.
fn is_plainly_a_path(path: &str) -> bool {
    path.strip_prefix('/')
        .is_some_and(|rest| rest.contains('/'))
        && !path.contains(['+', '='])
}
