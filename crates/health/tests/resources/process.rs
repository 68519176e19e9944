//! Pools and heartbeats.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tria_check::{Check, Criticality, Group, Heartbeats, Registry, Status};
use tria_health::{
    Pool, PoolStatus,
    resources::{
        ClockCheck, DiskCheck, FileDescriptorCheck, HeartbeatCheck, MemoryCheck, PoolCheck,
    },
};

use crate::{assert_found, verified};

/// PostHog/posthog#46457: saturation is its own observation, and not "down".
#[tokio::test]
async fn a_pool_is_busy_when_all_of_it_is_in_use_and_somebody_waits() {
    let table = [
        // open, of them available, waiting, at most, status
        (0, 0, 0, 10, Status::Pass),
        (10, 8, 0, 10, Status::Pass),
        (10, 0, 0, 10, Status::Pass),
        (10, 0, 3, 10, Status::Warn),
        // Connections are being opened: how that goes, the server's own check tells.
        (4, 0, 3, 10, Status::Pass),
        (0, 0, 3, 10, Status::Pass),
        // Those who wait are just being served.
        (10, 2, 3, 10, Status::Pass),
    ];
    let now = Arc::new(Mutex::new(PoolStatus::default()));
    let look = Arc::clone(&now);
    let pool = Pool::new("database", move || *look.lock().unwrap());
    let check = PoolCheck::new("database.pool", pool);
    assert_eq!(check.meta().name(), "database.pool");
    for (size, available, waiting, max, status) in table {
        *now.lock().unwrap() = PoolStatus {
            size,
            available,
            waiting,
            max,
        };
        let outcome = verified(&check).await;
        let busy = status == Status::Warn;
        assert_found(&outcome, status, if busy { "pool_busy" } else { "ok" });
        if busy {
            let told = "10 of 10 connections of the pool are in use, and 3 requests wait for one";
            assert_eq!(outcome.text().as_str(), told);
        }
        for (name, number) in [
            ("pool_size", size),
            ("pool_checked_in", available),
            ("pool_checked_out", size - available),
            ("pool_waiting", waiting),
            ("pool_max", max),
        ] {
            assert_eq!(outcome.observed_value(name), Some(&number.into()));
        }
    }
}

/// super-productivity#9599: liveness watches the process's own tasks.
#[tokio::test]
async fn a_task_that_is_stuck_is_named_until_it_is_heard_of() {
    let heartbeats = Heartbeats::default();
    let check = HeartbeatCheck::new(heartbeats.clone());
    let outcome = verified(&check).await;
    assert_found(&outcome, Status::Pass, "ok");
    let hour = Duration::from_secs(3600);
    let quick = heartbeats.start("sampler", hour);
    let slow = heartbeats.start("refresher", hour);
    let killed = heartbeats.start("lost <task>", hour);
    let outcome = verified(&check).await;
    assert_eq!(outcome.text().as_str(), "3 tasks are at work");

    slow.beat_within(Duration::ZERO);
    killed.beat_within(Duration::ZERO);
    drop(killed);
    while heartbeats.overdue().len() < 2 {
        tokio::task::yield_now().await;
    }
    let outcome = verified(&check).await;
    assert_found(&outcome, Status::Fail, "task_stuck");
    let told = "not heard of in time: refresher, lost ?task?";
    assert_eq!(outcome.text().as_str(), told);
    assert_eq!(outcome.observed_value("tasks_overdue"), Some(&2.into()));
    assert_eq!(outcome.observed_value("tasks_expected"), Some(&3.into()));
    let detail = outcome.decisive().get_detail().unwrap().expose();
    assert!(detail.starts_with("refresher is 0.0 s late"), "{detail}");

    slow.beat();
    heartbeats.start("lost <task>", hour).retire();
    assert_found(&verified(&check).await, Status::Pass, "ok");
    slow.retire();
    quick.retire();
}

/// A shortage degrades a process, and does not take it out of traffic; and nothing outside of it
/// decides over liveness.
#[test]
fn the_checks_stand_in_one_registry_beside_each_other() {
    let idle = Pool::new("database", PoolStatus::default);
    let clock = || std::future::ready(Ok::<_, std::io::Error>(std::time::SystemTime::now()));
    let registry = Registry::builder()
        .register(MemoryCheck::new())
        .register(DiskCheck::new("/"))
        .register(FileDescriptorCheck::default())
        .register(ClockCheck::new("PostgreSQL", clock))
        .register(PoolCheck::new("database.pool", idle))
        .register(HeartbeatCheck::new(Heartbeats::default()))
        .build()
        .unwrap();
    assert_eq!(registry.names_in(Group::Liveness), ["process.heartbeats"]);
    assert!(registry.names_in(Group::Startup).is_empty());
    assert_eq!(registry.names_in(Group::Diagnostics).len(), 6);
    for name in registry.names_in(Group::Readiness) {
        let meta = registry.meta(&name).unwrap();
        assert_eq!(meta.get_criticality(), Criticality::Optional, "{name}");
        assert!(meta.effective_period() >= Duration::from_secs(5), "{name}");
    }
}
