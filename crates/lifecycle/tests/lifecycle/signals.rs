//! Real signals to a real process: this test binary, run again as a child.

use std::{
    env,
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::Duration,
};

use tokio_util::sync::CancellationToken;
use tria_lifecycle::{Hook, Lifecycle, Signals};

/// Nothing here takes so long, unless it hangs.
const PATIENCE: Duration = Duration::from_secs(30);

const CHILD: &str = "signals::child";

struct Process {
    child: Child,
    stdin: ChildStdin,
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Process {
    fn spawn(scenario: &str) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args([
                CHILD,
                "--exact",
                "--ignored",
                "--nocapture",
                &format!("scenario={scenario}"),
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdin = child.stdin.take().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self {
            child,
            stdin,
            lines,
            seen: Vec::new(),
        }
    }

    /// Reads until a line holds `text`.
    fn wait_for(&mut self, text: &str) {
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => {
                    let found = line.contains(text);
                    self.seen.push(line);
                    if found {
                        return;
                    }
                }
                Err(error) => panic!("no {text:?} ({error}), only {:#?}", self.seen),
            }
        }
    }

    fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        assert!(
            Command::new("sh")
                .args(["-c", &kill])
                .status()
                .unwrap()
                .success()
        );
    }

    fn go(&mut self) {
        self.stdin.write_all(b"go\n").unwrap();
    }

    /// Waits for its end; returns its exit code, and all it said.
    fn end(mut self) -> (Option<i32>, String) {
        // The channel closes when the child's stdout does.
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => self.seen.push(line),
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
                Err(error) => panic!("no end ({error}), only {:#?}", self.seen),
            }
        }
        let status: ExitStatus = self.child.wait().unwrap();
        (status.code(), self.seen.join("\n"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn sigterm_before_there_is_a_runtime_is_not_lost() {
    let mut process = Process::spawn("early");
    process.wait_for("installed");
    process.signal("TERM");
    process.wait_for("signal received");
    process.go();
    let (code, said) = process.end();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains(r#""reason":{"signal":"SIGTERM"}"#), "{said}");
    assert!(!said.contains("started database"), "{said}");
}

#[test]
fn sigterm_during_the_boot_rolls_back_with_exit_code_0() {
    let mut process = Process::spawn("boot");
    process.wait_for("starting worker");
    process.signal("TERM");
    let (code, said) = process.end();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("interrupted worker"), "{said}");
    assert!(said.contains("stopped database"), "{said}");
    assert!(!said.contains("stopped worker"), "{said}");
    assert!(said.contains(r#""phase":{"stopped":0}"#), "{said}");
}

#[test]
fn sigterm_and_sigint_stop_cleanly_with_exit_code_0() {
    for signal in ["TERM", "INT"] {
        let mut process = Process::spawn("plain");
        process.wait_for("event ready");
        process.signal(signal);
        let (code, said) = process.end();
        assert_eq!(code, Some(0), "{said}");
        assert!(
            said.contains(&format!(r#""reason":{{"signal":"SIG{signal}"}}"#)),
            "{said}"
        );
        let worker = said.find("stopped worker").expect(&said);
        let database = said.find("stopped database").expect(&said);
        assert!(worker < database, "{said}");
        let phases: Vec<&str> = said
            .lines()
            .filter(|line| line.contains("phase entered") && line.contains("elapsed_ms"))
            .filter_map(|line| line.split(r#""phase":""#).nth(1)?.split('"').next())
            .collect();
        assert_eq!(
            phases,
            ["ready", "draining", "stopping", "stopped"],
            "{said}"
        );
    }
}

#[test]
fn a_repeat_of_sigterm_within_the_second_is_ignored() {
    // hashicorp/consul#4708, openshift/kubernetes#558: systemd and a wrapper both sent one.
    let mut process = Process::spawn("held");
    process.wait_for("event ready");
    process.signal("TERM");
    process.wait_for("signal received");
    thread::sleep(Duration::from_millis(10));
    process.signal("TERM");
    process.wait_for("repeated signal ignored");
    process.go();
    let (code, said) = process.end();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("stopped database"), "{said}");
}

#[test]
fn a_sigterm_a_second_later_forces_an_exit() {
    let mut process = Process::spawn("held");
    process.wait_for("event ready");
    process.signal("TERM");
    process.wait_for("signal received");
    thread::sleep(Duration::from_millis(1200));
    process.signal("TERM");
    let (code, said) = process.end();
    assert_eq!(code, Some(143), "{said}");
    assert!(said.contains("second signal, exiting at once"), "{said}");
    assert!(!said.contains("stopped database"), "{said}");
}

#[test]
fn a_second_sigint_forces_an_exit_at_any_time() {
    let mut process = Process::spawn("held");
    process.wait_for("event ready");
    process.signal("INT");
    process.wait_for("signal received");
    process.signal("INT");
    let (code, said) = process.end();
    assert_eq!(code, Some(130), "{said}");
}

#[test]
fn a_forced_exit_needs_no_working_log() {
    let mut process = Process::spawn("mute");
    process.wait_for("event ready");
    process.signal("INT");
    process.wait_for("event requested");
    process.signal("INT");
    let (code, said) = process.end();
    assert_eq!(code, Some(130), "{said}");
    assert!(!said.contains("second signal"), "{said}");
}

/// A log that never takes a line of the signal threads.
struct Mute(bool);

impl Write for Mute {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        while self.0 && matches!(thread::current().name(), Some("signals" | "signal-log")) {
            thread::park();
        }
        std::io::stdout().write(line)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        std::io::stdout().flush()
    }
}

fn say(event: &str) {
    // On a line of its own also where the test harness has begun one.
    println!("\nevent {event}");
}

#[test]
#[ignore = "the child of the tests above"]
fn child() {
    let scenario = env::args().find_map(|arg| arg.strip_prefix("scenario=").map(str::to_owned));
    let Some(scenario) = scenario else { return };
    let is_mute = scenario == "mute";
    tracing_subscriber::fmt()
        .json()
        .with_writer(move || Mute(is_mute))
        .init();

    let signals = Signals::install().unwrap();
    say("installed");
    let wait_for_go = || {
        std::io::stdin().read_line(&mut String::new()).unwrap();
    };
    if scenario == "early" {
        wait_for_go();
    }

    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let report = runtime.block_on(async {
        let (is_boot, is_held) = (scenario == "boot", matches!(&*scenario, "held" | "mute"));
        let go = CancellationToken::new();
        let held = go.clone();
        if is_held {
            thread::spawn(move || {
                wait_for_go();
                go.cancel();
            });
        }
        let lifecycle = Lifecycle::builder()
            .hook(
                Hook::new("database")
                    .on_start(|_| async {
                        say("started database");
                        Ok(())
                    })
                    .on_stop(|_| async {
                        say("stopped database");
                        Ok(())
                    }),
            )
            .hook(
                Hook::new("worker")
                    .after(["database"])
                    .on_start(move |cx| async move {
                        say("starting worker");
                        if is_boot {
                            let waited = cx.interruptible(std::future::pending::<()>()).await;
                            say("interrupted worker");
                            return waited;
                        }
                        Ok(())
                    })
                    .stop_timeout(PATIENCE)
                    .on_stop(move |_| async move {
                        if is_held {
                            held.cancelled().await;
                        }
                        say("stopped worker");
                        Ok(())
                    }),
            )
            .stop_deadline(PATIENCE)
            .signals(&signals)
            .build()
            .unwrap();
        let mut phase = lifecycle.phase();
        tokio::spawn(async move {
            if phase.wait_for(|phase| phase.is_ready()).await.is_ok() {
                say("ready");
            }
        });
        let requested = signals.shutdown_requested();
        tokio::spawn(async move {
            requested.cancelled().await;
            say("requested");
        });
        lifecycle.run().await
    });
    say(&serde_json::to_string(&report).unwrap());
    #[expect(
        clippy::disallowed_methods,
        reason = "the harness would turn the code into its own"
    )]
    std::process::exit(report.exit_code.into());
}
