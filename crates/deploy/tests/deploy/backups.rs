//! Backups within a deployment and on their own.

use std::time::Duration;

use tokio::time::sleep;
use tria_deploy::{
    Ground, Options, Outcome, Phase, Stop, backup, make_backup, preview_restore, restore_backup,
};

use crate::{
    harness::{Collector, assert_at_rest, deploy_with, deployed, desired, serving, try_deploy},
    memory::{Behaviour, Memory},
};

fn ground<'a>(world: &'a tria_deploy::World, options: &'a Options, stop: &'a Stop) -> Ground<'a> {
    Ground {
        world,
        options,
        observers: &[],
        stop,
    }
}

async fn manifests(memory: &Memory) -> Vec<backup::Manifest> {
    backup::backups(&memory.another_process()).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn each_deployment_makes_one_that_is_proven_by_a_restore() {
    let memory = deployed(&["t1"]).await;
    let made = manifests(&memory).await;
    assert_eq!(made.len(), 1);
    assert!(made[0].proven.is_some());
    assert_eq!(made[0].rows["public.orders"], 3);
    assert_eq!(made[0].release, Some(1));
}

#[tokio::test(start_paused = true)]
async fn a_quick_deployment_makes_one_too_but_does_not_prove_it() {
    let memory = Memory::new();
    let options = Options {
        quick: true,
        ..Options::default()
    };
    let collector = Collector::default();
    deploy_with(&memory, &desired("t1"), &options, &Stop::new(), &collector).await;
    let made = manifests(&memory).await;
    assert_eq!((made.len(), made[0].proven), (1, None));
    assert!(
        !memory
            .fuse()
            .log()
            .iter()
            .any(|call| call.contains("prove"))
    );
}

#[tokio::test(start_paused = true)]
async fn a_dump_that_misses_rows_is_no_backup_and_ends_the_deployment() {
    let memory = deployed(&["t1"]).await;
    memory.lock().dump_loses_rows = true;
    let before = serving(&memory);
    let outcome = try_deploy(&memory, &desired("t2")).await.unwrap();
    let Outcome::Failed { phase, problem } = &outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(
        (*phase, problem.code.as_str()),
        (Some(Phase::Backup), "backup_differs")
    );
    assert!(
        problem
            .text
            .contains("public.orders: 3 rows then, no such table now")
    );
    // No migration ran, and it is not listed as a backup.
    assert!(
        !memory
            .fuse()
            .log()
            .iter()
            .any(|call| call.contains("migrate"))
    );
    assert_eq!(manifests(&memory).await.len(), 1);
    assert_eq!(serving(&memory), before);
    assert_at_rest(&memory, "no backup").await;
}

#[tokio::test(start_paused = true)]
async fn a_dump_of_nothing_ends_the_deployment_also_a_quick_one() {
    let memory = Memory::new();
    memory.lock().dump_is_empty = true;
    let options = Options {
        quick: true,
        ..Options::default()
    };
    let collector = Collector::default();
    let outcome = deploy_with(&memory, &desired("t1"), &options, &Stop::new(), &collector).await;
    assert_eq!(outcome.unwrap().problem().unwrap().code, "backup_empty");
}

#[tokio::test(start_paused = true)]
async fn old_backups_go_with_their_files() {
    let mut memory = deployed(&["t1"]).await;
    let options = Options {
        keep_backups: 2,
        ..Options::default()
    };
    for tree in ["t2", "t3", "t4", "t5"] {
        let collector = Collector::default();
        deploy_with(&memory, &desired(tree), &options, &Stop::new(), &collector).await;
        memory = memory.next_process();
        sleep(Duration::from_secs(2)).await;
    }
    let kept: Vec<String> = manifests(&memory)
        .await
        .into_iter()
        .map(|it| it.id)
        .collect();
    let files: Vec<String> = memory.lock().dumps.keys().cloned().collect();
    assert_eq!(kept, files);
    // Two, and the one that the release before goes back to.
    assert!(kept.len() <= 3, "{kept:?}");
}

#[tokio::test(start_paused = true)]
async fn a_backup_can_be_made_and_restored_by_hand() {
    let memory = deployed(&["t1"]).await;
    let (world, options, stop) = (memory.world(), Options::default(), Stop::new());
    let ground = ground(&world, &options, &stop);
    let wanted = desired("t1");
    assert_eq!(
        make_backup(ground, &wanted).await,
        Outcome::Done { release: None }
    );
    let id = manifests(&memory).await.last().unwrap().id.clone();
    memory.lock().rows.clear();
    let lost = preview_restore(ground, &wanted, &id).await.unwrap();
    assert_eq!(lost[0], "public.orders: 3 rows then, no such table now");
    memory.lock().must_serve = false;
    let outcome = restore_backup(ground, &wanted, &id).await;
    assert_eq!(outcome, Outcome::Done { release: Some(1) });
    assert_eq!(memory.lock().rows["public.orders"], 3);
    assert_at_rest(&memory, "restored").await;
}

#[tokio::test(start_paused = true)]
async fn a_restore_that_fails_serves_again_with_what_was_there() {
    let memory = deployed(&["t1"]).await;
    let id = manifests(&memory).await[0].id.clone();
    {
        let mut inner = memory.lock();
        inner.must_serve = false;
        inner.dumps.clear();
        inner.behaviours.insert("other".into(), Behaviour::Good);
    }
    let (world, options, stop) = (memory.world(), Options::default(), Stop::new());
    let outcome = restore_backup(ground(&world, &options, &stop), &desired("t1"), &id).await;
    assert_eq!(outcome.problem().unwrap().code, "restore", "{outcome:?}");
    assert_at_rest(&memory, "as before").await;
}

#[tokio::test(start_paused = true)]
async fn a_backup_that_is_not_there_cannot_be_restored() {
    let memory = deployed(&["t1"]).await;
    let (world, options, stop) = (memory.world(), Options::default(), Stop::new());
    let outcome = restore_backup(ground(&world, &options, &stop), &desired("t1"), "none").await;
    assert_eq!(outcome.exit_code().get(), 2);
}
