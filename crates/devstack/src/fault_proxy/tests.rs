use std::io::ErrorKind;

use tokio::time::timeout;

use super::*;

const SOON: Duration = Duration::from_millis(60);

/// A server that sends back what it gets.
async fn echo() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut reader, mut writer) = stream.split();
                tokio::io::copy(&mut reader, &mut writer).await
            });
        }
    });
    address
}

async fn say(stream: &mut TcpStream, text: &[u8]) -> std::io::Result<Vec<u8>> {
    stream.write_all(text).await?;
    let mut answer = vec![0; 256];
    let length = stream.read(&mut answer).await?;
    answer.truncate(length);
    Ok(answer)
}

#[tokio::test]
async fn passes_and_counts() {
    let proxy = FaultProxy::start(echo().await).await.unwrap();
    let mut first = TcpStream::connect(proxy.address()).await.unwrap();
    let mut second = TcpStream::connect(proxy.address()).await.unwrap();
    assert_eq!(say(&mut first, b"one").await.unwrap(), b"one");
    assert_eq!(say(&mut second, b"two").await.unwrap(), b"two");
    assert_eq!((proxy.accepted(), proxy.open()), (2, 2));
    drop(first);
    timeout(Duration::from_secs(5), async {
        while proxy.open() != 1 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    assert_eq!(proxy.accepted(), 2);
}

#[tokio::test]
async fn refusing_closes_the_port_and_what_is_open_and_comes_back() {
    let mut proxy = FaultProxy::start(echo().await).await.unwrap();
    let mut open = TcpStream::connect(proxy.address()).await.unwrap();
    say(&mut open, b"x").await.unwrap();
    proxy.set(Mode::Refuse).await;
    let refused = TcpStream::connect(proxy.address()).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    assert!(
        say(&mut open, b"y")
            .await
            .map_or(true, |answer| answer.is_empty())
    );
    assert_eq!(proxy.open(), 0);
    proxy.set(Mode::Pass).await;
    let mut again = TcpStream::connect(proxy.address()).await.unwrap();
    assert_eq!(say(&mut again, b"z").await.unwrap(), b"z");
}

#[tokio::test]
async fn the_black_hole_swallows_until_it_ends() {
    let mut proxy = FaultProxy::start(echo().await).await.unwrap();
    let mut open = TcpStream::connect(proxy.address()).await.unwrap();
    say(&mut open, b"x").await.unwrap();
    proxy.set(Mode::BlackHole).await;
    let mut new = TcpStream::connect(proxy.address()).await.unwrap();
    assert!(timeout(SOON, say(&mut open, b"y")).await.is_err());
    assert!(timeout(SOON, say(&mut new, b"z")).await.is_err());
    proxy.set(Mode::Pass).await;
    let mut answer = [0];
    new.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"z");
}

#[tokio::test]
async fn delays_replies() {
    let mut proxy = FaultProxy::start(echo().await).await.unwrap();
    proxy.set(Mode::Delay(Duration::from_millis(150))).await;
    let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
    let asked = std::time::Instant::now();
    assert_eq!(say(&mut stream, b"slow").await.unwrap(), b"slow");
    assert!(asked.elapsed() >= Duration::from_millis(150));
}

#[tokio::test]
async fn resets_in_the_middle_of_a_reply() {
    let mut proxy = FaultProxy::start(echo().await).await.unwrap();
    proxy.set(Mode::ResetMidReply).await;
    let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
    stream.write_all(b"0123456789").await.unwrap();
    let mut answer = Vec::new();
    let error = stream.read_to_end(&mut answer).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert!(answer.len() < 10);
}

#[tokio::test]
async fn garbage_is_no_echo() {
    let mut proxy = FaultProxy::start(echo().await).await.unwrap();
    proxy.set(Mode::Garbage).await;
    assert_eq!(proxy.mode(), Mode::Garbage);
    let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
    assert_eq!(say(&mut stream, b"PING").await.unwrap(), NOISE);
}

#[tokio::test]
async fn an_upstream_that_is_not_there_hangs_up() {
    let gone = format!("127.0.0.1:{}", port::free_port().unwrap());
    let proxy = FaultProxy::start(gone).await.unwrap();
    let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
    assert!(
        say(&mut stream, b"x")
            .await
            .map_or(true, |answer| answer.is_empty())
    );
}

#[tokio::test]
async fn what_is_forgotten_is_silent_for_good_and_what_is_new_is_not() {
    let mut proxy = FaultProxy::start(echo().await).await.unwrap();
    let mut old = TcpStream::connect(proxy.address()).await.unwrap();
    assert_eq!(say(&mut old, b"one").await.unwrap(), b"one");
    proxy.forget();
    let mut new = TcpStream::connect(proxy.address()).await.unwrap();
    assert_eq!(say(&mut new, b"two").await.unwrap(), b"two");
    proxy.set(Mode::Pass).await;
    assert!(timeout(SOON, say(&mut old, b"one")).await.is_err());
    assert_eq!(say(&mut new, b"three").await.unwrap(), b"three");
}
