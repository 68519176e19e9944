//! The connection itself: one `ssh` that holds it, and others that only talk to that one.

use std::{
    io,
    path::{Path, PathBuf},
    process::Stdio,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::UnixStream,
    process::{Child, ChildStderr, ChildStdin, ChildStdout, Command},
    sync::watch,
    time::timeout,
};
use tokio_util::task::AbortOnDropHandle;

use super::{HostUrl, RemoteError, RemoteOptions, Said};

/// The `ssh` that holds the connection. It ends when this is dropped, and when we die: its command
/// on the server reads from a pipe that only we hold.
#[derive(Debug)]
pub(super) struct Master {
    folder: TempDir,
    life: watch::Receiver<Life>,
    sockets: AtomicU32,
    process: Option<u32>,
    _anchor: ChildStdin,
    _attendant: AbortOnDropHandle<()>,
}

/// What a command on the server said.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) code: i32,
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: String,
}

#[derive(Debug, Default)]
struct Life {
    said: String,
    is_over: bool,
}

/// How long a command may take; each is small.
const PATIENCE: Duration = Duration::from_secs(30);

/// What ends is told by ssh itself, a moment later.
const AFTERWARDS: Duration = Duration::from_secs(1);

/// What is kept of what ssh says.
const MOST_SAID: usize = 8 << 10;

/// The code of ssh itself, as against one of its command.
const SSH_FAILED: i32 = 255;

// === impl Master ===

impl Master {
    /// Starts it with a first command, whose output is given back.
    pub(super) fn start(
        host: &HostUrl,
        options: &RemoteOptions,
        greet: &str,
    ) -> Result<(Self, ChildStdout), RemoteError> {
        // Nobody else can enter it, and its path is short: the path of a socket must be.
        let folder = tempfile::Builder::new().prefix("tria-").tempdir();
        let folder = folder.map_err(RemoteError::Local)?;
        let mut command = ssh();
        if let Some(config) = &options.config {
            command.arg("-F").arg(config);
        }
        command.arg("-M").arg("-S").arg(control(&folder));
        let patience = options.patience.as_secs().max(1);
        let keep_alive = options.keep_alive.as_secs().max(1);
        for option in [
            // Nobody is there to answer a question.
            "BatchMode=yes",
            "ControlPersist=no",
            "ServerAliveCountMax=3",
            // Ours are asked for one by one; those of the user are for other purposes.
            "ClearAllForwardings=yes",
            "ForwardAgent=no",
            "ForwardX11=no",
            "PermitLocalCommand=no",
            "RemoteCommand=none",
            "StreamLocalBindMask=0177",
            "LogLevel=INFO",
            &format!("ConnectTimeout={patience}"),
            &format!("ServerAliveInterval={keep_alive}"),
        ] {
            command.args(["-o", option]);
        }
        if let Some(user) = host.user() {
            command.args(["-l", user]);
        }
        if let Some(port) = host.port() {
            command.args(["-p", &port.to_string()]);
        }
        command.args(["-T", "--", host.host(), greet]);
        let mut child = command.spawn().map_err(RemoteError::NoClient)?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let (Some(anchor), Some(stdout), Some(stderr)) = (stdin, stdout, child.stderr.take())
        else {
            return Err(RemoteError::Local(io::ErrorKind::BrokenPipe.into()));
        };
        let process = child.id();
        let (sender, life) = watch::channel(Life::default());
        let attendant = tokio::spawn(attend(child, stderr, sender));
        let master = Self {
            folder,
            life,
            sockets: AtomicU32::new(0),
            process,
            _anchor: anchor,
            _attendant: AbortOnDropHandle::new(attendant),
        };
        Ok((master, stdout))
    }

    pub(super) fn process(&self) -> Option<u32> {
        self.process.filter(|_| !self.life.borrow().is_over)
    }

    /// Why it ended before it was connected.
    pub(super) async fn refusal(&self) -> RemoteError {
        let mut life = self.life.clone();
        // It fails only when the sender is gone, and then it is over, too.
        let _ = life.wait_for(|life| life.is_over).await;
        RemoteError::from_ssh(&self.life.borrow().said)
    }

    /// Why it is over; none while it stands.
    pub(super) async fn loss(&self) -> Option<RemoteError> {
        if !self.life.borrow().is_over {
            // It stops to listen a moment before it has ended.
            if UnixStream::connect(control(&self.folder)).await.is_ok() {
                return None;
            }
            let mut life = self.life.clone();
            let _ = timeout(AFTERWARDS, life.wait_for(|life| life.is_over)).await;
        }
        Some(RemoteError::Lost(Said::tail(&self.life.borrow().said)))
    }

    /// Makes a socket here that leads to a socket or an address there.
    pub(super) async fn forward(&self, target: &str) -> Result<PathBuf, RemoteError> {
        let number = self.sockets.fetch_add(1, Ordering::Relaxed);
        let socket = self.folder.path().join(number.to_string());
        let mut command = self.through();
        command.args(["-O", "forward", "-L"]);
        command.arg(format!("{}:{target}", socket.display()));
        command.args(["--", "master"]);
        let answer = self.finished(command, &[]).await?;
        if answer.code == 0 {
            return Ok(socket);
        }
        let code = answer.code;
        let source = Said::tail(&answer.stderr);
        let failed = RemoteError::Command { code, source };
        Err(self.loss().await.unwrap_or(failed))
    }

    /// Runs a script on the server, with arguments and an input.
    pub(super) async fn run(
        &self,
        script: &str,
        arguments: &[&str],
        input: &[u8],
    ) -> Result<Answer, RemoteError> {
        let mut command = self.through();
        command.args(["-T", "--", "master", &command_line(script, arguments)]);
        let answer = self.finished(command, input).await?;
        if answer.code != SSH_FAILED {
            return Ok(answer);
        }
        if let Some(loss) = self.loss().await {
            return Err(loss);
        }
        Err(RemoteError::NoSession(Said::tail(&answer.stderr)))
    }

    /// An `ssh` that can only talk to the master.
    fn through(&self) -> Command {
        let mut command = ssh();
        command
            // What the user has set for connections is not for this one, which makes none.
            .args(["-F", "/dev/null"])
            .arg("-S")
            .arg(control(&self.folder))
            // Without a master it would connect by itself: a connection for each call.
            .args(["-o", "ProxyCommand=false", "-o", "ControlMaster=no"]);
        command
    }

    async fn finished(&self, mut command: Command, input: &[u8]) -> Result<Answer, RemoteError> {
        let run = async {
            let mut child = command.spawn()?;
            let stdin = child.stdin.take();
            let write = async {
                if let Some(mut stdin) = stdin {
                    // One that does not want it has its reason, which its code tells.
                    let _ = stdin.write_all(input).await;
                }
            };
            let (output, ()) = tokio::join!(child.wait_with_output(), write);
            output
        };
        let output = timeout(PATIENCE, run).await;
        let output = output
            .map_err(|_| RemoteError::Deadline)?
            .map_err(RemoteError::Local)?;
        Ok(Answer {
            // One that was killed has not run to its end.
            code: output.status.code().unwrap_or(SSH_FAILED),
            stdout: output.stdout,
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }
}

/// The command line that runs a script by `sh`, whatever shell the user there has. Scripts have one
/// line, and neither single quotes nor backslashes: not all shells agree on those.
pub(super) fn command_line(script: &str, arguments: &[&str]) -> String {
    let mut line = format!("exec sh -c {} sh", quoted(script));
    for argument in arguments {
        line.push(' ');
        line.push_str(&quoted(argument));
    }
    line
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn control(folder: &TempDir) -> PathBuf {
    Path::new(folder.path()).join("c")
}

fn ssh() -> Command {
    let mut command = Command::new("ssh");
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // Ctrl-C is for us: we still need the connection to end what was begun.
        .process_group(0)
        .kill_on_drop(true);
    command
}

/// Listens to what ssh says until it ends.
async fn attend(mut child: Child, stderr: ChildStderr, told: watch::Sender<Life>) {
    let listen = async {
        let mut stderr = BufReader::new(stderr);
        let mut line = Vec::new();
        while stderr
            .read_until(b'\n', &mut line)
            .await
            .is_ok_and(|read| read > 0)
        {
            told.send_modify(|life| {
                life.said.push_str(&String::from_utf8_lossy(&line));
                if life.said.len() > MOST_SAID {
                    let mut from = life.said.len() - MOST_SAID / 2;
                    while !life.said.is_char_boundary(from) {
                        from += 1;
                    }
                    life.said.drain(..from);
                }
            });
            line.clear();
        }
    };
    tokio::pin!(listen);
    tokio::select! {
        () = &mut listen => {
            let _ = child.wait().await;
        }
        _ = child.wait() => {
            // A program that it started may keep the pipe open.
            let _ = timeout(Duration::from_secs(1), listen).await;
        }
    }
    told.send_modify(|life| life.is_over = true);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_stays_one_argument() {
        let script = r#"for it; do printf "<%s>" "$it"; done"#;
        let arguments = ["a b", "it's", "$(id)", "`id`", ";", "*", "", "-n"];
        let line = command_line(script, &arguments);
        for shell in ["sh", "bash"] {
            let output = std::process::Command::new(shell)
                .args(["-c", &line])
                .output();
            let said = String::from_utf8(output.unwrap().stdout).unwrap();
            assert_eq!(said, "<a b><it's><$(id)><`id`><;><*><><-n>");
        }
    }
}
