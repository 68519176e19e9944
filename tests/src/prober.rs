//! Somebody who asks a service all the time, and writes down what changes.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use serde_json::Value;
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{MissedTickBehavior, interval, timeout},
};

use crate::http;

/// How often a service is asked.
const EVERY: Duration = Duration::from_millis(50);

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long a service may take to answer for the first time.
const FIRST_ANSWER: Duration = Duration::from_secs(10);

/// Asks `/health` and `/livez` every 50 ms over one connection that is kept alive, until it is
/// dropped.
pub struct Prober {
    last: watch::Receiver<Option<Sight>>,
    notes: Arc<Mutex<Notes>>,
    task: JoinHandle<()>,
}

/// An answer of `/health`.
#[derive(Clone, Debug)]
pub struct Sight {
    /// When it came.
    pub at: Instant,
    /// Its status.
    pub status: u16,
    /// After how many seconds to ask again, where the answer says so.
    pub retry_after: Option<u64>,
    /// Its body.
    pub body: Arc<Value>,
}

/// What was seen of liveness since the beginning.
#[derive(Clone, Debug, Default)]
pub struct Pulse {
    /// How often it was asked.
    pub asked: usize,
    /// Whatever was no 200, and every time that `/health` gave no answer.
    pub lost: Vec<(Instant, String)>,
    /// Answers that took long, with the time they took; the slowest since any moment is in it.
    slow: Vec<(Instant, Duration)>,
}

#[derive(Default)]
struct Notes {
    changes: Vec<Sight>,
    /// Of each service, how long its last run took (as bits), and how many there were.
    runs: BTreeMap<String, (u64, usize)>,
    pulse: Pulse,
}

// === impl Prober ===

impl Prober {
    /// Begins to ask the service at `url`, as in `http://127.0.0.1:8003`, and returns when it has
    /// answered.
    ///
    /// # Panics
    /// If it does not answer.
    pub async fn start(url: &str) -> Self {
        let client = http::client(PATIENCE);
        let notes = Arc::new(Mutex::new(Notes::default()));
        let (tell, mut last) = watch::channel(None);
        let task = {
            let (url, notes) = (url.to_owned(), Arc::clone(&notes));
            tokio::spawn(async move {
                let mut ticks = interval(EVERY);
                ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
                loop {
                    ticks.tick().await;
                    ask_liveness(&client, &url, &notes).await;
                    match ask_health(&client, &url).await {
                        Ok(sight) => {
                            note(&notes, &sight);
                            tell.send_replace(Some(sight));
                        }
                        Err(error) => lose(&notes, format!("/health: {error:?}")),
                    }
                }
            })
        };
        let answered = timeout(FIRST_ANSWER, last.wait_for(Option::is_some)).await;
        answered
            .expect("a first answer in time")
            .expect("the prober lives");
        Self { last, notes, task }
    }

    /// The last answer.
    ///
    /// # Panics
    /// Never: there is one from the start on.
    pub fn last(&self) -> Sight {
        self.last.borrow().clone().expect("there is a first answer")
    }

    /// Waits for an answer for which `met` holds, the last one included; `None` when there is none
    /// within `limit`.
    pub async fn until(&self, limit: Duration, met: impl Fn(&Sight) -> bool) -> Option<Sight> {
        let mut last = self.last.clone();
        let waited = last.wait_for(|sight| sight.as_ref().is_some_and(&met));
        let sight = timeout(limit, waited).await.ok()?.ok()?;
        sight.clone()
    }

    /// What was told since `moment`: what held then, and every change after it.
    ///
    /// # Panics
    /// Never: nobody panics while noting.
    pub fn since(&self, moment: Instant) -> Vec<Sight> {
        let notes = self.notes.lock().expect("no prober panics");
        let earlier = notes.changes.iter().filter(|sight| sight.at < moment);
        let held = earlier.count().saturating_sub(1);
        notes.changes[held..].to_vec()
    }

    /// How many runs of a service's check were seen to count. One that was over before it was
    /// asked about again is not seen.
    ///
    /// # Panics
    /// Never: nobody panics while noting.
    pub fn runs(&self, service: &str) -> usize {
        let notes = self.notes.lock().expect("no prober panics");
        notes.runs.get(service).map_or(0, |(_, runs)| *runs)
    }

    /// What was seen of liveness.
    ///
    /// # Panics
    /// Never: nobody panics while noting.
    pub fn pulse(&self) -> Pulse {
        self.notes.lock().expect("no prober panics").pulse.clone()
    }
}

impl Drop for Prober {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn ask_liveness(client: &reqwest::Client, url: &str, notes: &Mutex<Notes>) {
    let asked = Instant::now();
    let answer = client.get(format!("{url}/livez")).send().await;
    match answer {
        Ok(answer) => {
            if answer.status() != 200 {
                lose(notes, format!("/livez: {}", answer.status()));
            }
            // Only a body that was read leaves its connection to the next question.
            let _ = answer.bytes().await;
        }
        Err(error) => lose(notes, format!("/livez: {error:?}")),
    }
    let mut notes = notes.lock().expect("no prober panics");
    notes.pulse.asked += 1;
    notes.pulse.took(asked, asked.elapsed());
}

async fn ask_health(client: &reqwest::Client, url: &str) -> reqwest::Result<Sight> {
    let answer = client.get(format!("{url}/health")).send().await?;
    let retry_after = answer.headers().get("retry-after");
    let retry_after = retry_after.and_then(|value| value.to_str().ok()?.parse().ok());
    let status = answer.status().as_u16();
    let body = Arc::new(answer.json().await?);
    Ok(Sight {
        at: Instant::now(),
        status,
        retry_after,
        body,
    })
}

fn lose(notes: &Mutex<Notes>, what: String) {
    let mut notes = notes.lock().expect("no prober panics");
    notes.pulse.lost.push((Instant::now(), what));
}

fn note(notes: &Mutex<Notes>, sight: &Sight) {
    let mut notes = notes.lock().expect("no prober panics");
    let last = notes.changes.last();
    if last.is_none_or(|last| last.told() != sight.told()) {
        notes.changes.push(sight.clone());
    }
    for name in sight.services() {
        let Some(took) = sight.response_time(name) else {
            continue;
        };
        let (last, runs) = notes.runs.entry(name.to_owned()).or_default();
        if *last != took.to_bits() {
            (*last, *runs) = (took.to_bits(), *runs + 1);
        }
    }
}

// === impl Sight ===

impl Sight {
    /// Looks once.
    ///
    /// # Panics
    /// If nobody answers.
    pub async fn of(url: &str) -> Self {
        ask_health(&http::client(FIRST_ANSWER), url)
            .await
            .expect("an answer")
    }

    /// `healthy`, `degraded` or `unhealthy`.
    pub fn verdict(&self) -> &str {
        self.body["status"].as_str().unwrap_or_default()
    }

    /// The code of a service that does not simply pass.
    pub fn code(&self, service: &str) -> Option<&str> {
        self.body["services"][service]["code"].as_str()
    }

    /// How long the service's last counting run took, in milliseconds. It is never the same twice,
    /// so that a change tells of a new run.
    pub fn response_time(&self, service: &str) -> Option<f64> {
        self.body["services"][service]["response_time_ms"].as_f64()
    }

    /// Whether everything that a test answers for works. A machine that is short of memory or disk
    /// makes the service degraded, too, and is no fault of what is tested.
    pub fn is_well(&self) -> bool {
        let machine = self.code("system");
        let others = self.services().filter(|name| *name != "system");
        let verdict = if machine.is_some() {
            "degraded"
        } else {
            "healthy"
        };
        self.status == 200
            && self.verdict() == verdict
            && others.clone().count() > 0
            && others.clone().all(|name| self.code(name).is_none())
    }

    /// The services that are told to be down.
    pub fn down(&self) -> Vec<&str> {
        let is_down = |name: &&str| self.body["services"][*name]["healthy"] == false;
        self.services().filter(is_down).collect()
    }

    /// All of it that does not change with every run, as in `503 unhealthy redis:timeout`.
    pub fn told(&self) -> String {
        let mut told = format!("{} {}", self.status, self.verdict());
        for name in self.services() {
            if let Some(code) = self.code(name) {
                told = format!("{told} {name}:{code}");
            }
        }
        told
    }

    fn services(&self) -> impl Iterator<Item = &str> + Clone {
        let services = self.body["services"].as_object();
        services
            .into_iter()
            .flat_map(|it| it.keys())
            .map(String::as_str)
    }
}

// === impl Pulse ===

impl Pulse {
    /// Keeps an answer that was slower than all that came after it.
    fn took(&mut self, at: Instant, took: Duration) {
        while self.slow.last().is_some_and(|(_, other)| *other <= took) {
            self.slow.pop();
        }
        self.slow.push((at, took));
    }

    /// The longest time that an answer since `moment` took.
    pub fn slowest_since(&self, moment: Instant) -> Duration {
        let since = self.slow.iter().find(|(at, _)| *at >= moment);
        since.map_or(Duration::ZERO, |(_, took)| *took)
    }
}
