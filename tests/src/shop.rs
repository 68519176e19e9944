//! A shop that sells what the repository's data say.

use std::sync::{Arc, Weak};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Mutex,
};

use crate::{Customer, Door, Fixture, ModelFront, Running, connect, get_text};

/// The files that shops are filled from.
const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../data");

/// Everything that `tria-server` needs to answer messages: a database and a Redis database that no
/// other test uses, collections that all read and none writes, and the real model.
pub struct Shop {
    /// Its environment; change the keys before it opens.
    pub fixture: Fixture,
    /// What stands between it and the model.
    pub model: ModelFront,
    /// As long as somebody uses it, others need not fill another.
    _stocked: Arc<Stocked>,
}

/// A shop that is open, for several tests at once. Each has users of its own, and looks at nobody
/// else's.
pub struct OpenShop {
    /// The shop. Its keys count no more.
    pub shop: Shop,
    /// Its URL.
    pub url: String,
    _running: Running,
}

/// A shop that was filled, for others to be made from.
struct Stocked(Fixture);

/// Held as long as a test uses it: what is static is never dropped, and would leave its database
/// and its process behind.
static OPEN: Mutex<Weak<OpenShop>> = Mutex::const_new(Weak::new());
static STOCKED: Mutex<Weak<Stocked>> = Mutex::const_new(Weak::new());

// === impl Shop ===

impl Shop {
    /// A shop with its shelves full, in which nobody said a word. The model embeds and does
    /// nothing else: `CHAT_GENERATE` and `CHAT_JUDGE` are for those who want it to.
    ///
    /// # Panics
    /// If there is no shared stack, or filling fails.
    pub async fn new() -> Self {
        let mut fixture = Fixture::empty().await;
        let model = ModelFront::open(&fixture.stack.model_base_url());
        let stocked = Stocked::shared(&model).await;
        stocked.copy_to(&fixture).await;
        fixture
            .set("CHROMA_DATABASE", &stocked.0.keys["CHROMA_DATABASE"])
            .set("OPENAI_BASE_URL", model.base_url())
            .set("STARTUP_DEADLINE", "60s")
            .set("CHAT_WARM_UP", "true")
            .set("CHAT_GENERATE", "false")
            .set("CHAT_JUDGE", "false");
        Self {
            fixture,
            model,
            _stocked: stocked,
        }
    }

    /// A shop that is open to other tests, too. Starting a service costs seconds, since it learns
    /// from hundreds of examples.
    ///
    /// # Panics
    /// If there is no shared stack, or filling or starting fails.
    pub async fn shared() -> Arc<OpenShop> {
        let mut known = OPEN.lock().await;
        if let Some(open) = known.upgrade() {
            return open;
        }
        let mut shop = Self::new().await;
        // All come from one address.
        shop.fixture.set("RATE_LIMIT_PER_ADDRESS", "100000");
        let (running, url) = shop.open();
        let open = Arc::new(OpenShop {
            shop,
            url,
            _running: running,
        });
        *known = Arc::downgrade(&open);
        open
    }

    /// Opens, and gives the URL.
    ///
    /// # Panics
    /// If the service does not start.
    pub fn open(&self) -> (Running, String) {
        let running = self.fixture.serve();
        let url = running.ready();
        (running, url)
    }

    /// How many rows a table has; `what` may go on with a condition.
    ///
    /// # Panics
    /// If the database does not answer.
    pub async fn count(&self, what: impl AsRef<str>) -> i64 {
        self.fixture
            .count(&format!("SELECT count(*) FROM {}", what.as_ref()))
            .await
    }

    /// The rows of a query, each as an object.
    ///
    /// # Panics
    /// If it fails.
    pub async fn rows(&self, query: impl AsRef<str>) -> Vec<Value> {
        let client = self.fixture.connect().await;
        let query = format!("SELECT to_jsonb(it) FROM ({}) it", query.as_ref());
        let rows = client.query(&query, &[]).await.expect("the query runs");
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// A number of `/metrics` at this URL, by its name with its labels.
    ///
    /// # Panics
    /// If nobody answers.
    pub async fn metric(&self, name: &str, url: &str) -> Option<f64> {
        let metrics = get_text(&format!("{url}/metrics")).await;
        let mut lines = metrics.lines().filter_map(|line| line.rsplit_once(' '));
        let (_, value) = lines.find(|(known, _)| *known == name)?;
        value.parse().ok()
    }

    /// Empties its Redis database, as one does that lost its memory.
    ///
    /// # Panics
    /// If Redis does not do it.
    pub async fn empty_redis(&self) {
        let (stack, keys) = (&self.fixture.stack, &self.fixture.keys);
        let redis = TcpStream::connect(("127.0.0.1", stack.redis_port())).await;
        let mut redis = redis.expect("a connection");
        let commands = format!(
            "AUTH {}\r\nSELECT {}\r\nFLUSHDB\r\nQUIT\r\n",
            stack.redis_password(),
            keys["REDIS_DB"]
        );
        let sent = redis.write_all(commands.as_bytes()).await;
        sent.expect("it is sent");
        let mut answers = String::new();
        let read = redis.read_to_string(&mut answers).await;
        read.expect("it is answered");
        assert_eq!(answers, "+OK\r\n".repeat(4));
    }
}

// === impl OpenShop ===

impl OpenShop {
    /// A user in a new conversation, whose name no other test may use.
    pub fn customer(&self, user: &str) -> Customer {
        Door::of(&self.url).customer(user)
    }
}

// === impl Stocked ===

impl Stocked {
    async fn shared(model: &ModelFront) -> Arc<Self> {
        let mut known = STOCKED.lock().await;
        if let Some(stocked) = known.upgrade() {
            return stocked;
        }
        let mut fixture = Fixture::migrated().await;
        fixture
            .set("OPENAI_BASE_URL", model.base_url())
            .set("STARTUP_DEADLINE", "60s");
        fixture
            .run(&["seed", "--data", DATA])
            .expect(0, &["products"]);
        fixture
            .run(&["ingest", "--data", DATA])
            .expect(0, &["passages"]);
        let stocked = Arc::new(Self(fixture));
        *known = Arc::downgrade(&stocked);
        stocked
    }

    /// Puts a copy of its database in the place of an empty one.
    async fn copy_to(&self, fixture: &Fixture) {
        let name = |fixture: &Fixture| {
            let url = &fixture.keys["DATABASE_URL"];
            url.rsplit('/').next().unwrap_or_default().to_owned()
        };
        let (from, to) = (name(&self.0), name(fixture));
        let admin = connect(&fixture.stack.postgres_url_admin()).await;
        let admin = admin.expect("a connection");
        for statement in [
            format!("DROP DATABASE \"{to}\""),
            format!("CREATE DATABASE \"{to}\" TEMPLATE \"{from}\""),
        ] {
            admin.execute(&statement, &[]).await.expect("a copy");
        }
    }
}
