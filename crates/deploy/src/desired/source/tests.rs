use std::fs;

use super::*;

/// A repository with one commit.
fn repository() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    git(folder.path(), &["init", "--quiet"]).unwrap();
    write(&folder, ".gitignore", "/.env*\n/target\n");
    write(&folder, "code.rs", "fn main() {}\n");
    write(&folder, "crates/chatbot/migrations/V10__contract_b.sql", "");
    write(&folder, "crates/chatbot/migrations/V2__expand_a.sql", "");
    write(&folder, "crates/chatbot/migrations/README.md", "");
    commit(&folder);
    write(&folder, ".env.docker", "SECRET_KEY=never in an image");
    write(&folder, "target/built", "");
    folder
}

fn write(folder: &TempDir, file: &str, text: &str) {
    let path = folder.path().join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn commit(folder: &TempDir) {
    let identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"];
    git(folder.path(), &["add", "--all"]).unwrap();
    let commit = [&identity[..], &["commit", "--quiet", "-m", "a"]].concat();
    git(folder.path(), &commit).unwrap();
}

#[test]
fn a_committed_tree_is_the_one_of_its_commit() {
    let folder = repository();
    let source = Source::read(folder.path()).unwrap();
    let tree = git(folder.path(), &["rev-parse", "HEAD^{tree}"]).unwrap();
    assert_eq!(source.tree, tree);
    assert!(source.uncommitted.is_empty(), "{:?}", source.uncommitted);
    let titles: Vec<String> = source.migrations.iter().map(Migration::title).collect();
    assert_eq!(titles, ["2 expand_a", "10 contract_b"]);
}

#[test]
fn what_is_not_committed_is_a_part_of_the_tree_and_named() {
    let folder = repository();
    let committed = Source::read(folder.path()).unwrap();
    write(&folder, "code.rs", "fn main() { loop {} }\n");
    write(&folder, "new file.rs", "");
    fs::remove_file(folder.path().join("crates/chatbot/migrations/README.md")).unwrap();
    let dirty = Source::read(folder.path()).unwrap();
    assert_ne!(dirty.tree, committed.tree);
    assert_eq!(dirty.commit, committed.commit);
    assert_eq!(
        dirty.uncommitted,
        [
            "code.rs",
            "crates/chatbot/migrations/README.md",
            "new file.rs"
        ]
    );
    // The person's own index is as it was.
    let staged = git(folder.path(), &["diff", "--cached", "--name-only"]).unwrap();
    assert_eq!(staged, "");
    // The very tree that a commit of it has.
    commit(&folder);
    let committed = Source::read(folder.path()).unwrap();
    assert_eq!(committed.tree, dirty.tree);
}

#[test]
fn nothing_ignored_is_unpacked() {
    let folder = repository();
    write(&folder, "new.rs", "fn new() {}\n");
    let unpacked = Source::read(folder.path()).unwrap().unpack().unwrap();
    let mut names: Vec<String> = fs::read_dir(unpacked.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert_eq!(names, [".gitignore", "code.rs", "crates", "new.rs"]);
    let path = unpacked.path().to_owned();
    drop(unpacked);
    assert!(!path.exists());
}

#[test]
fn a_migration_that_says_neither_is_named() {
    let folder = repository();
    write(&folder, "crates/chatbot/migrations/V3__add.sql", "");
    let error = Source::read(folder.path()).unwrap_err();
    assert!(
        crate::outcome::chain(&error).contains("V3__add.sql"),
        "{error:?}"
    );
}

#[test]
fn the_root_is_found_from_within_and_nowhere_else() {
    let folder = repository();
    let root = Source::root_of(&folder.path().join("crates/chatbot")).unwrap();
    assert_eq!(root, folder.path().canonicalize().unwrap());
    let elsewhere = tempfile::tempdir().unwrap();
    let error = Source::root_of(elsewhere.path()).unwrap_err();
    assert!(matches!(error, SourceError::Refused { .. }), "{error}");
}

#[test]
fn a_file_with_secrets_that_is_not_ignored_is_seen() {
    let folder = repository();
    let source = Source::read(folder.path()).unwrap();
    write(&folder, "secrets.env", "");
    let elsewhere = tempfile::NamedTempFile::new().unwrap();
    let takes_in = |file: &Path| source.takes_in(file).unwrap();
    assert!(takes_in(&folder.path().join("secrets.env")));
    assert!(takes_in(&folder.path().join("code.rs")));
    assert!(!takes_in(&folder.path().join(".env.docker")));
    assert!(!takes_in(elsewhere.path()));
}
