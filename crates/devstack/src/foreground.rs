//! The program a stack is started for.

use std::{
    ffi::OsStr,
    os::unix::process::{CommandExt, ExitStatusExt},
    process::{Command, ExitStatus},
};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::{Error, Result, Workspace, command, process::spawn_from_lasting_thread};

/// A program that shares our terminal and ends with us.
///
/// It is in a process group of its own, so that Ctrl-C reaches it once, through [`Self::forward`],
/// and not a second time from the terminal.
#[derive(Debug)]
pub struct Foreground {
    pid: Pid,
    ended: tokio::task::JoinHandle<std::io::Result<ExitStatus>>,
}

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
        let program = program.as_ref();
        let mut command: Command = command::companion(program);
        command
            .args(arguments)
            .envs(env.iter().map(|(key, value)| (key, value)))
            .process_group(0);
        for key in unset {
            command.env_remove(key);
        }
        command.current_dir(Workspace::current().root());
        let child = spawn_from_lasting_thread(command).await;
        let mut child = child.map_err(Error::io(format!("run {}", program.display())))?;
        let pid = Pid::from_child(&child);
        Ok(Self {
            pid,
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

        let mut waiting = Foreground::start("sleep", &["60"], &[], &[]).await.unwrap();
        waiting.forward(15);
        assert_eq!(waiting.wait().await.unwrap(), 128 + 15);
    }
}
