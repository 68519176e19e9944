//! The clock and a pool, with a real PostgreSQL behind them.

use std::time::{Duration, SystemTime};

use deadpool_postgres::{
    Manager, Pool as Connections, PoolError, Runtime,
    tokio_postgres::{Config, NoTls},
};
use tria_check::{Check, Outcome, Status};
use tria_devstack::{FaultProxy, Mode};
use tria_health::{
    Pool, PoolStatus,
    resources::{ClockCheck, PoolCheck},
};

use crate::{assert_found, number, verified};

async fn connections(port: Option<u16>, max: usize) -> Connections {
    let stack = tria_devstack::shared().await.unwrap();
    let mut config: Config = stack.postgres_url_admin().parse().unwrap();
    if let Some(port) = port {
        let (host, password) = ("127.0.0.1", config.get_password().unwrap().to_owned());
        let (user, database) = (config.get_user().unwrap(), config.get_dbname().unwrap());
        let mut other = Config::new();
        other.host(host).port(port).password(password);
        other.user(user).dbname(database);
        config = other;
    }
    Connections::builder(Manager::new(config, NoTls))
        .max_size(max)
        .runtime(Runtime::Tokio1)
        .build()
        .unwrap()
}

/// As the service asks for it: `ahead` of the server's clock by some seconds.
fn clock(pool: &Connections, ahead: u32) -> ClockCheck {
    let pool = pool.clone();
    ClockCheck::new("PostgreSQL", move || {
        let pool = pool.clone();
        async move {
            let connection = pool.get().await?;
            let asked = format!("SELECT clock_timestamp() - interval '{ahead} s'");
            let told = connection.query_one(&asked, &[]).await?;
            Ok::<SystemTime, PoolError>(told.try_get(0)?)
        }
    })
}

#[tokio::test]
async fn the_clock_is_compared_with_postgresqls() {
    let pool = connections(None, 1).await;
    let outcome = verified(&clock(&pool, 0)).await;
    assert_found(&outcome, Status::Pass, "ok");
    assert!(number(&outcome, "clock_skew_ms").abs() < 1000.0);
    assert_eq!(outcome.observed_value("clock_compared"), Some(&true.into()));
    let table = [
        (10, Status::Warn, "clock_skewed"),
        (100, Status::Fail, "clock_wrong"),
    ];
    for (ahead, status, code) in table {
        let outcome = verified(&clock(&pool, ahead)).await;
        assert_found(&outcome, status, code);
        let told = format!("the clock is {ahead} s ahead of that of PostgreSQL");
        assert_eq!(outcome.text().as_str(), told);
    }
}

#[tokio::test]
async fn postgresqls_absence_is_not_the_clocks_fault() {
    let stack = tria_devstack::shared().await.unwrap();
    let upstream = format!("127.0.0.1:{}", stack.postgres_port());
    let mut proxy = FaultProxy::start(upstream).await.unwrap();
    let pool = connections(Some(proxy.port()), 1).await;
    let check = clock(&pool, 100).configure(|meta| meta.timeout(Duration::from_millis(500)));
    assert_found(&verified(&check).await, Status::Fail, "clock_wrong");
    for mode in [Mode::BlackHole, Mode::Refuse] {
        proxy.set(mode).await;
        let outcome = verified(&check).await;
        assert_found(&outcome, Status::Pass, "ok");
        assert_eq!(
            outcome.observed_value("clock_compared"),
            Some(&false.into())
        );
        assert!(outcome.decisive().get_detail().is_some());
    }
}

#[tokio::test]
async fn a_real_pool_is_busy_while_somebody_waits() {
    let connections = connections(None, 2).await;
    let look = connections.clone();
    let pool = Pool::new("database", move || {
        let status = look.status();
        PoolStatus {
            size: status.size,
            available: status.available,
            waiting: status.waiting,
            max: status.max_size,
        }
    });
    let check = PoolCheck::new("database.pool", pool);
    let seen = async || -> Outcome { verified(&check).await };
    assert_found(&seen().await, Status::Pass, "ok");
    let first = connections.get().await.unwrap();
    let second = connections.get().await.unwrap();
    let outcome = seen().await;
    assert_found(&outcome, Status::Pass, "ok");
    assert_eq!(outcome.observed_value("pool_checked_out"), Some(&2.into()));

    let waiting = tokio::spawn(async move { connections.get().await.map(drop) });
    while seen().await.observed_value("pool_waiting") != Some(&1.into()) {
        tokio::task::yield_now().await;
    }
    assert_found(&seen().await, Status::Warn, "pool_busy");
    drop(first);
    waiting.await.unwrap().unwrap();
    let outcome = seen().await;
    assert_found(&outcome, Status::Pass, "ok");
    assert_eq!(outcome.observed_value("pool_checked_in"), Some(&1.into()));
    assert_eq!(check.meta().name(), "database.pool");
    drop(second);
}
