//! Prometheus' own tool accepts what is told and the files.

use std::{
    ffi::OsStr,
    fmt::Write as _,
    fs,
    io::{ErrorKind, Write as _},
    path::Path,
    process::{Command, Stdio},
};

use super::{
    monitoring::{everything, folder, of_dashboard},
    service::Service,
};
use crate::rig::meta;

/// What promtool says, and that it is content; `None` where it is not installed.
fn promtool<S: AsRef<OsStr>>(arguments: &[S], at: &Path, input: &str) -> Option<String> {
    let mut command = Command::new("promtool");
    let command = command.args(arguments).current_dir(at);
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = match command.stderr(Stdio::piped()).spawn() {
        Ok(child) => child,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            // Past the harness, which shows what a test prints only when it fails.
            let told = "SKIPPED: promtool is not installed (Debian: apt-get install prometheus)\n";
            std::io::stderr().write_all(told.as_bytes()).unwrap();
            return None;
        }
        Err(error) => panic!("promtool: {error}"),
    };
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let ended = child.wait_with_output().unwrap();
    let told = [ended.stdout, ended.stderr].concat();
    let told = String::from_utf8(told).unwrap();
    assert!(ended.status.success(), "{told}");
    Some(told)
}

#[tokio::test(start_paused = true)]
async fn promtool_accepts_what_is_told() {
    let first = Service::of([meta("redis")]).get("/metrics").await.text;
    for page in [first, everything().await] {
        let told = promtool(&["check", "metrics"], &folder(), &page);
        // It gives advice without failing, too.
        assert_eq!(told.unwrap_or_default(), "", "{page}");
    }
}

#[test]
fn promtool_accepts_the_rules_and_the_configuration() {
    promtool(&["check", "rules", "alerts.yml"], &folder(), "");
    promtool(&["check", "config", "prometheus.yml"], &folder(), "");
}

#[test]
fn every_alert_fires_and_stays_silent_as_its_tests_say() {
    promtool(&["test", "rules", "alerts_test.yml"], &folder(), "");
}

#[test]
fn promtool_accepts_the_expressions_of_the_dashboard() {
    let mut rules = "groups:\n  - name: dashboard\n    rules:\n".to_owned();
    for (number, expression) in of_dashboard().iter().enumerate() {
        let quoted = serde_json::to_string(expression).unwrap();
        writeln!(
            rules,
            "      - record: panel:{number}\n        expr: {quoted}"
        )
        .unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("rules.yml"), rules).unwrap();
    promtool(&["check", "rules", "rules.yml"], folder.path(), "");
}
