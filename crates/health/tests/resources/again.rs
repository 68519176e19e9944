//! A test of this binary that is run again, in surroundings of its own.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// Runs the ignored test `name` in a process that `prepare`, a line of `sh`, has made ready. The
/// test is told `place`.
pub(crate) fn run(launcher: &[&str], prepare: &str, name: &str, place: &Path) {
    let output = attempt(launcher, prepare, name, place);
    let told = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && told.contains("1 passed"),
        "{told}\n{complained}"
    );
}

fn attempt(launcher: &[&str], prepare: &str, name: &str, place: &Path) -> Output {
    let script = format!("{prepare} && exec \"$0\" \"$@\"");
    // Whatever hangs is ended.
    Command::new("timeout")
        .args(["-s", "KILL", "120"])
        .args(launcher)
        .args(["sh", "-c", &script])
        .arg(env::current_exe().unwrap())
        .args(["--exact", name, "--ignored", "--nocapture"])
        .arg(format!("place={}", place.display()))
        .output()
        .unwrap()
}

/// What [`run`] told. None where somebody runs all ignored tests.
pub(crate) fn place() -> Option<PathBuf> {
    let mut told = env::args().filter_map(|arg| arg.strip_prefix("place=").map(PathBuf::from));
    told.next()
}

/// Whether a command can be run here.
pub(crate) fn works(command: &[&str]) -> bool {
    let tried = Command::new(command[0]).args(&command[1..]).output();
    tried.is_ok_and(|tried| tried.status.success())
}

/// The launcher of a mount namespace of our own in which `mount`, a line of `sh`, works; none
/// where this machine does not let us.
pub(crate) fn own_mounts(mount: &str) -> Option<&'static [&'static str]> {
    let launchers: [&[&str]; 2] = [&["unshare", "-m"], &["unshare", "-rm"]];
    launchers.into_iter().find(|launcher| {
        let tried: Vec<&str> = [launcher, &["sh", "-c", mount][..]].concat();
        works(&tried)
    })
}

pub(crate) fn skipped(why: &str) {
    eprintln!("skipped: {why}");
}
