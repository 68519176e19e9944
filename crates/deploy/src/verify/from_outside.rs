//! What anyone can see who comes through the front door.

use std::{error::Error as _, time::Duration};

use reqwest::{Method, RequestBuilder, StatusCode};
use secrecy::ExposeSecret;
use serde_json::Value;
use uuid::Uuid;

use super::{Seen, Verification};

/// An answer, read to its end.
struct Answer {
    status: StatusCode,
    kind: String,
    replayed: bool,
    body: String,
}

const DIAGNOSTICS: &str = "/api/v1/health/diagnostics";
const LOGS: &str = "`cargo xtask logs` shows why";
const DOOR: &str = "see that the proxy runs (`cargo xtask status`), that its ports are open, and what `cargo xtask logs caddy` says";

/// A model may think for a while.
const THINKING: Duration = Duration::from_secs(60);

// === impl Verification ===

impl Verification<'_> {
    pub(super) async fn front_door(&self) -> Seen {
        let answer = read(self.get("/livez"))
            .await
            .map_err(|text| (text, DOOR))?;
        expect(&answer, StatusCode::OK).map_err(|text| (text, DOOR))?;
        let url = self.door.url();
        if url.starts_with("https://") {
            // Whoever asks verifies the certificate: an invalid one gives no answer.
            return Ok(format!("{url} answers, with a valid certificate"));
        }
        Ok(format!("{url} answers"))
    }

    pub(super) async fn readiness(&self) -> Seen {
        let start = self.json("/startupz").await.map_err(|text| (text, LOGS))?;
        if start["complete"] != true {
            return Err(("the start is not complete".into(), LOGS));
        }
        let ready = read(self.get("/readyz"))
            .await
            .map_err(|text| (text, LOGS))?;
        expect(&ready, StatusCode::OK).map_err(|text| (text, LOGS))?;
        let phases = start["phases"].as_array().map_or(0, Vec::len);
        Ok(format!("all {phases} phases passed, and it is ready"))
    }

    pub(super) async fn dependencies(&self) -> Seen {
        let health = self.json("/health").await.map_err(|text| (text, LOGS))?;
        let Some(services) = health["services"].as_object() else {
            return Err(("it names no services".into(), LOGS));
        };
        let names = |wanted: bool| -> Vec<&str> {
            let found = services
                .iter()
                .filter(|(_, it)| (it["healthy"] == true) == wanted);
            found.map(|(name, _)| name.as_str()).collect()
        };
        let ill = names(false);
        if !ill.is_empty() || health["overall_healthy"] != true {
            return Err((format!("not healthy: {}", ill.join(", ")), LOGS));
        }
        Ok(format!("healthy: {}", names(true).join(", ")))
    }

    pub(super) async fn diagnostics(&self) -> Seen {
        let remedy = "see that ENVIRONMENT is production and DIAGNOSTICS_TOKEN that of the environment file; deploy again";
        let seen = async {
            let closed = read(self.get(DIAGNOSTICS)).await?;
            expect(&closed, StatusCode::UNAUTHORIZED)?;
            let Some(token) = &self.token else {
                return Ok("closed; with the token they were not asked".to_owned());
            };
            let request = self.get(DIAGNOSTICS).bearer_auth(token.expose_secret());
            expect(&read(request).await?, StatusCode::OK)?;
            Ok("closed, and open with the token".to_owned())
        };
        seen.await.map_err(|text: String| (text, remedy))
    }

    pub(super) async fn metrics(&self) -> Seen {
        let remedy = "see deploy/caddy/Caddyfile: the proxy must not hand on /metrics";
        let answer = read(self.get("/metrics")).await;
        let answer = answer.map_err(|text| (text, DOOR))?;
        if answer.status.is_success() {
            return Err(("anyone can read them".into(), remedy));
        }
        Ok("not public".into())
    }

    pub(super) async fn chat(&self) -> Seen {
        let key = format!("verification-{}", Uuid::new_v4());
        let ask = || {
            let request = self.door.request(Method::POST, "/api/chatbot");
            request
                .timeout(THINKING)
                .header("Idempotency-Key", &key)
                .json(&serde_json::json!({"message": "hello", "user_id": "deployment-check"}))
        };
        let seen = async {
            let first = read(ask()).await?;
            expect(&first, StatusCode::OK)?;
            let said: Value = serde_json::from_str(&first.body).unwrap_or_default();
            if said["success"] != true {
                return Err("the answer is no success".to_owned());
            }
            let second = read(ask()).await?;
            if !second.replayed || second.body != first.body {
                return Err("the same request was answered anew".to_owned());
            }
            Ok("answers, and the same request is answered once".to_owned())
        };
        seen.await.map_err(|text| (text, LOGS))
    }

    pub(super) async fn unknown_path(&self) -> Seen {
        let remedy = "somebody else answers at this address, or the release is not ours";
        let path = format!("/no-such-path-{}", Uuid::new_v4());
        let answer = read(self.get(&path)).await.map_err(|text| (text, DOOR))?;
        expect(&answer, StatusCode::NOT_FOUND).map_err(|text| (text, remedy))?;
        if !answer.kind.starts_with("application/problem+json") {
            return Err(("the answer is no application/problem+json".into(), remedy));
        }
        let tells = |text: &secrecy::SecretString| {
            let text = text.expose_secret();
            !text.is_empty() && answer.body.contains(text)
        };
        if self.private.iter().any(tells) {
            let text = "the answer holds what is nobody's business".to_owned();
            return Err((text, "this is a bug; please tell us"));
        }
        Ok("answered as a problem, which tells nothing private".into())
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.door.request(Method::GET, path)
    }

    async fn json(&self, path: &str) -> Result<Value, String> {
        let answer = read(self.get(path)).await?;
        let document = serde_json::from_str(&answer.body);
        document.map_err(|_| format!("{path} answered {}", answer.status.as_u16()))
    }
}

async fn read(request: RequestBuilder) -> Result<Answer, String> {
    let answer = request.send().await.map_err(|error| trouble(&error))?;
    let header = |name: &str| {
        let value = answer.headers().get(name)?.to_str().ok()?;
        Some(value.to_owned())
    };
    Ok(Answer {
        status: answer.status(),
        kind: header("content-type").unwrap_or_default(),
        replayed: header("idempotent-replayed").as_deref() == Some("true"),
        body: answer.text().await.map_err(|error| trouble(&error))?,
    })
}

/// Why there is no answer. The operator's own terminal may name what was tried.
fn trouble(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".into();
    }
    let mut cause = error.source();
    while let Some(deeper) = cause.and_then(std::error::Error::source) {
        cause = Some(deeper);
    }
    cause.map_or_else(|| "no answer".into(), |cause| format!("no answer: {cause}"))
}

fn expect(answer: &Answer, status: StatusCode) -> Result<(), String> {
    if answer.status == status {
        return Ok(());
    }
    let (said, wanted) = (answer.status.as_u16(), status.as_u16());
    Err(format!("answered {said} and not {wanted}"))
}
