//! The commands about a deployment, for an engine that is behind a real ssh server.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "the engine is where the environment of the tests says"
)]

#[path = "../../crates/deploy/tests/remote/sshd.rs"]
#[allow(dead_code, reason = "another test uses all of it")]
mod sshd;

use std::{
    env, fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output},
};

use sshd::Sshd;
use tempfile::TempDir;

/// The user's own configuration of ssh cannot be changed by an environment; the command can.
fn client_of(sshd: &Sshd, folder: &TempDir) -> String {
    let client = folder.path().join("ssh");
    let configuration = sshd.configuration().display().to_string();
    let script = format!("#!/bin/sh\nexec /usr/bin/ssh -F {configuration} \"$@\"\n");
    fs::write(&client, script).unwrap();
    fs::set_permissions(&client, fs::Permissions::from_mode(0o755)).unwrap();
    format!("{}:/usr/local/bin:/usr/bin:/bin", folder.path().display())
}

fn xtask(path: &str, arguments: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(arguments)
        .env("PATH", path)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output();
    output.unwrap()
}

#[test]
#[ignore = "needs a container engine and an ssh server"]
fn every_command_takes_one_connection_and_says_what_is_wrong_with_it() {
    let (sshd, folder) = (Sshd::start(), tempfile::tempdir().unwrap());
    let path = client_of(&sshd, &folder);
    let at = |name: &str| folder.path().join(name).display().to_string();
    fs::write(at("key"), format!("sk-{}", "0123456789abcdef".repeat(2))).unwrap();
    let (file, key, state) = (at("env"), at("key"), at("state"));
    let init = ["init", "--tax-rate", "0.09", "--env-file", &file];
    let made = xtask(
        &path,
        &[&init[..], &["--openai-api-key-file", &key]].concat(),
    );
    assert!(made.status.success(), "{made:?}");

    let host = sshd.url().to_string();
    let engine = env::var("DOCKER_HOST").ok().filter(|url| !url.is_empty());
    let engine = engine.unwrap_or("unix:///var/run/docker.sock".into());
    let shared = [
        "--env-file",
        &file,
        "--project",
        "tria-xtask-afar",
        "--state",
        &state,
        "--host",
        &host,
        "--engine",
        &engine,
    ];
    for (number, (command, code)) in [
        (&["status"][..], 0),
        (&["deploy", "--plan", "--allow-dirty"], 0),
        (&["restore"], 0),
        (&["verify"], 1),
    ]
    .into_iter()
    .enumerate()
    {
        let output = xtask(&path, &[command, &shared].concat());
        assert_eq!(output.status.code(), Some(code), "{command:?}: {output:?}");
        assert_eq!(sshd.connections(), number + 1, "{command:?}");
    }
    assert!(Path::new(&state).exists());

    sshd.let_in("other");
    let output = xtask(&path, &[&["status"][..], &shared].concat());
    let said = format!("{output:?}");
    assert_eq!(output.status.code(), Some(10), "{said}");
    assert!(
        said.contains("the server takes none of your keys"),
        "{said}"
    );
    assert!(said.contains("ssh-add"), "{said}");
}
