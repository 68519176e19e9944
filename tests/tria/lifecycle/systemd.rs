//! The service under systemd: what it is told, and the unit that starts it.

use std::{
    os::unix::net::UnixDatagram,
    process::Command,
    sync::mpsc::{self, Receiver},
    thread,
    time::Duration,
};

use tempfile::TempDir;
use tria_tests::{Fixture, Running, command, program};

use crate::documents::reading::{blocks, read, section};

const UNIT: &str = "deploy/systemd/tria-server.service";

/// Nothing here takes so long, unless it hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// The manager's side of the socket.
struct Manager {
    folder: TempDir,
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Manager {
    fn listen() -> Self {
        let folder = TempDir::new().unwrap();
        let socket = UnixDatagram::bind(folder.path().join("notify")).unwrap();
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            let mut message = [0; 4096];
            while let Ok(length) = socket.recv(&mut message) {
                let text = String::from_utf8_lossy(&message[..length]).into_owned();
                for line in text.lines() {
                    if sender.send(line.to_owned()).is_err() {
                        return;
                    }
                }
            }
        });
        Self {
            folder,
            lines,
            seen: Vec::new(),
        }
    }

    /// Starts the service as systemd does.
    fn start(&self, fixture: &Fixture) -> Running {
        let mut command = command(&["serve"], &fixture.keys);
        command.env("NOTIFY_SOCKET", self.folder.path().join("notify"));
        command.env("WATCHDOG_USEC", "400000");
        Running::start(command)
    }

    fn wait_for(&mut self, line: &str) {
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(told) => {
                    let found = told.starts_with(line);
                    self.seen.push(told);
                    if found {
                        return;
                    }
                }
                Err(error) => panic!("no {line:?} ({error}), only {:#?}", self.seen),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn systemd_is_told_how_the_service_stands() {
    let fixture = Fixture::migrated().await;
    let mut manager = Manager::listen();
    let running = manager.start(&fixture);
    manager.wait_for("STATUS=Starting: ");
    manager.wait_for("READY=1");
    manager.wait_for("STATUS=Ready");
    for _ in 0..5 {
        manager.wait_for("WATCHDOG=1");
    }
    running.signal("TERM");
    manager.wait_for("STOPPING=1");
    manager.wait_for("STATUS=Stopped with exit code 0 (SIGTERM)");
    running.ended().expect(0, &["STOPPED (SIGTERM"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watchdog_of_another_process_is_not_ours() {
    let fixture = Fixture::migrated().await;
    let mut manager = Manager::listen();
    let mut command = command(&["serve"], &fixture.keys);
    command.env("NOTIFY_SOCKET", manager.folder.path().join("notify"));
    command
        .env("WATCHDOG_USEC", "1000")
        .env("WATCHDOG_PID", "1");
    let running = Running::start(command);
    manager.wait_for("READY=1");
    running.signal("TERM");
    manager.wait_for("STATUS=Stopped");
    running.ended().expect(0, &[]);
    assert!(!manager.seen.contains(&"WATCHDOG=1".to_owned()));
}

/// The unit in the words of the directives, where each stands once.
fn directive(unit: &str, name: &str) -> String {
    let mut values = unit
        .lines()
        .filter_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    let value = values.next().unwrap_or_else(|| panic!("no {name}"));
    assert_eq!(values.next(), None, "{name} stands twice");
    value.to_owned()
}

#[test]
fn the_unit_is_sound() {
    let unit = read(UNIT);
    let exec = directive(&unit, "ExecStart");
    let installed = exec.split(' ').next().unwrap();
    let built = program();
    let unit = unit.replace(installed, built.to_str().unwrap());
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("tria-server.service");
    std::fs::write(&file, unit).unwrap();
    let verify = Command::new("systemd-analyze")
        .arg("verify")
        .arg(&file)
        .output();
    let Ok(verified) = verify else {
        eprintln!("SKIPPED: systemd-analyze is not installed");
        return;
    };
    let told = String::from_utf8_lossy(&verified.stderr).into_owned();
    assert!(verified.status.success() && told.is_empty(), "{told}");
}

#[test]
fn the_unit_says_what_the_documents_say() {
    let unit = read(UNIT);
    let document = read("docs/configuration.md");
    for line in blocks(section(&document, "Exit codes"), "ini")
        .join("")
        .lines()
    {
        let (name, value) = line.split_once('=').unwrap();
        assert_eq!(directive(&unit, name), value, "{name}");
    }
    let template = tria_tests::run(&["config", "--template"], &tria_tests::Keys::new());
    let default = |key: &str| {
        let keys = crate::documents::reading::keys_of(&template);
        let default = keys[key].default.trim_matches('`').to_owned();
        default.strip_suffix('s').unwrap().parse::<u64>().unwrap()
    };
    let seconds = |name: &str| {
        let value = directive(&unit, name);
        value.strip_suffix('s').unwrap().parse::<u64>().unwrap()
    };
    assert!(seconds("TimeoutStopSec") > default("SHUTDOWN_GRACE"));
    assert!(seconds("TimeoutStartSec") > default("STARTUP_DEADLINE"));
}
