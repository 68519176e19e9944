//! The examples, run as a user runs them.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};

/// An example under way. It is killed where a test fails.
struct Example {
    child: Child,
    log: BufReader<std::process::ChildStdout>,
    seen: String,
}

impl Example {
    fn start(name: &str) -> Self {
        let test = std::env::current_exe().unwrap();
        let program = test.ancestors().nth(2).unwrap().join("examples").join(name);
        let mut child = Command::new(program)
            .env("NO_COLOR", "1")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(child.stdout.take().unwrap());
        let seen = String::new();
        Self { child, log, seen }
    }

    /// Waits for a line with this in it.
    fn wait_for(&mut self, needle: &str) -> String {
        loop {
            let mut line = String::new();
            assert_ne!(self.log.read_line(&mut line).unwrap(), 0, "{}", self.seen);
            self.seen += &line;
            if line.contains(needle) {
                return line;
            }
        }
    }

    /// Tells it to stop, and gives all that it wrote.
    fn stop(mut self) -> String {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM).unwrap();
        self.log.read_to_string(&mut self.seen).unwrap();
        assert_eq!(self.child.wait().unwrap().code(), Some(0), "{}", self.seen);
        std::mem::take(&mut self.seen)
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_worker_finishes_its_job_before_what_it_uses_is_closed() {
    let mut worker = Example::start("worker");
    worker.wait_for("job=1");
    worker.wait_for("job=2");
    let written = worker.stop();
    let at = |needle: &str| {
        let found = written.rfind(needle);
        found.unwrap_or_else(|| panic!("no {needle:?} in {written}"))
    };
    assert!(at("job=") < at("name=\"queue\""), "{written}");
    assert!(at("name=\"queue\"") < at("name=\"database\""), "{written}");
}

#[test]
fn a_server_says_goodbye_to_a_stream() {
    let mut server = Example::start("serve");
    let line = server.wait_for("listening");
    let address = line.split("127.0.0.1:").nth(1).unwrap();
    let port: u16 = address
        .chars()
        .take_while(char::is_ascii_digit)
        .collect::<String>()
        .parse()
        .unwrap();
    let mut client = TcpStream::connect(("127.0.0.1", port)).unwrap();
    client
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    client
        .write_all(b"GET /events HTTP/1.1\r\nHost: it\r\n\r\n")
        .unwrap();
    let mut head = [0; 12];
    client.read_exact(&mut head).unwrap();
    assert_eq!(&head, b"HTTP/1.1 200");
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        client.read_to_string(&mut text).map(|_| text)
    });
    // The stop may come before the start: what listens is served already.
    let written = server.stop();
    let text = reader.join().unwrap().unwrap();
    assert!(text.contains("event: shutdown"), "{text}\n{written}");
    assert!(text.ends_with("0\r\n\r\n"), "whole: {text}\n{written}");
}
