//! A connection that ends: whatever is under way fails, and says why.

use std::{error::Error, path::Path, time::Duration};

use tokio::time::{sleep, timeout};
use tria_deploy::{
    machine::Machine,
    remote::{Remote, RemoteError, RemoteOptions},
    store::{FileStore, Store},
};

use super::{FakeEngine, Sshd, connect};

/// Nothing here takes so long, however loaded the machine is.
const HANG: Duration = Duration::from_secs(60);

fn is_loss(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if matches!(error.downcast_ref(), Some(RemoteError::Lost(_))) {
            return true;
        }
        // An error of input or output shows what is in it as itself.
        let io = error.downcast_ref::<std::io::Error>();
        next = match io.and_then(std::io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    false
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs an ssh server"]
async fn what_comes_after_the_end_fails_because_of_it() {
    let (sshd, engine) = (Sshd::start(), FakeEngine::start());
    let remote = connect(&sshd, &engine).await.unwrap();
    let store = remote
        .store(engine.folder().to_str().unwrap())
        .await
        .unwrap();
    store.write("a", b"before").await.unwrap();
    assert!(remote.loss().await.is_none());
    sshd.cut();
    let lost = timeout(HANG, store.write("a", b"after")).await.unwrap();
    assert!(is_loss(&lost.unwrap_err()));
    assert!(is_loss(&store.read("a").await.unwrap_err()));
    assert!(is_loss(&remote.loss().await.unwrap()));
    assert!(remote.trouble().await.unwrap().contains("ended"));
    assert!(remote.process().is_none());
    // It is not made anew behind our back.
    assert_eq!(sshd.connections(), 1);
    let near = FileStore::open(engine.folder()).unwrap();
    assert_eq!(near.read("a").await.unwrap().unwrap(), b"before");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs an ssh server"]
async fn a_write_that_is_cut_changes_nothing() {
    let (sshd, engine) = (Sshd::start(), FakeEngine::start());
    let remote = connect(&sshd, &engine).await.unwrap();
    let folder = engine.folder().join("state");
    let store = remote.store(folder.to_str().unwrap()).await.unwrap();
    store.write("a", b"before").await.unwrap();
    let long = vec![b'x'; 512 << 20];
    let write = store.write("a", &long);
    let cut = async {
        // Once the first of it is there.
        while !has_temporary(&folder) {
            sleep(Duration::from_millis(5)).await;
        }
        sshd.cut();
    };
    let (written, ()) = tokio::join!(write, cut);
    assert!(is_loss(&written.unwrap_err()));
    // The script there still has to notice.
    let gone = async {
        while has_temporary(&folder) {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(HANG, gone).await.unwrap();
    let near = FileStore::open(&folder).unwrap();
    assert_eq!(near.read("a").await.unwrap().unwrap(), b"before");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs an ssh server"]
async fn a_server_that_falls_silent_is_given_up() {
    let (sshd, engine) = (Sshd::start(), FakeEngine::start());
    let options = RemoteOptions {
        keep_alive: Duration::from_secs(1),
        ..sshd.options(&engine.socket())
    };
    let remote = Remote::connect(&sshd.url(), &options).await.unwrap();
    let store = remote
        .store(engine.folder().to_str().unwrap())
        .await
        .unwrap();
    sshd.fall_silent();
    let lost = timeout(HANG, store.read("a")).await.unwrap();
    assert!(is_loss(&lost.unwrap_err()));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs an ssh server"]
async fn the_connection_ends_with_the_last_copy() {
    let (sshd, engine) = (Sshd::start(), FakeEngine::start());
    let remote = connect(&sshd, &engine).await.unwrap();
    let process = remote.process().unwrap();
    let folder = remote.engine_socket().parent().unwrap().to_owned();
    let store = remote
        .store(engine.folder().to_str().unwrap())
        .await
        .unwrap();
    drop(remote);
    assert_eq!(store.read("none").await.unwrap(), None);
    drop(store);
    let gone = async {
        while Path::new(&format!("/proc/{process}")).exists() || folder.exists() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(HANG, gone).await.unwrap();
}

/// Whether something of a document is on its way.
fn has_temporary(folder: &Path) -> bool {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names = entries.map(|entry| entry.unwrap().file_name());
    names.any(|name| name.to_string_lossy().starts_with(".a."))
}
