//! A service of somebody else's: a PostgreSQL check, a check of its own, and every endpoint.
//! `DATABASE_URL=postgres://user:password@host/database cargo run -p tria-health --example axum`
#![allow(clippy::disallowed_methods, clippy::print_stdout)]
use axum::{Router, routing::get};
use tokio_util::sync::CancellationToken;
use tria_check::{Check, CheckContext, CheckMeta, Code, Finding, Outcome, Registry};
use tria_db_check::{DatabaseCheck, pool};
use tria_health::{Access, HealthService};

const COLD: Code = Code::new("oven_cold");

struct Oven(CheckMeta);

impl Check for Oven {
    fn meta(&self) -> &CheckMeta {
        &self.0
    }
    async fn check(&self, _cx: &CheckContext) -> Outcome {
        Outcome::from(Finding::pass("The oven is hot")).observe("temperature", 240, "celsius")
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::var("DATABASE_URL")?;
    let database = DatabaseCheck::new(pool::build(&url.into(), &pool::PoolOptions::default())?);
    let oven = Oven(CheckMeta::new("oven").codes(&[COLD]));
    let registry = Registry::builder().register(database).register(oven);
    let health = HealthService::builder(registry.build()?).version("1.0.0");
    let token = CancellationToken::new();
    let health = health.build().sample("/", token.clone());
    let health = health.with(|state| state.access(Access::Token("let-me-see".into())));
    health.monitor(&token).await;
    let router = Router::new().route("/", get(async || "a pizza, please"));
    let router = router.merge(health.routes()).layer(health.http_layer());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}/readyz", listener.local_addr()?);
    Ok(axum::serve(listener, router).await?)
}
