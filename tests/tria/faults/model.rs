//! A model API that is broken itself, or refuses.

use std::time::Duration;

use serde_json::{Value, json};
use tria_devstack::{ModelServer, ModelServerOptions};
use tria_tests::{Dependency::Model as MODEL, Fixture};
use wiremock::{Mock, MockServer, Request, ResponseTemplate, matchers::any};

use super::{
    bounds::Manner::{Loud, Silent},
    table::Row,
    trial::{Case, Trial, paused, restarted},
    watched::{Watched, migrate, migrated},
};

/// What the API asks for when it limits the rate.
const RETRY_AFTER: Duration = Duration::from_secs(3);

/// The rows that break a server of their own, one after the other.
pub(super) async fn on_its_own() -> Vec<Row> {
    let mut model = server(ModelServerOptions::default()).await;
    let mut fixture = Fixture::empty().await;
    fixture
        .set("OPENAI_BASE_URL", model.base_url())
        .set("OPENAI_API_KEY", model.api_key());
    migrate(&mut fixture).await;
    let watched = Watched::start(&mut fixture).await;

    let case = Case::of(MODEL, "paused", Silent, &["response_timeout"]);
    let paused = paused(&watched, case, &model).await;
    let codes = &["connect_refused", "connection_lost", "response_timeout"];
    let case = Case::of(MODEL, "restarted", Loud, codes);
    let restarted = restarted(&watched, case, &mut model).await;
    vec![paused, restarted, rotated(&watched, model).await]
}

async fn server(options: ModelServerOptions) -> ModelServer {
    ModelServer::start(options).await.expect("a model server")
}

/// Another server with another key takes the place of the first. For the moment in between nobody
/// listens there, so the fault begins when it is over.
async fn rotated(watched: &Watched, model: ModelServer) -> Row {
    let (port, key) = (Some(model.port()), model.api_key().to_owned());
    drop(model);
    let other = server(ModelServerOptions {
        port,
        ..ModelServerOptions::default()
    })
    .await;
    let case = Case::of(MODEL, "key rotated", Loud, &["auth_failed"]);
    let mut trial = Trial::begin(watched, case);
    trial.shows().await;
    trial.is_being_mended();
    drop(other);
    let api_key = Some(key);
    let _model = server(ModelServerOptions { api_key, port }).await;
    trial.mended();
    trial.recovers().await;
    trial.end().await
}

/// What an API says no with.
pub(super) struct Refusal {
    pub(super) fault: &'static str,
    status: u16,
    codes: &'static [&'static str],
    error: [&'static str; 2],
    retry_after: Option<Duration>,
}

/// Every way to say no that is a row.
pub(super) const REFUSALS: [Refusal; 4] = [
    Refusal {
        fault: "401",
        status: 401,
        codes: &["auth_failed"],
        error: ["invalid_request_error", "invalid_api_key"],
        retry_after: None,
    },
    Refusal {
        fault: "429, rate",
        status: 429,
        codes: &["rate_limited"],
        error: ["requests", "rate_limit_exceeded"],
        retry_after: Some(RETRY_AFTER),
    },
    Refusal {
        fault: "429, quota",
        status: 429,
        codes: &["insufficient_quota"],
        error: ["insufficient_quota", "insufficient_quota"],
        retry_after: None,
    },
    Refusal {
        fault: "500",
        status: 500,
        codes: &["server_error"],
        error: ["server_error", "internal_error"],
        retry_after: None,
    },
];

// === impl Refusal ===

impl Refusal {
    fn answer(&self) -> ResponseTemplate {
        let [kind, code] = self.error;
        let error = json!({"message": "planted", "type": kind, "param": null, "code": code});
        let answer = ResponseTemplate::new(self.status).set_body_json(json!({ "error": error }));
        match self.retry_after {
            Some(after) => answer.insert_header("retry-after", after.as_secs().to_string()),
            None => answer,
        }
    }

    /// The row of an API that answers, says no for a while, and answers again.
    pub(super) async fn row(self) -> Row {
        let stub = MockServer::start().await;
        offer_all_models(&stub).await;
        let mut fixture = migrated().await;
        fixture.set("OPENAI_BASE_URL", format!("{}/v1", stub.uri()));
        let watched = Watched::start(&mut fixture).await;

        let mut case = Case::of(MODEL, self.fault, Loud, self.codes);
        if let Some(after) = self.retry_after {
            case.pace = case.pace.left_alone_for(after);
        }
        let mut trial = Trial::begin(&watched, case);
        stub.reset().await;
        let refused = Mock::given(any()).respond_with(self.answer());
        refused.mount(&stub).await;
        trial.shows().await;
        if let Some(after) = self.retry_after {
            let passed_on = watched.prober.last().retry_after >= Some(after.as_secs());
            trial.expects(passed_on, "the API's Retry-After is not passed on");
        }
        stub.reset().await;
        offer_all_models(&stub).await;
        trial.mended();
        trial.recovers().await;
        trial.end().await
    }
}

/// Whatever model is asked for is there.
async fn offer_all_models(stub: &MockServer) {
    let offer = |request: &Request| {
        let segments = request.url.path_segments();
        let id = segments.and_then(|mut segments| segments.next_back());
        ResponseTemplate::new(200).set_body_json(model(id.unwrap_or_default()))
    };
    Mock::given(any()).respond_with(offer).mount(stub).await;
}

fn model(id: &str) -> Value {
    json!({"id": id, "object": "model", "created": 1_700_000_000, "owned_by": "planted"})
}
