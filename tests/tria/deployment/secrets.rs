//! Looks for secrets where none may be.

use std::{
    fs,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// Reads the arguments of all processes of the machine again and again, as any user can.
pub(super) struct Spy {
    done: Arc<AtomicBool>,
    found: Arc<Mutex<Vec<String>>>,
    thread: Option<JoinHandle<()>>,
}

/// How often it looks.
const LOOK: Duration = Duration::from_millis(50);

// === impl Spy ===

impl Spy {
    pub(super) fn on(secrets: Vec<String>) -> Self {
        let done = Arc::new(AtomicBool::new(false));
        let found = Arc::new(Mutex::new(Vec::new()));
        let thread = thread::spawn({
            let (done, found) = (Arc::clone(&done), Arc::clone(&found));
            move || {
                while !done.load(Ordering::Relaxed) {
                    look(&secrets, &found);
                    thread::sleep(LOOK);
                }
            }
        });
        Self {
            done,
            found,
            thread: Some(thread),
        }
    }

    /// The processes that had a secret among their arguments.
    pub(super) fn found(mut self) -> Vec<String> {
        self.done.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
        std::mem::take(&mut self.found.lock().unwrap())
    }
}

impl Drop for Spy {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
    }
}

fn look(secrets: &[String], found: &Mutex<Vec<String>>) {
    for process in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Ok(line) = fs::read(process.path().join("cmdline")) else {
            continue;
        };
        let line = String::from_utf8_lossy(&line);
        if secrets.iter().any(|secret| line.contains(secret)) {
            let program = line.split('\0').take(3).collect::<Vec<_>>().join(" ");
            found
                .lock()
                .unwrap()
                .push(format!("arguments of {program}"));
        }
    }
}

/// The files below a folder that have a secret in them.
pub(super) fn in_files(folder: &Path, secrets: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(in_files(&path, secrets));
        } else {
            let text = fs::read(&path).unwrap_or_default();
            let text = String::from_utf8_lossy(&text);
            if secrets.iter().any(|secret| text.contains(secret)) {
                found.push(path.display().to_string());
            }
        }
    }
    found
}
