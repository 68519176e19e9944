//! A project of its own on the engine, with all that a deployment needs.

use std::{
    fs,
    net::TcpListener,
    path::PathBuf,
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use serde_json::json;
use tempfile::TempDir;
use tokio::{sync::Notify, task::JoinHandle, time::sleep};
use tria_deploy::{
    Clock, Desired, Environment, Ground, Options, Outcome, Phase, Stop, SystemClock, World,
    caddy::Caddy,
    definition::Definition,
    deploy,
    engine::{ContainerState, DockerEngine, Engine, Role},
    event::{Event, Observer, Stamped},
    http_probe::{HttpProbe, HttpTest},
    judge::Judge,
    machine::{Machine, ThisMachine},
    migration::Migration,
    processes::LocalProcesses,
    store::{FileStore, Store},
};

pub(crate) const SENTINEL: &str = "sentinel-secret-7f3a";
/// The socket of the engine that the `docker` command speaks to, wherever it has it from.
pub(crate) fn socket() -> String {
    let host = docker(&[
        "context",
        "inspect",
        "--format",
        "{{.Endpoints.docker.Host}}",
    ]);
    let path = host.trim().strip_prefix("unix://");
    path.expect("the engine has a socket").to_owned()
}

/// Asks the database inside its container, over TCP.
const PSQL: &str =
    "PGPASSWORD=\"$(cat /run/secrets/postgres_password)\" psql -h 127.0.0.1 -U tria -d tria -XAtqc";

pub(crate) struct Rig {
    project: String,
    folder: TempDir,
    port: u16,
    engine: DockerEngine,
    pub(crate) store: FileStore,
    told: Arc<Told>,
}

/// Keeps what it is told, and says when a phase begins.
#[derive(Default)]
pub(crate) struct Told {
    text: Mutex<String>,
    awaited: Mutex<Option<Phase>>,
    begun: Notify,
}

pub(crate) struct Standing {
    world: World,
    options: Options,
    stop: Stop,
    told: Arc<Told>,
}

/// Ask for the front page all the time, and count.
pub(crate) struct Visitors {
    done: Arc<AtomicBool>,
    asked: Arc<AtomicU64>,
    refused: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

/// How many requests of all of a test's deployments may be sent again.
const RESENT: usize = 3;

struct Lenient;

// === impl Rig ===

impl Rig {
    pub(crate) async fn new(name: &str) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let project = format!("tria-test-{name}");
        let folder = tempfile::tempdir().unwrap();
        let server = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/docker/server");
        let caddy = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/caddy");
        for (from, to) in [(server, "server"), (caddy, "caddy")] {
            let to = folder.path().join(to);
            fs::create_dir(&to).unwrap();
            for entry in fs::read_dir(from).unwrap() {
                let entry = entry.unwrap();
                fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
            }
        }
        let engine = DockerEngine::connect(&socket(), &project).await.unwrap();
        let store = FileStore::open(folder.path().join("state")).unwrap();
        let rig = Self {
            project,
            folder,
            port: free_port(),
            engine,
            store,
            told: Arc::default(),
        };
        rig.remove().await;
        rig
    }

    pub(crate) fn ground(&self) -> Standing {
        self.standing(
            &self.engine,
            Arc::new(self.engine.clone()),
            Arc::new(ThisMachine),
            Arc::new(self.store.clone()),
            Arc::new(SystemClock),
        )
    }

    pub(crate) fn standing(
        &self,
        docker: &DockerEngine,
        engine: Arc<dyn Engine>,
        machine: Arc<dyn Machine>,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
    ) -> Standing {
        let door = format!("http://127.0.0.1:{}", self.port);
        let mut tests = HttpTest::of_the_service();
        tests.retain(|test| ["liveness", "startup"].contains(&test.name));
        let probe = HttpProbe::new(docker.clone(), 8003, door, tests).unwrap();
        let proxy = format!("{}-caddy", self.project);
        Standing {
            world: World {
                proxy: Arc::new(Caddy::new(Arc::clone(&engine), proxy, 8003)),
                probe: Arc::new(probe.on(machine)),
                judge: Arc::new(Lenient),
                store,
                clock,
                processes: Arc::new(LocalProcesses::new()),
                engine,
            },
            options: Options::default(),
            stop: Stop::new(),
            told: Arc::clone(&self.told),
        }
    }

    pub(crate) fn desired(&self, tree: &str) -> Desired {
        // Another tree is another image.
        fs::write(self.folder.path().join("server/tree"), tree).unwrap();
        let environment = [
            (
                "DATABASE_URL",
                format!("postgres://tria:{SENTINEL}@postgres/tria"),
            ),
            ("POSTGRES_PASSWORD", SENTINEL.to_owned()),
        ];
        Desired {
            commit: format!("commit-{tree}"),
            tree: tree.into(),
            uncommitted: Vec::new(),
            migrations: vec![Migration::from_file_name("V1__expand_a.sql").unwrap()],
            definition: self.definition(),
            environment: environment.into_iter().collect::<Environment>(),
            context: self.folder.path().join("server"),
            dockerfile: "Dockerfile".into(),
            domain: None,
        }
    }

    pub(crate) async fn deploy(&self, tree: &str) -> Outcome {
        let desired = self.desired(tree);
        let standing = self.ground();
        standing
            .run(async |ground| deploy(ground, &desired).await)
            .await
    }

    /// Drops a deployment at the beginning of a phase: nothing of it can clean up.
    pub(crate) async fn die_in(&self, tree: &str, phase: Phase) {
        let desired = self.desired(tree);
        let standing = self.ground();
        tokio::select! {
            () = self.in_the_midst_of(phase) => {}
            outcome = standing.run(async |ground| deploy(ground, &desired).await) => println!("{phase}: {outcome:?}"),
        }
        self.forget_lease();
    }

    /// Waits until a deployment is in that phase.
    pub(crate) async fn in_the_midst_of(&self, phase: Phase) {
        *self.told.awaited.lock().unwrap() = Some(phase);
        self.told.begun.notified().await;
        *self.told.awaited.lock().unwrap() = None;
        sleep(Duration::from_millis(250)).await;
    }

    /// We live on, under the very number of the one that died.
    pub(crate) fn forget_lease(&self) {
        let _ = fs::remove_file(self.state().join("lease.json"));
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    pub(crate) fn project(&self) -> &str {
        &self.project
    }

    pub(crate) fn told(&self) -> String {
        self.told.text.lock().unwrap().clone()
    }

    pub(crate) fn with_file(&self, name: &str, content: &str) {
        fs::write(self.folder.path().join("server").join(name), content).unwrap();
    }

    pub(crate) fn without_file(&self, name: &str) {
        fs::remove_file(self.folder.path().join("server").join(name)).unwrap();
    }

    pub(crate) async fn sql(&self, sql: &str) -> String {
        let command = ["sh", "-euc", &format!("{PSQL} \"$1\""), "sh", sql].map(str::to_owned);
        let name = format!("{}-postgres", self.project);
        let output = self.engine.exec(&name, &command).await.unwrap();
        assert!(output.is_success(), "{output:?}");
        output.stdout
    }

    pub(crate) fn visitors(&self) -> Visitors {
        let page = format!("http://127.0.0.1:{}/page", self.port);
        let done = Arc::new(AtomicBool::new(false));
        let (asked, refused) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let counters = (Arc::clone(&done), Arc::clone(&asked), Arc::clone(&refused));
        let task = tokio::spawn(async move {
            let (done, asked, refused) = counters;
            // The proxy ends connections on which it has seen no request yet when it takes up
            // another configuration; one of ours may be on its way then, and is sent again.
            let client = reqwest::Client::builder()
                .no_proxy()
                .pool_max_idle_per_host(0)
                .build()
                .unwrap();
            let mut resent = 0;
            while !done.load(Ordering::SeqCst) {
                let mut answer = client.get(&page).send().await;
                if let Err(error) = &answer
                    && resent < RESENT
                {
                    println!("sent again: {error:?}");
                    resent += 1;
                    answer = client.get(&page).send().await;
                }
                asked.fetch_add(1, Ordering::SeqCst);
                if !answer.as_ref().is_ok_and(|it| it.status().is_success()) {
                    refused.fetch_add(1, Ordering::SeqCst);
                    println!("refused: {answer:?}");
                }
                sleep(Duration::from_millis(5)).await;
            }
        });
        Visitors {
            done,
            asked,
            refused,
            task,
        }
    }

    #[track_caller]
    pub(crate) fn assert_failed(&self, outcome: &Outcome, phase: Phase, code: &str) {
        println!(
            "{}",
            tria_deploy::text(&Event::Finished {
                result: outcome.clone(),
                exit_code: outcome.exit_code().get(),
                elapsed_ms: 0,
            })
        );
        let Outcome::Failed {
            phase: Some(at),
            problem,
        } = outcome
        else {
            panic!("{outcome:?}\n{}", self.told.text.lock().unwrap());
        };
        assert_eq!((*at, problem.code.as_str()), (phase, code), "{problem:?}");
    }

    pub(crate) async fn assert_one_serves(&self, tree: &str) {
        let containers = self.engine.containers().await.unwrap();
        let servers: Vec<_> = containers
            .iter()
            .filter(|it| it.role == Role::Server && it.state == ContainerState::Running)
            .collect();
        assert_eq!(servers.len(), 1, "{tree}: {containers:?}");
        assert!(
            !containers
                .iter()
                .any(|it| matches!(it.role, Role::OneShot(_)))
        );
        let output = self
            .engine
            .exec(&servers[0].name, &["cat".into(), "/srv/tree".into()])
            .await;
        assert_eq!(output.unwrap().stdout, tree);
    }

    /// Everything that this machine could show to others.
    pub(crate) async fn assert_no_secret_anywhere(&self) {
        let mut places = vec![(
            "what was told".to_owned(),
            self.told.text.lock().unwrap().clone(),
        )];
        for container in self.engine.containers().await.unwrap() {
            places.push((
                format!("inspect {}", container.name),
                docker(&["inspect", &container.name]),
            ));
            places.push((
                format!("top {}", container.name),
                docker(&["top", &container.name, "-o", "args"]),
            ));
        }
        for image in self.engine.images().await.unwrap() {
            let history = ["history", "--no-trunc", image.id.as_str()];
            places.push((format!("history of {}", image.id), docker(&history)));
        }
        for entry in fs::read_dir(self.folder.path().join("state")).unwrap() {
            let path = entry.unwrap().path();
            let content = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
            places.push((path.display().to_string(), content));
        }
        for (place, text) in places {
            assert!(!text.contains(SENTINEL), "{place}: {text}");
        }
    }

    pub(crate) async fn remove(&self) {
        for container in self.engine.containers().await.unwrap() {
            self.engine
                .stop(&container.name, Duration::ZERO)
                .await
                .unwrap();
            self.engine.remove(&container.name).await.unwrap();
        }
        for volume in self.engine.volumes().await.unwrap() {
            self.engine.remove_volume(&volume).await.unwrap();
        }
        for image in self.engine.images().await.unwrap() {
            self.engine.remove_image(&image.id).await.unwrap();
        }
        docker(&["network", "rm", &format!("{}_back", self.project)]);
    }

    fn definition(&self) -> Definition {
        let caddy = self.folder.path().join("caddy");
        let network = format!("{}_back", self.project);
        let volume = |name: &str| json!({"name": format!("{}_{name}", self.project)});
        let secret = "/run/secrets/postgres_password";
        let document = json!({
            "name": self.project,
            "networks": {"back": {"name": network}},
            "volumes": {"pg": volume("pg"), "upstream": volume("upstream")},
            "secrets": {
                "database_url": {"environment": "DATABASE_URL"},
                "postgres_password": {"environment": "POSTGRES_PASSWORD"},
            },
            "services": {
                "caddy": {
                    "image": "caddy:2", "networks": {"back": null}, "init": true,
                    "environment": {"SITE_ADDRESS": ":80"},
                    "ports": [{"target": 80, "published": self.port.to_string()}],
                    "volumes": [
                        {"type": "bind", "source": caddy, "target": "/etc/caddy", "read_only": true},
                        {"type": "volume", "source": "upstream", "target": "/etc/caddy-upstream"},
                    ],
                    "healthcheck": {
                        "test": ["CMD-SHELL", "wget -q -O /dev/null http://127.0.0.1:2019/config/"],
                        "interval": "1s", "retries": 10,
                    },
                },
                "postgres": {
                    "image": "postgres:17", "networks": {"back": null},
                    "environment": {
                        "POSTGRES_USER": "tria", "POSTGRES_DB": "tria",
                        "POSTGRES_PASSWORD_FILE": secret,
                    },
                    "secrets": [{"source": "postgres_password"}],
                    "volumes": [{"type": "volume", "source": "pg", "target": "/var/lib/postgresql/data"}],
                    "healthcheck": {
                        "test": ["CMD-SHELL", format!("{PSQL} 'select 1'")],
                        "interval": "1s", "retries": 30,
                    },
                },
                "tria-server": {
                    "image": format!("{}-server", self.project), "networks": {"back": null},
                    "secrets": [{"source": "database_url"}],
                    "init": true, "read_only": true, "tmpfs": ["/tmp:mode=1777,size=1m"],
                    "cap_drop": ["ALL"], "security_opt": ["no-new-privileges:true"],
                    "restart": "unless-stopped", "stop_grace_period": "10s",
                    "environment": {"XDG_CONFIG_HOME": "/tmp", "XDG_DATA_HOME": "/tmp"},
                    "healthcheck": {
                        "test": ["CMD-SHELL", "wget -q -O /dev/null http://127.0.0.1:8003/page"],
                        "interval": "1s", "retries": 3, "start_period": "30s",
                    },
                },
            },
        });
        Definition::from_json(&document.to_string()).unwrap()
    }
}

// === impl Standing ===

impl Standing {
    pub(crate) async fn run<T>(&self, command: impl AsyncFnOnce(Ground<'_>) -> T) -> T {
        let ground = Ground {
            world: &self.world,
            options: &self.options,
            observers: &[&*self.told],
            stop: &self.stop,
        };
        command(ground).await
    }
}

// === impl Visitors ===

impl Visitors {
    pub(crate) async fn count(self) -> (u64, u64) {
        self.done.store(true, Ordering::SeqCst);
        self.task.await.unwrap();
        (
            self.asked.load(Ordering::SeqCst),
            self.refused.load(Ordering::SeqCst),
        )
    }
}

impl Observer for Told {
    fn event(&self, event: &Stamped) {
        if let Event::PhaseStarted { phase, .. } = &event.event
            && *self.awaited.lock().unwrap() == Some(*phase)
        {
            self.begun.notify_one();
        }
        let mut text = self.text.lock().unwrap();
        text.push_str(&tria_deploy::text(&event.event));
        text.push('\n');
        text.push_str(&serde_json::to_string(event).unwrap());
        text.push('\n');
    }
}

#[async_trait]
impl Judge for Lenient {
    async fn violations(&self, _environment: &Environment) -> Result<Vec<String>, String> {
        Ok(Vec::new())
    }
}

/// A port that nobody has; Docker takes it a moment later.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

pub(crate) fn docker(arguments: &[&str]) -> String {
    let output = Command::new("docker").args(arguments).output();
    let output = output.unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}
