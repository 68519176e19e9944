//! Asks releases over HTTP: each by its own address on the engine's machine, and whoever is behind
//! the front door.

mod front_door;

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, Url};
use serde::Deserialize;
use uuid::Uuid;

use crate::{
    engine::DockerEngine,
    machine::{Machine, ThisMachine, Way},
    probe::{Probe, StartupPhase, StartupReport, Target, TestResult},
};

pub use self::front_door::{FrontDoor, NoSite};

/// Probes releases of an engine, on the machine that it runs on.
pub struct HttpProbe {
    engine: DockerEngine,
    machine: Arc<dyn Machine>,
    /// One for each way.
    clients: Mutex<HashMap<Way, Client>>,
    port: u16,
    front_door: FrontDoor,
    tests: Vec<HttpTest>,
}

/// One request and what its answer must be.
#[derive(Clone, Debug)]
pub struct HttpTest {
    /// For people.
    pub name: &'static str,
    /// The method.
    pub method: Method,
    /// The path.
    pub path: &'static str,
    /// The status of the answer.
    pub status: StatusCode,
    /// A text that must be in it.
    pub holds: &'static str,
    /// Whether the path is also reached through the front door.
    pub outside: bool,
    /// What is sent, as JSON.
    pub body: Option<&'static str>,
    /// Whether it is sent again under the same `Idempotency-Key`, a fresh one for each test: the
    /// answer must be the same, and say that it is given again.
    pub twice: bool,
    /// How long an answer may take.
    pub patience: Duration,
}

/// Where somebody is asked.
#[derive(Clone, Debug)]
pub struct Door {
    client: Client,
    base: String,
}

/// What `/startupz` says.
#[derive(Deserialize)]
struct Startup {
    complete: bool,
    #[serde(default)]
    phases: Vec<Phase>,
}

#[derive(Deserialize)]
struct Phase {
    title: String,
    state: String,
    #[serde(default)]
    lines: Vec<String>,
}

/// The header by which the front door says who answers.
const RELEASE: &str = "x-tria-release";

/// The header by which an answer says that it was given before.
const REPLAYED: &str = "idempotent-replayed";

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The same where a model has to think.
const THINKING: Duration = Duration::from_secs(45);

// === impl HttpProbe ===

impl HttpProbe {
    /// Releases listen on that port; the front door is one, or a URL without a path, as in
    /// `http://127.0.0.1:80`.
    ///
    /// # Errors
    /// If no client can be made, as without a TLS provider.
    pub fn new(
        engine: DockerEngine,
        port: u16,
        front_door: impl Into<FrontDoor>,
        tests: Vec<HttpTest>,
    ) -> Result<Self, reqwest::Error> {
        let front_door = front_door.into();
        let direct = HashMap::from([(Way::Direct, client(&Way::Direct, &front_door)?)]);
        Ok(Self {
            engine,
            machine: Arc::new(ThisMachine),
            clients: Mutex::new(direct),
            port,
            front_door,
            tests,
        })
    }

    /// The same for an engine of another machine.
    #[must_use]
    pub fn on(self, machine: Arc<dyn Machine>) -> Self {
        Self { machine, ..self }
    }

    async fn release(&self, container: &str) -> Option<Door> {
        let address = self.engine.address(container).await.ok()??;
        let address = SocketAddr::new(address, self.port);
        Some(Door {
            client: self.client(self.machine.way_to(address).await?)?,
            base: format!("http://{address}"),
        })
    }

    /// The front door; none if the way to it is lost.
    pub async fn front_door(&self) -> Option<Door> {
        let door = &self.front_door;
        let resolved = door.resolve.as_ref().map(|(_, address)| *address);
        let way = match resolved.or_else(|| address(&door.url)) {
            Some(address) => self.machine.way_to(address).await?,
            // A name is reached as everybody reaches it.
            None => Way::Direct,
        };
        Some(Door {
            client: self.client(way)?,
            base: door.url.clone(),
        })
    }

    fn client(&self, way: Way) -> Option<Client> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = clients.get(&way) {
            return Some(known.clone());
        }
        let made = client(&way, &self.front_door).ok()?;
        clients.insert(way, made.clone());
        Some(made)
    }

    /// What is wrong, if anything is.
    async fn run(&self, test: &HttpTest, door: &Door, release: Option<&str>) -> Result<(), String> {
        let key = test.twice.then(|| Uuid::new_v4().to_string());
        let (_, first) = self.ask(test, door, key.as_deref(), release).await?;
        if key.is_none() {
            return Ok(());
        }
        let (replayed, second) = self.ask(test, door, key.as_deref(), release).await?;
        if !replayed {
            return Err("the same request was answered anew".into());
        }
        if first != second {
            return Err("the same request had another answer".into());
        }
        Ok(())
    }

    /// Whether the answer says that it was given before, and the answer.
    async fn ask(
        &self,
        test: &HttpTest,
        door: &Door,
        key: Option<&str>,
        release: Option<&str>,
    ) -> Result<(bool, String), String> {
        let mut request = door
            .request(test.method.clone(), test.path)
            .timeout(test.patience);
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        if let Some(body) = test.body {
            request = request
                .header("Content-Type", "application/json")
                .body(body);
        }
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) if error.is_timeout() => {
                return Err(format!("no answer within {} s", test.patience.as_secs()));
            }
            Err(_) => {
                let trouble = self.machine.trouble().await;
                return Err(trouble.unwrap_or_else(|| "no answer".into()));
            }
        };
        if let Some(wrong) = wrong_release(&answer, release) {
            return Err(wrong);
        }
        if answer.status() != test.status {
            return Err(format!(
                "answered {} and not {}",
                answer.status().as_u16(),
                test.status.as_u16()
            ));
        }
        let replayed = answer.headers().get(REPLAYED);
        let replayed = replayed.is_some_and(|said| said == "true");
        let body = answer.text().await;
        let body = body.map_err(|_| "the answer broke off".to_owned())?;
        if body.contains(test.holds) {
            Ok((replayed, body))
        } else {
            Err(format!("the answer has no {}", test.holds))
        }
    }
}

#[async_trait]
impl Probe for HttpProbe {
    async fn startup(&self, container: &str) -> Option<StartupReport> {
        let door = self.release(container).await?;
        let answer = door.request(Method::GET, "/startupz").send().await.ok()?;
        let said: Startup = answer.json().await.ok()?;
        Some(StartupReport {
            complete: said.complete,
            phases: said.phases.into_iter().map(startup_phase).collect(),
        })
    }

    async fn integration(&self, whom: &Target) -> Vec<TestResult> {
        let (door, release) = match whom {
            Target::Release(container) => (self.release(container).await, None),
            Target::FrontDoor(container) => (self.front_door().await, Some(container.as_str())),
        };
        let mut results = Vec::new();
        for test in &self.tests {
            if release.is_some() && !test.outside {
                continue;
            }
            let failure = if let Some(door) = &door {
                self.run(test, door, release).await.err()
            } else {
                let trouble = self.machine.trouble().await;
                Some(trouble.unwrap_or_else(|| "the release has no address".into()))
            };
            results.push(TestResult {
                name: test.name.to_owned(),
                failure,
            });
        }
        results
    }

    async fn in_flight(&self, _container: &str) -> Option<u64> {
        // The release itself finishes what it has begun when it is asked to stop.
        None
    }

    async fn port_is_free(&self, port: u16) -> bool {
        self.machine.port_is_free(port).await
    }

    async fn resolves(&self, host: &str) -> bool {
        self.machine.resolves(host).await
    }
}

// === impl Door ===

impl Door {
    /// Whoever is reached by that front door, on the machine that it names or on any.
    ///
    /// # Errors
    /// If no client can be made, as without a TLS provider.
    pub fn of(door: &FrontDoor) -> Result<Self, reqwest::Error> {
        Ok(Self {
            client: client(&Way::Direct, door)?,
            base: door.url.trim_end_matches('/').to_owned(),
        })
    }

    /// The URL in front of paths.
    pub fn url(&self) -> &str {
        &self.base
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }
}

// === impl HttpTest ===

impl HttpTest {
    /// What every release of the service must answer.
    pub fn of_the_service() -> Vec<Self> {
        let get = |name, path, status, holds, outside| Self {
            name,
            method: Method::GET,
            path,
            status,
            holds,
            outside,
            body: None,
            twice: false,
            patience: PATIENCE,
        };
        let chat = Self {
            method: Method::POST,
            body: Some(r#"{"message":"hello","user_id":"deployment-check"}"#),
            twice: true,
            patience: THINKING,
            ..get(
                "chat",
                "/api/chatbot",
                StatusCode::OK,
                "\"success\":true",
                true,
            )
        };
        vec![
            get("liveness", "/livez", StatusCode::OK, "alive", true),
            get("readiness", "/readyz", StatusCode::OK, "\"status\"", true),
            get(
                "startup",
                "/startupz",
                StatusCode::OK,
                "\"complete\":true",
                true,
            ),
            get(
                "health",
                "/health",
                StatusCode::OK,
                "\"overall_healthy\":true",
                true,
            ),
            get("metrics", "/metrics", StatusCode::OK, "tria_ready 1", false),
            get(
                "closed diagnostics",
                "/api/v1/health/diagnostics",
                StatusCode::UNAUTHORIZED,
                "",
                true,
            ),
            get(
                "no such path",
                "/no-such-path",
                StatusCode::NOT_FOUND,
                "",
                true,
            ),
            chat,
        ]
    }
}

fn client(way: &Way, door: &FrontDoor) -> Result<Client, reqwest::Error> {
    let mut builder = Client::builder().no_proxy().timeout(PATIENCE);
    if let Some((name, address)) = &door.resolve {
        builder = builder.resolve(name, *address);
    }
    match way {
        Way::Direct => builder,
        Way::Socket(path) => builder.unix_socket(path.as_path()),
    }
    .build()
}

/// The address in a URL, if it is one and not a name.
fn address(url: &str) -> Option<SocketAddr> {
    let url = Url::parse(url).ok()?;
    let host = url.host_str()?.trim_matches(['[', ']']);
    let host: IpAddr = host.parse().ok()?;
    Some(SocketAddr::new(host, url.port_or_known_default()?))
}

/// Success is that the release that was meant answers, not that anybody does.
fn wrong_release(answer: &Response, release: Option<&str>) -> Option<String> {
    let release = release?;
    let said = answer.headers().get(RELEASE);
    let said = said.and_then(|said| said.to_str().ok());
    (said != Some(release)).then(|| {
        let said = said.unwrap_or("nobody");
        format!("{said} answered and not {release}")
    })
}

fn startup_phase(phase: Phase) -> StartupPhase {
    StartupPhase {
        title: phase.title,
        passed: match phase.state.as_str() {
            "passed" | "warned" => Some(true),
            "failed" => Some(false),
            _ => None,
        },
        text: phase.lines.join("; "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_door_is_an_address_or_a_name() {
        let at = |url| address(url).map(|address| address.to_string());
        assert_eq!(at("http://127.0.0.1").unwrap(), "127.0.0.1:80");
        assert_eq!(at("https://[::1]:8443").unwrap(), "[::1]:8443");
        assert_eq!(at("https://shop.example"), None);
    }
}
