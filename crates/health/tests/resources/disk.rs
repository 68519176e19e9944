//! `system.disk`.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command, time::Duration};

use tokio_util::sync::CancellationToken;
use tria_check::{Check, Heartbeats, Outcome, Status};
use tria_health::{Sampler, resources::DiskCheck};

use crate::{again, assert_found, number, verified};

async fn found(path: &Path) -> Outcome {
    verified(&DiskCheck::new(path)).await
}

#[tokio::test]
async fn a_disk_with_room_passes() {
    let check = DiskCheck::new("/").warn_below(0.0, 0).fail_below(0.0, 0);
    assert_eq!(check.meta().name(), "system.disk");
    let outcome = verified(&check).await;
    assert_found(&outcome, Status::Pass, "ok");
    let total = number(&outcome, "disk_total_bytes");
    assert!(total > 0.0 && number(&outcome, "disk_available_bytes") <= total);
}

/// Both must be undercut: a tenth of a large disk is no shortage.
#[tokio::test]
async fn a_shortage_is_one_in_percent_and_in_bytes() {
    let everything = u64::MAX;
    let table = [
        (
            (101.0, everything),
            (0.0, everything),
            Status::Warn,
            "disk_low",
        ),
        (
            (101.0, everything),
            (101.0, everything),
            Status::Fail,
            "disk_full",
        ),
        ((101.0, 0), (101.0, 0), Status::Pass, "ok"),
        ((0.0, everything), (0.0, everything), Status::Pass, "ok"),
    ];
    let folder = tempfile::tempdir().unwrap();
    for (warn, fail, status, code) in table {
        let check = DiskCheck::new(folder.path()).warn_below(warn.0, warn.1);
        let outcome = verified(&check.fail_below(fail.0, fail.1)).await;
        // The percentages hold for inodes too.
        let of_bytes = &outcome.findings()[0];
        let told = (of_bytes.status(), of_bytes.code().as_str());
        assert_eq!(told, (status, code), "{outcome:?}");
    }
}

#[tokio::test]
async fn a_path_that_is_not_there_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    for path in [folder.path().join("missing"), file.join("below")] {
        let outcome = found(&path).await;
        assert_found(&outcome, Status::Fail, "path_missing");
        assert!(outcome.is_permanent_failure());
        // Where it looked is for operators.
        let shown = path.display().to_string();
        assert!(!outcome.text().as_str().contains(&shown));
        assert!(
            outcome
                .decisive()
                .get_detail()
                .unwrap()
                .expose()
                .contains(&shown)
        );
    }
    // A file is as good as its folder.
    assert_ne!(found(&file).await.code().as_str(), "path_missing");
}

#[tokio::test]
async fn a_refusal_is_an_error_of_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let long = folder.path().join("x".repeat(300));
    assert_found(&found(&long).await, Status::Fail, "disk_error");
    let closed = folder.path().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).unwrap();
    let outcome = found(&closed.join("inner")).await;
    // Root may look into everything.
    assert!(["disk_error", "path_missing"].contains(&outcome.code().as_str()));
}

#[tokio::test]
async fn a_file_system_without_room_of_its_own_is_not_full() {
    if Path::new("/proc/self").exists() {
        assert_found(&found(Path::new("/proc")).await, Status::Pass, "ok");
    }
}

#[test]
fn a_real_file_system_fills_up() {
    let place = tempfile::tempdir().unwrap();
    let at = place.path().display();
    let mount = format!("mount -t tmpfs -o size=8m,nr_inodes=200 tmpfs {at}");
    let Some(launcher) = again::own_mounts(&mount) else {
        return again::skipped("no file system of our own can be mounted here");
    };
    again::run(
        launcher,
        &mount,
        "disk::on_8_mib_and_200_inodes",
        place.path(),
    );
}

#[tokio::test]
#[ignore = "run by a_real_file_system_fills_up"]
async fn on_8_mib_and_200_inodes() {
    let Some(place) = again::place() else { return };
    let outcome = found(&place).await;
    assert_found(&outcome, Status::Pass, "ok");
    assert!((number(&outcome, "disk_total_bytes") - f64::from(8 << 20)).abs() < 1.0);
    assert!((number(&outcome, "inodes_total") - 200.0).abs() < 1.0);

    let fill = |percent: usize| {
        fs::write(place.join("ballast"), vec![1; (8 << 20) / 100 * percent]).unwrap();
    };
    fill(85);
    assert_found(&found(&place).await, Status::Pass, "ok");
    fill(93);
    let outcome = found(&place).await;
    assert_found(&outcome, Status::Warn, "disk_low");
    assert!(outcome.decisive().get_remedy().is_some());
    fill(99);
    assert_found(&found(&place).await, Status::Fail, "disk_full");
    fs::remove_file(place.join("ballast")).unwrap();
    assert_found(&found(&place).await, Status::Pass, "ok");

    // Space is left, and no file can be created.
    let create = |range: std::ops::Range<u32>| {
        for file in range {
            fs::write(place.join(file.to_string()), "").unwrap();
        }
    };
    create(0..185);
    assert_found(&found(&place).await, Status::Warn, "inodes_low");
    create(185..197);
    assert_found(&found(&place).await, Status::Fail, "inodes_full");
    for file in 0..197 {
        fs::remove_file(place.join(file.to_string())).unwrap();
    }
    assert_found(&found(&place).await, Status::Pass, "ok");

    let at = place.to_str().unwrap();
    assert!(again::works(&["mount", "-o", "remount,bind,ro", at]));
    let outcome = found(&place).await;
    assert_found(&outcome, Status::Fail, "disk_read_only");
    let allowed = DiskCheck::new(&place).may_be_read_only();
    assert_found(&verified(&allowed).await, Status::Pass, "ok");
}

/// hellofresh/health-go#224: a goroutine leaked per timeout.
#[test]
fn a_mount_whose_server_is_silent_holds_up_one_thread_and_no_runtime() {
    let place = tempfile::tempdir().unwrap();
    let at = place.path().display();
    // Nobody will ever answer on the other end.
    let mount = format!(
        "exec 3<>/dev/fuse && \
         mount -i -t fuse -o fd=3,rootmode=40000,user_id=0,group_id=0 silent {at}"
    );
    let Some(launcher) = again::own_mounts(&mount) else {
        return again::skipped("no FUSE file system can be mounted here");
    };
    again::run(
        launcher,
        &mount,
        "disk::on_a_mount_that_is_silent",
        place.path(),
    );
}

#[tokio::test]
#[ignore = "run by a_mount_whose_server_is_silent_holds_up_one_thread_and_no_runtime"]
async fn on_a_mount_that_is_silent() {
    let Some(place) = again::place() else { return };
    let check = DiskCheck::new(&place)
        .configure(|meta| meta.timeout(Duration::from_millis(200)))
        .warn_below(0.0, 0)
        .fail_below(0.0, 0);
    let threads = || fs::read_dir("/proc/self/task").unwrap().count();
    let outcome = verified(&check).await;
    assert_found(&outcome, Status::Fail, "disk_hung");
    let before = threads();
    for _ in 0..5 {
        assert_found(&verified(&check).await, Status::Fail, "disk_hung");
    }
    assert_eq!(threads(), before, "a thread for each question");

    // The sampler goes on, with all numbers but this disk's, and counts as alive.
    let (token, heartbeats) = (CancellationToken::new(), Heartbeats::default());
    let sampler = Sampler::start_with(&place, token.clone(), &heartbeats);
    let machine = loop {
        match sampler.machine() {
            Some(machine) => break serde_json::to_value(machine).unwrap(),
            None => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    };
    assert!(machine["disk"].is_null(), "{machine}");
    assert!(machine["memory"]["total_bytes"].is_u64(), "{machine}");
    assert!(heartbeats.overdue().is_empty());
    token.cancel();
    sampler.stopped().await;

    // Who waits is let go when the connection is cut; then the disk below answers.
    let unmount = |how: &str| {
        Command::new("umount")
            .args(["-c", "-i", how])
            .arg(&place)
            .output()
            .unwrap();
    };
    unmount("-f");
    until(&check, "disk_error").await;
    unmount("-l");
    until(&check, "ok").await;
}

/// Asks until the answer has the code; the tests' limit of time ends it otherwise.
async fn until(check: &DiskCheck, code: &str) {
    while verified(check).await.code().as_str() != code {}
}
