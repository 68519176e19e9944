//! Real signals to a real process.

use std::{thread, time::Duration};

use crate::process::Process;

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

#[test]
fn a_second_signal_forces_an_exit_while_every_thread_of_the_runtime_is_blocked() {
    let mut process = Process::spawn("wedged");
    process.wait_for("event wedged");
    process.signal("INT");
    process.wait_for("signal received");
    process.signal("INT");
    let (code, said) = process.end();
    assert_eq!(code, Some(130), "{said}");
    assert!(said.contains("second signal, exiting at once"), "{said}");
}

#[test]
fn sighup_and_sigusr1_never_end_the_process_and_none_is_lost() {
    let mut process = Process::spawn("asked");
    process.wait_for("installed");
    // Nobody answers yet: there is not even a runtime.
    process.signal("HUP");
    process.wait_for("reload requested");
    process.signal("USR1");
    process.wait_for("report requested");
    process.go();
    process.wait_for_all(&["event reload 1 begun", "event dump 1", "event ready"]);
    // Two that come while the first is being answered are one more.
    for _ in 0..2 {
        process.signal("HUP");
        process.wait_for("reload requested");
    }
    process.go();
    process.wait_for("event reload 2 begun");
    process.go();
    process.wait_for("event reload 2 done");
    // The second answer panicked: the next request is answered all the same.
    process.signal("USR1");
    process.wait_for("the answer to a request panicked");
    process.signal("USR1");
    process.wait_for("event dump 3");
    process.signal("TERM");
    let (code, said) = process.end();
    assert_eq!(code, Some(0), "{said}");
    assert!(!said.contains("event reload 3"), "{said}");
    assert!(said.contains("event streamed reload"), "{said}");
}

#[test]
fn a_dump_is_answered_while_every_thread_of_the_runtime_is_blocked() {
    let mut process = Process::spawn("wedged");
    process.wait_for("event wedged");
    process.signal("USR1");
    process.wait_for("event dump 1");
}
