//! A store is a store, wherever its folder is.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, sync::Arc};

use tempfile::tempdir;
use tria_deploy::store::{FileStore, Store};

use super::{FakeEngine, Sshd, connect};

/// What every store must do.
async fn conforms(store: &dyn Store) {
    assert_eq!(store.read("a").await.unwrap(), None);
    assert_eq!(store.list("").await.unwrap(), [""; 0]);

    // All bytes, also none, and more than a pipe holds.
    let every: Vec<u8> = (0..=255).collect();
    let long = every.repeat(1200);
    for content in [&b""[..], b"x", b"line\n", b"no end", &every, &long] {
        store.write("a.1", content).await.unwrap();
        assert_eq!(store.read("a.1").await.unwrap().unwrap(), content);
    }
    store.append("a.2", b"y").await.unwrap();
    store.append("a.2", b"").await.unwrap();
    store.append("a.2", b"\0z\n").await.unwrap();
    assert_eq!(store.read("a.2").await.unwrap().unwrap(), b"y\0z\n");
    store.write("b", b"").await.unwrap();
    assert_eq!(store.list("a.").await.unwrap(), ["a.1", "a.2"]);
    assert_eq!(store.list("").await.unwrap(), ["a.1", "a.2", "b"]);
    store.remove("a.1").await.unwrap();
    store.remove("a.1").await.unwrap();
    assert_eq!(store.read("a.1").await.unwrap(), None);
    assert_eq!(store.list("").await.unwrap(), ["a.2", "b"]);

    assert!(store.swap("s", None, Some(&every)).await.unwrap());
    assert!(!store.swap("s", None, Some(b"2")).await.unwrap());
    assert!(!store.swap("s", Some(b"2"), None).await.unwrap());
    assert!(!store.swap("s", Some(&every[..255]), None).await.unwrap());
    assert_eq!(store.read("s").await.unwrap().unwrap(), every);
    assert!(store.swap("s", Some(&every), Some(b"")).await.unwrap());
    assert_eq!(store.read("s").await.unwrap().unwrap(), b"");
    assert!(store.swap("s", Some(b""), Some(b"3")).await.unwrap());
    assert!(store.swap("s", Some(b"3"), None).await.unwrap());
    assert!(!store.swap("s", Some(b"3"), None).await.unwrap());
    assert_eq!(store.read("s").await.unwrap(), None);
    // What is not there is not there to be removed.
    assert!(store.swap("s", None, None).await.unwrap());

    for name in [
        "", ".", "..", "../a", "a/b", "/a", ".guard", "-n", "a b", "$(id)", "a'b", "a\nb",
    ] {
        assert!(store.read(name).await.is_err(), "{name:?}");
        assert!(store.write(name, b"x").await.is_err(), "{name:?}");
        assert!(store.append(name, b"x").await.is_err(), "{name:?}");
        assert!(
            store.swap(name, None, Some(b"x")).await.is_err(),
            "{name:?}"
        );
        assert!(store.remove(name).await.is_err(), "{name:?}");
    }
    assert_eq!(store.list("").await.unwrap(), ["a.2", "b"]);
}

fn assert_private(folder: &Path) {
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(folder), 0o700);
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        // Nothing of what was on the way stays.
        assert!(!name.starts_with('.') || name == ".guard", "{name}");
    }
}

#[tokio::test]
async fn one_in_a_folder_conforms() {
    let folder = tempdir().unwrap();
    let folder = folder.path().join("state");
    conforms(&FileStore::open(&folder).unwrap()).await;
    assert_private(&folder);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs an ssh server"]
async fn one_on_another_machine_conforms_over_one_connection() {
    let (sshd, engine) = (Sshd::start(), FakeEngine::start());
    let remote = connect(&sshd, &engine).await.unwrap();
    // A name that a shell would do something with.
    let folder = engine.folder().join("new/it's $(touch pwned) `id`; state");
    let store = remote.store(folder.to_str().unwrap()).await.unwrap();
    conforms(&store).await;
    assert_private(&folder);
    assert_eq!(sshd.connections(), 1);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs an ssh server"]
async fn a_folder_that_cannot_be_made_is_an_error() {
    let (sshd, engine) = (Sshd::start(), FakeEngine::start());
    let remote = connect(&sshd, &engine).await.unwrap();
    let error = remote.store(engine.socket().to_str().unwrap()).await;
    let error = error.unwrap_err();
    assert!(
        error.to_string().contains("a command on the server"),
        "{error}"
    );
}

/// Some on the machine itself, some from afar.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs an ssh server"]
async fn of_many_that_try_at_once_one_wins() {
    let (sshd, engine) = (Sshd::start(), FakeEngine::start());
    let remote = connect(&sshd, &engine).await.unwrap();
    let folder = engine.folder().join("state");
    let afar = remote.store(folder.to_str().unwrap()).await.unwrap();
    let near = FileStore::open(&folder).unwrap();
    for round in 0..5_u8 {
        let name: Arc<str> = format!("lease-{round}").into();
        let mut tries = tokio::task::JoinSet::new();
        for mine in 0..8_u8 {
            let store: Box<dyn Store> = if mine < 6 {
                Box::new(afar.clone())
            } else {
                Box::new(near.clone())
            };
            let name = Arc::clone(&name);
            tries.spawn(
                async move { (mine, store.swap(&name, None, Some(&[mine])).await.unwrap()) },
            );
        }
        let winners: Vec<u8> = tries
            .join_all()
            .await
            .into_iter()
            .filter_map(|(mine, won)| won.then_some(mine))
            .collect();
        assert_eq!(winners.len(), 1);
        assert_eq!(near.read(&name).await.unwrap().unwrap(), winners);
    }
    assert_eq!(sshd.connections(), 1);
}
