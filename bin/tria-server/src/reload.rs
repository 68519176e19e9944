//! Reads anew, while the service runs, what can change then: the level of the log, and the
//! passwords of PostgreSQL and Redis.

use std::collections::{BTreeMap, BTreeSet};

use tria_db_check::pool::DatabaseUrl;
use tria_lifecycle::ServiceManager;
use tria_redis_check::Password;

use crate::{
    environment::{Environment, Usable},
    health::Configuration,
    reporting::Reporting,
    telemetry::Log,
};

/// Answers SIGHUP. Connections that are open stay as they are; those that are opened from then on
/// log in with what was read.
pub(crate) struct Reload {
    /// The keys that are set, as they hold.
    values: BTreeMap<String, String>,
    database: DatabaseUrl,
    redis: Option<Password>,
    log: Log,
    manager: Option<ServiceManager>,
    /// Hides the secrets that are read anew too.
    reporting: Reporting,
    /// Tells in the diagnostics what was read anew.
    configuration: Configuration,
}

/// What became of a key that has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Applied,
    TakesARestart,
}

// === impl Reload ===

impl Reload {
    pub(crate) fn new(
        environment: &Environment,
        usable: &Usable,
        log: Log,
        manager: Option<ServiceManager>,
        reporting: Reporting,
        configuration: Configuration,
    ) -> Self {
        let redis = &usable.dependencies.redis;
        Self {
            values: pairs(environment),
            database: usable.dependencies.database.url.clone(),
            redis: redis.options.password.clone(),
            log,
            manager,
            reporting,
            configuration,
        }
    }

    /// Reads the environment anew: `.env` in development, and the files of keys with `_FILE`. What
    /// breaks a rule is told, and changes nothing.
    pub(crate) fn run(&mut self) {
        let _told = self.manager.as_ref().map(ServiceManager::reloading);
        let environment = match Environment::read() {
            Ok(environment) => environment,
            Err(error) => return refuse(&[format!("{error:#}")]),
        };
        let Some(usable) = environment.usable() else {
            return refuse(&environment.problems());
        };
        let now = pairs(&environment);
        let changed = changed(&self.values, &now);
        // Before anything can go wrong with them.
        if let (false, Ok(redactor)) = (changed.is_empty(), environment.redactor()) {
            self.reporting.also_redact(&redactor);
        }
        let (mut applied, mut postponed) = (Vec::new(), Vec::new());
        for key in changed {
            match self.apply(&key, &environment, usable) {
                Fate::Applied => {
                    match now.get(&key) {
                        Some(value) => self.values.insert(key.clone(), value.clone()),
                        None => self.values.remove(&key),
                    };
                    applied.push(key);
                }
                Fate::TakesARestart => postponed.push(key),
            }
        }
        self.configuration.take_over(&environment, &applied);
        tell(&applied, &postponed);
    }

    fn apply(&self, key: &str, environment: &Environment, usable: &Usable) -> Fate {
        match key {
            "LOG_LEVEL" => {
                self.log.set_level(environment.log_level());
                Fate::Applied
            }
            "DATABASE_URL" => match self.database.rotate(&usable.dependencies.database.url) {
                Ok(_) => Fate::Applied,
                Err(_leads_elsewhere) => Fate::TakesARestart,
            },
            "REDIS_PASSWORD" => match (&self.redis, &usable.settings.redis_password) {
                (Some(used), Some(password)) => {
                    used.rotate(password.clone());
                    Fate::Applied
                }
                _ => Fate::TakesARestart,
            },
            _ => Fate::TakesARestart,
        }
    }
}

fn pairs(environment: &Environment) -> BTreeMap<String, String> {
    let pairs = environment.values().iter();
    pairs
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

/// The keys that differ, set or not.
fn changed(before: &BTreeMap<String, String>, now: &BTreeMap<String, String>) -> BTreeSet<String> {
    let keys = before.keys().chain(now.keys());
    let differ = keys.filter(|key| before.get(*key) != now.get(*key));
    differ.cloned().collect()
}

fn refuse(problems: &[String]) {
    for problem in problems {
        tracing::error!(target: "tria::reload", problem, "refused to reload");
    }
    tracing::error!(
        target: "tria::reload",
        problems = problems.len(),
        "the settings stay as they are"
    );
}

fn tell(applied: &[String], postponed: &[String]) {
    if !postponed.is_empty() {
        let keys = postponed.join(", ");
        tracing::warn!(target: "tria::reload", keys, "changed, and take a restart");
    }
    if applied.is_empty() {
        tracing::info!(target: "tria::reload", "reloaded; nothing has changed that could be applied");
    } else {
        tracing::info!(target: "tria::reload", keys = applied.join(", "), "reloaded");
    }
}
