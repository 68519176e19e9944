//! A service to ask: checks that obey a script, a snapshot, a phase and the router.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, SystemTime},
};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Method, Request, StatusCode},
};
use serde_json::Value;
use tokio::{sync::watch, time::Instant};
use tower::ServiceExt;
use tria_check::{
    Check, CheckContext, CheckMeta, CheckReport, Code, Finding, Heartbeats, Outcome, Phase,
    Registry, Runner,
};
use tria_health::{Access, HealthState, Snapshot, StartupProgress, routes};

/// Every path that tells of the checks.
pub(crate) const PATHS: [&str; 9] = [
    "/health",
    "/livez",
    "/readyz",
    "/startupz",
    "/api/v1/health/liveness",
    "/api/v1/health/readiness",
    "/api/v1/health/startup",
    "/api/v1/health/diagnostics",
    "/status",
];

/// What opens the diagnostics.
pub(crate) const TOKEN: &str = "h4lf-past-three";

pub(crate) const BROKEN: Code = Code::new("broken");

/// A service with the given checks.
pub(crate) struct Rig {
    pub(crate) runner: Runner,
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) progress: StartupProgress,
    pub(crate) phase: watch::Sender<Phase>,
    pub(crate) heartbeats: Heartbeats,
    pub(crate) state: HealthState,
    pub(crate) router: Router,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

/// A check that answers what its script says to the number of the run (the first is 0).
pub(crate) struct Scripted<F> {
    pub(crate) meta: CheckMeta,
    pub(crate) runs: Runs,
    pub(crate) script: F,
}

/// When a check was run.
#[derive(Clone, Default)]
pub(crate) struct Runs {
    count: Arc<AtomicU32>,
    at: Arc<Mutex<Vec<Instant>>>,
}

// === impl Rig ===

impl Rig {
    /// A service in the phase Ready whose checks pass when they are asked.
    pub(crate) fn of(metas: impl IntoIterator<Item = CheckMeta>) -> Self {
        let registry = metas
            .into_iter()
            .fold(Registry::builder(), |builder, meta| {
                builder.register(scripted(meta, |_| async { pass() }).0)
            });
        Self::over(registry.build().unwrap())
    }

    pub(crate) fn over(registry: Registry) -> Self {
        let snapshot = Snapshot::new(&registry);
        Self::over_snapshot(registry, snapshot)
    }

    pub(crate) fn over_snapshot(registry: Registry, snapshot: Snapshot) -> Self {
        let (phase, seen) = watch::channel(Phase::Ready);
        let snapshot = Arc::new(snapshot);
        let runner = Runner::observed(registry, seen.clone(), Arc::clone(&snapshot));
        let progress = StartupProgress::new([(1, "Environment"), (2, "Database")]);
        let heartbeats = Heartbeats::default();
        let state = HealthState::new(Arc::clone(&snapshot), progress.clone(), seen, "1.2.3")
            .heartbeats(heartbeats.clone())
            .runner(runner.clone())
            .access(Access::Token(TOKEN.into()));
        Self {
            runner,
            snapshot,
            progress,
            phase,
            heartbeats,
            router: routes(state.clone()),
            state,
        }
    }

    /// The same service, its state changed.
    pub(crate) fn router_of(&self, change: impl FnOnce(HealthState) -> HealthState) -> Router {
        routes(change(self.state.clone()))
    }

    /// Takes in a result that came just now, after 1.25 ms.
    pub(crate) fn record(&self, name: &str, outcome: impl Into<Outcome>) {
        let meta = self.runner.registry().meta(name).unwrap();
        self.snapshot.record(CheckReport {
            name: name.to_owned(),
            criticality: meta.get_criticality(),
            outcome: outcome.into(),
            started_at: SystemTime::now(),
            finished: Instant::now(),
            duration: Duration::from_micros(1250),
            attempts: 1,
        });
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        ask(&self.router, Method::GET, path).await
    }

    /// What somebody is told who sends these headers.
    pub(crate) async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        ask_with(&self.router, Method::GET, path, headers).await
    }

    /// What somebody is told who has the token.
    pub(crate) async fn get_authorized(&self, path: &str) -> Answer {
        let bearer = format!("Bearer {TOKEN}");
        self.get_with(path, &[("authorization", &bearer)]).await
    }

    /// The status of readiness. Liveness is to be 200 whenever readiness is asked.
    pub(crate) async fn readyz(&self) -> u16 {
        assert_eq!(self.get("/livez").await.status, StatusCode::OK);
        self.get("/readyz").await.status.as_u16()
    }

    /// What readiness says of a service.
    pub(crate) async fn service(&self, name: &str) -> Value {
        self.get("/readyz").await.json()["services"][name].clone()
    }
}

pub(crate) async fn ask(router: &Router, method: Method, path: &str) -> Answer {
    ask_with(router, method, path, &[]).await
}

pub(crate) async fn ask_with(
    router: &Router,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
) -> Answer {
    let request = Request::builder().method(method).uri(path);
    let request = headers.iter().fold(request, |request, (name, value)| {
        request.header(*name, *value)
    });
    let request = request.body(Body::empty()).unwrap();
    let answer = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = answer.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    Answer {
        status: parts.status,
        headers: parts.headers,
        text: String::from_utf8(body.to_vec()).unwrap(),
    }
}

pub(crate) fn meta(name: &'static str) -> CheckMeta {
    CheckMeta::new(name).timeout(Duration::from_secs(2))
}

pub(crate) fn pass() -> Outcome {
    Finding::pass("fine").into()
}

pub(crate) fn fail() -> Outcome {
    Finding::fail(BROKEN, "it is broken").transient(None).into()
}

pub(crate) fn scripted<F, R>(meta: CheckMeta, script: F) -> (Scripted<F>, Runs)
where
    F: Fn(u32) -> R + Send + Sync + 'static,
    R: Future<Output = Outcome> + Send,
{
    let runs = Runs::default();
    let check = Scripted {
        meta,
        runs: runs.clone(),
        script,
    };
    (check, runs)
}

// === impl Answer ===

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        Some(self.headers.get(name)?.to_str().unwrap())
    }
}

// === impl Scripted ===

impl<F, R> Check for Scripted<F>
where
    F: Fn(u32) -> R + Send + Sync + 'static,
    R: Future<Output = Outcome> + Send,
{
    fn meta(&self) -> &CheckMeta {
        &self.meta
    }

    async fn check(&self, _cx: &CheckContext) -> Outcome {
        let number = self.runs.count.fetch_add(1, Ordering::SeqCst);
        self.runs.at.lock().unwrap().push(Instant::now());
        (self.script)(number).await
    }
}

// === impl Runs ===

impl Runs {
    pub(crate) fn count(&self) -> u32 {
        self.count.load(Ordering::SeqCst)
    }

    /// The seconds between each run and the next.
    pub(crate) fn gaps(&self) -> Vec<f64> {
        let at = self.at.lock().unwrap();
        at.windows(2)
            .map(|pair| (pair[1] - pair[0]).as_secs_f64())
            .collect()
    }

    /// The seconds from `begun` to the first run.
    pub(crate) fn first_after(&self, begun: Instant) -> f64 {
        (self.at.lock().unwrap()[0] - begun).as_secs_f64()
    }
}
