//! What is judged at the moment of a scrape.

use std::time::Duration;

use axum::http::Method;
use tokio::time::advance;
use tria_check::{CheckMeta, Criticality, Group, Phase, Registry};
use tria_health::{Number, PhaseState};

use super::service::Service;
use crate::rig::{ask, fail, meta, scripted};

const PHASES: [Phase; 7] = [
    Phase::Starting,
    Phase::Ready,
    Phase::Draining,
    Phase::Stopping,
    Phase::RollingBack,
    Phase::Stopped(0),
    Phase::Failed(69),
];

async fn status(service: &Service, check: &str) -> String {
    let page = service.scrape().await;
    let states = page.samples_of("tria_check_status");
    let states: Vec<_> = states.filter(|it| it.labels["check"] == check).collect();
    assert_eq!(states.len(), 4);
    let mut holding = states.iter().filter(|it| it.value > 0.0);
    let holds = holding.next().unwrap();
    assert!(holding.next().is_none() && holds.value <= 1.0);
    holds.labels["status"].clone()
}

/// microsoft/healthcare-shared-components#1425: a cache without expiry served Healthy for six
/// days.
#[tokio::test(start_paused = true)]
async fn a_check_that_nothing_is_heard_of_is_unknown_at_the_scrape() {
    let service = Service::of([meta("redis")]);
    assert_eq!(status(&service, "redis").await, "unknown");
    service.run("redis").await;
    assert_eq!(status(&service, "redis").await, "pass");
    advance(Duration::from_millis(14_500)).await;
    assert_eq!(status(&service, "redis").await, "pass");
    assert_eq!(service.scrape().await.value("tria_ready", &[]), Some(1.0));
    advance(Duration::from_millis(1)).await;
    assert_eq!(status(&service, "redis").await, "unknown");
    assert_eq!(service.scrape().await.value("tria_ready", &[]), Some(0.0));
}

/// Xabaril/AspNetCore.Diagnostics.HealthChecks#644: 503 while a check fails, and Prometheus drops
/// the page that would say so.
#[tokio::test(start_paused = true)]
async fn scraping_answers_200_in_every_phase_and_runs_no_check() {
    let (check, runs) = scripted(meta("redis"), |_| async { fail() });
    let service = Service::over(Registry::builder().register(check).build().unwrap());
    service.run("redis").await;
    assert_eq!(status(&service, "redis").await, "fail");
    for phase in PHASES {
        service.phase.send_replace(phase);
        for method in [Method::GET, Method::HEAD] {
            let answer = ask(&service.router, method.clone(), "/metrics").await;
            assert_eq!(answer.status, 200, "{phase:?}");
            let kind = answer.header("content-type");
            assert_eq!(kind, Some("text/plain; version=0.0.4"));
            assert_eq!(answer.header("cache-control"), Some("no-store"));
            assert_eq!(answer.text.is_empty(), method == Method::HEAD);
        }
        let page = service.scrape().await;
        for named in PHASES.map(Phase::name) {
            let told = page.value("tria_phase", &[("phase", named)]);
            assert_eq!(told, Some(f64::from(u8::from(named == phase.name()))));
        }
    }
    let answer = ask(&service.router, Method::POST, "/metrics").await;
    assert_eq!(answer.status, 405);
    assert_eq!(runs.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn ready_is_what_readiness_answers() {
    let optional = meta("chromadb").criticality(Criticality::Optional);
    let service = Service::of([meta("redis"), optional]);
    let judge = async || {
        for phase in PHASES {
            service.phase.send_replace(phase);
            let answered = service.get("/readyz").await.status == 200;
            let told = service.scrape().await.value("tria_ready", &[]);
            assert_eq!(told, Some(f64::from(u8::from(answered))), "{phase:?}");
        }
        service.phase.send_replace(Phase::Ready);
        service.get("/readyz").await.status.as_u16()
    };
    assert_eq!(judge().await, 503);
    service.run("redis").await;
    // What is optional does not count, and is unknown.
    assert_eq!(judge().await, 200);
    service.run("chromadb").await;
    assert_eq!(judge().await, 200);
    advance(Duration::from_secs(60)).await;
    assert_eq!(judge().await, 503);
}

/// A step of the start is not asked again: it would be unknown for ever.
#[tokio::test(start_paused = true)]
async fn only_checks_that_are_kept_fresh_have_a_status() {
    let startup = CheckMeta::new("database.migrations").groups([Group::Startup]);
    let service = Service::of([meta("redis"), startup]);
    let page = service.scrape().await;
    let checks = page.values_of("tria_check_status", "check");
    assert_eq!(checks.into_iter().collect::<Vec<_>>(), ["redis"]);
}

#[tokio::test]
async fn pools_are_looked_at() {
    let page = Service::of([meta("redis")]).scrape().await;
    let told = |name: &str, state: Option<&str>| {
        let state = state.map(|state| ("state", state));
        let labels: Vec<_> = [("pool", "database")].into_iter().chain(state).collect();
        page.value(name, &labels)
    };
    assert_eq!(told("tria_pool_connections", Some("in_use")), Some(5.0));
    assert_eq!(told("tria_pool_connections", Some("idle")), Some(2.0));
    assert_eq!(told("tria_pool_connections_max", None), Some(10.0));
    assert_eq!(told("tria_pool_waiting", None), Some(3.0));
}

#[tokio::test]
async fn tasks_that_are_not_heard_of_are_counted() {
    let service = Service::of([meta("redis")]);
    let hour = Duration::from_secs(3600);
    let quick = service.heartbeats.start("quick", hour);
    let stuck = service.heartbeats.start("stuck", hour);
    let told = async |name: &str| service.scrape().await.value(name, &[]);
    assert_eq!(told("tria_heartbeats_expected").await, Some(2.0));
    assert_eq!(told("tria_heartbeats_overdue").await, Some(0.0));
    stuck.beat_within(Duration::ZERO);
    while service.heartbeats.overdue().is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(told("tria_heartbeats_overdue").await, Some(1.0));
    quick.retire();
    stuck.retire();
    assert_eq!(told("tria_heartbeats_expected").await, Some(0.0));
}

#[tokio::test(start_paused = true)]
async fn the_start_is_timed_by_phases_and_as_a_whole() {
    let service = Service::of([meta("redis")]);
    let phase = "tria_startup_phase_duration_seconds";
    let told = async || {
        let page = service.scrape().await;
        let of = |title| page.value(phase, &[("phase", title)]);
        let whole = page.value("tria_startup_duration_seconds", &[]);
        (of("Environment"), of("Database"), whole)
    };
    assert_eq!(told().await, (None, None, None));
    service.progress.begin(1);
    advance(Duration::from_secs(1)).await;
    assert_eq!(told().await, (Some(1.0), None, Some(1.0)));
    service.progress.end(1, PhaseState::Passed);
    service.progress.begin(2);
    advance(Duration::from_secs(2)).await;
    assert_eq!(told().await, (Some(1.0), Some(2.0), Some(3.0)));
    service.progress.end(2, PhaseState::Warned);
    advance(Duration::from_secs(60)).await;
    assert_eq!(told().await, (Some(1.0), Some(2.0), Some(3.0)));
}

#[tokio::test]
async fn the_build_is_told() {
    let page = Service::of([meta("redis")]).scrape().await;
    let labels = [("version", "1.2.3"), ("revision", "3d6d4d3")];
    assert_eq!(page.value("tria_build_info", &labels), Some(1.0));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_process_tells_what_it_uses() {
    let service = Service::of([meta("redis")]);
    let before = service.scrape().await;
    // More than the tick in which the kernel counts.
    let begun = std::time::Instant::now();
    while begun.elapsed() < Duration::from_millis(60) {
        std::hint::black_box(0_u64);
    }
    let files: Vec<_> = (0..100)
        .map(|_| std::fs::File::open("/proc/self/stat").unwrap())
        .collect();
    let page = service.scrape().await;
    drop(files);
    let grown = |name: &str| page.value(name, &[]).unwrap() - before.value(name, &[]).unwrap();
    let spent = grown("process_cpu_seconds_total");
    assert!((0.02..60.0).contains(&spent), "{spent}");
    // Other tests open and close some, too.
    let opened = grown("process_open_fds");
    assert!((50.0..1000.0).contains(&opened), "{opened}");
    let told = |name: &str| page.value(name, &[]).unwrap();
    assert!(told("process_open_fds") < told("process_max_fds"));
    let resident = told("process_resident_memory_bytes");
    assert!(resident > 1e6 && resident < told("process_virtual_memory_bytes"));
    assert!(resident < told("tria_memory_limit_bytes"));
    assert!(told("process_threads") >= 1.0);
    let now = std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH);
    let age = now.unwrap().as_secs_f64() - told("process_start_time_seconds");
    assert!((-2.0..3600.0).contains(&age), "{age}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_runtime_tells_how_busy_it_is() {
    let service = Service::of([meta("redis")]);
    let busy = |page: &super::page::Page| -> f64 {
        let samples = page.samples_of("tokio_worker_busy_seconds_total");
        samples.map(|it| it.value).sum()
    };
    let before = busy(&service.scrape().await);
    let work = async {
        let begun = std::time::Instant::now();
        while begun.elapsed() < Duration::from_millis(20) {
            std::hint::black_box(0_u64);
        }
    };
    tokio::spawn(work).await.unwrap();
    let sleeping = tokio::spawn(std::future::pending::<()>());
    // A worker's time is counted when it goes to sleep.
    let page = loop {
        let page = service.scrape().await;
        if busy(&page) - before > 0.015 {
            break page;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    };
    assert_eq!(page.value("tokio_workers", &[]), Some(2.0));
    assert!(page.value("tokio_alive_tasks", &[]).unwrap() >= 1.0);
    assert!(page.value("tokio_global_queue_depth", &[]).is_some());
    let workers = page.values_of("tokio_worker_busy_seconds_total", "worker");
    assert_eq!(workers.into_iter().collect::<Vec<_>>(), ["0", "1"]);
    sleeping.abort();
}

#[tokio::test]
async fn numbers_of_the_service_are_read_at_the_scrape() {
    let calls = Number::counter("tria_calls_total", "Calls by their end.", || {
        let sample = |end, count| (vec![("end", end)], count);
        vec![sample("answered", 7.0), sample("refused", 2.0)]
    });
    let open = Number::gauge("tria_open", "Whether it is.", || vec![(vec![], 1.0)]);
    let registry = Registry::builder().build().unwrap();
    let page = Service::with(registry, vec![calls, open]).scrape().await;
    assert_eq!(
        page.value("tria_calls_total", &[("end", "answered")]),
        Some(7.0)
    );
    assert_eq!(
        page.value("tria_calls_total", &[("end", "refused")]),
        Some(2.0)
    );
    assert_eq!(page.value("tria_open", &[]), Some(1.0));
}
