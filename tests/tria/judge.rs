//! The service's own program as the judge of a deployment's environment.

use std::{fs, path::Path};

use tria_deploy::{
    Environment,
    env_file::{NewEnvFile, read},
    judge::{Judge, ServerJudge},
};
use tria_tests::program;

/// What `cargo xtask init` writes, as the service sees it.
fn environment(folder: &Path) -> Vec<(String, String)> {
    let file = folder.join(".env.docker");
    let new = NewEnvFile {
        domain: None,
        http_port: 80,
        https_port: 443,
        tax_rate: "0.09".into(),
        openai_api_key: "sk-q7Zr2mV9xKb4Lw8TnY3c".into(),
        openai_base_url: "https://api.openai.com/v1".into(),
        openai_model: "gpt-4o-mini".into(),
        openai_embedding_model: "text-embedding-3-small".into(),
    };
    new.write(&file, false).unwrap();
    let text = fs::read_to_string(&file).unwrap();
    assert!(!read(&file).unwrap().is_empty());
    let known = [
        "DATABASE_URL",
        "DIAGNOSTICS_TOKEN",
        "OPENAI_API_KEY",
        "OPENAI_BASE_URL",
        "OPENAI_EMBEDDING_MODEL",
        "OPENAI_MODEL",
        "REDIS_PASSWORD",
        "SECRET_KEY",
        "TAX_RATE",
    ];
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    let seen = pairs.filter(|(key, _)| known.contains(key));
    let mut seen: Vec<_> = seen
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
    for (key, value) in [
        ("REDIS_HOST", "redis"),
        ("REDIS_PORT", "6379"),
        ("CHROMA_URL", "http://chromadb:8000"),
    ] {
        seen.push((key.to_owned(), value.to_owned()));
    }
    seen
}

async fn violations(pairs: Vec<(String, String)>) -> Result<Vec<String>, String> {
    let environment: Environment = pairs.into_iter().collect();
    ServerJudge::new(program()).violations(&environment).await
}

#[tokio::test]
async fn what_init_writes_obeys_the_rules() {
    let folder = tempfile::tempdir().unwrap();
    let judged = violations(environment(folder.path())).await;
    assert_eq!(judged.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn all_that_is_wrong_is_named_with_a_remedy_and_without_its_value() {
    let folder = tempfile::tempdir().unwrap();
    let mut pairs = environment(folder.path());
    pairs.retain(|(key, _)| key != "DIAGNOSTICS_TOKEN");
    for (key, value) in &mut pairs {
        match key.as_str() {
            "SECRET_KEY" => "change_this_s3cret".clone_into(value),
            "TAX_RATE" => "9.99".clone_into(value),
            _ => {}
        }
    }
    let judged = violations(pairs).await.unwrap();
    for key in ["SECRET_KEY", "TAX_RATE", "DIAGNOSTICS_TOKEN"] {
        let named = judged.iter().find(|text| text.contains(key));
        assert!(named.is_some_and(|text| text.contains("; ")), "{judged:#?}");
    }
    let told = judged.join(" ");
    assert!(!told.contains("s3cret") && !told.contains("9.99"), "{told}");
}

#[tokio::test]
async fn a_judge_that_cannot_judge_says_so() {
    let nobody = ServerJudge::new("/no/such/program");
    let reason = nobody.violations(&Environment::default()).await;
    assert!(reason.unwrap_err().contains("cannot be run"));
    let another = ServerJudge::new("/bin/true");
    assert!(another.violations(&Environment::default()).await.is_err());
}
