//! Commands that run tools and servers.

use std::{
    ffi::OsStr,
    path::PathBuf,
    process::{Command, Stdio},
    sync::OnceLock,
};

use crate::account::Account;

/// A tool, run under `account` when there is one.
pub(crate) fn tool(program: impl AsRef<OsStr>, account: Option<&Account>) -> Command {
    build(program.as_ref(), account, false)
}

/// A server: it gets no environment of ours, and dies with us where the system can arrange that.
pub(crate) fn server(program: impl AsRef<OsStr>, account: Option<&Account>) -> Command {
    let mut command = build(program.as_ref(), account, true);
    // A developer's PGHOST, proxies and keys are not the servers' business.
    command.env_clear().env(
        "PATH",
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    );
    command.env("LANG", "C.UTF-8");
    command
}

/// A program that keeps our environment and dies with us where the system can arrange that.
pub(crate) fn companion(program: impl AsRef<OsStr>) -> Command {
    build(program.as_ref(), None, true)
}

fn build(program: &OsStr, account: Option<&Account>, die_with_us: bool) -> Command {
    let wrapper = setpriv();
    let mut command = match (wrapper, account) {
        (None, None) => Command::new(program),
        (Some(_), None) if !die_with_us => Command::new(program),
        (wrapper, account) => {
            let mut command =
                Command::new(wrapper.map_or_else(|| PathBuf::from("setpriv"), Clone::clone));
            if let Some(account) = account {
                command.arg(format!("--reuid={}", account.uid));
                command.arg(format!("--regid={}", account.gid));
                command.arg("--clear-groups");
            }
            if die_with_us {
                command.args(["--pdeathsig", "KILL"]);
            }
            command.arg("--").arg(program);
            command
        }
    };
    command.stdin(Stdio::null());
    command
}

/// util-linux's `setpriv`, where it is installed; others of that name lack the death signal.
fn setpriv() -> Option<&'static PathBuf> {
    static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
    FOUND
        .get_or_init(|| {
            which::which("setpriv").ok().filter(|program| {
                Command::new(program)
                    .args(["--pdeathsig", "KILL", "--", "true"])
                    .stdin(Stdio::null())
                    .stdout(Stdio::null())
                    .stderr(Stdio::null())
                    .status()
                    .is_ok_and(|status| status.success())
            })
        })
        .as_ref()
}
