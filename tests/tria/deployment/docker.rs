//! The engine, by its own command.

use std::process::Command;

/// Runs `docker` and gives what it wrote.
#[track_caller]
pub(super) fn docker(arguments: &[&str]) -> String {
    let output = Command::new("docker").args(arguments).output();
    let output = output.expect("there is a docker command");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "docker {arguments:?}: {said}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// The lines that `docker` wrote; none if it could not do it.
pub(super) fn listed(arguments: &[&str]) -> Vec<String> {
    let output = Command::new("docker").args(arguments).output();
    let text = output.map(|output| output.stdout).unwrap_or_default();
    let text = String::from_utf8_lossy(&text).into_owned();
    text.lines().map(str::to_owned).collect()
}

/// Removes everything that a project made.
pub(super) fn remove_project(project: &str) {
    let label = format!("label=tria.project={project}");
    let containers = listed(&["ps", "-aq", "--filter", &label]);
    remove(&["rm", "--force", "--volumes"], &containers);
    let name = format!("name=^{project}[-_]");
    for what in ["volume", "network"] {
        let mut found = listed(&[what, "ls", "-q", "--filter", &name]);
        found.extend(listed(&[what, "ls", "-q", "--filter", &label]));
        found.sort();
        found.dedup();
        remove(&[what, "rm"], &found);
    }
    let images = listed(&["image", "ls", "-q", "--no-trunc", "--filter", &label]);
    remove(&["image", "rm", "--force"], &images);
}

/// What is left of a project, for people.
pub(super) fn left_of(project: &str) -> Vec<String> {
    let label = format!("label=tria.project={project}");
    let name = format!("name=^{project}[-_]");
    let mut left = listed(&["ps", "-aq", "--filter", &label]);
    left.extend(listed(&["volume", "ls", "-q", "--filter", &name]));
    left.extend(listed(&["network", "ls", "-q", "--filter", &name]));
    left.extend(listed(&["image", "ls", "-q", "--filter", &label]));
    left
}

/// Each by itself: one that is in use must not keep the others.
fn remove(command: &[&str], what: &[String]) {
    for one in what {
        let _ = Command::new("docker").args(command).arg(one).output();
    }
}
