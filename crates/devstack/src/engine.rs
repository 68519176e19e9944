//! A container engine for the tests of deployments: the one that runs, or a private one.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, geteuid, kill_process};

use crate::{Error, Progress, Result, Workspace};

/// A Docker engine that answers. One that was started here ends when this is dropped.
#[derive(Debug)]
pub struct ContainerEngine {
    host: String,
    daemon: Option<Child>,
}

/// Where an engine listens if nobody says otherwise.
const USUAL: &str = "unix:///var/run/docker.sock";

/// How long a private engine may take to answer.
const START: Duration = Duration::from_secs(60);

/// How long it may take to end.
const STOP: Duration = Duration::from_secs(30);

/// Free disk without which no deployment is tried.
const NEEDED_BYTES: u64 = 8 << 30;

// === impl ContainerEngine ===

impl ContainerEngine {
    /// Why there can be none here, in one line; nothing if there can. `host` is what `DOCKER_HOST`
    /// says. Nothing is started or installed.
    pub fn obstacle(workspace: &Workspace, host: Option<&str>) -> Option<String> {
        let free = free_bytes(workspace.root());
        if free < NEEDED_BYTES {
            return Some(format!(
                "{} GB are free on the disk, {} GB are needed",
                free >> 30,
                NEEDED_BYTES >> 30
            ));
        }
        let runs = answers(host.unwrap_or(USUAL));
        if !runs && host.is_some() {
            return Some("the engine that DOCKER_HOST names does not answer".to_owned());
        }
        if !runs && !geteuid().is_root() {
            return Some("no container engine runs, and only root can start one".to_owned());
        }
        let is_complete = (runs || installed()) && has_plugins();
        let can_install = geteuid().is_root() && which::which("apt-get").is_ok();
        (!is_complete && !can_install)
            .then(|| "dockerd or the plugins compose and buildx of docker are missing".to_owned())
    }

    /// The engine that runs, or a private one whose files are below `.tria/docker`. Where none is
    /// installed, `install` is run, which must do that.
    ///
    /// # Errors
    /// If there can be none, or it does not start.
    pub fn find_or_start(
        workspace: &Workspace,
        host: Option<&str>,
        install: &Path,
        progress: &Progress,
    ) -> Result<Self> {
        if let Some(obstacle) = Self::obstacle(workspace, host) {
            return Err(failed("looking for a container engine", obstacle));
        }
        let usual = host.unwrap_or(USUAL);
        let runs = answers(usual);
        if !(runs || installed()) || !has_plugins() {
            progress.say("installing what is missing of Debian's container engine and its plugins");
            let status = Command::new(install).stdin(Stdio::null()).status();
            let status = status.map_err(Error::io("run the installation"))?;
            if !status.success() {
                let cause = format!("the installation ended with {status}");
                return Err(failed("installing a container engine", cause));
            }
        }
        if runs {
            return Ok(Self {
                host: usual.to_owned(),
                daemon: None,
            });
        }
        progress.say("no container engine runs: starting a private one, which ends with the tests");
        Self::start(&workspace.file("docker"))
    }

    /// What `DOCKER_HOST` must say for programs to find it.
    pub fn host(&self) -> &str {
        &self.host
    }

    fn start(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder).map_err(Error::io("make the engine's folder"))?;
        let log = folder.join("dockerd.log");
        let writer = File::create(&log).map_err(Error::io("write the engine's log"))?;
        let too = writer
            .try_clone()
            .map_err(Error::io("write the engine's log"))?;
        let host = format!("unix://{}", folder.join("docker.sock").display());
        let at = |name: &str| folder.join(name).display().to_string();
        let daemon = Command::new("dockerd")
            .args(["--host", &host])
            .args(["--data-root", &at("data"), "--exec-root", &at("exec")])
            .args(["--pidfile", &at("dockerd.pid")])
            .stdin(Stdio::null())
            .stdout(writer)
            .stderr(too)
            .spawn()
            .map_err(Error::io("start dockerd"))?;
        let mut engine = Self {
            host,
            daemon: Some(daemon),
        };
        engine.wait(&log)?;
        Ok(engine)
    }

    fn wait(&mut self, log: &PathBuf) -> Result<()> {
        let begun = Instant::now();
        let cause = loop {
            if answers(&self.host) {
                return Ok(());
            }
            let daemon = self.daemon.as_mut();
            if let Some(Ok(Some(status))) = daemon.map(Child::try_wait) {
                break format!("it ended with {status}");
            }
            if begun.elapsed() > START {
                break format!("it did not answer within {} s", START.as_secs());
            }
            sleep(Duration::from_millis(200));
        };
        let text = fs::read_to_string(log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let tail = lines[lines.len().saturating_sub(10)..].join("\n");
        Err(Error::Start {
            server: "the container engine",
            cause,
            tail,
        })
    }
}

impl Drop for ContainerEngine {
    fn drop(&mut self) {
        let Some(mut daemon) = self.daemon.take() else {
            return;
        };
        let _ = kill_process(Pid::from_child(&daemon), Signal::TERM);
        let begun = Instant::now();
        while begun.elapsed() < STOP {
            if !matches!(daemon.try_wait(), Ok(None)) {
                return;
            }
            sleep(Duration::from_millis(100));
        }
        let _ = daemon.kill();
        let _ = daemon.wait();
    }
}

fn installed() -> bool {
    ["docker", "dockerd"]
        .into_iter()
        .all(|program| which::which(program).is_ok())
}

fn has_plugins() -> bool {
    ["compose", "buildx"]
        .into_iter()
        .all(|plugin| docker(&[plugin, "version"]))
}

fn answers(host: &str) -> bool {
    docker(&["--host", host, "version", "--format", "{{.Server.Version}}"])
}

fn docker(arguments: &[&str]) -> bool {
    let asked = Command::new("docker")
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    asked.is_ok_and(|status| status.success())
}

fn free_bytes(folder: &Path) -> u64 {
    let found = rustix::fs::statvfs(folder);
    found.map_or(0, |found| found.f_bavail.saturating_mul(found.f_frsize))
}

fn failed(step: &'static str, cause: String) -> Error {
    Error::Setup {
        step,
        cause,
        remedy: "start a Docker engine, or name one in DOCKER_HOST",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_that_is_named_and_does_not_answer_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace::at(folder.path());
        let host = format!("unix://{}", folder.path().join("nobody.sock").display());
        // With a disk that is full, that is told first.
        let obstacle = ContainerEngine::obstacle(&workspace, Some(&host)).unwrap();
        assert!(
            obstacle.contains("DOCKER_HOST") || obstacle.contains("disk"),
            "{obstacle}"
        );
    }
}
