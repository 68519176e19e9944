//! What is counted as it happens.

use std::time::{Duration, SystemTime};

use tokio::{sync::Notify, task::yield_now, time::sleep};
use tria_check::{Check, CheckMeta, Group, Registry};

use super::service::Service;
use crate::rig::{fail, meta, pass, scripted};

fn over<const N: usize>(checks: [impl Check; N]) -> Service {
    let checks = checks.into_iter();
    let builder = checks.fold(Registry::builder(), |builder, check| {
        builder.register(check)
    });
    Service::over(builder.build().unwrap())
}

#[tokio::test(start_paused = true)]
async fn runs_are_counted_by_what_they_found() {
    let service = over([scripted(meta("redis"), |run| async move {
        match run {
            0 | 1 => pass(),
            2 => fail(),
            3 => panic!("planted"),
            _ => {
                sleep(Duration::from_secs(60)).await;
                pass()
            }
        }
    })
    .0]);
    for _ in 0..5 {
        service.run("redis").await;
    }
    let page = service.scrape().await;
    for (code, runs) in [
        ("ok", 2.0),
        ("broken", 1.0),
        ("panic", 1.0),
        ("timeout", 1.0),
    ] {
        let labels = [("check", "redis"), ("code", code)];
        assert_eq!(page.value("tria_check_runs_total", &labels), Some(runs));
    }
    assert_eq!(page.samples_of("tria_check_runs_total").count(), 4);
}

#[tokio::test(start_paused = true)]
async fn runs_are_timed() {
    let service = over([scripted(meta("redis"), |run| async move {
        let millis = if run == 0 { 3 } else { 400 };
        sleep(Duration::from_millis(millis)).await;
        pass()
    })
    .0]);
    service.run("redis").await;
    service.run("redis").await;
    let page = service.scrape().await;
    let family = "tria_check_duration_seconds";
    assert_eq!(page.kinds[family], "histogram");
    let told = |part: &str, le: Option<&str>| {
        let labels = le.map(|le| ("le", le)).into_iter();
        let labels: Vec<_> = labels.chain([("check", "redis")]).collect();
        page.value(&format!("{family}_{part}"), &labels)
    };
    for (le, count) in [
        ("0.0025", 0.0),
        ("0.005", 1.0),
        ("0.25", 1.0),
        ("0.5", 2.0),
        ("10", 2.0),
        ("+Inf", 2.0),
    ] {
        assert_eq!(told("bucket", Some(le)), Some(count), "{le}");
    }
    assert_eq!(told("count", None), Some(2.0));
    assert!((told("sum", None).unwrap() - 0.403).abs() < 1e-9);
}

#[tokio::test]
async fn the_end_of_the_last_run_is_told_by_the_wall_clock() {
    let service = Service::of([meta("redis")]);
    let name = "tria_check_last_completed_timestamp_seconds";
    let labels = [("check", "redis")];
    // A timestamp of 0 would read as 1970.
    assert_eq!(service.scrape().await.value(name, &labels), None);
    let since_1970 = || {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        since.unwrap().as_secs_f64()
    };
    let before = since_1970();
    service.run("redis").await;
    let told = service.scrape().await.value(name, &labels).unwrap();
    assert!(
        before <= told && told <= since_1970(),
        "{before} {told} {}",
        since_1970()
    );
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_for_a_run_under_way_is_counted() {
    let gate = std::sync::Arc::new(Notify::new());
    let opened = std::sync::Arc::clone(&gate);
    let (check, runs) = scripted(meta("redis"), move |_| {
        let gate = std::sync::Arc::clone(&gate);
        async move {
            gate.notified().await;
            pass()
        }
    });
    let service = over([check]);
    let asked: Vec<_> = (0..4)
        .map(|_| {
            let runner = service.runner.clone();
            tokio::spawn(async move { runner.run("redis").await })
        })
        .collect();
    while runs.count() == 0 {
        yield_now().await;
    }
    opened.notify_one();
    for asked in asked {
        asked.await.unwrap().unwrap();
    }
    let page = service.scrape().await;
    let labels = [("check", "redis")];
    assert_eq!(page.value("tria_check_coalesced_total", &labels), Some(3.0));
    let labels = [("check", "redis"), ("code", "ok")];
    assert_eq!(page.value("tria_check_runs_total", &labels), Some(1.0));
}

/// An increase is seen only where there was a value before.
#[tokio::test]
async fn every_check_is_counted_from_zero_on() {
    let startup = |name: &'static str| CheckMeta::new(name).groups([Group::Startup]);
    let service = Service::of([meta("redis"), startup("database.migrations")]);
    let page = service.scrape().await;
    for check in ["redis", "database.migrations"] {
        let labels = [("check", check)];
        assert_eq!(page.value("tria_check_coalesced_total", &labels), Some(0.0));
        assert_eq!(
            page.value("tria_check_duration_seconds_count", &labels),
            Some(0.0)
        );
        let labels = [("check", check), ("code", "ok")];
        assert_eq!(page.value("tria_check_runs_total", &labels), Some(0.0));
    }
}
