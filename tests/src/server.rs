//! The built program, run as a user runs it.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read},
    path::PathBuf,
    process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio},
    sync::{Arc, Condvar, Mutex},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// The environment of a run: these keys and no others.
pub type Keys = BTreeMap<String, String>;

/// Longer than any run may take on a busy machine.
const LONG: Duration = Duration::from_secs(90);

/// A run that came to its end.
#[derive(Debug)]
pub struct Ended {
    /// The exit code, or `None` when a signal ended it.
    pub code: Option<i32>,
    /// What it wrote to standard output.
    pub stdout: String,
    /// What it wrote to standard error.
    pub stderr: String,
    /// From its start to its end.
    pub elapsed: Duration,
}

/// A run under way. Dropping it kills it.
pub struct Running {
    child: Child,
    begun: Instant,
    stdout: Collector,
    stderr: Collector,
}

/// Reads a stream to its end, line by line.
struct Collector {
    page: Arc<(Mutex<Page>, Condvar)>,
    reader: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Page {
    text: String,
    ended: bool,
}

/// The built `tria-server`.
///
/// # Panics
/// If it was not built beside this test.
pub fn program() -> PathBuf {
    let test = std::env::current_exe().expect("a test has a path");
    let folder = test
        .ancestors()
        .nth(2)
        .expect("tests are built in target/<profile>/deps");
    let program = folder.join("tria-server");
    assert!(
        program.exists(),
        "{} is not built: cargo build -p tria-server",
        program.display()
    );
    program
}

/// A command that runs the program with these keys only.
pub fn command(arguments: &[&str], keys: &Keys) -> Command {
    let mut command = Command::new(program());
    command
        .args(arguments)
        .env_clear()
        .envs(keys)
        .stdin(Stdio::null());
    // A folder without a `.env`.
    command.current_dir(std::env::temp_dir());
    command
}

/// Runs the program to its end.
pub fn run(arguments: &[&str], keys: &Keys) -> Ended {
    Running::start(command(arguments, keys)).ended()
}

/// Sends a process a signal, as in `TERM`.
///
/// # Panics
/// If it cannot be sent.
pub fn signal(pid: u32, name: &str) {
    let status = Command::new("kill")
        .args([&format!("-{name}"), &pid.to_string()])
        .status();
    assert!(status.expect("kill runs").success());
}

// === impl Running ===

impl Running {
    /// Starts a command and collects what it writes.
    ///
    /// # Panics
    /// If it cannot be started.
    pub fn start(mut command: Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let begun = Instant::now();
        let mut child = command.spawn().expect("the program starts");
        let stdout: ChildStdout = child.stdout.take().expect("it is piped");
        let stderr: ChildStderr = child.stderr.take().expect("it is piped");
        let (stdout, stderr) = (Collector::start(stdout), Collector::start(stderr));
        Self {
            child,
            begun,
            stdout,
            stderr,
        }
    }

    /// Starts `serve` on a free port.
    pub fn serve(keys: &Keys) -> Self {
        Self::start(command(&["serve"], keys))
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until standard output holds `needle`, and gives all that it holds then.
    ///
    /// # Panics
    /// If the program ends before, or takes too long.
    pub fn wait_for(&self, needle: &str) -> String {
        self.wait_on(&self.stdout, needle)
    }

    /// The same on standard error.
    ///
    /// # Panics
    /// If the program ends before, or takes too long.
    pub fn wait_for_complaint(&self, needle: &str) -> String {
        self.wait_on(&self.stderr, needle)
    }

    fn wait_on(&self, stream: &Collector, needle: &str) -> String {
        match stream.wait_for(needle, LONG) {
            Some(text) => text,
            None => panic!(
                "{needle:?} was not written; stdout:\n{}\nstderr:\n{}",
                self.stdout.text(),
                self.stderr.text()
            ),
        }
    }

    /// The URL under which it listens, as it wrote it.
    ///
    /// # Panics
    /// If it ends before, or takes too long.
    pub fn url(&self) -> String {
        const MARK: &str = "Listening on ";
        let text = self.wait_for(MARK);
        let url = text.split(MARK).nth(1).and_then(|rest| rest.lines().next());
        url.expect("the mark is in it").trim().to_owned()
    }

    /// Waits until it has started, and gives its URL.
    ///
    /// # Panics
    /// If it ends before, or takes too long.
    pub fn ready(&self) -> String {
        self.wait_for("STARTUP COMPLETE");
        self.url()
    }

    /// Sends it a signal, as in `TERM`.
    ///
    /// # Panics
    /// If it cannot be sent.
    pub fn signal(&self, name: &str) {
        signal(self.pid(), name);
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// If it takes too long; it is killed then.
    pub fn ended(mut self) -> Ended {
        let status = self.wait_for_exit();
        let elapsed = self.begun.elapsed();
        Ended {
            code: status.code(),
            stdout: self.stdout.read_to_end(),
            stderr: self.stderr.read_to_end(),
            elapsed,
        }
    }

    fn wait_for_exit(&mut self) -> ExitStatus {
        // Both streams end when the process does: that is the event to wait for.
        if !self.stdout.wait_for_end(LONG) {
            let _ = self.child.kill();
            let _ = self.child.wait();
            panic!(
                "it did not end; it wrote:\n{}\n{}",
                self.stdout.text(),
                self.stderr.text()
            );
        }
        self.child.wait().expect("it can be waited for")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

// === impl Ended ===

impl Ended {
    /// Everything it wrote.
    pub fn text(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// Asserts the exit code, and that each needle was written.
    ///
    /// # Panics
    /// If not, with everything it wrote.
    #[track_caller]
    pub fn expect(&self, code: i32, needles: &[&str]) {
        let text = self.text();
        assert_eq!(
            self.code,
            Some(code),
            "after {:?} it wrote:\n{text}",
            self.elapsed
        );
        for needle in needles {
            assert!(
                text.contains(needle),
                "{needle:?} is not in what it wrote:\n{text}"
            );
        }
    }

    /// Asserts that it ended within `limit` of its start.
    ///
    /// # Panics
    /// If not, with everything it wrote.
    #[track_caller]
    pub fn within(&self, limit: Duration) {
        assert!(
            self.elapsed <= limit,
            "it took {:?} and wrote:\n{}",
            self.elapsed,
            self.text()
        );
    }
}

// === impl Collector ===

impl Collector {
    fn start(stream: impl Read + Send + 'static) -> Self {
        let page = Arc::new((Mutex::new(Page::default()), Condvar::new()));
        let shared = Arc::clone(&page);
        let reader = thread::spawn(move || {
            let mut stream = BufReader::new(stream);
            let mut line = Vec::new();
            while stream
                .read_until(b'\n', &mut line)
                .is_ok_and(|read| read > 0)
            {
                let text = String::from_utf8_lossy(&line).into_owned();
                let (page, changed) = &*shared;
                page.lock().expect("no reader panics").text += &text;
                changed.notify_all();
                line.clear();
            }
            let (page, changed) = &*shared;
            page.lock().expect("no reader panics").ended = true;
            changed.notify_all();
        });
        Self {
            page,
            reader: Some(reader),
        }
    }

    fn text(&self) -> String {
        self.page.0.lock().expect("no reader panics").text.clone()
    }

    fn wait_until(&self, limit: Duration, met: impl Fn(&Page) -> bool) -> bool {
        let (page, changed) = &*self.page;
        let page = page.lock().expect("no reader panics");
        let waited = changed.wait_timeout_while(page, limit, |page| !met(page) && !page.ended);
        met(&waited.expect("no reader panics").0)
    }

    fn wait_for(&self, needle: &str, limit: Duration) -> Option<String> {
        self.wait_until(limit, |page| page.text.contains(needle))
            .then(|| self.text())
    }

    fn wait_for_end(&self, limit: Duration) -> bool {
        self.wait_until(limit, |page| page.ended)
    }

    fn read_to_end(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
        self.text()
    }
}
