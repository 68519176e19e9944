//! What is reported to Sentry, where `SENTRY_DSN` is set: changes of a check's verdict, panics,
//! and an end that nobody asked for. Secrets are taken out of everything that is sent.

use std::{
    borrow::Cow,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use arc_swap::ArcSwap;
use sentry::{
    ClientInitGuard, ClientOptions, Hub, Level,
    protocol::{Event, Value},
    types::Dsn,
};
use tria_check::PrivateText;
use tria_env_check::Redactor;
use tria_health::{StateChange, Turn};
use tria_lifecycle::{Finale, RunReport};

use crate::{
    budget,
    health::{REVISION, VERSION},
    settings::Settings,
};

/// Sends reports until its finale. Clones are the same.
#[derive(Clone)]
pub(crate) struct Reporting {
    client: Arc<Mutex<Option<ClientInitGuard>>>,
    /// What takes the secrets out: of the environment, and of what was read anew.
    redactors: Arc<ArcSwap<Vec<Redactor>>>,
}

// === impl Reporting ===

impl Reporting {
    /// Reports nothing.
    pub(crate) fn none() -> Self {
        Self {
            client: Arc::default(),
            redactors: Arc::default(),
        }
    }

    /// Begins to report, where a DSN is set. Panics are reported from here on.
    pub(crate) fn start(settings: &Settings, redactor: &Redactor) -> Self {
        let reporting = Self::none();
        let Some(dsn) = dsn(settings) else {
            return reporting;
        };
        reporting.also_redact(redactor);
        let redactors = Arc::clone(&reporting.redactors);
        let scrub = move |mut event: Event<'static>| {
            scrub(&mut event, &redactors.load());
            Some(event)
        };
        let mut options = ClientOptions::new()
            .release(format!("tria-server@{VERSION}+{REVISION}"))
            .environment(settings.environment.name())
            .send_default_pii(false)
            .shutdown_timeout(budget::LAST_REPORTS)
            .before_send(scrub);
        options.dsn = Some(dsn);
        *reporting.client() = Some(sentry::init(options));
        reporting
    }

    fn client(&self) -> MutexGuard<'_, Option<ClientInitGuard>> {
        self.client.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes these secrets out too, from now on.
    pub(crate) fn also_redact(&self, redactor: &Redactor) {
        self.redactors.rcu(|redactors| {
            let mut redactors = Vec::clone(redactors);
            redactors.push(redactor.clone());
            redactors
        });
    }

    /// Sends what is left. The client's own limit ends before it joins its thread, which a server
    /// that accepts and never answers holds for ever: so it is waited for from outside.
    pub(crate) fn finale(&self) -> Finale {
        match self.client().take() {
            None => Finale::new(),
            Some(client) => {
                let flush = move || drop(client);
                Finale::new().step("reporting", budget::LAST_REPORTS, flush)
            }
        }
    }

    /// Reports an end that nobody asked for.
    pub(crate) fn ended(&self, report: &RunReport) {
        if self.client().is_none() || report.exit_code == 0 {
            return;
        }
        let code = report.exit_code;
        let mut event = Event {
            level: Level::Fatal,
            message: Some(format!("tria-server ends with exit code {code}")),
            ..Event::default()
        };
        let errors: Vec<Value> = report
            .errors
            .iter()
            .map(|error| format!("{error}: {}", error.detail().expose()).into())
            .collect();
        event.extra.insert("errors".into(), errors.into());
        event
            .extra
            .insert("pending".into(), report.pending.clone().into());
        Hub::main().capture_event(event);
    }
}

/// Reports a change of a check's verdict; does nothing where nothing is reported.
pub(crate) fn tell(change: &StateChange) {
    Hub::main().capture_event(event_of(change));
}

/// The DSN as it is meant to be used; `None` where there is none.
fn dsn(settings: &Settings) -> Option<Dsn> {
    use secrecy::ExposeSecret;
    settings.sentry_dsn.as_ref()?.expose_secret().parse().ok()
}

fn event_of(change: &StateChange) -> Event<'static> {
    let report = &change.report;
    let decisive = report.outcome.decisive();
    let (check, code) = (report.name.clone(), decisive.code().as_str());
    let happened = match change.turn {
        Turn::Failed => "has failed",
        Turn::OtherCause => "fails for another cause",
        Turn::Recovered => "has recovered",
        Turn::Cleared => "warns no more",
        _ => "warns",
    };
    let level = match change.turn {
        Turn::Failed | Turn::OtherCause if report.is_blocking() => Level::Error,
        turn if turn.is_bad_news() => Level::Warning,
        _ => Level::Info,
    };
    let mut event = Event {
        level,
        message: Some(format!(
            "check {check} {happened}: {} [{code}]",
            decisive.text()
        )),
        // One issue for each check and cause, and its recovery with it.
        fingerprint: vec!["check".into(), check.clone().into(), code.into()].into(),
        ..Event::default()
    };
    event.tags.insert("check".into(), check);
    event.tags.insert("code".into(), code.to_owned());
    if let Some(detail) = decisive.get_detail().map(PrivateText::expose) {
        event.extra.insert("detail".into(), detail.into());
    }
    if let Some(remedy) = decisive.get_remedy() {
        event
            .extra
            .insert("remedy".into(), remedy.to_string().into());
    }
    event
}

/// Takes secrets out of every text of ours. A panic's message is anybody's.
fn scrub(event: &mut Event<'static>, redactors: &[Redactor]) {
    let clean = |text: &mut String| clean(text, redactors);
    if let Some(message) = &mut event.message {
        clean(message);
    }
    for exception in &mut event.exception.values {
        if let Some(value) = &mut exception.value {
            clean(value);
        }
    }
    event.tags.values_mut().for_each(clean);
    for value in event.extra.values_mut() {
        scrub_value(value, redactors);
    }
}

fn clean(text: &mut String, redactors: &[Redactor]) {
    for redactor in redactors {
        if let Cow::Owned(clean) = redactor.redact(text) {
            *text = clean;
        }
    }
}

fn scrub_value(value: &mut Value, redactors: &[Redactor]) {
    match value {
        Value::String(text) => clean(text, redactors),
        Value::Array(values) => {
            for value in values {
                scrub_value(value, redactors);
            }
        }
        Value::Object(fields) => {
            for value in fields.values_mut() {
                scrub_value(value, redactors);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use tria_env_check::{Key, Rules, Source};

    use super::*;

    const PLANTED: &str = "Hj4kL9-planted";

    fn redactor() -> Redactor {
        let rules = Rules::builder()
            .key(Key::new("TOKEN").secret())
            .build()
            .unwrap();
        let (values, _) = rules.read(&Source::from_pairs([("TOKEN", PLANTED)]));
        rules.redactor(&values)
    }

    #[test]
    fn no_part_of_an_event_keeps_a_secret() {
        let mut event = Event {
            message: Some(format!("login with {PLANTED}")),
            exception: vec![sentry::protocol::Exception {
                ty: "panic".into(),
                value: Some(format!("unexpected {PLANTED}")),
                ..Default::default()
            }]
            .into(),
            ..Event::default()
        };
        event.tags.insert("a".into(), PLANTED.into());
        event
            .extra
            .insert("b".into(), vec![format!("x {PLANTED} y")].into());
        scrub(&mut event, &[redactor()]);
        let text = serde_json::to_string(&event).unwrap();
        assert!(!text.contains(PLANTED), "{text}");
        assert_eq!(text.matches("[redacted]").count(), 4, "{text}");
    }
}
