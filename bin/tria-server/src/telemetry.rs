//! What the process writes.

use std::io::{self, IsTerminal, Write};

use serde_json::Value;
use tracing_subscriber::{
    EnvFilter, Layer, Registry, fmt,
    layer::SubscriberExt,
    reload::{self, Handle},
    util::SubscriberInitExt,
};

use crate::settings::LogFormat;

/// What people read in the banner already.
const TOLD_BY_THE_BANNER: &str =
    ",tria_lifecycle=off,tria_lifecycle::serve=warn,tria_chatbot::schema=warn";

/// The log of the process. Clones are the same log.
#[derive(Clone)]
pub(crate) struct Log {
    format: LogFormat,
    filter: Handle<EnvFilter, Registry>,
}

/// Installs the log. Events go to standard error for people, and to standard output as JSON, one
/// event a line.
///
/// A line that cannot be written is dropped: a full disk behind the log must not stop a service.
pub(crate) fn install(format: LogFormat, level: &str) -> Log {
    let (filter, handle) = reload::Layer::new(filter(format, level));
    let log = fmt::layer().log_internal_errors(false);
    let log = match format {
        LogFormat::Json => log
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .with_writer(io::stdout)
            .boxed(),
        LogFormat::Pretty => log
            .compact()
            .with_ansi(io::stderr().is_terminal())
            .with_writer(io::stderr)
            .boxed(),
    };
    // A second installation only happens in tests, where the first one serves.
    let _ = tracing_subscriber::registry()
        .with(filter)
        .with(log)
        .try_init();
    Log {
        format,
        filter: handle,
    }
}

fn filter(format: LogFormat, level: &str) -> EnvFilter {
    // The client library logs bodies of failed answers, which may echo a key.
    let mut directives = format!("{level},async_openai=off");
    if format == LogFormat::Pretty && level.eq_ignore_ascii_case("info") {
        directives += TOLD_BY_THE_BANNER;
    }
    EnvFilter::try_new(directives).unwrap_or_else(|_| EnvFilter::new("info"))
}

// === impl Log ===

impl Log {
    /// Logs events from this level on, from now on.
    pub(crate) fn set_level(&self, level: &str) {
        // It fails only where the log is gone.
        let _ = self.filter.reload(filter(self.format, level));
    }

    /// Writes how things stand, whatever the level: somebody asked for it.
    pub(crate) fn tell(&self, diagnostics: &Value) {
        match self.format {
            LogFormat::Pretty => complain(&format!("DIAGNOSTICS\n{diagnostics:#}")),
            LogFormat::Json => {
                let line = serde_json::json!({
                    "timestamp": diagnostics["timestamp"],
                    "level": "INFO",
                    "message": "diagnostics",
                    "diagnostics": diagnostics,
                    "target": "tria::diagnostics",
                });
                say(&line.to_string());
            }
        }
    }
}

/// Writes a line to standard error, or drops it if that is not possible.
pub(crate) fn complain(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Writes a line to standard output, or drops it if that is not possible.
pub(crate) fn say(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}
