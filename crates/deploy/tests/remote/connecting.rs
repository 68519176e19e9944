//! A connection that cannot be made says what is wrong, and what to do.

use std::{error::Error, path::Path, time::Duration};

use tria_deploy::remote::{HostUrl, Remote, RemoteError, RemoteOptions};

use super::{FakeEngine, Sshd, connect};

#[track_caller]
fn told(error: &RemoteError) {
    let source = error.source().map(ToString::to_string);
    println!(
        "{error} ({}): {}",
        source.unwrap_or_default(),
        error.remedy()
    );
}

macro_rules! assert_refused {
    ($connected:expr, $expected:pat) => {
        let error = $connected.unwrap_err();
        told(&error);
        assert!(matches!(error, $expected), "{error:?}");
    };
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs an ssh server"]
async fn a_key_that_is_not_right_is_told_apart() {
    let (sshd, engine) = (Sshd::start(), FakeEngine::start());
    sshd.forget_key();
    assert_refused!(
        connect(&sshd, &engine).await,
        RemoteError::HostKeyUnknown(_)
    );
    sshd.know_key_of("other");
    assert_refused!(
        connect(&sshd, &engine).await,
        RemoteError::HostKeyChanged(_)
    );
    sshd.know_key_of("host");
    sshd.let_in("other");
    assert_refused!(connect(&sshd, &engine).await, RemoteError::KeyRefused(_));
    sshd.let_in("id");
    connect(&sshd, &engine).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs an ssh server"]
async fn an_engine_that_cannot_be_used_is_told_apart() {
    let (sshd, engine) = (Sshd::start(), FakeEngine::start());
    let options = sshd.options(Path::new("/nowhere/docker.sock"));
    let connected = Remote::connect(&sshd.url(), &options).await;
    assert_refused!(connected, RemoteError::NoEngine);

    // The file is still there, and nobody behind it.
    let socket = engine.folder().join("left.sock");
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    let connected = Remote::connect(&sshd.url(), &sshd.options(&socket)).await;
    assert_refused!(connected, RemoteError::EngineClosed);

    let connected = Remote::connect(&sshd.url(), &sshd.options(Path::new("docker.sock"))).await;
    assert_refused!(connected, RemoteError::SocketPath);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs an ssh server"]
async fn a_server_that_does_not_let_us_work_is_told() {
    let engine = FakeEngine::start();
    for limit in [
        "AllowStreamLocalForwarding no",
        "AllowTcpForwarding no",
        "PermitOpen none",
    ] {
        let sshd = Sshd::with(limit);
        assert_refused!(connect(&sshd, &engine).await, RemoteError::EngineClosed);
    }

    let sshd = Sshd::with("ForceCommand /bin/false");
    assert_refused!(connect(&sshd, &engine).await, RemoteError::NoShell(_));

    // The first command stays: there is no place for a second one.
    let sshd = Sshd::with("MaxSessions 1");
    let remote = connect(&sshd, &engine).await.unwrap();
    let store = remote.store(engine.folder().to_str().unwrap()).await;
    assert_refused!(store, RemoteError::NoSession(_));
    assert_eq!(sshd.connections(), 1);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs an ssh client"]
async fn a_server_that_is_not_there_is_told() {
    let options = RemoteOptions {
        config: Some("/dev/null".into()),
        ..RemoteOptions::default()
    };
    let url: HostUrl = "ssh://nobody@no-such-server.invalid".parse().unwrap();
    assert_refused!(
        Remote::connect(&url, &options).await,
        RemoteError::UnknownHost(_)
    );
    let url: HostUrl = "ssh://nobody@127.0.0.1:1".parse().unwrap();
    assert_refused!(
        Remote::connect(&url, &options).await,
        RemoteError::Unreachable(_)
    );
}

/// Takes connections, and says nothing.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs an ssh client"]
async fn a_server_that_says_nothing_is_not_waited_for_for_ever() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let url: HostUrl = format!("ssh://nobody@127.0.0.1:{port}").parse().unwrap();
    let options = RemoteOptions {
        config: Some("/dev/null".into()),
        patience: Duration::from_secs(1),
        ..RemoteOptions::default()
    };
    let connected = Remote::connect(&url, &options).await;
    assert_refused!(
        connected,
        RemoteError::Deadline | RemoteError::Unreachable(_)
    );
}
