//! The seven phases.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

/// A phase of a deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Engine, memory, disk, ports, names, clock, tree.
    Preflight,
    /// The rules of the environment.
    Environment,
    /// What the service depends on runs, and is backed up.
    Backup,
    /// The image is built.
    Build,
    /// Migrations, then the new release beside the old one.
    Startup,
    /// Tests, the switch, the same tests through the front door.
    Switch,
    /// The old release drains; what is, is told.
    Diagnostics,
}

/// How long each phase may take, from its start to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// Of the pre-flight.
    pub preflight: Duration,
    /// Of the environment.
    pub environment: Duration,
    /// Of the backup and its proof.
    pub backup: Duration,
    /// Of the build.
    pub build: Duration,
    /// Of migrations and the start.
    pub startup: Duration,
    /// Of tests and switch.
    pub switch: Duration,
    /// Of draining and diagnostics.
    pub diagnostics: Duration,
    /// Of undoing or going back, which has a time of its own.
    pub way_back: Duration,
}

// === impl Phase ===

impl Phase {
    /// All of them, in order.
    pub const ALL: [Self; 7] = [
        Self::Preflight,
        Self::Environment,
        Self::Backup,
        Self::Build,
        Self::Startup,
        Self::Switch,
        Self::Diagnostics,
    ];

    /// From 1.
    pub const fn number(self) -> u8 {
        self as u8 + 1
    }

    /// For people.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Preflight => "Pre-flight",
            Self::Environment => "Environment",
            Self::Backup => "Backup",
            Self::Build => "Build",
            Self::Startup => "Start-up beside the old release",
            Self::Switch => "Integration tests and switch",
            Self::Diagnostics => "Drain and diagnostics",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "phase {} ({})", self.number(), self.title())
    }
}

// === impl Deadlines ===

impl Deadlines {
    /// Of one phase.
    pub const fn of(&self, phase: Phase) -> Duration {
        match phase {
            Phase::Preflight => self.preflight,
            Phase::Environment => self.environment,
            Phase::Backup => self.backup,
            Phase::Build => self.build,
            Phase::Startup => self.startup,
            Phase::Switch => self.switch,
            Phase::Diagnostics => self.diagnostics,
        }
    }
}

impl Default for Deadlines {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            preflight: seconds(60),
            environment: seconds(60),
            backup: seconds(900),
            build: seconds(1800),
            startup: seconds(240),
            switch: seconds(120),
            diagnostics: seconds(240),
            way_back: seconds(240),
        }
    }
}
