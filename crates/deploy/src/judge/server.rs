//! The service's own program as the judge.

use std::{path::PathBuf, process::Stdio};

use async_trait::async_trait;
use secrecy::ExposeSecret;
use serde::Deserialize;
use tokio::process::Command;

use super::Judge;
use crate::environment::Environment;

/// Asks `tria-server check --only environment`.
#[derive(Clone, Debug)]
pub struct ServerJudge {
    program: PathBuf,
}

/// What it says, as far as it matters here.
#[derive(Deserialize)]
struct Report {
    phases: Vec<Phase>,
}

#[derive(Deserialize)]
struct Phase {
    checks: Vec<Check>,
}

#[derive(Deserialize)]
struct Check {
    findings: Vec<Finding>,
}

#[derive(Deserialize)]
struct Finding {
    status: String,
    text: String,
    remedy: Option<String>,
}

/// The exit codes of a program that judged: all is well, or the configuration is invalid.
const JUDGED: [i32; 2] = [0, 78];

// === impl ServerJudge ===

impl ServerJudge {
    /// The program, as in `target/debug/tria-server`.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
        }
    }
}

#[async_trait]
impl Judge for ServerJudge {
    async fn violations(&self, environment: &Environment) -> Result<Vec<String>, String> {
        // Nothing of ours: it must judge what the container will have. Values go by its
        // environment, which only we can read; arguments can be read by anyone.
        let seen = environment
            .iter()
            .map(|(key, value)| (key, value.expose_secret()));
        let output = Command::new(&self.program)
            .args(["check", "--only", "environment", "--json"])
            .env_clear()
            .envs(seen)
            .env("ENVIRONMENT", "production")
            // In another folder than ours it finds no file of a developer's.
            .current_dir("/")
            .stdin(Stdio::null())
            .process_group(0)
            .kill_on_drop(true)
            .output()
            .await
            .map_err(|error| format!("{} cannot be run: {error}", self.program.display()))?;
        let code = output.status.code();
        if !code.is_some_and(|code| JUDGED.contains(&code)) {
            return Err(format!(
                "{} ended with {}",
                self.program.display(),
                output.status
            ));
        }
        let report: Report = serde_json::from_slice(&output.stdout)
            .map_err(|_| format!("{} did not say what it found", self.program.display()))?;
        let findings = report
            .phases
            .into_iter()
            .flat_map(|phase| phase.checks)
            .flat_map(|check| check.findings);
        let violations: Vec<String> = findings
            .filter(|finding| finding.status == "fail")
            .map(|finding| match finding.remedy {
                Some(remedy) => format!("{}; {remedy}", finding.text),
                None => finding.text,
            })
            .collect();
        // One that refuses without a reason refuses all the same.
        if code != Some(0) && violations.is_empty() {
            return Err(format!(
                "{} refused it and did not say why",
                self.program.display()
            ));
        }
        Ok(violations)
    }
}
