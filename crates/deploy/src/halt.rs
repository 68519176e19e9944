//! Why a phase ended early.

use crate::{
    definition::DefinitionError,
    engine::EngineError,
    journal::JournalError,
    outcome::{Problem, chain},
    remote,
    state::StateError,
    store::StoreError,
};

/// Why a phase ended early.
#[derive(Clone, Debug)]
pub(crate) enum Halt {
    /// Something is wrong.
    Problem(Problem),
    /// Its time is over.
    Deadline,
    /// We were asked to stop.
    Interrupted,
    /// Somebody else holds the lease: nothing may be touched any more.
    Lost,
}

pub(crate) type Result<T> = std::result::Result<T, Halt>;

// === impl Halt ===

impl Halt {
    pub(crate) fn new(
        code: &'static str,
        text: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::Problem(Problem::new(code, text, remedy))
    }

    /// What a person is told.
    pub(crate) fn problem(&self) -> Problem {
        match self {
            Self::Problem(problem) => problem.clone(),
            Self::Deadline => Problem::new(
                "deadline",
                "the time of this phase is over",
                "see what it waited for last; a longer time is an option of the command",
            ),
            Self::Interrupted => Problem::new(
                "interrupted",
                "it was asked to stop",
                "run the command again when you want to go on",
            ),
            Self::Lost => Problem::new(
                "lease_lost",
                "another deployment holds the lease",
                "let it end, then see `cargo xtask status`",
            ),
        }
    }
}

impl From<EngineError> for Halt {
    fn from(error: EngineError) -> Self {
        let code = match &error {
            EngineError::Unreachable(_) => "engine_unreachable",
            EngineError::Missing { .. } => "engine_missing",
            EngineError::Exists { .. } => "engine_exists",
            EngineError::Refused { .. } => "engine_refused",
        };
        Self::new(
            code,
            chain(&error),
            remote::remedy_of_engine(&error).unwrap_or("see that the engine runs and that you may use it (`docker info`), then run the command again"),
        )
    }
}

impl From<StoreError> for Halt {
    fn from(error: StoreError) -> Self {
        Self::new(
            "state_unwritable",
            chain(&error),
            remote::remedy_of_store(&error).unwrap_or(
                "see that the disk is not full and that the folder of the state belongs to you",
            ),
        )
    }
}

impl From<StateError> for Halt {
    fn from(error: StateError) -> Self {
        if let StateError::Store(error) = error {
            return error.into();
        }
        Self::new(
            "state_unreadable",
            chain(&error),
            "restore the folder of the deployment's state from a backup of this machine",
        )
    }
}

impl From<JournalError> for Halt {
    fn from(error: JournalError) -> Self {
        if let JournalError::Store(error) = error {
            return error.into();
        }
        Self::new(
            "journal_unreadable",
            chain(&error),
            "see `cargo xtask status` for what serves; once you have seen to it by hand, move the journal away",
        )
    }
}

impl From<DefinitionError> for Halt {
    fn from(error: DefinitionError) -> Self {
        Self::new(
            "definition",
            chain(&error),
            "correct deploy/compose.yaml or the environment file",
        )
    }
}
