//! Secrets that lie in files.

use super::*;

fn secret_file(content: io::Result<&'static str>, path: &'static str) -> Report {
    let rules = rules([Key::new("SECRET_KEY").required().secret().min_length(8)]);
    let content = content.map_err(|error| error.kind());
    let source = Source::from_pairs([("SECRET_KEY_FILE", path)])
        .files(move |_| content.map(str::to_owned).map_err(io::Error::from));
    rules.validate(&source)
}

#[test]
fn secrets_may_come_from_files() {
    for content in [
        "hunter2-hunter2",
        "hunter2-hunter2\n",
        "hunter2-hunter2\r\n\n",
    ] {
        let rules = rules([Key::new("SECRET_KEY").required().secret().min_length(15)]);
        let source =
            Source::from_pairs([("SECRET_KEY_FILE", "/run/secrets/key"), ("SECRET_KEY", "")])
                .files(move |path| {
                    assert_eq!(path.to_str(), Some("/run/secrets/key"));
                    Ok(content.to_owned())
                });
        let (values, report) = rules.read(&source);
        assert!(report.is_valid(), "{report}");
        assert_eq!(values.get("SECRET_KEY"), Some("hunter2-hunter2"));
        assert!(!format!("{values:?} {source:?}").contains("hunter2"));
    }
    assert_eq!(
        codes(&secret_file(Ok("short"), "/run/s")),
        [("too_short", true)]
    );
}

#[test]
fn a_file_that_gives_no_secret_is_named() {
    let path = "/run/secrets/key";
    for (content, expected) in [
        (Ok("\n"), "empty"),
        (Ok(" \t\n"), "empty"),
        (Err(io::ErrorKind::NotFound.into()), "unreadable_file"),
        (
            Err(io::ErrorKind::PermissionDenied.into()),
            "unreadable_file",
        ),
        (Err(io::ErrorKind::InvalidData.into()), "unreadable_file"),
        (Err(io::ErrorKind::IsADirectory.into()), "unreadable_file"),
        (Err(io::Error::other("disk on fire")), "unreadable_file"),
    ] {
        let report = secret_file(content, path);
        assert_eq!(codes(&report), [(expected, true)]);
        let line = report.to_string();
        assert!(
            line.starts_with("SECRET_KEY_FILE: names a ") && line.contains(path),
            "{line}"
        );
        assert!(!line.contains("disk on fire"), "{line}");
    }
}

#[test]
fn a_secret_put_where_its_file_should_be_named_is_not_shown() {
    for secret in [
        "sk-7Zk3bV9xQ2mLr7TnB",
        "/7Zk3bV9xQ2mLr7TnB",
        "/7Zk3b/V9xQ2mLr7TnB==",
    ] {
        let line = secret_file(Err(io::ErrorKind::NotFound.into()), secret).to_string();
        assert!(
            line.contains("does not exist") && !line.contains("7Zk3b"),
            "{line}"
        );
    }
}

#[test]
fn a_secret_and_its_file_contradict_each_other() {
    let rules = rules([Key::new("TOKEN").secret()]);
    let source =
        Source::from_pairs([("TOKEN", "a"), ("TOKEN_FILE", "/b")]).files(|_| Ok("c".into()));
    assert_eq!(
        rules.validate(&source).to_string(),
        "TOKEN: is set, and TOKEN_FILE is too. Remedy: remove one of the two.\n"
    );
}

#[test]
fn without_a_reader_files_are_refused() {
    let rules = rules([Key::new("TOKEN").secret()]);
    let report = rules.validate(&Source::from_pairs([("TOKEN_FILE", "/b/c")]));
    assert_eq!(codes(&report), [("unreadable_file", true)]);
}
