//! Data folders: copied from the template under another name, then renamed, so that a folder is
//! complete or not there.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    io::Write,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use crate::{Error, Result, command, files, installation::PostgresBinaries, secret};

use super::{PostgresOptions, Tls};

const TLS_ONLY: &str = "hostssl all all 127.0.0.1/32 scram-sha-256\n";

/// See [`super::Postgres::data_at`].
pub(crate) fn folder(found: &PostgresBinaries, wanted: &Path) -> PathBuf {
    let Some(account) = &found.account else {
        return wanted.to_owned();
    };
    // What is not there yet will be made open, as far as the folder it is made in is.
    let nearest = wanted.ancestors().skip(1).find(|folder| folder.exists());
    if nearest.is_some_and(|folder| account.can_enter(folder)) {
        return wanted.to_owned();
    }
    let mut hasher = DefaultHasher::new();
    wanted.hash(&mut hasher);
    found.home.join(format!("data-{:016x}", hasher.finish()))
}

/// Makes the data folder unless it is there; gives the superuser's password.
pub(super) fn prepare(
    found: &PostgresBinaries,
    options: &PostgresOptions,
    data: &Path,
) -> Result<String> {
    let kept = fs::read_to_string(&found.password_file)
        .map_err(Error::file("read", &found.password_file))?;
    let password = options.password.clone().unwrap_or_else(|| kept.clone());
    if let Ok(version) = fs::read_to_string(data.join("PG_VERSION")) {
        let ours = found.version.split('.').next().unwrap_or_default();
        if version.trim() != ours {
            return Err(Error::Start {
                server: "PostgreSQL",
                cause: format!(
                    "{} holds data of version {}, the server is {ours}; remove it (`cargo xtask dev --reset`) or install that version",
                    data.display(),
                    version.trim()
                ),
                tail: String::new(),
            });
        }
        forget_killed_server(data)?;
        return Ok(password);
    }
    let making = data.with_extension("making");
    files::create(data.parent().unwrap_or(data))?;
    files::remove_tree(&making)?;
    files::remove_tree(data)?;
    files::copy_tree(&found.template, &making, found.account.as_ref())?;
    if password != kept {
        set_password(found, &making, &password)?;
    }
    if let Some(tls) = &options.tls {
        add_certificate(found, &making, tls)?;
    }
    if options.recovery.is_some() {
        add_file(found, &making.join("standby.signal"), b"")?;
    }
    fs::rename(&making, data).map_err(Error::file("move", data))?;
    Ok(password)
}

/// Removes the note of a server that was killed. PostgreSQL takes a process of that number for the
/// server still running, also one that waits to be reaped, as it may for long in a container.
fn forget_killed_server(data: &Path) -> Result<()> {
    let note = data.join("postmaster.pid");
    if !note.exists() || !Path::new("/proc/self").exists() {
        return Ok(());
    }
    let place = fs::canonicalize(data).map_err(Error::file("find", data))?;
    let end = Instant::now() + Duration::from_secs(5);
    while is_served(&place) {
        if Instant::now() >= end {
            // It lives; the server that we start will say so.
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    fs::remove_file(&note).map_err(Error::file("remove", &note))
}

/// Whether any process works in `data`, as the server and all its children do; the dead work nowhere.
fn is_served(data: &Path) -> bool {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes
        .filter_map(|entry| fs::read_link(entry.path().join("cwd")).ok())
        .any(|folder| folder == data)
}

/// In the server's single-user mode, which needs no password and listens nowhere.
fn set_password(found: &PostgresBinaries, data: &Path, password: &str) -> Result<()> {
    let mut child = command::server(found.bin.join("postgres"), found.account.as_ref())
        .args(["--single", "-c", "fsync=off", "-D"])
        .arg(data)
        .arg("postgres")
        .current_dir(data)
        .stdin(Stdio::piped())
        // What it prints could repeat the statement, and with it the password.
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(Error::io("run PostgreSQL in single-user mode"))?;
    let statement = format!(
        "ALTER ROLE postgres PASSWORD '{}';\n",
        password.replace('\'', "''")
    );
    if let Some(mut input) = child.stdin.take() {
        input
            .write_all(statement.as_bytes())
            .map_err(Error::io("set the superuser's password"))?;
    }
    let status = child
        .wait()
        .map_err(Error::io("set the superuser's password"))?;
    if status.success() {
        return Ok(());
    }
    Err(Error::Start {
        server: "PostgreSQL",
        cause: format!("setting the superuser's password ended with {status}"),
        tail: String::new(),
    })
}

fn add_certificate(found: &PostgresBinaries, data: &Path, tls: &Tls) -> Result<()> {
    add_file(found, &data.join("server.crt"), tls.certificate.as_bytes())?;
    add_file(found, &data.join("server.key"), tls.key.as_bytes())?;
    if tls.required {
        add_file(found, &data.join("pg_hba.conf"), TLS_ONLY.as_bytes())?;
    }
    Ok(())
}

fn add_file(found: &PostgresBinaries, path: &Path, content: &[u8]) -> Result<()> {
    secret::write_in_place(path, content)?;
    found
        .account
        .as_ref()
        .map_or(Ok(()), |account| account.own(path))
}
