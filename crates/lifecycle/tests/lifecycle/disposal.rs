//! Transactions of a real pool, in the middle of which the process stops.

use std::time::{Duration, Instant};

use deadpool_postgres::Pool;
use tokio::{runtime::Runtime, sync::oneshot, time::sleep};
use tria_check::{Heartbeats, Phase};
use tria_db_check::pool::{DatabaseUrl, PoolOptions};
use tria_devstack::TestDatabase;
use tria_lifecycle::{
    Disposal, Hook, HookError, Lifecycle, LifecycleBuilder, RunReport, TaskContext, TaskSpec, Tasks,
};

use crate::journal::ms;

/// A database of its own, and a runtime to look at it that outlives the one that is stopped.
struct Rig {
    watching: Runtime,
    database: TestDatabase,
    name: String,
}

/// The pool's sessions, as the server tells them.
const SESSIONS: &str = "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1";

/// The hook that closes a pool, and with it the lifecycle.
fn closing(pool: &Pool) -> LifecycleBuilder {
    let (closed, left) = (pool.clone(), pool.clone());
    let part = Disposal::new().part("main", move || closed.close(), move || left.status().size);
    let hook = Hook::new("pool").stop_timeout(ms(1000));
    Lifecycle::builder().hook(hook.on_stop_dispose(part))
}

impl Rig {
    fn new() -> Self {
        let watching = Runtime::new().unwrap();
        let database = watching.block_on(async {
            let stack = tria_devstack::shared().await.unwrap();
            stack.fresh_database().await.unwrap()
        });
        let name = format!("stopped in {}", database.name());
        let rig = Self {
            watching,
            database,
            name,
        };
        rig.watching.block_on(async {
            let client = rig.pool("setup").get().await.unwrap();
            let create = "CREATE TABLE orders (id int)";
            client.batch_execute(create).await.unwrap();
        });
        rig
    }

    fn pool(&self, application_name: &str) -> Pool {
        let url = DatabaseUrl::parse(&self.database.url().into()).unwrap();
        let options = PoolOptions {
            application_name: Some(application_name.to_owned()),
            ..PoolOptions::default()
        };
        url.pool(&options).unwrap()
    }

    fn count(&self, query: &str, parameters: &[&str]) -> i64 {
        self.watching.block_on(async {
            let client = self.pool("watching").get().await.unwrap();
            let parameters = parameters.iter().map(|it| it as _).collect::<Vec<_>>();
            client.query_one(query, &parameters).await.unwrap().get(0)
        })
    }

    /// Waits until the server has no session of the pool any more.
    fn expect_nothing_open(&self) {
        let begun = Instant::now();
        while self.count(SESSIONS, &[&self.name]) > 0 {
            assert!(begun.elapsed() < Duration::from_secs(10), "it hangs open");
        }
    }
}

/// Runs it in a runtime that ends as that of a process does, and asks for a stop once `go` is
/// told.
fn run_to_the_end(builder: LifecycleBuilder, go: oneshot::Receiver<()>, own: Runtime) -> RunReport {
    let report = own.block_on(async {
        let lifecycle = builder.build().unwrap();
        let handle = lifecycle.shutdown_handle();
        tokio::spawn(async move {
            go.await.unwrap();
            handle.shutdown("done");
        });
        lifecycle.run().await
    });
    own.shutdown_timeout(ms(200));
    report
}

#[test]
fn a_transaction_in_flight_is_committed_before_its_pool_is_stopped() {
    let rig = Rig::new();
    let pool = rig.pool(&rig.name);
    let (begun, go) = oneshot::channel();
    let begun = std::sync::Mutex::new(Some(begun));
    let orders = pool.clone();
    let queue = TaskSpec::new("queue", move |cx: TaskContext| {
        let (orders, begun) = (orders.clone(), begun.lock().unwrap().take());
        async move {
            let mut client = orders.get().await?;
            let order = client.transaction().await?;
            order.batch_execute("INSERT INTO orders VALUES (1)").await?;
            if let Some(begun) = begun {
                let _ = begun.send(());
            }
            cx.cancelled().await;
            sleep(ms(300)).await;
            order.batch_execute("INSERT INTO orders VALUES (2)").await?;
            Ok::<_, HookError>(order.commit().await?)
        }
    });
    let tasks = Tasks::new("workers", &Heartbeats::default()).task(queue);
    let builder = closing(&pool).hook(tasks.into_hook().after(["pool"]));
    let report = run_to_the_end(builder, go, Runtime::new().unwrap());
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(rig.count("SELECT count(*) FROM orders", &[]), 2);
    rig.expect_nothing_open();
}

/// deadpool's `close` returns at once; what is out of the pool stays open.
#[test]
fn a_transaction_that_outlasts_the_stop_is_told_and_rolled_back() {
    for work in ["SELECT 1", "SELECT pg_sleep(600)"] {
        let rig = Rig::new();
        let pool = rig.pool(&rig.name);
        let (begun, go) = oneshot::channel();
        let orders = pool.clone();
        let own = Runtime::new().unwrap();
        // Nobody's task: nothing ends it.
        own.spawn(async move {
            let mut client = orders.get().await.unwrap();
            let order = client.transaction().await.unwrap();
            let insert = "INSERT INTO orders VALUES (1)";
            order.batch_execute(insert).await.unwrap();
            begun.send(()).unwrap();
            order.batch_execute(work).await.unwrap();
            std::future::pending::<()>().await;
        });
        let report = run_to_the_end(closing(&pool), go, own);
        assert_eq!(report.phase, Phase::Stopped(1));
        assert_eq!(report.errors.len(), 1, "{report:?}");
        let told = report.errors[0].detail();
        let expected = "hook `pool` failed to stop: still in use: main (1)";
        assert_eq!(told.expose(), expected);
        rig.expect_nothing_open();
        assert_eq!(rig.count("SELECT count(*) FROM orders", &[]), 0, "{work}");
    }
}
