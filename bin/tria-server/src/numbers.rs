//! What metrics and diagnostics tell of the chat.

use serde_json::{Value, json};
use tria_chatbot::{
    http::Chat,
    model::{BreakerReading, CircuitReading, CircuitState},
};
use tria_health::{Number, Sample};

/// The numbers of the chat, for Prometheus.
pub(crate) fn of_chat(chat: &Chat) -> Vec<Number> {
    let at_work = chat.clone();
    let counter = |name, help, read: fn(&CircuitReading) -> u64| {
        let model = chat.assistant().model().clone();
        Number::counter(name, help, move || {
            each(&model.breaker(), |circuit| whole(read(circuit)))
        })
    };
    let (states, failures) = (chat.clone(), chat.clone());
    vec![
        Number::gauge(
            "tria_chat_at_work",
            "Messages that are worked on, also those that nobody waits for any more.",
            move || vec![(Vec::new(), whole(at_work.at_work() as u64))],
        ),
        Number::gauge(
            "tria_model_circuit_open",
            "1 while the model API is not asked, 0.5 while it is tried, else 0.",
            move || {
                each(
                    &states.assistant().model().breaker(),
                    |circuit| match circuit.state {
                        CircuitState::Open => 1.0,
                        CircuitState::HalfOpen => 0.5,
                        CircuitState::Closed => 0.0,
                    },
                )
            },
        ),
        counter(
            "tria_model_requests_total",
            "Requests to the model API, repeated ones included.",
            |circuit| circuit.calls_total,
        ),
        counter(
            "tria_model_shed_total",
            "Requests to the model API that were not sent, because it failed too often.",
            |circuit| circuit.shed_total,
        ),
        Number::counter(
            "tria_model_failures_total",
            "Requests to the model API that failed, by kind.",
            move || of_failures(&failures.assistant().model().breaker()),
        ),
    ]
}

/// What the diagnostics tell of the chat.
pub(crate) fn told(chat: &Chat) -> impl Fn() -> Value + Send + Sync + use<> {
    let chat = chat.clone();
    move || {
        let assistant = chat.assistant();
        let known = assistant.known();
        json!({
            "at_work": chat.at_work(),
            "products_known": known.map(|(products, _)| products),
            "outlets_known": known.map(|(_, outlets)| outlets),
            "model": assistant.model().breaker(),
        })
    }
}

fn circuits(reading: &BreakerReading) -> [(&'static str, &CircuitReading); 2] {
    [("chat", &reading.chat), ("embeddings", &reading.embeddings)]
}

fn each(reading: &BreakerReading, read: impl Fn(&CircuitReading) -> f64) -> Vec<Sample> {
    let sample = |(name, circuit)| (vec![("circuit", name)], read(circuit));
    circuits(reading).into_iter().map(sample).collect()
}

fn of_failures(reading: &BreakerReading) -> Vec<Sample> {
    let mut samples = Vec::new();
    for (name, circuit) in circuits(reading) {
        for (kind, count) in circuit.failures.iter() {
            samples.push((
                vec![("circuit", name), ("kind", kind.as_str())],
                whole(count),
            ));
        }
    }
    samples
}

/// Exact up to 2⁵³.
#[allow(clippy::cast_precision_loss)]
fn whole(count: u64) -> f64 {
    count as f64
}
