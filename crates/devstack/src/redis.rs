//! A private Valkey or Redis.

use std::{
    fmt::Write as _,
    ops::{Deref, DerefMut},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use rustix::process::Signal;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

use crate::{
    Installation, Result, command, files,
    files::RunFolder,
    secret,
    server::{Recipe, Server},
};

/// How many numbered databases a server has, so that tests can have one each.
pub(crate) const DATABASES: u32 = 4096;

/// What a private Redis should be like.
#[derive(Clone, Default)]
pub struct RedisOptions {
    /// The default user's password; none: no password is asked for.
    pub password: Option<String>,
    /// Further configuration lines, as in `maxmemory-policy noeviction`.
    pub config: Vec<String>,
    /// Where data are kept, written through to disk; none: in memory only.
    pub data: Option<PathBuf>,
    /// A fixed port; none: a free one.
    pub port: Option<u16>,
    /// Take any answer to PING as ready, even `-LOADING`.
    pub ready_while_loading: bool,
}

/// A running Valkey or Redis; see [`Server`] for stop, restart and pause.
#[derive(Debug)]
pub struct Redis {
    server: Server,
    // After the server, so that it is gone when the folder is removed.
    _folder: RunFolder,
}

impl Redis {
    /// Starts a server and waits until it answers PING.
    ///
    /// # Errors
    /// When the stack is not set up, or the server does not become ready.
    pub async fn start(options: RedisOptions) -> Result<Self> {
        let installation = Installation::load()?;
        let folder = RunFolder::create(&installation.run_folder())?;
        let data = options
            .data
            .clone()
            .unwrap_or_else(|| folder.path().to_owned());
        files::create(&data)?;
        let config = folder.path().join("redis.conf");
        let port = options.port;
        let options = Arc::new(options);
        let recipe = Recipe {
            name: "Redis",
            log: folder.path().join("redis.log"),
            command: Box::new({
                let options = Arc::clone(&options);
                move |port| {
                    secret::write_private(
                        &config,
                        configuration(&options, port, &data).as_bytes(),
                    )?;
                    let mut command = command::server(&installation.redis.server, None);
                    command.arg(&config).current_dir(&data);
                    Ok((command, None))
                }
            }),
            probe: Box::new(move |port| {
                let options = Arc::clone(&options);
                Box::pin(async move { probe(port, &options).await })
            }),
            stop: Signal::TERM,
            grace: Duration::from_secs(5),
            quick_stop: Signal::KILL,
        };
        Ok(Self {
            server: Server::start(recipe, port).await?,
            _folder: folder,
        })
    }
}

impl Deref for Redis {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

impl DerefMut for Redis {
    fn deref_mut(&mut self) -> &mut Server {
        &mut self.server
    }
}

impl std::fmt::Debug for RedisOptions {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Neither the password nor configuration lines, which may hold others.
        formatter
            .debug_struct("RedisOptions")
            .field("data", &self.data)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

fn configuration(options: &RedisOptions, port: u16, data: &Path) -> String {
    let mut text = format!(
        "bind 127.0.0.1\nport {port}\ndir \"{}\"\ndaemonize no\ndatabases {DATABASES}\nenable-debug-command local\nsave \"\"\n",
        data.display()
    );
    if options.data.is_some() {
        text.push_str("appendonly yes\nappendfsync everysec\n");
    }
    if let Some(password) = &options.password {
        let _ = writeln!(text, "requirepass {password}");
    }
    for line in &options.config {
        let _ = writeln!(text, "{line}");
    }
    text
}

async fn probe(port: u16, options: &RedisOptions) -> std::result::Result<(), String> {
    let mut session = Session::open(port)
        .await
        .map_err(|error| error.to_string())?;
    if let Some(password) = &options.password {
        let answer = session
            .ask(&["AUTH", password])
            .await
            .map_err(|error| error.to_string())?;
        if answer != "+OK" {
            return Err(answer);
        }
    }
    let answer = session
        .ask(&["PING"])
        .await
        .map_err(|error| error.to_string())?;
    if answer == "+PONG" || options.ready_while_loading {
        Ok(())
    } else {
        Err(answer)
    }
}

/// As much of a client as the stack needs: one command, one line back.
pub(crate) struct Session {
    stream: BufReader<TcpStream>,
}

impl Session {
    pub(crate) async fn open(port: u16) -> std::io::Result<Self> {
        Ok(Self {
            stream: BufReader::new(TcpStream::connect(("127.0.0.1", port)).await?),
        })
    }

    /// The first line of the answer, with its type mark.
    pub(crate) async fn ask(&mut self, words: &[&str]) -> std::io::Result<String> {
        let mut request = format!("*{}\r\n", words.len());
        for word in words {
            let _ = write!(request, "${}\r\n{word}\r\n", word.len());
        }
        self.stream.write_all(request.as_bytes()).await?;
        let mut line = String::new();
        if self.stream.read_line(&mut line).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn ask(redis: &Redis, words: &[&[&str]]) -> String {
        let mut session = Session::open(redis.port()).await.unwrap();
        let mut answer = String::new();
        for words in words {
            answer = session.ask(words).await.unwrap();
        }
        answer
    }

    #[tokio::test]
    async fn the_password_is_asked_for_and_in_no_argument_list() {
        let redis = Redis::start(RedisOptions {
            password: Some("s3cret-of-redis".into()),
            ..Default::default()
        });
        let redis = redis.await.unwrap();
        assert_eq!(
            ask(&redis, &[&["AUTH", "s3cret-of-redis"], &["PING"]]).await,
            "+PONG"
        );
        assert!(ask(&redis, &[&["PING"]]).await.starts_with("-NOAUTH"));
        assert!(
            ask(&redis, &[&["AUTH", "wrong"]])
                .await
                .starts_with("-WRONGPASS")
        );

        let arguments = std::fs::read(format!("/proc/{}/cmdline", redis.pid().unwrap())).unwrap();
        assert!(!String::from_utf8_lossy(&arguments).contains("s3cret"));
        assert!(!format!("{redis:?}").contains("s3cret"));
    }

    #[tokio::test]
    async fn kept_data_survive_a_restart_and_no_process_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let options = RedisOptions {
            data: Some(folder.path().to_owned()),
            ..Default::default()
        };
        let mut redis = Redis::start(options.clone()).await.unwrap();
        let (port, pid) = (redis.port(), redis.pid().unwrap());
        assert_eq!(ask(&redis, &[&["SET", "pizza", "margherita"]]).await, "+OK");
        redis.restart().await.unwrap();
        assert_eq!(redis.port(), port);
        assert!(!Path::new("/proc").join(pid.to_string()).exists());
        assert_eq!(ask(&redis, &[&["STRLEN", "pizza"]]).await, ":10");
        redis.stop().await;
        drop(redis);

        let redis = Redis::start(options).await.unwrap();
        assert_eq!(ask(&redis, &[&["STRLEN", "pizza"]]).await, ":10");
        let pid = redis.pid().unwrap();
        drop(redis);
        assert!(!Path::new("/proc").join(pid.to_string()).exists());
    }

    #[tokio::test]
    async fn a_taken_port_and_a_bad_line_are_told() {
        let first = Redis::start(RedisOptions::default()).await.unwrap();
        let taken = Redis::start(RedisOptions {
            port: Some(first.port()),
            ..Default::default()
        })
        .await;
        assert!(taken.unwrap_err().to_string().contains("in use"));
        let bad = Redis::start(RedisOptions {
            config: vec!["no-such-setting 1".into()],
            ..Default::default()
        })
        .await;
        assert!(bad.unwrap_err().to_string().contains("no-such-setting"));
    }

    #[tokio::test]
    async fn a_paused_server_hangs_until_it_is_resumed() {
        let redis = Redis::start(RedisOptions::default()).await.unwrap();
        redis.pause();
        let mut ping = std::pin::pin!(ask(&redis, &[&["PING"]]));
        assert!(
            tokio::time::timeout(Duration::from_millis(100), &mut ping)
                .await
                .is_err()
        );
        redis.resume();
        assert_eq!(ping.await, "+PONG");
    }
}
