//! `system.file_descriptors`.

use std::fs::File;

use tria_check::{Check, Status};
use tria_health::resources::FileDescriptorCheck;

use crate::{again, assert_found, number, verified};

#[tokio::test]
async fn this_process_has_some_files_open() {
    let check = FileDescriptorCheck::new();
    assert_eq!(check.meta().name(), "system.file_descriptors");
    let outcome = verified(&check).await;
    assert!(number(&outcome, "file_descriptors_open") >= 3.0);
    let check = check.warn_at(0.0);
    let outcome = verified(&check).await;
    // Without a limit there is nothing to be near to.
    if outcome.observed_value("file_descriptors_limit").is_some() {
        assert_found(&outcome, Status::Warn, "file_descriptors_high");
        let outcome = verified(&check.fail_at(0.0)).await;
        assert_found(&outcome, Status::Fail, "file_descriptors_exhausted");
    }
}

#[test]
fn a_real_limit_is_reached() {
    let place = tempfile::tempdir().unwrap();
    again::run(
        &[],
        "ulimit -S -n 200",
        "descriptors::with_200_descriptors",
        place.path(),
    );
}

#[tokio::test]
#[ignore = "run by a_real_limit_is_reached"]
async fn with_200_descriptors() {
    if again::place().is_none() {
        return;
    }
    let check = FileDescriptorCheck::new();
    let outcome = verified(&check).await;
    assert_found(&outcome, Status::Pass, "ok");
    let limit = outcome.observed_value("file_descriptors_limit");
    assert_eq!(limit, Some(&200.into()));
    let before = number(&outcome, "file_descriptors_open");

    let mut held = Vec::new();
    let mut open_up_to = |wanted: usize| {
        while before + f64::from(u32::try_from(held.len()).unwrap())
            < f64::from(u32::try_from(wanted).unwrap())
        {
            held.push(File::open("/dev/null").unwrap());
        }
        held.len()
    };
    let opened = open_up_to(158);
    let outcome = verified(&check).await;
    assert_found(&outcome, Status::Pass, "ok");
    let counted = number(&outcome, "file_descriptors_open") - before;
    assert!((counted - f64::from(u32::try_from(opened).unwrap())).abs() < 0.5);
    open_up_to(160);
    assert_found(
        &verified(&check).await,
        Status::Warn,
        "file_descriptors_high",
    );
    open_up_to(190);
    let outcome = verified(&check).await;
    assert_found(&outcome, Status::Fail, "file_descriptors_exhausted");
    assert_eq!(
        outcome.text().as_str(),
        "190 of 200 file descriptors are open"
    );

    // Not one is left, not even for counting them.
    while let Ok(file) = File::open("/dev/null") {
        held.push(file);
    }
    let outcome = verified(&check).await;
    assert_found(&outcome, Status::Fail, "file_descriptors_exhausted");
    assert_eq!(outcome.text().as_str(), "there is no file descriptor left");
    drop(held);
    assert_found(&verified(&check).await, Status::Pass, "ok");
}
