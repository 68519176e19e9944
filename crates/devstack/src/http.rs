//! As much of an HTTP client as readiness probes need.

use std::io;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Status and body of one answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

/// Asks once over a connection of its own; `bearer` is sent as the authorization.
pub(crate) async fn request(
    port: u16,
    method: &str,
    path: &str,
    bearer: Option<&str>,
    body: Option<&str>,
) -> io::Result<Answer> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let authorization = bearer
        .map(|key| format!("Authorization: Bearer {key}\r\n"))
        .unwrap_or_default();
    let content = body.map(|body| {
        format!(
            "Content-Type: application/json\r\nContent-Length: {}\r\n",
            body.len()
        )
    });
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n{authorization}{}\r\n",
        content.unwrap_or_default()
    );
    stream.write_all(head.as_bytes()).await?;
    stream
        .write_all(body.unwrap_or_default().as_bytes())
        .await?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await?;
    parse(&String::from_utf8_lossy(&bytes)).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

fn parse(text: &str) -> Option<Answer> {
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head
        .strip_prefix("HTTP/1.")?
        .split(' ')
        .nth(1)?
        .parse()
        .ok()?;
    Some(Answer {
        status,
        body: body.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_status_and_body_and_refuses_other_protocols() {
        let answer = parse("HTTP/1.1 401 Unauthorized\r\nServer: x\r\n\r\n{}").expect("an answer");
        assert_eq!((answer.status, answer.body.as_str()), (401, "{}"));
        assert!(parse("+PONG\r\n\r\n").is_none());
        assert!(parse("HTTP/1.1 ok").is_none());
    }
}
