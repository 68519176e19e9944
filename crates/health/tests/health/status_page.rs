//! The page for people.

use std::time::Duration;

use axum::http::Method;
use base64::prelude::{BASE64_STANDARD, Engine};
use sha2::{Digest, Sha256};
use tokio::time::advance;
use tria_check::{
    Criticality, Finding, Group, Outcome, Phase, PrivateText, PublicText, PublicValue, Registry,
};
use tria_health::{Access, HealthState, PhaseState, Pool, Snapshot, StartupProgress, routes};

use crate::rig::{BROKEN, Rig, TOKEN, ask, fail, meta, pass, scripted};

const PATH: &str = "/status";

fn detailed() -> Outcome {
    Finding::fail(BROKEN, "it is broken")
        .transient(None)
        .remedy("mend it")
        .detail(PrivateText::new(
            "db-7.internal refused <img src=x onerror=alert(1)>",
        ))
        .into()
}

fn pooled() -> Outcome {
    pass()
        .observe("pool_size", 10, "connections")
        .observe("pool_checked_out", 2, "connections")
}

/// The words of a page, without its tags and its style.
fn words(page: &str) -> String {
    let body = page.split_once("</style>").unwrap().1;
    let parts = body.split('<').map(|part| {
        let text = part.split_once('>').map_or("", |(_, text)| text);
        text.trim()
    });
    let parts: Vec<&str> = parts.filter(|text| !text.is_empty()).collect();
    parts.join(" ")
}

async fn seen(rig: &Rig) -> String {
    let answer = rig.get(PATH).await;
    assert_eq!(answer.status, 200);
    words(&answer.text)
}

async fn seen_authorized(rig: &Rig) -> String {
    let answer = rig.get_authorized(PATH).await;
    assert_eq!(answer.status, 200);
    words(&answer.text)
}

#[track_caller]
fn assert_tells(told: &str, needles: &[&str]) {
    for needle in needles {
        assert!(told.contains(needle), "{needle:?} is not in {told:?}");
    }
}

#[tokio::test]
async fn it_says_in_words_how_the_whole_and_each_service_stand() {
    let rig = Rig::of([
        meta("database"),
        meta("redis"),
        meta("openai").criticality(Criticality::Optional),
    ]);
    rig.record("database", pooled());
    let told = seen(&rig).await;
    assert_tells(
        &told,
        &[
            "\u{2717} Unhealthy It must not get traffic because of: redis.",
            "phase ready up for 0 s version 1.2.3",
            "database \u{2713} works answers in 1.2 ms pool size 10, checked out 2",
            "redis ? not known it has not been checked yet not_run",
            "openai ? not known (optional)",
        ],
    );

    rig.record("redis", pass());
    rig.record("openai", Finding::warn(BROKEN, "look at it"));
    let told = seen(&rig).await;
    assert_tells(
        &told,
        &[
            "! Degraded It serves, but look at: openai.",
            "openai ! works, but look (optional) look at it broken",
        ],
    );

    rig.record("openai", pass());
    assert_tells(
        &seen(&rig).await,
        &["\u{2713} Healthy Everything works. phase ready"],
    );
    for _ in 0..3 {
        rig.record("database", fail());
    }
    assert_tells(
        &seen(&rig).await,
        &[
            "Unhealthy It must not get traffic because of: database.",
            "database \u{2717} fails it is broken broken",
        ],
    );
}

/// A check that belongs to no probe is not told to everybody.
#[tokio::test]
async fn it_tells_of_the_checks_of_readiness_only() {
    let rig = Rig::of([
        meta("environment").groups([Group::Startup]),
        meta("redis.statistics").groups([Group::Diagnostics]),
    ]);
    assert_tells(
        &seen_authorized(&rig).await,
        &["Healthy Everything works.", "There is nothing to check."],
    );
}

#[tokio::test]
async fn it_says_in_which_phase_the_process_is() {
    let rig = Rig::of([meta("redis")]);
    rig.record("redis", pass());
    let table = [
        (Phase::Starting, "? Starting It gets no traffic until"),
        (Phase::Ready, "\u{2713} Healthy"),
        (Phase::Draining, "? Stopping Requests under way"),
        (Phase::Stopping, "? Stopping Requests under way"),
        (Phase::Stopped(0), "? Stopped"),
        (Phase::RollingBack, "\u{2717} Not started"),
        (Phase::Failed(69), "\u{2717} Not started The start failed."),
    ];
    for (phase, expected) in table {
        rig.phase.send_replace(phase);
        let told = seen(&rig).await;
        let phase = format!("phase {}", phase.name().replace('_', " "));
        assert_tells(&told, &[expected, &phase, "redis \u{2713} works"]);
    }
}

#[tokio::test]
async fn it_tells_how_far_the_start_has_come_until_it_is_complete() {
    let rig = Rig::of([]);
    rig.phase.send_replace(Phase::Starting);
    rig.progress.begin(1);
    let line = PublicText::filled("Found {}", &[PublicValue::word("15.18")]);
    rig.progress.line(1, line);
    rig.progress.end(1, PhaseState::Passed);
    rig.progress.begin(2);
    let told = seen(&rig).await;
    assert_tells(
        &told,
        &[
            "\u{2713} Environment : proven, 0 s Found 15.18",
            "? Database : under way, 0 s",
        ],
    );
    rig.progress.end(2, PhaseState::Failed);
    rig.phase.send_replace(Phase::Failed(69));
    assert_tells(&seen(&rig).await, &["\u{2717} Database : failed"]);
    rig.phase.send_replace(Phase::Ready);
    assert!(!seen(&rig).await.contains("The start"));
}

#[tokio::test(start_paused = true)]
async fn what_lies_behind_a_verdict_is_for_those_who_have_access() {
    let rig = Rig::of([meta("database"), meta("database.schema"), meta("redis")]);
    rig.record("database", pooled());
    rig.record("database.schema", pass());
    advance(Duration::from_secs(1)).await;
    for _ in 0..2 {
        rig.record("database", detailed());
        advance(Duration::from_secs(1)).await;
    }
    // Two failures do not count yet, and are seen all the same.
    let told = seen_authorized(&rig).await;
    assert_tells(
        &told,
        &[
            "database \u{2713} works",
            "last success 0 s ago failures in a row 2",
            "it is broken database broken",
            "What to do: mend it",
            "db-7.internal refused",
            "revision unknown",
            "redis ? not known it has not been checked yet not_run last success never",
        ],
    );
    assert!(!told.contains("sees more"), "{told}");

    let basic = format!("Basic {TOKEN}");
    for headers in [
        &[][..],
        &[("authorization", "Bearer h4lf-past-thre")],
        &[("authorization", basic.as_str())],
    ] {
        let answer = rig.get_with(PATH, headers).await;
        assert_eq!(answer.status, 200);
        let told = words(&answer.text);
        assert_tells(&told, &["sees more", "database \u{2713} works answers in"]);
        for hidden in ["last success", "in a row", "mend it", "db-7", "revision"] {
            assert!(!answer.text.contains(hidden), "{hidden}: {told}");
        }
    }
    let in_query = rig.get(&format!("{PATH}?token={TOKEN}")).await;
    assert!(!in_query.text.contains("db-7"));

    let page = async |access| {
        let router = rig.router_of(|state| state.access(access));
        ask(&router, Method::GET, PATH).await.text
    };
    assert!(page(Access::Open).await.contains("db-7"));
    // There is no token that would show more.
    let closed = page(Access::Closed).await;
    assert!(!closed.contains("db-7") && !closed.contains("sees more"));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_told_twice_and_silence_is_told_beside_what_was_found() {
    let rig = Rig::of([meta("database")]);
    rig.record("database", detailed());
    let told = seen_authorized(&rig).await;
    assert_eq!(told.matches("it is broken").count(), 1, "{told}");
    assert_tells(&told, &["database \u{2717} fails answers in"]);
    advance(Duration::from_secs(60)).await;
    let stale = "database ? not known nothing has been heard of it for 60 s stale";
    let told = seen_authorized(&rig).await;
    assert_tells(&told, &[stale, "failures in a row 1", "it is broken"]);
}

#[tokio::test]
async fn a_task_that_is_stuck_is_named() {
    let rig = Rig::of([]);
    let task = rig.heartbeats.start("sweeper", Duration::ZERO);
    task.beat();
    while rig.heartbeats.overdue().is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_tells(
        &seen(&rig).await,
        &["\u{2717} Stuck Not heard of in time: sweeper."],
    );
    // It may well have been told to end.
    rig.phase.send_replace(Phase::Draining);
    assert_tells(&seen(&rig).await, &["? Stopping"]);
}

/// Text of servers and of the service itself cannot become markup.
#[tokio::test]
async fn whatever_is_put_into_it_is_escaped() {
    const EVIL: &str = "<script>alert('1')</script>\"&";
    let registry = Registry::builder().register(scripted(meta("redis"), |_| async { pass() }).0);
    let registry = registry.build().unwrap();
    let snapshot = std::sync::Arc::new(Snapshot::new(&registry));
    let (_phase, seen) = tokio::sync::watch::channel(Phase::Starting);
    let progress = StartupProgress::new([(1, EVIL)]);
    let finding = Finding::fail(BROKEN, EVIL)
        .remedy(EVIL)
        .detail(PrivateText::new(EVIL));
    let state = HealthState::new(
        std::sync::Arc::clone(&snapshot),
        progress.clone(),
        seen,
        EVIL,
    )
    .revision(EVIL)
    .access(Access::Open);
    progress.line(1, EVIL);
    let rig = Rig::over(registry);
    rig.record("redis", finding);
    snapshot.record(
        rig.snapshot
            .read("redis")
            .unwrap()
            .latest()
            .unwrap()
            .clone(),
    );

    let page = ask(&routes(state), Method::GET, PATH).await.text;
    assert!(!page.contains("<script"), "{page}");
    let escaped = page.matches("&lt;script&gt;alert('1')&lt;/script&gt;&quot;&amp;");
    // The title and the line of the phase, version, revision, message, remedy and detail.
    assert_eq!(escaped.count(), 7, "{page}");
}

#[tokio::test]
async fn nothing_can_be_loaded_run_or_sent_from_it() {
    let rig = Rig::of([meta("redis")]);
    rig.record("redis", pass());
    let answer = rig.get_authorized(PATH).await;
    assert_eq!(
        answer.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    for (header, value) in [
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
    ] {
        assert_eq!(answer.header(header), Some(value));
    }
    let page = &answer.text;
    for foreign in [
        "<script", "http:", "https:", " src=", "url(", "@import", " style=", " on", "<form",
    ] {
        assert!(!tags(page).contains(foreign), "{foreign}: {page}");
    }
    // The style is let in by its hash, and nothing else is.
    let style = page.split("<style>").nth(1).unwrap();
    let style = style.split("</style>").next().unwrap();
    let hash = BASE64_STANDARD.encode(Sha256::digest(style));
    let policy = answer.header("content-security-policy").unwrap();
    assert_eq!(
        policy,
        format!(
            "default-src 'none'; style-src 'sha256-{hash}'; img-src data:; base-uri 'none'; \
             form-action 'none'; frame-ancestors 'none'"
        )
    );
}

/// All that is between angle brackets, and the style.
fn tags(page: &str) -> String {
    let parts = page.split('<').map(|part| match part.split_once('>') {
        Some(("style", style)) => format!("<style>{style}"),
        Some((tag, _)) => format!("<{tag}>"),
        None => String::new(),
    });
    parts.collect()
}

#[tokio::test]
async fn it_runs_no_check_and_looks_at_no_pool() {
    let (check, runs) = scripted(meta("redis"), |_| async { pass() });
    let rig = Rig::over(Registry::builder().register(check).build().unwrap());
    let pool = Pool::new("redis", || panic!("it was looked at"));
    let router = rig.router_of(|state| {
        let state = state.access(Access::Open).pools([pool]);
        state.section("lifecycle", || panic!("it was asked for"))
    });
    for path in [PATH, "/status?fresh=1", "/status?deep=1"] {
        assert_eq!(ask(&router, Method::GET, path).await.status, 200);
    }
    assert_eq!(runs.count(), 0);
}
