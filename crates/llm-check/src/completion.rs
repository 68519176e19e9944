//! Lets the model say a word.

use serde_json::json;
use tria_check::{Finding, PublicText, PublicValue};

use crate::{
    call::Calls,
    codes,
    wire::{Completion, Said},
};

/// Enough for a word, and for what a template may put before it.
const MOST_TOKENS: u32 = 16;

/// The finding of one tiny completion. A refusal and silence are failures (Exgentic#247).
pub(crate) async fn probe(calls: &Calls<'_>, name: &str) -> Finding {
    // OpenAI's reasoning models refuse the old name of the limit, many servers ignore the new one.
    let limit = if calls.endpoint().base().is_openai() {
        "max_completion_tokens"
    } else {
        "max_tokens"
    };
    let request = json!({
        "model": name,
        "messages": [{ "role": "user", "content": "Answer with one word: ready" }],
        limit: MOST_TOKENS,
    });
    let completion = match calls
        .post::<Completion>("/chat/completions", &request)
        .await
    {
        Ok(answer) => answer.body,
        Err(refusal) => return refusal.into_finding(),
    };
    let model = [PublicValue::word(name)];
    match completion.said() {
        Said::Something => Finding::pass(PublicText::filled("Model {} answers", &model)),
        Said::ThoughtOnly => Finding::pass(PublicText::filled("Model {} thinks", &model)),
        Said::Refused => Finding::fail(
            codes::COMPLETION_REFUSED,
            PublicText::filled("Model {} refused a harmless request", &model),
        )
        .remedy("check the account's content filter, or choose another model"),
        Said::Nothing => Finding::fail(
            codes::COMPLETION_EMPTY,
            PublicText::filled("Model {} gave an empty answer", &model),
        )
        .remedy("see that the model is one for chat, and that its chat template is right"),
    }
}
