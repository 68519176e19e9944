//! Asks a running server for its health.

use anyhow::Context;

use crate::{
    cli::HealthcheckOptions,
    environment::process_key,
    settings::defaults,
    telemetry::{complain, say},
};

/// Prints the answer, and gives 0 for an answer with a status of success, 1 for everything else:
/// the only codes that a container's HEALTHCHECK may give.
pub(crate) fn run(options: &HealthcheckOptions) -> anyhow::Result<u8> {
    let url = options
        .url
        .clone()
        .unwrap_or_else(|| default_url(options.live));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    match runtime.block_on(ask(&url, options)) {
        Ok((true, body)) => {
            say(&body);
            Ok(0)
        }
        Ok((false, body)) => {
            complain(&body);
            Ok(1)
        }
        Err(error) => {
            complain(&format!("{error:#}"));
            Ok(1)
        }
    }
}

async fn ask(url: &str, options: &HealthcheckOptions) -> anyhow::Result<(bool, String)> {
    let client = reqwest::Client::builder()
        .no_proxy()
        .timeout(options.timeout)
        .build()?;
    let answer = client
        .get(url)
        .send()
        .await
        .with_context(|| format!("no answer from {url}"))?;
    let healthy = answer.status().is_success();
    Ok((healthy, answer.text().await?))
}

fn default_url(live: bool) -> String {
    let port = process_key("PORT").unwrap_or_else(|| defaults::port().to_string());
    let path = if live { "livez" } else { "readyz" };
    format!("http://127.0.0.1:{port}/{path}")
}
