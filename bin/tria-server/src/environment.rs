//! The environment, read once.

use std::{collections::BTreeMap, env, fs, path::Path};

use tria_check::{Check, CheckContext, CheckMeta, Finding, Outcome, PrivateText, Status};
use tria_env_check::{EnvCheck, Redactor, Report, Source, Values, code};

use crate::{
    dependencies::{Dependencies, UNUSABLE},
    rules::rules,
    settings::{LogFormat, Settings},
};

/// The file of keys that is read in development, from the folder in which the service runs.
const ENV_FILE: &str = ".env";

/// The environment, judged.
pub(crate) struct Environment {
    values: Values,
    report: Report,
    prepared: Result<Box<Usable>, Vec<Finding>>,
}

/// An environment that leads somewhere.
pub(crate) struct Usable {
    pub(crate) settings: Settings,
    pub(crate) dependencies: Dependencies,
}

/// The check of the environment: its rules, and whether what its values name can be used.
struct EnvironmentCheck {
    meta: CheckMeta,
    rules: EnvCheck,
    problems: Vec<Finding>,
}

// === impl Environment ===

impl Environment {
    /// Reads and judges the environment of this process, and `.env` in development. A key of the
    /// process is stronger than one of the file.
    pub(crate) fn read() -> anyhow::Result<Self> {
        let mut pairs = process_keys();
        let mut problems = Vec::new();
        if pairs
            .get("ENVIRONMENT")
            .is_none_or(|value| value.trim() == "development")
        {
            match env_file(Path::new(ENV_FILE)) {
                Ok(file) => {
                    for (key, value) in file {
                        pairs.entry(key).or_insert(value);
                    }
                }
                Err(finding) => problems.push(*finding),
            }
        }
        Self::judge(pairs, problems)
    }

    fn judge(pairs: BTreeMap<String, String>, mut problems: Vec<Finding>) -> anyhow::Result<Self> {
        let source = Source::from_pairs(pairs).files(|path| fs::read_to_string(path));
        let (values, report) = rules()?.read(&source);
        if !report.is_valid() || !problems.is_empty() {
            return Ok(Self {
                values,
                report,
                prepared: Err(problems),
            });
        }
        let pairs = values
            .iter()
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        let settings = Settings::load(&pairs)?;
        let prepared = match Dependencies::open(&settings) {
            Ok(dependencies) => Ok(Box::new(Usable {
                settings,
                dependencies,
            })),
            Err(unusable) => {
                problems.extend(unusable);
                Err(problems)
            }
        };
        Ok(Self {
            values,
            report,
            prepared,
        })
    }

    /// The settings and what they lead to; `None` when something is wrong, which
    /// [`Environment::check`] tells.
    pub(crate) fn usable(&self) -> Option<&Usable> {
        self.prepared.as_deref().ok()
    }

    /// What is wrong with the environment, as a check.
    pub(crate) fn check(&self) -> impl Check + use<> {
        let rules = EnvCheck::new(&self.report);
        let meta = rules.meta().clone().codes(CODES);
        let problems = self.prepared.as_ref().err().cloned().unwrap_or_default();
        EnvironmentCheck {
            meta,
            rules,
            problems,
        }
    }

    /// Everything that is wrong, a line each; no value is in it.
    pub(crate) fn problems(&self) -> Vec<String> {
        let violations = self.report.violations().map(|complaint| {
            let (key, problem, remedy) = (complaint.key(), complaint.problem(), complaint.remedy());
            format!("{key}: {problem}; {remedy}")
        });
        let unusable = self.prepared.as_ref().err().into_iter().flatten();
        let unusable = unusable.map(|finding| match finding.get_remedy() {
            Some(remedy) => format!("{}; {remedy}", finding.text()),
            None => finding.text().to_string(),
        });
        violations.chain(unusable).collect()
    }

    /// For whom to write, also where something else is wrong.
    pub(crate) fn log_format(&self) -> LogFormat {
        match self.values.get("LOG_FORMAT") {
            Some("json") => LogFormat::Json,
            _ => LogFormat::Pretty,
        }
    }

    /// What to log, also where something else is wrong.
    pub(crate) fn log_level(&self) -> &str {
        self.values.get_or_default("LOG_LEVEL").unwrap_or("info")
    }

    /// Takes the secrets of this environment out of text.
    pub(crate) fn redactor(&self) -> anyhow::Result<Redactor> {
        Ok(rules()?.redactor(&self.values))
    }

    /// The values as they hold: those that are set, and the defaults of the others.
    pub(crate) fn values(&self) -> &Values {
        &self.values
    }
}

/// The codes of the rules, and what only shows when a value is used.
const CODES: &[tria_check::Code] = &{
    let mut codes = [UNUSABLE; code::ALL.len() + 1];
    let mut index = 0;
    while index < code::ALL.len() {
        codes[index] = code::ALL[index];
        index += 1;
    }
    codes
};

impl Check for EnvironmentCheck {
    fn meta(&self) -> &CheckMeta {
        &self.meta
    }

    async fn check(&self, cx: &CheckContext) -> Outcome {
        let outcome = self.rules.check(cx).await;
        if self.problems.is_empty() {
            return outcome;
        }
        // The rules passed, and yet the environment did not: their line would contradict ours.
        let found = outcome
            .findings()
            .iter()
            .filter(|finding| finding.status() != Status::Pass);
        Outcome::new(found.chain(&self.problems).cloned())
    }
}

/// The keys of this process. What is not Unicode cannot be a key of ours, nor a value that we
/// could use; a value is kept as far as it can be read, so that its rule refuses it.
#[allow(
    clippy::disallowed_methods,
    reason = "this is where the environment is read"
)]
fn process_keys() -> BTreeMap<String, String> {
    let pairs = env::vars_os();
    pairs
        .filter_map(|(key, value)| {
            Some((
                key.into_string().ok()?,
                value.to_string_lossy().into_owned(),
            ))
        })
        .collect()
}

/// One key of this process, for a command that needs no more.
pub(crate) fn process_key(key: &str) -> Option<String> {
    process_keys().remove(key)
}

/// The pairs of an env file; none, if there is no such file.
fn env_file(path: &Path) -> Result<Vec<(String, String)>, Box<Finding>> {
    let unusable = |detail: PrivateText| {
        let finding = Finding::fail(UNUSABLE, "the file .env cannot be read");
        Box::new(
            finding
                .detail(detail)
                .remedy("mend the line, or remove the file"),
        )
    };
    if !path.exists() {
        return Ok(Vec::new());
    }
    let lines =
        dotenvy::from_path_iter(path).map_err(|error| unusable(PrivateText::from_error(&error)))?;
    // The error of a line quotes it, and the line may hold a secret.
    let mut pairs = Vec::new();
    for (index, line) in lines.enumerate() {
        let number = index + 1;
        pairs.push(line.map_err(|_| unusable(PrivateText::new(format!("entry {number}"))))?);
    }
    Ok(pairs)
}
