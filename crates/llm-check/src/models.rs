//! Proves that the API offers the models, with as few calls as tell the truth.

use std::time::Duration;

use reqwest::{Url, header::HeaderMap};
use tria_check::{Finding, PublicText, PublicValue};

use crate::{
    call::{Answer, Calls},
    codes,
    refusal::Refusal,
    scrub::scrub,
    wire::{Model, ModelList},
};

/// At most so many models are named to choose from.
const MOST_SUGGESTED: usize = 5;

/// What the calls showed.
#[derive(Default)]
pub(crate) struct Proof {
    /// One finding a model, up to the first call that failed.
    pub(crate) findings: Vec<Finding>,
    /// What is known of the key.
    pub(crate) key: Key,
    /// How many models the list has, if it was asked for.
    pub(crate) listed: Option<usize>,
    /// How long the first good answer took.
    pub(crate) took: Option<Duration>,
    /// The headers of the last good answer.
    pub(crate) headers: HeaderMap,
}

/// What is known of the key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Key {
    /// Nothing.
    #[default]
    Unproven,
    /// No call was refused for it, but only such answered that may be open to anyone.
    NotRefused,
    /// The server answered where it refuses a wrong key.
    Accepted,
}

/// Asks for the models one by one, and for the list where that cannot tell.
///
/// The list alone would be one call for any number of models, but some servers show it to anyone
/// (`OpenRouter`, many versions of llama.cpp): it proves no key. A server without `GET /models/{model}` answers
/// 404, but may still refuse a wrong key there, as llama.cpp does.
pub(crate) async fn prove(calls: &Calls<'_>, names: &[&str]) -> Proof {
    let mut prover = Prover {
        calls,
        proof: Proof::default(),
        list: None,
    };
    for (index, name) in names.iter().enumerate() {
        // From the third model on, the list is the cheaper way.
        if index == 1 && names.len() > 2 {
            prover.load_list().await;
        }
        match prover.look_for(name).await {
            Ok(finding) => prover.proof.findings.push(finding),
            Err(failed) => {
                prover.proof.findings.push(failed);
                break;
            }
        }
    }
    prover.proof
}

struct Prover<'a> {
    calls: &'a Calls<'a>,
    proof: Proof,
    /// The list, once it was asked for.
    list: Option<Result<ModelList, Refusal>>,
}

// === impl Prover ===

impl Prover<'_> {
    /// What is to be said of one model.
    ///
    /// # Errors
    /// What makes it pointless to ask on.
    async fn look_for(&mut self, name: &str) -> Result<Finding, Finding> {
        if self.is_listed(name) {
            return Ok(available(name));
        }
        let refused = match self.retrieve(name).await {
            Ok(model) => {
                self.proof.key = Key::Accepted;
                return Ok(self.retrieved(name, &model.id));
            }
            Err(Refusal::Other(failed)) => return Err(failed),
            Err(refused) => refused,
        };
        self.load_list().await;
        if self.is_listed(name) {
            return Ok(available(name));
        }
        if matches!(refused, Refusal::NoSuchModel(_)) {
            self.proof.key = Key::Accepted;
        }
        match (refused, &self.list) {
            // Neither path is there.
            (Refusal::NoSuchPath(failed), Some(Err(Refusal::NoSuchPath(_))))
                if self.proof.key != Key::Accepted =>
            {
                Err(failed)
            }
            (Refusal::NoSuchPath(_), Some(Err(Refusal::Other(failed)))) => Err(failed.clone()),
            (refused, _) => Ok(self.missing(name, &refused.into_finding())),
        }
    }

    async fn retrieve(&mut self, name: &str) -> Result<Model, Refusal> {
        let answer = self.calls.get(&model_path(name)).await?;
        Ok(self.note(answer))
    }

    /// Asks for the list unless it was asked for already.
    async fn load_list(&mut self) {
        if self.list.is_some() {
            return;
        }
        let list = match self.calls.get::<ModelList>("/models").await {
            Ok(answer) => {
                let list = self.note(answer);
                self.proof.listed = Some(list.len());
                if self.proof.key == Key::Unproven {
                    self.proof.key = Key::NotRefused;
                }
                Ok(list)
            }
            Err(refusal) => Err(refusal),
        };
        self.list = Some(list);
    }

    fn note<T>(&mut self, answer: Answer<T>) -> T {
        self.proof.took.get_or_insert(answer.took);
        self.proof.headers = answer.headers;
        answer.body
    }

    fn is_listed(&self, name: &str) -> bool {
        matches!(&self.list, Some(Ok(list)) if list.holds(name))
    }

    /// A server may resolve an alias, and says so in the identifier.
    fn retrieved(&self, name: &str, id: &str) -> Finding {
        if id == name {
            return available(name);
        }
        let id = scrub(id, self.calls.endpoint().secret());
        let values = [PublicValue::word(name), PublicValue::word(&id)];
        Finding::pass(PublicText::filled("Model {} is available as {}", &values))
    }

    fn missing(&self, name: &str, refused: &Finding) -> Finding {
        let text = PublicText::filled(
            "Model {} does not exist, or the API key may not use it",
            &[PublicValue::word(name)],
        );
        let finding = Finding::fail(codes::MODEL_MISSING, text);
        let finding = match refused.get_detail() {
            Some(detail) => finding.detail(detail.clone()),
            None => finding,
        };
        let suggested = self.nearest(name);
        if suggested.is_empty() {
            return finding.remedy("set the model to one that the API offers to this key");
        }
        finding.remedy(PublicText::filled(
            "set the model to one that the API offers, such as {}",
            &[PublicValue::words(suggested)],
        ))
    }

    /// The listed models whose names are nearest to `name`, without those of customers
    /// (`ft:gpt-…:organisation:…`), which are nobody else's business.
    fn nearest(&self, name: &str) -> Vec<String> {
        let Some(Ok(list)) = &self.list else {
            return Vec::new();
        };
        let mut ids: Vec<&str> = list.ids().filter(|id| !id.starts_with("ft:")).collect();
        ids.sort_by(|a, b| {
            let near = |id: &str| strsim::jaro_winkler(id, name);
            near(b).total_cmp(&near(a))
        });
        let secret = self.calls.endpoint().secret();
        let shown = ids.into_iter().take(MOST_SUGGESTED);
        shown.map(|id| scrub(id, secret)).collect()
    }
}

fn available(name: &str) -> Finding {
    Finding::pass(PublicText::filled(
        "Model {} is available",
        &[PublicValue::word(name)],
    ))
}

/// `/models/{model}` with the name as one segment: names such as `meta-llama/Llama-3` have
/// slashes.
pub(crate) fn model_path(name: &str) -> String {
    let mut path = Url::parse("http://h/models").ok();
    if let Some(Ok(mut segments)) = path.as_mut().map(Url::path_segments_mut) {
        segments.push(name);
    }
    path.map_or_else(|| "/models".to_owned(), |url| url.path().to_owned())
}

#[cfg(test)]
mod tests {
    use super::model_path;

    #[test]
    fn a_name_is_one_segment_of_the_path() {
        for (name, path) in [
            ("gpt-4o-mini", "/models/gpt-4o-mini"),
            ("meta-llama/Llama-3", "/models/meta-llama%2FLlama-3"),
            ("ft:gpt-4o:acme::x", "/models/ft:gpt-4o:acme::x"),
            ("a b?c#d", "/models/a%20b%3Fc%23d"),
        ] {
            assert_eq!(model_path(name), path);
        }
    }
}
