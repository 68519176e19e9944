//! Answers with a status that says no.

use std::time::{Duration, SystemTime};

use reqwest::{StatusCode, header::HeaderMap};
use serde_json::Value;

use super::ModelError;

/// Codes and types with which a 429 says that waiting does not help.
const QUOTA: [&str; 4] = [
    "insufficient_quota",
    "billing_hard_limit_reached",
    "billing_not_active",
    "insufficient_balance",
];

/// A longer wait is no wait any more, and would overflow a clock somewhere.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// The body of an error as far as it decides anything. It is not kept: servers echo keys and what
/// was asked.
#[derive(Default)]
struct Told {
    message: String,
    /// `code` and `type` as text; OpenAI's `code` is a string, llama.cpp's an integer.
    labels: Vec<String>,
}

/// What a status, with its headers and body, means.
pub(super) fn judge(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> ModelError {
    let retry_after = asked(headers, SystemTime::now());
    let told = serde_json::from_slice(body).map_or_else(|_| Told::default(), |body| told(&body));
    judged(status.as_u16(), retry_after, &told)
}

/// What an error in the midst of a stream means, by its code.
pub(super) fn judge_event(error: &Value) -> ModelError {
    let told = told(error);
    let status = told.labels.iter().find_map(|label| label.parse().ok());
    judged(status.unwrap_or(500), None, &told)
}

fn judged(status: u16, retry_after: Option<Duration>, told: &Told) -> ModelError {
    match status {
        // Gemini refuses a key with a 400.
        400 if told.is_labelled(&["invalid_api_key"])
            || told.message.contains("API key not valid") =>
        {
            ModelError::Refused { status: 401 }
        }
        402 => ModelError::Quota,
        429 if told.is_labelled(&QUOTA) => ModelError::Quota,
        429 => ModelError::Busy { retry_after },
        // What a server does not know it will not know the next time either.
        501 | 505 => ModelError::Refused { status },
        408 | 500.. => ModelError::Unavailable {
            retry_after,
            cause: None,
        },
        _ => ModelError::Refused { status },
    }
}

/// Reads `{"error":{…}}`, `[{"error":{…}}]` (Gemini), `{"error":"…"}` and `{"message":…}` (vLLM).
fn told(body: &Value) -> Told {
    let object = body.get(0).unwrap_or(body);
    let error = object.get("error").unwrap_or(object);
    let text = |name: &str| match error.get(name) {
        Some(Value::String(text)) => Some(text.to_ascii_lowercase()),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    Told {
        message: error["message"].as_str().unwrap_or_default().to_owned(),
        labels: ["code", "type"].into_iter().filter_map(text).collect(),
    }
}

/// The wait that the headers ask for: `retry-after-ms`, or `Retry-After` in seconds or as a date,
/// seen from `now`.
fn asked(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let value = |name| headers.get(name)?.to_str().ok().map(str::trim);
    let seconds = |text: &str, per_second: f64| {
        let number: f64 = text.parse().ok()?;
        Duration::try_from_secs_f64(number / per_second).ok()
    };
    let until = |text: &str| {
        let date = httpdate::parse_http_date(text).ok()?;
        // A date of the past means: now.
        Some(date.duration_since(now).unwrap_or_default())
    };
    let wait = value("retry-after-ms")
        .and_then(|ms| seconds(ms, 1000.0))
        .or_else(|| {
            let after = value("retry-after")?;
            seconds(after, 1.0).or_else(|| until(after))
        });
    wait.map(|wait| wait.min(LONGEST))
}

// === impl Told ===

impl Told {
    fn is_labelled(&self, labels: &[&str]) -> bool {
        self.labels.iter().any(|label| labels.contains(&&**label))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{error::Verdict, reading::FailureKind};

    fn judged_by(status: u16, body: &str) -> ModelError {
        let status = StatusCode::from_u16(status).unwrap();
        judge(status, &HeaderMap::new(), body.as_bytes())
    }

    #[test]
    fn each_status_has_its_meaning_whatever_the_body() {
        for body in ["", "<html>", r#"{"error":{"code":1}}"#, "[]", "null"] {
            for (status, failed, transient) in [
                (302, None, false),
                (400, None, false),
                (401, Some(FailureKind::Unauthorized), false),
                (402, Some(FailureKind::Quota), false),
                (403, None, false),
                (404, None, false),
                (408, Some(FailureKind::Unavailable), true),
                (413, None, false),
                (422, None, false),
                (429, Some(FailureKind::Busy), true),
                (500, Some(FailureKind::Unavailable), true),
                (501, None, false),
                (503, Some(FailureKind::Unavailable), true),
                (529, Some(FailureKind::Unavailable), true),
            ] {
                let error = judged_by(status, body);
                let verdict = failed.map_or(Verdict::Served, Verdict::Failed);
                assert_eq!(error.verdict(), verdict, "{status} {body}");
                assert_eq!(error.is_transient(), transient, "{status} {body}");
            }
        }
    }

    #[test]
    fn the_body_tells_what_the_status_hides() {
        for (status, body, kind) in [
            (
                429,
                r#"{"error":{"message":"m","type":"insufficient_quota","code":null}}"#,
                FailureKind::Quota,
            ),
            (
                429,
                r#"{"error":{"code":"insufficient_quota"}}"#,
                FailureKind::Quota,
            ),
            (
                429,
                r#"{"error":{"type":"requests","code":"rate_limit_exceeded"}}"#,
                FailureKind::Busy,
            ),
            (
                400,
                r#"[{"error":{"code":400,"message":"API key not valid. Please pass one."}}]"#,
                FailureKind::Unauthorized,
            ),
            (
                400,
                r#"{"error":{"code":"invalid_api_key"}}"#,
                FailureKind::Unauthorized,
            ),
        ] {
            let verdict = judged_by(status, body).verdict();
            assert_eq!(verdict, Verdict::Failed(kind), "{body}");
        }
    }

    #[test]
    fn an_error_in_a_stream_is_judged_by_its_code() {
        let judge = |error| judge_event(&error).verdict();
        let failed = Verdict::Failed;
        assert_eq!(
            judge(serde_json::json!({"code": 401})),
            failed(FailureKind::Unauthorized)
        );
        assert_eq!(judge(serde_json::json!({"code": 400})), Verdict::Served);
        for other in [
            serde_json::json!("overloaded"),
            serde_json::json!({"code": "x"}),
        ] {
            assert_eq!(judge(other), failed(FailureKind::Unavailable));
        }
    }

    #[test]
    fn the_wait_is_understood_in_every_form() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_445_412_480);
        let ms = |ms| Some(Duration::from_millis(ms));
        for (headers, wait) in [
            (&[][..], None),
            (&[("retry-after", "7")][..], ms(7000)),
            (&[("retry-after", "0.5")], ms(500)),
            (
                &[("retry-after", "Wed, 21 Oct 2015 07:28:30 GMT")],
                ms(30_000),
            ),
            (&[("retry-after", "Wed, 21 Oct 2015 07:00:00 GMT")], ms(0)),
            (&[("retry-after", "soon")], None),
            (&[("retry-after", "-3")], None),
            (&[("retry-after", "NaN")], None),
            (&[("retry-after", "99999999999")], ms(86_400_000)),
            (
                &[("retry-after-ms", "1500"), ("retry-after", "9")],
                ms(1500),
            ),
        ] {
            let of = |&(name, value): &(&str, &str)| {
                let name: reqwest::header::HeaderName = name.parse().unwrap();
                (name, value.parse().unwrap())
            };
            assert_eq!(
                asked(&headers.iter().map(of).collect(), now),
                wait,
                "{headers:?}"
            );
        }
    }
}
