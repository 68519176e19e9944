//! Credentials are sent, and never shown.

use super::*;

#[tokio::test]
async fn credentials_are_sent_and_never_shown() {
    let token = || SecretString::from("hunter2-token");
    let basic = Auth::Basic {
        user: "shop".into(),
        password: token(),
    };
    for (auth, name, value) in [
        (
            Auth::Bearer(token()),
            "authorization",
            "Bearer hunter2-token",
        ),
        (
            Auth::ChromaToken(token()),
            "x-chroma-token",
            "hunter2-token",
        ),
        (basic, "authorization", "Basic c2hvcDpodW50ZXIyLXRva2Vu"),
    ] {
        let server = MockServer::start().await;
        Mock::given(header(name, value))
            .respond_with(ResponseTemplate::new(200).set_body_json("1.0.0"))
            .mount(&server)
            .await;
        Mock::given(|_: &Request| true)
            .respond_with(ResponseTemplate::new(401))
            .with_priority(9)
            .mount(&server)
            .await;
        let builder = ChromaClient::builder(&server.uri()).auth(auth);
        let shown = format!("{builder:?} {:?}", builder.clone().build().unwrap());
        assert!(!shown.contains("hunter2"), "{shown}");
        assert_eq!(build(builder).version().await.unwrap(), "1.0.0");

        let error = client(&server.uri()).version().await.unwrap_err();
        assert!(matches!(error, Error::Status { status: 401, .. }) && !error.is_transient());
    }
}

#[tokio::test]
async fn an_answer_that_repeats_the_credentials_is_cleaned() {
    let basic = Auth::Basic {
        user: "shop".into(),
        password: "hunter2-token".into(),
    };
    let page = |request: &Request| {
        let sent = format!("{:>195} {:?}", "you sent", request.headers);
        let named = json!({"error": sent, "message": sent});
        match request.url.path() {
            "/api/v2/version" => ResponseTemplate::new(200).set_body_string(sent),
            _ => ResponseTemplate::new(400).set_body_json(named),
        }
    };
    let server = MockServer::start().await;
    Mock::given(wiremock::matchers::any())
        .respond_with(page)
        .mount(&server)
        .await;
    for auth in [Auth::Bearer("hunter2-token".into()), basic] {
        let chroma = build(ChromaClient::builder(&server.uri()).auth(auth));
        let error = chroma.version().await.unwrap_err();
        let Error::UnexpectedBody { ref excerpt, .. } = error else {
            panic!("{error:?}")
        };
        let shown = format!(
            "{} {:?}",
            excerpt.as_str(),
            chroma.pre_flight().await.unwrap_err()
        );
        assert!(
            !shown.contains("hunt") && !shown.contains("aHVudGVy"),
            "{shown}"
        );
        assert!(!shown.contains("c2hvcDpodW50ZXI"), "{shown}");
    }
}

#[tokio::test]
async fn credentials_that_no_header_can_carry() {
    for auth in [
        Auth::Bearer("hunter2\r\nx-evil: 1".into()),
        Auth::ChromaToken("".into()),
        Auth::ChromaToken("hünter2".into()),
        Auth::Basic {
            user: "a:b".into(),
            password: "hunter2".into(),
        },
    ] {
        let error = ChromaClient::builder("http://127.0.0.1")
            .auth(auth)
            .build()
            .unwrap_err();
        assert!(matches!(error, Error::InvalidAuth), "{error:?}");
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
}
