//! A private OpenAI-compatible server with a chat model and an embedding model.

use std::{
    ops::{Deref, DerefMut},
    sync::Arc,
    time::Duration,
};

use rustix::process::Signal;

use crate::{
    Installation, Result, command,
    files::RunFolder,
    http, secret,
    server::{Recipe, Server},
};

const LAUNCHER: &str = include_str!("python/model_server.py");

/// What a private model server should be like.
#[derive(Clone, Default)]
pub struct ModelServerOptions {
    /// The key requests must carry; none: one is generated.
    pub api_key: Option<String>,
    /// A fixed port; none: a free one.
    pub port: Option<u16>,
}

/// A running model server; see [`Server`] for stop, restart and pause.
///
/// Real llama.cpp servers answer behind it, so that errors look as theirs do: a wrong key is 401
/// with an integer `error.code`, `GET /v1/models/{id}` is a plain 404, and a chat request for an
/// unknown model is answered by the loaded one.
pub struct ModelServer {
    server: Server,
    api_key: Arc<str>,
    // After the server, so that it is gone when the folder is removed.
    _folder: RunFolder,
}

impl ModelServer {
    /// The chat model's served id (SmolLM2-135M-Instruct).
    pub const CHAT_MODEL: &str = "smollm2-135m-instruct";
    /// The embedding model's served id (all-MiniLM-L6-v2, 384 dimensions).
    pub const EMBEDDING_MODEL: &str = "all-minilm-l6-v2";
    /// The length of its embeddings.
    pub const EMBEDDING_DIMENSIONS: usize = 384;

    /// Starts a server and waits until it lists both models.
    ///
    /// # Errors
    /// When the stack is not set up, or the server does not become ready.
    pub async fn start(options: ModelServerOptions) -> Result<Self> {
        let installation = Installation::load()?;
        let folder = RunFolder::create(&installation.run_folder())?;
        let launcher = folder.path().join("model_server.py");
        secret::write_private(&launcher, LAUNCHER.as_bytes())?;
        let api_key: Arc<str> = options.api_key.unwrap_or_else(generate_key).into();
        let home = folder.path().to_owned();
        let recipe = Recipe {
            name: "the model server",
            log: folder.path().join("model.log"),
            command: Box::new({
                let api_key = Arc::clone(&api_key);
                move |port| {
                    let settings = serde_json::json!({
                        "port": port,
                        "api_key": *api_key,
                        "threads": 1,
                        "chat": { "id": Self::CHAT_MODEL, "path": installation.chat_model },
                        "embedding": { "id": Self::EMBEDDING_MODEL, "path": installation.embedding_model },
                    });
                    let mut command = command::server(&installation.python, None);
                    command.arg(&launcher).current_dir(&home).env("HOME", &home);
                    Ok((command, Some(format!("{settings}\n"))))
                }
            }),
            probe: Box::new({
                let api_key = Arc::clone(&api_key);
                move |port| {
                    let api_key = Arc::clone(&api_key);
                    Box::pin(async move { probe(port, &api_key).await })
                }
            }),
            stop: Signal::KILL,
            grace: Duration::from_secs(2),
            quick_stop: Signal::KILL,
        };
        Ok(Self {
            server: Server::start(recipe, options.port).await?,
            api_key,
            _folder: folder,
        })
    }

    /// `http://127.0.0.1:port/v1`.
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.server.address())
    }

    /// The key requests must carry.
    pub fn api_key(&self) -> &str {
        &self.api_key
    }
}

impl Deref for ModelServer {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

impl DerefMut for ModelServer {
    fn deref_mut(&mut self) -> &mut Server {
        &mut self.server
    }
}

impl std::fmt::Debug for ModelServer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("ModelServer")
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for ModelServerOptions {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("ModelServerOptions")
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

/// A key in the shape of OpenAI's.
pub(crate) fn generate_key() -> String {
    format!("sk-local-{}", secret::generate(32))
}

async fn probe(port: u16, api_key: &str) -> std::result::Result<(), String> {
    match http::request(port, "GET", "/v1/models", Some(api_key), None).await {
        Ok(answer) if answer.status != 200 => {
            Err(format!("the list of models answers {}", answer.status))
        }
        Ok(answer) => [ModelServer::CHAT_MODEL, ModelServer::EMBEDDING_MODEL]
            .iter()
            .find(|id| !answer.body.contains(*id))
            .map_or(Ok(()), |id| Err(format!("{id} is not listed"))),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::{Value, json};

    use super::*;

    async fn ask(model: &ModelServer, path: &str, body: &Value) -> http::Answer {
        let body = body.to_string();
        http::request(
            model.port(),
            "POST",
            path,
            Some(model.api_key()),
            Some(&body),
        )
        .await
        .unwrap()
    }

    async fn embed(model: &ModelServer, text: &str) -> Vec<f64> {
        let body = json!({ "model": ModelServer::EMBEDDING_MODEL, "input": text });
        let answer = ask(model, "/v1/embeddings", &body).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let answer: Value = serde_json::from_str(&answer.body).unwrap();
        let vector = answer["data"][0]["embedding"].as_array().unwrap();
        vector
            .iter()
            .map(|number| number.as_f64().unwrap())
            .collect()
    }

    fn cosine(left: &[f64], right: &[f64]) -> f64 {
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        dot(left, right) / (dot(left, left) * dot(right, right)).sqrt()
    }

    #[tokio::test]
    async fn chats_embeds_lists_and_refuses() {
        let model = ModelServer::start(ModelServerOptions::default())
            .await
            .unwrap();
        let get = async |path: &str, key: Option<&str>| {
            http::request(model.port(), "GET", path, key, None)
                .await
                .unwrap()
        };

        for key in [Some("sk-local-wrong-key-of-some-length"), None] {
            let refused = get("/v1/models", key).await;
            let error: Value = serde_json::from_str(&refused.body).unwrap();
            assert_eq!(
                (refused.status, error["error"]["code"].as_u64()),
                (401, Some(401))
            );
        }
        let listed: Value =
            serde_json::from_str(&get("/v1/models", Some(model.api_key())).await.body).unwrap();
        let ids: Vec<_> = listed["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|model| model["id"].as_str().unwrap())
            .collect();
        assert_eq!(ids, [ModelServer::CHAT_MODEL, ModelServer::EMBEDDING_MODEL]);
        let single = get(
            &format!("/v1/models/{}", ModelServer::CHAT_MODEL),
            Some(model.api_key()),
        )
        .await;
        assert_eq!(single.status, 404);

        let chat = |stream: bool| {
            let messages =
                json!([{ "role": "user", "content": "The box is red. Which colour is the box?" }]);
            json!({ "model": ModelServer::CHAT_MODEL, "messages": messages, "max_tokens": 12, "temperature": 0, "stream": stream })
        };
        let answer = ask(&model, "/v1/chat/completions", &chat(false)).await;
        assert!(answer.body.contains("red"), "{}", answer.body);
        let stream = ask(&model, "/v1/chat/completions", &chat(true)).await;
        assert!(
            stream.body.matches("data: {").count() > 2 && stream.body.contains("data: [DONE]"),
            "{}",
            stream.body
        );

        let boxes = embed(&model, "cardboard boxes for pizza delivery").await;
        let cartons = embed(&model, "corrugated cartons to carry pizzas in").await;
        let taxes = embed(&model, "the minister published the quarterly tax report").await;
        assert_eq!(boxes.len(), ModelServer::EMBEDDING_DIMENSIONS);
        let (near, far) = (cosine(&boxes, &cartons), cosine(&boxes, &taxes));
        assert!(near > 0.5 && far < 0.25, "near {near}, far {far}");

        let arguments = std::fs::read(format!("/proc/{}/cmdline", model.pid().unwrap())).unwrap();
        assert!(!String::from_utf8_lossy(&arguments).contains(model.api_key()));
        let pid = model.pid().unwrap();
        drop(model);
        assert!(!Path::new("/proc").join(pid.to_string()).exists());
    }
}
