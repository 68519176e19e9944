//! A command of `cargo xtask`, run as a person runs it.

use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use tokio::{sync::mpsc, time::timeout};

/// Longer than any command may take; a cold build on a busy machine is the longest.
const LONG: Duration = Duration::from_secs(1500);

/// Everything that commands wrote, for those who look for secrets in it.
pub(super) type Transcript = Arc<Mutex<String>>;

/// A command under way. Dropping it kills it.
pub(super) struct Running {
    child: Child,
    begun: Instant,
    lines: mpsc::UnboundedReceiver<String>,
    stdout: String,
    stderr: Option<thread::JoinHandle<String>>,
}

/// A command that came to its end.
#[derive(Debug)]
pub(super) struct Ended {
    /// None when a signal ended it.
    pub(super) code: Option<i32>,
    pub(super) stdout: String,
    pub(super) stderr: String,
    pub(super) took: Duration,
}

// === impl Running ===

impl Running {
    pub(super) fn start(mut command: Command, transcript: Transcript) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command starts");
        let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let (sender, lines) = mpsc::unbounded_channel();
        let written = Arc::clone(&transcript);
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                add(&mut written.lock().unwrap(), &line);
                let _ = sender.send(line);
            }
        });
        let stderr = thread::spawn(move || {
            let mut text = Vec::new();
            let _ = BufReader::new(stderr).read_to_end(&mut text);
            let text = String::from_utf8_lossy(&text).into_owned();
            transcript.lock().unwrap().push_str(&text);
            text
        });
        Self {
            child,
            begun: Instant::now(),
            lines,
            stdout: String::new(),
            stderr: Some(stderr),
        }
    }

    /// Waits for the beginning of a phase, by its name in events.
    pub(super) async fn until_phase(&mut self, phase: &str) {
        loop {
            let line = timeout(LONG, self.lines.recv()).await.expect("it goes on");
            let Some(line) = line else {
                let said = self.stderr.take().map(thread::JoinHandle::join);
                let code = self.child.wait().map(|status| status.code());
                panic!(
                    "{phase} did not begin; it ended with {code:?} and wrote:\n{}\n{said:?}",
                    self.stdout
                );
            };
            add(&mut self.stdout, &line);
            let event: Value = serde_json::from_str(&line).unwrap_or_default();
            if event["event"] == "phase_started" && event["phase"] == phase {
                return;
            }
        }
    }

    pub(super) fn signal(&self, name: &str) {
        tria_tests::signal(self.child.id(), name);
    }

    /// Waits for its end.
    pub(super) async fn ended(mut self) -> Ended {
        let all = async {
            while let Some(line) = self.lines.recv().await {
                add(&mut self.stdout, &line);
            }
        };
        let whole = timeout(LONG, all).await;
        assert!(
            whole.is_ok(),
            "it did not end; it wrote:
{}",
            self.stdout
        );
        let status = self.child.wait().expect("it can be waited for");
        Ended {
            code: status.code(),
            stdout: std::mem::take(&mut self.stdout),
            stderr: self.stderr.take().unwrap().join().unwrap(),
            took: self.begun.elapsed(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

// === impl Ended ===

impl Ended {
    /// Asserts the exit code, and that each text was written.
    #[track_caller]
    pub(super) fn expect(&self, code: i32, holds: &[&str]) -> i32 {
        let said = format!("{}{}", self.stdout, self.stderr);
        assert_eq!(
            self.code,
            Some(code),
            "after {:?} it wrote:\n{said}",
            self.took
        );
        for text in holds {
            assert!(said.contains(text), "{text:?} is not in:\n{said}");
        }
        code
    }
}

fn add(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

/// What a line of JSON has under a name, of the first line that has it.
pub(super) fn field(stdout: &str, name: &str) -> Option<String> {
    let lines = stdout.lines();
    let mut documents = lines.filter_map(|line| serde_json::from_str::<Value>(line).ok());
    documents.find_map(|document| find(&document, name))
}

fn find(document: &Value, name: &str) -> Option<String> {
    match document {
        Value::Object(fields) => match fields.get(name) {
            Some(Value::String(text)) => Some(text.clone()),
            _ => fields.values().find_map(|inner| find(inner, name)),
        },
        Value::Array(items) => items.iter().find_map(|inner| find(inner, name)),
        _ => None,
    }
}
