//! A clone of the repository and a project of its own on the engine.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, Mutex},
    time::Duration,
};

use tempfile::TempDir;
use tokio::time::sleep;
use tria_tests::{Call, Conduct, ModelFront, get, program};

use super::{
    command::{Ended, Running, Transcript},
    docker::{docker, left_of, listed, remove_project},
    make::Make,
    secrets::in_files,
};

/// Everything that deployments of one project need. Dropping it removes all of it.
pub(super) struct Site {
    pub(super) project: String,
    pub(super) model: ModelFront,
    pub(super) url: String,
    folder: TempDir,
    transcript: Transcript,
}

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const ENV: &str = ".env.docker";
const PREFIX: &str = "tria-suite-";

// === impl Site ===

impl Site {
    pub(super) async fn new() -> Self {
        remove_what_the_dead_left();
        let project = format!("{PREFIX}{}", std::process::id());
        let stack = tria_devstack::shared().await.expect("the shared stack");
        let gateway = docker(&[
            "network",
            "inspect",
            "bridge",
            "--format",
            "{{(index .IPAM.Config 0).Gateway}}",
        ]);
        let gateway = gateway.parse().expect("the engine's own bridge");
        let model = ModelFront::open_at(&stack.model_base_url(), gateway);
        let folder = tempfile::tempdir().unwrap();
        let ports = [free_port(), free_port()];
        let site = Self {
            url: format!("http://127.0.0.1:{}", ports[0]),
            project,
            model,
            folder,
            transcript: Arc::new(Mutex::default()),
        };
        let clone = site.clone_path();
        site.git_in(
            Path::new(ROOT),
            &["clone", "--quiet", ".", clone.to_str().unwrap()],
        );
        site.git(&["config", "user.name", "A test"]);
        site.git(&["config", "user.email", "test@localhost"]);
        // A small model judges at random, and a stream is to last longer than an answer may.
        site.replace(
            "deploy/compose.yaml",
            "      DRAIN: 85s\n",
            "      DRAIN: 85s\n      CHAT_JUDGE: \"false\"\n      CHAT_BUDGET: 120s\n",
        );
        site.replace(
            "deploy/compose.yaml",
            "start_period: 90s",
            "start_period: 20s",
        );
        site.commit("As the tests need it");
        let key = site.folder.path().join("key");
        fs::write(&key, stack.model_key()).unwrap();
        let base_url = site.model.base_url();
        let mut command = site.bare("init");
        command.args([
            "--tax-rate",
            "0.06",
            "--openai-api-key-file",
            key.to_str().unwrap(),
            "--openai-base-url",
            &base_url,
            "--openai-model",
            stack.chat_model(),
            "--openai-embedding-model",
            stack.embedding_model(),
            "--http-port",
            &ports[0].to_string(),
            "--https-port",
            &ports[1].to_string(),
        ]);
        site.run(command).ended().await.expect(0, &[]);
        site
    }

    pub(super) fn clone_path(&self) -> PathBuf {
        self.folder.path().join("tria")
    }

    fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    fn bare(&self, name: &str) -> Command {
        let xtask = program().with_file_name("xtask");
        assert!(xtask.exists(), "{} is not built", xtask.display());
        let mut command = Command::new(xtask);
        command.current_dir(self.clone_path()).arg(name);
        // What one that is killed leaves there goes with the rest.
        command.env("TMPDIR", self.folder.path());
        command.args(["--env-file", ENV]);
        command
    }

    fn run(&self, command: Command) -> Running {
        Running::start(command, Arc::clone(&self.transcript))
    }

    /// Starts a command of the deployment.
    pub(super) fn start(&self, name: &str, arguments: &[&str]) -> Running {
        let mut command = self.bare(name);
        command
            .args(["--project", &self.project, "--json", "--state"])
            .arg(self.state())
            .args(arguments);
        self.run(command)
    }

    pub(super) fn deploy(&self, arguments: &[&str]) -> Running {
        let server = program();
        let mut all = vec!["--server", server.to_str().unwrap()];
        all.extend(arguments);
        self.start("deploy", &all)
    }

    pub(super) async fn done(&self, name: &str, arguments: &[&str]) -> Ended {
        self.start(name, arguments).ended().await
    }

    pub(super) async fn deployed(&self, arguments: &[&str]) -> Ended {
        self.deploy(arguments).ended().await
    }

    pub(super) fn git(&self, arguments: &[&str]) -> String {
        self.git_in(&self.clone_path(), arguments)
    }

    #[expect(clippy::unused_self, reason = "it reads as the other one")]
    fn git_in(&self, folder: &Path, arguments: &[&str]) -> String {
        let output = Command::new("git")
            .current_dir(folder)
            .args(arguments)
            .output();
        let output = output.expect("git runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {arguments:?}: {said}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    pub(super) fn replace(&self, file: &str, old: &str, new: &str) {
        let path = self.clone_path().join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(old), "{file} has no {old:?}");
        fs::write(path, text.replacen(old, new, 1)).unwrap();
    }

    pub(super) fn commit(&self, why: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "-m", why]);
    }

    /// From now on releases are made of what the first one built.
    pub(super) fn keep_what_was_built(&self) {
        let image = docker(&[
            "inspect",
            "--format",
            "{{.Image}}",
            &self.serving_container(),
        ]);
        let container = docker(&["create", &image]);
        let built = self.clone_path().join("built");
        fs::create_dir_all(&built).unwrap();
        for path in ["/tria-server", "/etc"] {
            docker(&[
                "cp",
                &format!("{container}:{path}"),
                built.to_str().unwrap(),
            ]);
        }
        docker(&["rm", &container]);
        fs::write(
            self.clone_path().join("deploy/Dockerfile.dockerignore"),
            "target\n",
        )
        .unwrap();
    }

    /// The next migration: one that PostgreSQL refuses while it is forbidden.
    pub(super) fn add_migration(&self) -> PathBuf {
        let folder = self.clone_path().join("crates/chatbot/migrations");
        let known = fs::read_dir(&folder).unwrap().count();
        let file = folder.join(format!("V{}__expand_suite.sql", known + 1));
        let text = "create table suite_migrated ();\n\
             do $$ begin if to_regclass('suite_forbids') is not null then\n\
             raise exception 'it is forbidden here'; end if; end $$;\n";
        fs::write(&file, text).unwrap();
        file
    }

    /// Builds it in.
    pub(super) fn list_migration(&self, file: &Path) {
        let list = "crates/chatbot/src/schema/migrations.rs";
        let name = file.file_stem().unwrap().display();
        let entry = format!("    (\"{name}\", include_str!(\"../../migrations/{name}.sql\")),\n];");
        self.replace(list, "\n];", &format!("\n{entry}"));
    }

    pub(super) fn forbid_migration(&self) {
        self.sql("create table suite_forbids ()");
    }

    pub(super) fn allow_migration(&self) {
        self.sql("drop table suite_forbids");
    }

    /// How many tables the migration made.
    pub(super) fn migrated(&self) -> String {
        self.sql("select count(*) from pg_tables where tablename = 'suite_migrated'")
    }

    /// A commit whose release is made so.
    pub(super) fn commit_release(&self, make: Make) {
        let deploy = self.clone_path().join("deploy");
        let number = self.git(&["rev-list", "--count", "HEAD"]);
        fs::write(deploy.join("Dockerfile"), make.dockerfile(&number)).unwrap();
        fs::write(deploy.join("release.sh"), make.script()).unwrap();
        self.commit(&format!("{make:?} {number}"));
    }

    pub(super) fn head(&self) -> String {
        self.git(&["rev-parse", "HEAD"])
    }

    /// The container that the front door leads to.
    pub(super) async fn serving(&self) -> String {
        let answer = get(&format!("{}/livez", self.url)).await;
        let answer = answer.expect("the front door answers");
        let release = answer.headers.get("x-tria-release").expect("a release");
        release.to_str().unwrap().to_owned()
    }

    fn serving_container(&self) -> String {
        let running = self.running_servers();
        assert_eq!(running.len(), 1, "{running:?}");
        running[0].clone()
    }

    pub(super) fn running_servers(&self) -> Vec<String> {
        let label = format!("label=tria.project={}", self.project);
        let name = format!("name={}-server-", self.project);
        listed(&[
            "ps",
            "--filter",
            &label,
            "--filter",
            &name,
            "--format",
            "{{.Names}}",
        ])
    }

    /// Asserts that the release of this commit serves, and no other one runs.
    pub(super) async fn expect_serving(&self, commit: &str) {
        let serving = self.serving().await;
        let label = "{{index .Config.Labels \"org.opencontainers.image.revision\"}}";
        let revision = docker(&["inspect", "--format", label, &serving]);
        assert_eq!(revision, commit, "{serving} serves");
        assert_eq!(self.running_servers(), [serving], "only it runs");
    }

    /// Fills the stores of the release that serves.
    pub(super) async fn stock(&self) {
        let serving = self.serving().await;
        for command in ["seed", "ingest"] {
            docker(&["exec", &serving, "/tria-server", command, "--data", "/data"]);
        }
    }

    /// From now on the model speaks so long, a word a second; for no time, as it does by itself.
    pub(super) fn speak_for(&self, time: Duration) {
        let conduct = if time.is_zero() {
            Conduct::Pass
        } else {
            Conduct::Speak(time)
        };
        self.model.set(Call::Completion, conduct);
    }

    /// All rows of all tables, as one text.
    pub(super) fn rows(&self) -> String {
        let tables = self.sql(
            "select format('%I.%I', schemaname, tablename) from pg_tables where schemaname not in ('pg_catalog', 'information_schema') order by 1",
        );
        let all = tables.lines().map(|table| {
            let query = format!("select to_jsonb(t)::text from {table} t order by 1");
            format!("== {table}\n{}\n", self.sql(&query))
        });
        all.collect()
    }

    pub(super) fn sql(&self, query: &str) -> String {
        let container = format!("{}-postgres", self.project);
        docker(&[
            "exec",
            &container,
            "psql",
            "-U",
            "tria",
            "-d",
            "tria",
            "-XAtq",
            "-v",
            "ON_ERROR_STOP=1",
            "-c",
            query,
        ])
    }

    /// The values that nobody may see.
    pub(super) fn secrets(&self) -> Vec<String> {
        let text = fs::read_to_string(self.clone_path().join(ENV)).unwrap();
        let keys = [
            "OPENAI_API_KEY",
            "POSTGRES_PASSWORD",
            "REDIS_PASSWORD",
            "SECRET_KEY",
            "DIAGNOSTICS_TOKEN",
        ];
        let found: Vec<String> = text
            .lines()
            .filter_map(|line| line.split_once('='))
            .filter(|(key, _)| keys.contains(key))
            .map(|(_, value)| value.trim_matches(['"', '\'']).to_owned())
            .collect();
        assert_eq!(found.len(), keys.len(), "every secret is in the file");
        assert!(found.iter().all(|secret| secret.len() >= 8), "and long");
        found
    }

    /// Changes a key of the environment file, and gives what it was before.
    pub(super) fn set_key(&self, key: &str, value: &str) -> String {
        let path = self.clone_path().join(ENV);
        let text = fs::read_to_string(&path).unwrap();
        let line = text
            .lines()
            .find(|line| line.starts_with(&format!("{key}=")));
        let line = line.expect("the key is there").to_owned();
        fs::write(&path, text.replace(&line, &format!("{key}={value}"))).unwrap();
        line.split_once('=').unwrap().1.to_owned()
    }

    /// Where a secret can be read that may not be there.
    pub(super) fn leaks(&self, secrets: &[String]) -> Vec<String> {
        let mut found = in_files(&self.state(), secrets);
        let logs = self.clone_path().join("logs");
        assert!(logs.exists(), "deployments are logged");
        found.extend(in_files(&logs, secrets));
        let mut look = |what: &str, text: &str| {
            if secrets.iter().any(|secret| text.contains(secret)) {
                found.push(what.to_owned());
            }
        };
        look("output of commands", &self.transcript.lock().unwrap());
        let label = format!("label=tria.project={}", self.project);
        for image in listed(&["image", "ls", "-q", "--filter", &label]) {
            let history = docker(&["history", "--no-trunc", &image]);
            look("history of an image", &history);
            look("inspection of an image", &docker(&["inspect", &image]));
        }
        for container in listed(&["ps", "-aq", "--filter", &label]) {
            let inspected = docker(&["inspect", &container]);
            look("inspection of a container", &inspected);
            look(
                "log of a container",
                &listed(&["logs", &container]).join("\n"),
            );
        }
        found
    }

    /// Removes all of it, and gives what could not be.
    pub(super) async fn remove(&self) -> Vec<String> {
        remove_project(&self.project);
        // The engine may take a moment.
        for _ in 0..20 {
            if left_of(&self.project).is_empty() {
                break;
            }
            sleep(Duration::from_millis(500)).await;
            remove_project(&self.project);
        }
        left_of(&self.project)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        remove_project(&self.project);
    }
}

/// Projects of tests that were killed.
fn remove_what_the_dead_left() {
    let labels = listed(&["ps", "-a", "--format", "{{.Label \"tria.project\"}}"]);
    for project in labels {
        let pid = project.strip_prefix(PREFIX);
        if pid.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            remove_project(&project);
        }
    }
}

fn free_port() -> u16 {
    tria_devstack::free_port().expect("a free port")
}
