//! What can go wrong while setting up, starting or using the servers.

use std::{
    io,
    path::{Path, PathBuf},
};

/// The result of everything here.
pub type Result<T> = std::result::Result<T, Error>;

/// A failure, with what to do about it where that is known.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Something that `setup` provides is missing.
    #[error("the dev stack is not set up ({reason}); run `cargo xtask setup`")]
    NotSetUp {
        /// What is missing.
        reason: String,
    },

    /// A step of `setup` failed.
    #[error("setup failed while {step}: {cause}\nremedy: {remedy}")]
    Setup {
        /// What was being done, as in "installing packages".
        step: &'static str,
        /// What went wrong, with the last lines of the tool's output.
        cause: String,
        /// What a person can do.
        remedy: &'static str,
    },

    /// A server did not become ready.
    #[error("{server} did not start: {cause}\nthe end of its log:\n{tail}")]
    Start {
        /// Which server.
        server: &'static str,
        /// What was seen.
        cause: String,
        /// The last lines of its log.
        tail: String,
    },

    /// No stack is shared, or the one that was is gone.
    #[error(
        "no shared test stack ({reason}); run it through `cargo xtask test`, or hold one with `cargo xtask stack`"
    )]
    NoSharedStack {
        /// Why it cannot be used.
        reason: String,
    },

    /// Another stack runs on the same data.
    #[error("{} is in use by another stack; stop that one first", folder.display())]
    InUse {
        /// The data folder.
        folder: PathBuf,
    },

    /// A file or a process could not be handled.
    #[error("cannot {action}")]
    Io {
        /// What was tried.
        action: String,
        /// The system's answer.
        #[source]
        source: io::Error,
    },

    /// A statement on a private PostgreSQL failed.
    #[error("cannot {action}")]
    Database {
        /// What was tried.
        action: &'static str,
        /// The driver's answer.
        #[source]
        source: tokio_postgres::Error,
    },

    /// A server answered something unexpected.
    #[error("cannot {action}: {answer}")]
    Answer {
        /// What was tried.
        action: &'static str,
        /// What came back.
        answer: String,
    },
}

impl Error {
    pub(crate) fn io(action: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let action = action.into();
        move |source| Self::Io { action, source }
    }

    pub(crate) fn file(verb: &str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        Self::io(format!("{verb} {}", path.display()))
    }

    pub(crate) fn database(action: &'static str) -> impl FnOnce(tokio_postgres::Error) -> Self {
        move |source| Self::Database { action, source }
    }
}
