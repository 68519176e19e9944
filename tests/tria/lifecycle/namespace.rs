//! As the first process of a namespace, which is what a container makes of it: the kernel ends it
//! by no signal that it does not listen to, and nobody else ends it gracefully.

use std::{fs, process::Command, time::Instant};

use tria_tests::{Fixture, Running, program, signal};

const SKIPPED: &str = "SKIPPED: no PID namespace may be made here (`unshare`)";

/// Runs the service as PID 1 of a PID namespace of its own; `None` where none may be made.
fn as_pid_1(fixture: &Fixture) -> Option<Running> {
    let make = |command: &mut Command| {
        let options = [
            "--user",
            "--map-root-user",
            "--pid",
            "--fork",
            "--kill-child",
        ];
        command.args(options).arg("--mount-proc");
    };
    let mut probe = Command::new("unshare");
    make(&mut probe);
    let may = probe.arg("true").output();
    if !may.is_ok_and(|output| output.status.success()) {
        return None;
    }
    let mut command = Command::new("unshare");
    make(&mut command);
    command.arg(program()).arg("serve");
    command
        .env_clear()
        .envs(&fixture.keys)
        .env("PATH", "/usr/bin:/bin");
    command.current_dir(std::env::temp_dir());
    Some(Running::start(command))
}

/// The process that `unshare` waits for.
fn child_of(pid: u32) -> u32 {
    let path = format!("/proc/{pid}/task/{pid}/children");
    let children = fs::read_to_string(path).expect("it runs");
    let child = children.split_whitespace().next();
    let child = child.and_then(|child| child.parse().ok());
    child.expect("it has a child")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn as_pid_1_it_stops_at_sigterm() {
    let fixture = Fixture::migrated().await;
    let Some(running) = as_pid_1(&fixture) else {
        eprintln!("{SKIPPED}");
        return;
    };
    running.ready();
    let service = child_of(running.pid());
    signal(service, "HUP");
    running.wait_for_complaint("reloaded");
    let begun = Instant::now();
    signal(service, "TERM");
    running.ended().expect(0, &["STOPPED (SIGTERM"]);
    assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
    fixture.expect_nothing_left().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn as_pid_1_it_stops_at_a_sigterm_during_the_boot() {
    let fixture = Fixture::migrated().await;
    let Some(running) = as_pid_1(&fixture) else {
        eprintln!("{SKIPPED}");
        return;
    };
    running.wait_for("Listening on");
    signal(child_of(running.pid()), "TERM");
    running.ended().expect(0, &[]);
}
