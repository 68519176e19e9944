//! What is asked of the machine itself.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, UnixStream},
};
use tria_deploy::{
    Clock, SystemClock,
    machine::{Machine, Way},
};

use super::{FakeEngine, Sshd, connect};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs an ssh server"]
async fn it_answers_as_the_one_there() {
    let (sshd, engine) = (Sshd::start(), FakeEngine::start());
    let remote = connect(&sshd, &engine).await.unwrap();

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    assert!(!remote.port_is_free(address.port()).await);
    let Some(Way::Socket(way)) = remote.way_to(address).await else {
        panic!("there is no way");
    };
    assert_eq!(remote.way_to(address).await, Some(Way::Socket(way.clone())));
    for _ in 0..20 {
        let mut here = UnixStream::connect(&way).await.unwrap();
        let (mut there, _) = listener.accept().await.unwrap();
        there.write_all(b"hello").await.unwrap();
        drop(there);
        let mut said = String::new();
        here.read_to_string(&mut said).await.unwrap();
        assert_eq!(said, "hello");
    }
    drop(listener);
    assert!(remote.port_is_free(address.port()).await);

    assert!(remote.resolves("localhost").await);
    assert!(!remote.resolves("no-such-name.invalid").await);
    assert!(!remote.resolves("$(echo localhost)").await);

    assert!(remote.free_bytes("/").await.unwrap() > 0);
    assert_eq!(remote.free_bytes("/no/such/folder").await, None);

    // The same machine, and so the same time, but for a while.
    let (here, there) = (SystemClock.now(), remote.clock().now());
    assert!(here.since(there).max(there.since(here)) < Duration::from_secs(30));

    let state = remote.state_folder("shop");
    assert!(
        state.starts_with('/') && state.ends_with("/tria/shop"),
        "{state}"
    );
    assert_eq!(sshd.connections(), 1);
}
