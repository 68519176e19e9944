//! What the process writes.

use std::io::{self, IsTerminal, Write};

use tracing_subscriber::{EnvFilter, fmt};

use crate::settings::LogFormat;

/// What people read in the banner already.
const TOLD_BY_THE_BANNER: &str =
    ",tria_lifecycle=off,tria_lifecycle::serve=warn,tria_chatbot::schema=warn";

/// Installs the log. Events go to standard error for people, and to standard output as JSON, one
/// event a line.
///
/// A line that cannot be written is dropped: a full disk behind the log must not stop a service.
pub(crate) fn install(format: LogFormat, level: &str) {
    // The client library logs bodies of failed answers, which may echo a key.
    let mut directives = format!("{level},async_openai=off");
    if format == LogFormat::Pretty && level.eq_ignore_ascii_case("info") {
        directives += TOLD_BY_THE_BANNER;
    }
    let filter = EnvFilter::try_new(directives).unwrap_or_else(|_| EnvFilter::new("info"));
    let log = fmt().with_env_filter(filter).log_internal_errors(false);
    // A second installation only happens in tests, where the first one serves.
    let _ = match format {
        LogFormat::Json => log
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .with_writer(io::stdout)
            .try_init(),
        LogFormat::Pretty => log
            .compact()
            .with_ansi(io::stderr().is_terminal())
            .with_writer(io::stderr)
            .try_init(),
    };
}

/// Writes a line to standard error, or drops it if that is not possible.
pub(crate) fn complain(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Writes a line to standard output, or drops it if that is not possible.
pub(crate) fn say(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}
