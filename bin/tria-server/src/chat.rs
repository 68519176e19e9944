//! The application, put together.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tria_chatbot::{
    assistant::{AnswerError, Assistant, AssistantOptions, AssistantParts},
    http::{Chat, ChatOptions},
    model::{Model, ModelOptions},
    orders::Limits,
    retrieval::{RetrievalOptions, Retriever},
    session_token::Signer,
};
use tria_check::{Backoff, Heartbeats};
use tria_lifecycle::{Hook, HookError, OnEnd, TaskContext, TaskSpec, Tasks};
use tria_orchestrator::exit_code;

use crate::{budget, dependencies::Dependencies, settings::Settings};

/// The hook that makes the assistant ready.
pub(crate) const ASSISTANT: &str = "assistant";

/// The hook of what is done beside messages.
pub(crate) const UPKEEP: &str = "upkeep";

/// How often products and outlets are looked at.
const REFRESH_EVERY: Duration = Duration::from_secs(15);
/// How often old answers are looked for.
const PRUNE_EVERY: Duration = Duration::from_secs(600);
/// An answer is given again for a day, and kept a little longer.
const KEPT: Duration = Duration::from_secs(25 * 60 * 60);
/// How many are deleted at once: a table of a day must not be locked for long.
const PRUNED_AT_ONCE: u32 = 5_000;
/// What a stream has after the port is closed, so that its end is told within `DRAIN`.
const LAST_WORDS_MARGIN: Duration = Duration::from_secs(2);

/// The application over what the service depends on. Nothing is asked yet.
pub(crate) fn chat(
    settings: &Settings,
    dependencies: &Dependencies,
    draining: CancellationToken,
) -> Chat {
    let options = ModelOptions::new(&settings.openai_model, &settings.openai_embedding_model);
    let endpoint = &dependencies.openai;
    let model = Model::new(endpoint.http().clone(), endpoint.config(), options);
    let signer = Signer::new(settings.secret_key.clone());
    let assistant = Assistant::new(AssistantParts {
        pool: dependencies.database.main.clone(),
        model,
        retriever: Retriever::new(dependencies.chroma.clone(), RetrievalOptions::default()),
        signer: signer.clone(),
        limits: Limits {
            max_quantity_per_item: settings.max_quantity_per_item,
            max_line_items: settings.max_line_items,
            min_total: settings.min_order_total,
            max_total: settings.max_order_total,
            tax_rate: settings.tax_rate,
        },
        options: AssistantOptions {
            generate: settings.chat_generate,
            judge: settings.chat_judge,
        },
    });
    let some = |limit: u32| (limit > 0).then_some(limit);
    let options = ChatOptions {
        budget: settings.chat_budget,
        most_at_work: settings.chat_concurrency,
        // Those that wait for another's answer cost little.
        most_present: settings.chat_concurrency.saturating_mul(4),
        per_user: some(settings.rate_limit_per_user),
        per_address: some(settings.rate_limit_per_address),
        proxies: settings.trusted_proxies.clone(),
        draining,
        last_words: (settings.pre_drain() + settings.drain).saturating_sub(LAST_WORDS_MARGIN),
        ..ChatOptions::default()
    };
    Chat::new(assistant, signer, &dependencies.redis.main, options)
}

/// Makes the assistant ready before the first message, and waits for the last ones at the end.
/// Where what it learns from is optional, the service goes without it until it is there.
pub(crate) fn assistant(after: Vec<String>, chat: &Chat, settings: &Settings) -> Hook {
    let optional = &settings.optional_checks;
    let may_fail = ["database", "openai"]
        .iter()
        .any(|it| optional.iter().any(|name| name == it));
    let patience = settings.startup_deadline;
    let starting = settings.chat_warm_up.then(|| chat.clone());
    let stopping = chat.clone();
    Hook::new(ASSISTANT)
        .after(after)
        .start_timeout(patience + Duration::from_secs(5))
        .stop_timeout(budget::WORK_STOP)
        .on_start(async move |_| match &starting {
            Some(chat) => learn(chat.assistant(), patience, may_fail).await,
            None => Ok(()),
        })
        .on_stop(async move |_| {
            stopping.at_rest(budget::LAST_WORK).await;
            Ok(())
        })
}

async fn learn(assistant: &Assistant, patience: Duration, may_fail: bool) -> Result<(), HookError> {
    let deadline = Instant::now() + patience;
    let backoff = Backoff::default();
    let mut attempts = 0;
    loop {
        let Err(error) = assistant.refresh().await else {
            return Ok(());
        };
        if may_fail {
            tell(&error, "the assistant learns later");
            return Ok(());
        }
        let pause = backoff.delay(attempts, None);
        if !error.is_transient() || Instant::now() + pause >= deadline {
            let code = if error.is_transient() {
                exit_code::TEMPORARY
            } else {
                exit_code::UNAVAILABLE
            };
            return Err(HookError::new(error).with_exit_code(code));
        }
        tell(&error, "the assistant has not learnt yet");
        sleep(pause).await;
        attempts += 1;
    }
}

/// Keeps the assistant fresh, and deletes what is too old to be asked for.
pub(crate) fn upkeep(chat: &Chat, heartbeats: &Heartbeats) -> Tasks {
    let (fresh, kept) = (chat.clone(), chat.clone());
    let refresher = TaskSpec::new("assistant.refresher", move |cx| {
        let chat = fresh.clone();
        async move { refresh(&chat, &cx).await }
    });
    let pruner = TaskSpec::new("answers.pruner", move |cx| {
        let chat = kept.clone();
        async move { prune(&chat, &cx).await }
    });
    let restart = || OnEnd::Restart(Backoff::default());
    Tasks::new(UPKEEP, heartbeats)
        .task(
            refresher
                .on_end(restart())
                .heartbeat(REFRESH_EVERY * 6)
                .stop_timeout(budget::UPKEEP_STOP),
        )
        .task(
            pruner
                .on_end(restart())
                .heartbeat(PRUNE_EVERY * 3)
                .stop_timeout(budget::UPKEEP_STOP),
        )
}

async fn refresh(chat: &Chat, cx: &TaskContext) -> Result<(), HookError> {
    loop {
        cx.interruptible(sleep(REFRESH_EVERY)).await?;
        if chat.assistant().known().is_none() {
            // It learns at its first message.
            continue;
        }
        match cx.interruptible(chat.assistant().refresh()).await? {
            Ok(true) => tracing::info!(target: "tria::chat", "products and outlets were read anew"),
            Ok(false) => {}
            Err(error) => tell(&error, "what was known of products and outlets stays"),
        }
    }
}

async fn prune(chat: &Chat, cx: &TaskContext) -> Result<(), HookError> {
    loop {
        cx.interruptible(sleep(PRUNE_EVERY)).await?;
        loop {
            cx.beat();
            match cx
                .interruptible(chat.assistant().prune(KEPT, PRUNED_AT_ONCE))
                .await?
            {
                Ok(deleted) if deleted >= u64::from(PRUNED_AT_ONCE) => {}
                Ok(_) => break,
                Err(error) => {
                    tell(&error, "old answers stay for now");
                    break;
                }
            }
        }
    }
}

/// What is away is told by its check; this says what follows.
fn tell(error: &AnswerError, consequence: &'static str) {
    let error: &dyn std::error::Error = error;
    tracing::warn!(target: "tria::chat", error, "{consequence}");
}
