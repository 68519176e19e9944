use std::{fs, os::unix::fs::symlink};

use crate::files::Stamp;

use super::*;

/// A workspace that has the packages of ours already, since downloading them again proves nothing.
fn with_packages() -> tempfile::TempDir {
    let ours = Workspace::current();
    Installation::load().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let workspace = Workspace::at(folder.path());
    files::create(&workspace.state()).unwrap();
    for name in ["venv", "models", "packages.stamp"] {
        symlink(ours.file(name), workspace.file(name)).unwrap();
    }
    let venv = workspace.file("venv").display().to_string();
    Stamp::new(workspace.file("venv.stamp"), venv)
        .write()
        .unwrap();
    folder
}

#[test]
fn two_setups_at_once_agree_and_mend_what_a_third_left() {
    let folder = with_packages();
    let workspace = Workspace::at(folder.path());
    let home = postgres_home(&workspace, Account::when_root().unwrap().as_ref()).unwrap();
    // As after a kill in the middle of initialising.
    files::create(&home.join("template.making/data/base")).unwrap();
    fs::write(workspace.file("installation.json"), "{ \"layout\": 1, ").unwrap();

    let both = std::thread::scope(|scope| {
        let run = || setup(&workspace, &Progress::silent());
        let threads = [scope.spawn(run), scope.spawn(run)];
        threads.map(|thread| thread.join().unwrap().unwrap())
    });

    assert_eq!(both[0].postgres.template, both[1].postgres.template);
    assert!(both[0].postgres.template.join("PG_VERSION").exists());
    assert!(!home.join("template.making").exists());
    Installation::load_from(&workspace).unwrap();
    fs::remove_dir_all(&both[0].postgres.template).unwrap();
    let missing = Installation::load_from(&workspace).unwrap_err().to_string();
    assert!(
        missing.contains("template") && missing.contains("cargo xtask setup"),
        "{missing}"
    );
    setup(&workspace, &Progress::silent()).unwrap();
    Installation::load_from(&workspace).unwrap();
    if !home.starts_with(folder.path()) {
        fs::remove_dir_all(home).unwrap();
    }
}

#[test]
fn a_half_made_python_environment_is_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let workspace = Workspace::at(folder.path());
    files::create(&workspace.file("venv/bin")).unwrap();
    fs::write(workspace.file("venv/bin/python"), "half a file").unwrap();
    fs::write(workspace.file("packages.stamp"), "as if all were there").unwrap();

    let python = Python::prepare(&workspace, &Progress::silent()).unwrap();

    assert!(python.interpreter().exists() && python.script("pip").exists());
    assert!(!workspace.file("packages.stamp").exists());
    let stamp = fs::metadata(workspace.file("venv.stamp"))
        .unwrap()
        .modified()
        .unwrap();
    Python::prepare(&workspace, &Progress::silent()).unwrap();
    assert_eq!(
        fs::metadata(workspace.file("venv.stamp"))
            .unwrap()
            .modified()
            .unwrap(),
        stamp
    );
}

#[test]
fn an_installation_that_was_moved_is_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let workspace = Workspace::at(folder.path());
    let error = Installation::load_from(&workspace).unwrap_err().to_string();
    assert!(error.contains("cargo xtask setup"), "{error}");
    Installation::load().unwrap().save(&workspace).unwrap();
    let error = Installation::load_from(&workspace).unwrap_err().to_string();
    assert!(error.contains("place"), "{error}");
}

#[test]
fn postgres_lives_outside_of_a_clone_that_its_account_cannot_enter() {
    use std::os::unix::fs::PermissionsExt;

    let Some(account) = Account::when_root().unwrap() else {
        eprintln!("skipped: only root needs another account");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let workspace = Workspace::at(folder.path());
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let outside = postgres_home(&workspace, Some(&account)).unwrap();
    assert!(!outside.starts_with(folder.path()) && account.can_enter(&outside));
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    assert!(
        postgres_home(&workspace, Some(&account))
            .unwrap()
            .starts_with(folder.path())
    );
    fs::remove_dir(outside).unwrap();
}
