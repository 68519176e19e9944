//! A real ssh server of our own on loopback: with its own keys, port and configuration, as the user
//! who runs the tests.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Condvar, Mutex},
    thread,
    time::Duration,
};

use tempfile::TempDir;
use tria_deploy::remote::{HostUrl, RemoteOptions};

pub(crate) struct Sshd {
    server: Child,
    folder: TempDir,
    port: u16,
    log: Arc<Log>,
}

#[derive(Default)]
struct Log {
    text: Mutex<String>,
    grown: Condvar,
}

/// Nothing here takes so long, however loaded the machine is.
const HANG: Duration = Duration::from_secs(60);

// === impl Sshd ===

impl Sshd {
    pub(crate) fn start() -> Self {
        Self::with("")
    }

    /// One with further lines in its configuration.
    pub(crate) fn with(lines: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        for key in ["host", "id", "other"] {
            let made = Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-f", &at(key)])
                .status();
            assert!(made.unwrap().success());
        }
        fs::copy(at("id.pub"), at("authorized")).unwrap();
        // As root it keeps an empty folder to lock itself into; its package makes it at the boot.
        let _ = fs::create_dir("/run/sshd");
        let port = free_port();
        let configuration = format!(
            "{lines}\nListenAddress 127.0.0.1:{port}\nHostKey {}\nAuthorizedKeysFile {}\n\
             StrictModes no\nUsePAM no\nPasswordAuthentication no\n\
             KbdInteractiveAuthentication no\nPidFile none\nLogLevel VERBOSE\n",
            at("host"),
            at("authorized")
        );
        fs::write(at("sshd_config"), configuration).unwrap();
        let client = format!(
            "Host *\n  IdentityFile {}\n  IdentitiesOnly yes\n  IdentityAgent none\n  \
             UserKnownHostsFile {}\n  GlobalKnownHostsFile /dev/null\n",
            at("id"),
            at("known")
        );
        fs::write(at("ssh_config"), client).unwrap();
        let mut server = Command::new("/usr/sbin/sshd")
            .args(["-D", "-e", "-f", &at("sshd_config")])
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Arc::new(Log::default());
        let stderr = BufReader::new(server.stderr.take().unwrap());
        let writer = Arc::clone(&log);
        thread::spawn(move || writer.collect(stderr));
        let sshd = Self {
            server,
            folder,
            port,
            log,
        };
        sshd.log.wait_for("Server listening");
        sshd.know_key_of("host");
        sshd
    }

    /// What the client takes for the server's key.
    pub(crate) fn know_key_of(&self, key: &str) {
        let public = fs::read_to_string(self.folder.path().join(format!("{key}.pub"))).unwrap();
        let line = format!("[127.0.0.1]:{} {public}", self.port);
        fs::write(self.folder.path().join("known"), line).unwrap();
    }

    /// The server lets in nobody but the owner of that key.
    pub(crate) fn let_in(&self, key: &str) {
        let public = self.folder.path().join(format!("{key}.pub"));
        fs::copy(public, self.folder.path().join("authorized")).unwrap();
    }

    pub(crate) fn forget_key(&self) {
        fs::write(self.folder.path().join("known"), "").unwrap();
    }

    pub(crate) fn url(&self) -> HostUrl {
        let user = Command::new("id").arg("-un").output().unwrap().stdout;
        let user = String::from_utf8(user).unwrap();
        let url = format!("ssh://{}@127.0.0.1:{}", user.trim(), self.port);
        url.parse().unwrap()
    }

    /// The client's configuration.
    pub(crate) fn configuration(&self) -> PathBuf {
        self.folder.path().join("ssh_config")
    }

    pub(crate) fn options(&self, socket: &Path) -> RemoteOptions {
        RemoteOptions {
            socket: socket.display().to_string(),
            config: Some(self.configuration()),
            ..RemoteOptions::default()
        }
    }

    /// How many connections were ever made to it.
    pub(crate) fn connections(&self) -> usize {
        self.log().matches("Connection from").count()
    }

    /// What it wrote.
    pub(crate) fn log(&self) -> String {
        self.log.text.lock().unwrap().clone()
    }

    /// Ends all connections at once, as a server does that is switched off.
    pub(crate) fn cut(&self) {
        let sessions = self.sessions();
        assert!(!sessions.is_empty());
        signal("-KILL", &sessions);
    }

    /// Answers nothing any more, and closes nothing: as behind a cable that is unplugged.
    pub(crate) fn fall_silent(&self) {
        signal("-STOP", &self.sessions());
    }

    fn sessions(&self) -> Vec<u32> {
        let mut found = Vec::new();
        for child in children(self.server.id()) {
            found.push(child);
            // What serves the connection, after the one that watches over it; for root there is
            // none, and the children are the commands, which outlive a connection.
            found.extend(children(child).into_iter().filter(|child| is_sshd(*child)));
        }
        found
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let sessions = self.sessions();
        let _ = self.server.kill();
        let _ = self.server.wait();
        signal("-KILL", &sessions);
    }
}

// === impl Log ===

impl Log {
    fn collect(&self, mut from: impl BufRead) {
        let mut line = String::new();
        while from.read_line(&mut line).is_ok_and(|read| read > 0) {
            self.text.lock().unwrap().push_str(&line);
            self.grown.notify_all();
            line.clear();
        }
    }

    fn wait_for(&self, part: &str) {
        let text = self.text.lock().unwrap();
        let waited = self
            .grown
            .wait_timeout_while(text, HANG, |text| !text.contains(part));
        let (text, _) = waited.unwrap();
        assert!(text.contains(part), "{text}");
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn children(process: u32) -> Vec<u32> {
    let listed = fs::read_to_string(format!("/proc/{process}/task/{process}/children"));
    let listed = listed.unwrap_or_default();
    listed
        .split_whitespace()
        .map(|number| number.parse().unwrap())
        .collect()
}

fn is_sshd(process: u32) -> bool {
    let name = fs::read_to_string(format!("/proc/{process}/comm"));
    name.is_ok_and(|name| name.starts_with("sshd"))
}

fn signal(signal: &str, processes: &[u32]) {
    for process in processes {
        let _ = Command::new("kill")
            .args([signal, &process.to_string()])
            .stderr(Stdio::null())
            .status();
    }
}
