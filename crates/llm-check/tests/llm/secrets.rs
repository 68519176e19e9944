//! A server that echoes the key wherever it can.

use tria_llm_check::codes;

use super::*;

/// Every text of an outcome, public and private.
fn everything(outcome: &Outcome) -> String {
    let findings = outcome.findings().iter().map(|finding| {
        let remedy = finding.get_remedy().map_or("", |text| text.as_str());
        let detail = finding.get_detail().map_or("", |text| text.expose());
        format!("{} {remedy} {detail} {finding:?}", finding.text())
    });
    let findings: String = findings.collect();
    format!("{findings} {:?}", outcome.observed())
}

fn assert_clean(outcome: &Outcome) {
    let told = everything(outcome);
    for part in [KEY, "0123456789", "ghijklmnop", "sk-"] {
        assert!(!told.contains(part), "{part} in {told}");
    }
}

#[tokio::test]
async fn an_echo_in_an_error_is_taken_out_and_the_rest_is_kept() {
    let masked = format!("{}*****{}", &KEY[..9], &KEY[33..]);
    for echo in [KEY, &KEY[..20], &KEY[12..], &masked, "sk-somebody-elses"] {
        let message = format!("Incorrect API key provided: {echo}. Find yours in the settings.");
        for status in [400, 401, 403, 404, 429, 500] {
            let body =
                serde_json::json!({"error": {"message": message, "type": echo, "code": echo}});
            let server = answering(json(status, &body.to_string())).await;
            on(
                &server,
                "GET",
                "/v1/models",
                json(status, &body.to_string()),
            )
            .await;
            let outcome = verified(&check_of(&server)).await;
            assert_clean(&outcome);
            let detail = detail(&outcome);
            assert!(
                detail.contains("Incorrect API key provided: [key]"),
                "{detail}"
            );
            assert!(detail.contains(&format!("{status}")), "{detail}");
        }
    }
}

#[tokio::test]
async fn an_echo_anywhere_else_is_taken_out() {
    let echo = |status, body: String, kind: &str| {
        ResponseTemplate::new(status)
            .set_body_raw(body, kind)
            .insert_header("location", format!("http://h/?k={KEY}"))
    };
    for response in [
        echo(302, String::new(), "text/html"),
        echo(502, format!("<html>&quot;{KEY}&quot;</html>"), "text/html"),
        echo(200, format!("<html>{KEY}</html>"), "text/html"),
        echo(
            200,
            format!(r#"{{"id":"x","aliases":"{KEY}"}}"#),
            "application/json",
        ),
        echo(200, "{}".to_owned(), &format!("text/{KEY}")),
        echo(200, format!(r#"{{"id":"{KEY}"}}"#), "application/json"),
        echo(500, format!(r#"{{"detail":"{KEY}"}}"#), "application/json"),
    ] {
        let server = answering(response).await;
        assert_clean(&verified(&check_of(&server)).await);
    }
}

#[tokio::test]
async fn a_model_that_bears_the_key_is_not_suggested_by_name() {
    let server = MockServer::start().await;
    on(&server, "GET", "/v1/models", list(&[KEY, "other"])).await;
    let outcome = verified(&check_of(&server)).await;
    assert_permanent(&outcome, codes::MODEL_MISSING);
    assert_clean(&outcome);
    assert!(remedy(&outcome).contains("other"));
}

#[tokio::test]
async fn debug_of_the_check_shows_no_key() {
    let server = answering(model(MODEL)).await;
    let shown = format!("{:?}", check_of(&server));
    assert!(!shown.contains("0123456789"), "{shown}");
}
