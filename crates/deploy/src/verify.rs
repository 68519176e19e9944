//! Ten checks of a deployment that serves, each with a verdict and a remedy.

mod from_inside;
mod from_outside;

use std::time::Duration;

use secrecy::SecretString;
use serde::Serialize;

use crate::{http_probe::Door, world::World};

/// What is checked.
pub struct Verification<'a> {
    /// Where the service is reached.
    pub door: Door,
    /// The deployment; without it only what can be seen over HTTP is checked.
    pub world: Option<&'a World>,
    /// What opens the diagnostics.
    pub token: Option<SecretString>,
    /// Texts that no public answer may hold: names of hosts and secrets.
    pub private: Vec<SecretString>,
    /// How old the newest backup may be.
    pub backup_age: Duration,
    /// What must be free on the engine's disk.
    pub disk_needed_bytes: u64,
}

/// One check and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// What was checked.
    pub name: &'static str,
    /// What came of it.
    pub verdict: Verdict,
    /// What was seen.
    pub text: String,
    /// What to do about it, if anything.
    pub remedy: Option<&'static str>,
}

/// What came of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is as it should be.
    Passed,
    /// It is not.
    Failed,
    /// It could not be asked from here.
    NotAsked,
}

/// What was seen, or what is wrong and what to do about it.
type Seen = Result<String, (String, &'static str)>;

// === impl Verification ===

impl Verification<'_> {
    /// Runs all ten, one after the other.
    pub async fn run(&self) -> Vec<Checked> {
        let mut checked = vec![
            Checked::of("front door", self.front_door().await),
            Checked::of("start and readiness", self.readiness().await),
            Checked::of("dependencies", self.dependencies().await),
            Checked::of("diagnostics", self.diagnostics().await),
            Checked::of("metrics", self.metrics().await),
            Checked::of("chat", self.chat().await),
            Checked::of("unknown path", self.unknown_path().await),
        ];
        if let Some(world) = self.world {
            checked.push(Checked::of(
                "containers",
                from_inside::containers(world).await,
            ));
            checked.push(Checked::of("backup", self.backup(world).await));
            checked.push(Checked::of("disk", self.disk(world).await));
        } else {
            checked.extend(["containers", "backup", "disk"].map(Checked::not_asked));
        }
        checked
    }
}

// === impl Checked ===

impl Checked {
    fn of(name: &'static str, seen: Seen) -> Self {
        let (verdict, text, remedy) = match seen {
            Ok(text) => (Verdict::Passed, text, None),
            Err((text, remedy)) => (Verdict::Failed, text, Some(remedy)),
        };
        Self {
            name,
            verdict,
            text,
            remedy,
        }
    }

    fn not_asked(name: &'static str) -> Self {
        Self {
            name,
            verdict: Verdict::NotAsked,
            text: "not asked: it cannot be seen over HTTP".into(),
            remedy: None,
        }
    }

    /// As people read it.
    pub fn text(&self) -> String {
        let mark = match self.verdict {
            Verdict::Passed => "✅",
            Verdict::Failed => "❌",
            Verdict::NotAsked => "➖",
        };
        let text = format!("{mark} {}: {}", self.name, self.text);
        match self.remedy {
            Some(remedy) => format!("{text}\n   → {remedy}"),
            None => text,
        }
    }
}

#[cfg(test)]
mod tests;
