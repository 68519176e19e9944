//! The program a stack is started for.

use std::{
    ffi::OsStr,
    io::{BufRead, BufReader, Write, stderr},
    os::unix::process::{CommandExt, ExitStatusExt},
    process::{ChildStderr, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{sync::oneshot, time::timeout};

use crate::{Error, Result, Workspace, command, process::spawn_from_lasting_thread};

/// A program that shares our terminal and ends with us.
///
/// It is in a process group of its own, so that Ctrl-C reaches it once, through [`Self::forward`],
/// and not a second time from the terminal.
#[derive(Debug)]
pub struct Foreground {
    pid: Pid,
    ended: tokio::task::JoinHandle<std::io::Result<ExitStatus>>,
    said: Option<Said>,
}

/// What is said, while it is.
#[derive(Debug)]
struct Said {
    text: Arc<Mutex<String>>,
    ended: oneshot::Receiver<()>,
}

/// How long what was said last is waited for.
const LAST_WORDS: Duration = Duration::from_secs(2);

// === impl Foreground ===

impl Foreground {
    /// Starts `program` at the workspace's root, with our environment without `unset`, and `env`
    /// over it.
    ///
    /// # Errors
    /// When it cannot be started.
    pub async fn start(
        program: impl AsRef<OsStr>,
        arguments: &[&str],
        env: &[(String, String)],
        unset: &[String],
    ) -> Result<Self> {
        Self::spawn(program.as_ref(), arguments, env, unset, Stdio::inherit()).await
    }

    /// The same, and what it says on standard error is kept, too, for [`Self::said`].
    ///
    /// # Errors
    /// When it cannot be started.
    pub async fn start_heard(
        program: impl AsRef<OsStr>,
        arguments: &[&str],
        env: &[(String, String)],
        unset: &[String],
    ) -> Result<Self> {
        Self::spawn(program.as_ref(), arguments, env, unset, Stdio::piped()).await
    }

    async fn spawn(
        program: &OsStr,
        arguments: &[&str],
        env: &[(String, String)],
        unset: &[String],
        stderr: Stdio,
    ) -> Result<Self> {
        let mut command: Command = command::companion(program);
        command
            .args(arguments)
            .envs(env.iter().map(|(key, value)| (key, value)))
            .stderr(stderr)
            .process_group(0);
        for key in unset {
            command.env_remove(key);
        }
        command.current_dir(Workspace::current().root());
        let child = spawn_from_lasting_thread(command).await;
        let mut child = child.map_err(Error::io(format!("run {}", program.display())))?;
        let pid = Pid::from_child(&child);
        let heard = child.stderr.take();
        Ok(Self {
            pid,
            said: heard.map(Said::of),
            ended: tokio::task::spawn_blocking(move || child.wait()),
        })
    }

    /// Hands on a signal that we got, by its number, to the program and its children.
    pub fn forward(&self, signal: i32) {
        if let Some(signal) = Signal::from_named_raw(signal)
            && !self.ended.is_finished()
        {
            let _ = kill_process_group(self.pid, signal);
        }
    }

    /// Waits for its end; gives its exit code, or 128 and the signal that ended it.
    ///
    /// # Errors
    /// When the system does not tell.
    pub async fn wait(&mut self) -> Result<u8> {
        let lost = || Error::io("wait for the program");
        let status = (&mut self.ended)
            .await
            .map_err(|error| lost()(error.into()))?
            .map_err(lost())?;
        let code = status
            .code()
            .or_else(|| status.signal().map(|signal| 128 + signal))
            .unwrap_or(1);
        Ok(u8::try_from(code).unwrap_or(u8::MAX))
    }

    /// What it said on standard error until its end, if it is heard; bytes that are no text are
    /// replaced. To be asked after its end.
    pub async fn said(&mut self) -> String {
        let Some(said) = self.said.take() else {
            return String::new();
        };
        // What it has started may live on, and hold the pipe open.
        let _ = timeout(LAST_WORDS, said.ended).await;
        let text = said.text.lock().unwrap_or_else(PoisonError::into_inner);
        text.clone()
    }
}

// === impl Said ===

impl Said {
    /// On a thread of its own, for which no runtime waits.
    fn of(from: ChildStderr) -> Self {
        let text = Arc::new(Mutex::new(String::new()));
        let (done, ended) = oneshot::channel();
        let keep = Arc::clone(&text);
        thread::spawn(move || {
            copy(from, &keep);
            let _ = done.send(());
        });
        Self { text, ended }
    }
}

/// Hands on what is said, line by line, and keeps it.
fn copy(from: ChildStderr, text: &Mutex<String>) {
    let mut from = BufReader::new(from);
    let mut line = Vec::new();
    while from.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        let _ = stderr().write_all(&line);
        let mut text = text.lock().unwrap_or_else(PoisonError::into_inner);
        text.push_str(&String::from_utf8_lossy(&line));
        line.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn gives_exit_codes_and_hands_signals_on() {
        let env = [("ANSWER".to_owned(), "42".to_owned())];
        let mut done = Foreground::start("sh", &["-c", "exit $ANSWER"], &env, &[])
            .await
            .unwrap();
        assert_eq!(done.wait().await.unwrap(), 42);

        let mut heard = Foreground::start_heard("sh", &["-c", "echo one >&2"], &[], &[])
            .await
            .unwrap();
        assert_eq!(heard.wait().await.unwrap(), 0);
        assert_eq!(heard.said().await, "one\n");

        let mut waiting = Foreground::start("sleep", &["60"], &[], &[]).await.unwrap();
        waiting.forward(15);
        assert_eq!(waiting.wait().await.unwrap(), 128 + 15);
    }
}
