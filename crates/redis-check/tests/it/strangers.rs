//! What answers, and is no Redis: scripted, since these are faults.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tria_check::{Code, Outcome};
use tria_redis_check::{RedisOptions, codes};

use crate::support::{PASSWORD, assert_fails, check, detail, hasty, verify};

/// What a stranger does with a request.
#[derive(Clone, Copy)]
enum Manner {
    /// Answers each request with this.
    Say(&'static str),
    /// Sends the request back.
    Echo,
    /// Closes the connection.
    Close,
}

/// The outcome of a probe that is sent to a stranger, with a password.
async fn ask(manner: Manner) -> Outcome {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let stranger = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = vec![0; 4096];
                while let Ok(read @ 1..) = stream.read(&mut request).await {
                    let answer = match manner {
                        Manner::Say(text) => text.as_bytes(),
                        Manner::Echo => &request[..read],
                        Manner::Close => return,
                    };
                    if stream.write_all(answer).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    let password = Some(PASSWORD.into());
    let outcome = verify(&check(&RedisOptions {
        password,
        ..hasty(port)
    }))
    .await;
    stranger.abort();
    outcome
}

async fn assert_told(manner: Manner, code: Code, permanent: bool) -> Outcome {
    let outcome = ask(manner).await;
    assert_fails(&outcome, code, permanent);
    outcome
}

#[tokio::test]
async fn other_protocols_are_not_redis() {
    for banner in [
        "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
        "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n",
        "220 mail.example ESMTP\r\n",
        "ERROR\r\n",
        "\0\0\0\0\0",
    ] {
        assert_told(Manner::Say(banner), codes::NOT_REDIS, true).await;
    }
}

#[tokio::test]
async fn an_echo_is_not_redis_and_the_password_stays_inside() {
    assert_told(Manner::Echo, codes::NOT_REDIS, true).await;
}

#[tokio::test]
async fn whoever_closes_is_told() {
    assert_told(Manner::Close, codes::CONNECTION_CLOSED, false).await;
}

/// Redis 5, which has no HELLO and quotes the arguments, the password among them.
#[tokio::test]
async fn a_redis_without_hello_is_too_old_and_the_password_stays_inside() {
    for answer in [
        "-ERR unknown command `HELLO`, with args beginning with: `3`, `AUTH`, `default`, \
         `s3cr3t-planted-pw`, \r\n",
        "-ERR unknown command 'HELLO', with args beginning with: '3' 'AUTH' 'default' \
         's3cr3t-planted-pw' \r\n",
    ] {
        assert_told(Manner::Say(answer), codes::VERSION_TOO_OLD, true).await;
    }
}

#[tokio::test]
async fn an_error_that_nobody_knows_is_passed_on_to_operators() {
    let outcome = assert_told(
        Manner::Say("-ERR out of cheese\r\n"),
        codes::SERVER_ERROR,
        false,
    )
    .await;
    assert!(
        detail(&outcome).ends_with("ERR out of cheese"),
        "{}",
        detail(&outcome)
    );
    assert!(!outcome.text().as_str().contains("cheese"));
}

#[tokio::test]
async fn protected_mode_is_told() {
    let answer = "-DENIED Redis is running in protected mode because protected mode is enabled\r\n";
    assert_told(Manner::Say(answer), codes::PROTECTED_MODE, true).await;
}
