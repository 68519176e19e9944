//! A store in a folder of the other machine. The same files as [`crate::store::FileStore`] has, and
//! the same lock: who deploys there, on the machine itself or from afar, sees the same.

use std::io;

use async_trait::async_trait;

use super::{Remote, RemoteError, Said, ssh::Answer};
use crate::store::{Store, StoreError, is_name};

/// Documents as files of one folder on another machine.
#[derive(Clone, Debug)]
pub struct SshStore {
    remote: Remote,
    folder: String,
}

/// Each script takes the folder first. `sync` with a path writes that one to the disk.
const OPEN: &str = r#"umask 077; mkdir -p "$1" && cd "$1" && [ -w . ] && sync ."#;

/// There is no such document.
const NONE: i32 = 44;
/// Not all of the input arrived: the connection ended within it.
const CUT: i32 = 45;
/// The document is not as expected.
const OTHER: i32 = 48;

const READ: &str = r#"cd "$1" || exit 1; [ -e "$2" ] || exit 44; cat <"$2" && exit 0; [ -e "$2" ] && exit 1; exit 44"#;

/// An end of the input does not say that it is whole; its length does. So a connection that ends
/// within it changes nothing.
macro_rules! receiving {
    ($then:literal) => {
        concat!(
            r#"umask 077; cd "$1" || exit 1; t=".$2.$$"; trap "rm -f $t $t.old $t.new" EXIT; trap "exit 1" HUP INT TERM; cat >"$t" || exit 1; [ "$(wc -c <"$t")" -eq "$3" ] || exit 45; "#,
            $then
        )
    };
}

const WRITE: &str = receiving!(r#"sync "$t" && mv -f "$t" "$2" && sync ."#);

const APPEND: &str = receiving!(r#"cat <"$t" >>"$2" && sync "$2" && sync ."#);

/// The input is what is expected, if anything is, and then what is new, if anything is.
const SWAP: &str = receiving!(
    r#"exec 9>>.guard && flock 9 || exit 1; if [ "$4" = - ]; then [ ! -e "$2" ] || exit 48; else [ -e "$2" ] || exit 48; head -c "$4" <"$t" >"$t.old" || exit 1; cmp -s "$t.old" "$2"; case $? in 0) ;; 1) exit 48 ;; *) exit 1 ;; esac; fi; if [ "$5" = - ]; then rm -f "$2"; else tail -c "$5" <"$t" >"$t.new" && sync "$t.new" && mv -f "$t.new" "$2"; fi && sync ."#
);

const REMOVE: &str = r#"cd "$1" && rm -f "$2" && sync ."#;

const LIST: &str = r#"cd "$1" && ls"#;

// === impl SshStore ===

impl SshStore {
    pub(super) async fn open(remote: Remote, folder: String) -> Result<Self, RemoteError> {
        let answer = remote.run(OPEN, &[&folder], &[]).await?;
        if answer.code != 0 {
            return Err(failure(&answer));
        }
        Ok(Self { remote, folder })
    }

    /// The folder there.
    pub fn folder(&self) -> &str {
        &self.folder
    }

    async fn run(
        &self,
        (action, name): (&'static str, &str),
        script: &str,
        arguments: &[&str],
        input: &[u8],
    ) -> Result<Answer, StoreError> {
        let failed = |source| StoreError {
            action,
            name: name.to_owned(),
            source,
        };
        // A list has a prefix, which may be empty, and never goes to the server.
        if !arguments.is_empty() && !is_name(name) {
            return Err(failed(io::ErrorKind::InvalidInput.into()));
        }
        let mut all = vec![self.folder.as_str()];
        all.extend(arguments);
        let answer = self.remote.run(script, &all, input).await;
        let answer = answer.map_err(|error| failed(io::Error::other(error)))?;
        match answer.code {
            0 | NONE | OTHER => Ok(answer),
            CUT => Err(failed(io::ErrorKind::UnexpectedEof.into())),
            _ => Err(failed(io::Error::other(failure(&answer)))),
        }
    }
}

#[async_trait]
impl Store for SshStore {
    async fn read(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let answer = self.run(("read", name), READ, &[name], &[]).await?;
        Ok((answer.code == 0).then_some(answer.stdout))
    }

    async fn write(&self, name: &str, content: &[u8]) -> Result<(), StoreError> {
        let length = content.len().to_string();
        self.run(("write", name), WRITE, &[name, &length], content)
            .await?;
        Ok(())
    }

    async fn append(&self, name: &str, content: &[u8]) -> Result<(), StoreError> {
        let length = content.len().to_string();
        self.run(("add to", name), APPEND, &[name, &length], content)
            .await?;
        Ok(())
    }

    async fn swap(
        &self,
        name: &str,
        expected: Option<&[u8]>,
        new: Option<&[u8]>,
    ) -> Result<bool, StoreError> {
        let input = [expected.unwrap_or_default(), new.unwrap_or_default()].concat();
        let length = |part: Option<&[u8]>| part.map_or("-".into(), |part| part.len().to_string());
        let (total, expected, new) = (input.len().to_string(), length(expected), length(new));
        let arguments = [name, &total, &expected, &new];
        let answer = self
            .run(("replace", name), SWAP, &arguments, &input)
            .await?;
        Ok(answer.code == 0)
    }

    async fn remove(&self, name: &str) -> Result<(), StoreError> {
        self.run(("remove", name), REMOVE, &[name], &[]).await?;
        Ok(())
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        let answer = self.run(("list", prefix), LIST, &[], &[]).await?;
        let said = String::from_utf8_lossy(&answer.stdout);
        let mut names: Vec<String> = said
            .lines()
            .filter(|name| name.starts_with(prefix) && is_name(name))
            .map(str::to_owned)
            .collect();
        names.sort();
        Ok(names)
    }
}

/// What to do about a store that cannot be reached because of the way to it.
pub(crate) fn remedy_of(error: &StoreError) -> Option<&'static str> {
    let source = error.source.get_ref()?;
    source
        .downcast_ref::<RemoteError>()
        .map(RemoteError::remedy)
}

fn failure(answer: &Answer) -> RemoteError {
    RemoteError::Command {
        code: answer.code,
        source: Said::tail(&answer.stderr),
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        io::Write,
        os::unix::fs::PermissionsExt,
        path::Path,
        process::{Command, Stdio},
    };

    use tempfile::TempDir;

    use super::*;

    /// Runs a script here, as the server would.
    fn run(script: &str, path: &str, folder: &Path, arguments: &[&str], input: &[u8]) -> i32 {
        let mut child = Command::new("/bin/sh")
            .args(["-c", script, "sh"])
            .arg(folder)
            .args(arguments)
            .env("PATH", path)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        child.wait().unwrap().code().unwrap()
    }

    fn folder() -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a"), "before").unwrap();
        folder
    }

    #[track_caller]
    fn assert_as_before(folder: &Path) {
        assert_eq!(fs::read_to_string(folder.join("a")).unwrap(), "before");
        let names = fs::read_dir(folder).unwrap();
        let names = names.map(|it| it.unwrap().file_name().into_string().unwrap());
        let left: Vec<_> = names
            .filter(|name| name != "a" && name != ".guard")
            .collect();
        assert_eq!(left, [""; 0]);
    }

    const PATH: &str = "/usr/bin:/bin";

    #[test]
    fn an_input_that_is_cut_changes_nothing() {
        let folder = folder();
        for (script, arguments) in [
            (WRITE, &["a", "6"][..]),
            (APPEND, &["a", "6"]),
            (SWAP, &["a", "9", "6", "3"]),
        ] {
            let code = run(script, PATH, folder.path(), arguments, b"befor");
            assert_eq!(code, CUT);
            assert_as_before(folder.path());
        }
    }

    #[test]
    fn what_is_not_on_the_disk_is_not_done() {
        let folder = folder();
        let programs = tempfile::tempdir().unwrap();
        let sync = programs.path().join("sync");
        fs::write(&sync, "#!/bin/sh\nexit 1\n").unwrap();
        fs::set_permissions(&sync, fs::Permissions::from_mode(0o755)).unwrap();
        let path = format!("{}:{PATH}", programs.path().display());
        let swap = ["a", "9", "6", "3"];
        for path in [path.as_str(), PATH] {
            let fails = path != PATH;
            let code = run(SWAP, path, folder.path(), &swap, b"beforenew");
            assert_eq!(code != 0, fails);
            if fails {
                assert_as_before(folder.path());
                let code = run(WRITE, path, folder.path(), &["a", "3"], b"new");
                assert_ne!(code, 0);
                assert_as_before(folder.path());
            }
        }
        assert_eq!(fs::read(folder.path().join("a")).unwrap(), b"new");
    }

    #[test]
    fn scripts_are_read_alike_by_every_shell() {
        for script in [OPEN, READ, WRITE, APPEND, SWAP, REMOVE, LIST] {
            let is_safe = |character| !['\'', '\\', '\n'].contains(&character);
            assert!(script.chars().all(is_safe), "{script}");
        }
        for (code, script) in [(NONE, READ), (CUT, WRITE), (OTHER, SWAP)] {
            assert!(script.contains(&format!("exit {code}")), "{script}");
        }
    }
}
