//! A Redis that is broken itself.

use std::{fs, path::Path, time::Duration};

use tempfile::TempDir;
use tokio::time::sleep;
use tria_devstack::{Redis, RedisOptions};
use tria_tests::{ClosedPort, Dependency::Redis as REDIS, Fixture, RedisAdmin};

use super::{
    bounds::Manner::{Loud, Silent},
    table::Row,
    trial::{Case, Trial, outlives_a_rotation, paused, restarted},
    watched::{Watched, migrate},
};

const PASSWORD: &str = "Rk5wNq8zTd2v";

/// What Redis calls its dump here.
const DUMP: &str = "dump.rdb";

/// A service on a Redis of its own, with an own connection to the latter.
struct Rig {
    watched: Watched,
    redis: Redis,
    admin: RedisAdmin,
    /// Where Redis writes its dump.
    folder: TempDir,
    _fixture: Fixture,
}

// === impl Rig ===

impl Rig {
    async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let options = RedisOptions {
            password: Some(PASSWORD.to_owned()),
            config: vec![
                format!("dir \"{}\"", folder.path().display()),
                format!("dbfilename {DUMP}"),
            ],
            ..RedisOptions::default()
        };
        let redis = Redis::start(options).await.expect("a Redis");
        let mut fixture = Fixture::empty().await.on_redis(&redis);
        fixture.set("REDIS_PASSWORD", PASSWORD);
        migrate(&mut fixture).await;
        let watched = Watched::start(&mut fixture).await;
        let admin = RedisAdmin::of(&redis, PASSWORD).await;
        Self {
            watched,
            redis,
            admin,
            folder,
            _fixture: fixture,
        }
    }

    /// A row of what some commands break and others mend.
    async fn row(
        &mut self,
        fault: &str,
        code: &'static [&'static str],
        commands: [&str; 2],
    ) -> Row {
        let mut trial = Trial::begin(&self.watched, Case::of(REDIS, fault, Loud, code));
        self.admin.tell(commands[0]).await;
        trial.shows().await;
        self.admin.tell(commands[1]).await;
        trial.mended();
        trial.recovers().await;
        trial.end().await
    }
}

/// Saves in the background, and waits until that has ended as it should.
async fn save(admin: &mut RedisAdmin, outcome: &str) {
    let begun = admin.ask("BGSAVE").await;
    assert!(begun.starts_with("+Background"), "{begun}");
    let ended = format!("rdb_last_bgsave_status:{outcome}");
    loop {
        let info = admin.ask("INFO persistence").await;
        if info.contains("rdb_bgsave_in_progress:0") && info.contains(&ended) {
            return;
        }
        sleep(Duration::from_millis(10)).await;
    }
}

/// The rows of a Redis that refuses writes.
pub(super) async fn refusing_writes() -> Vec<Row> {
    let mut rig = Rig::start().await;
    let port = ClosedPort::take();
    let replicate = format!("REPLICAOF 127.0.0.1 {}", port.number());
    vec![
        rig.row(
            "out of memory",
            &["out_of_memory"],
            ["CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0"],
        )
        .await,
        rig.row(
            "read-only replica",
            &["read_only"],
            [&replicate, "REPLICAOF NO ONE"],
        )
        .await,
        cannot_save(&mut rig).await,
    ]
}

/// Redis refuses writes while it cannot save, if it is to save at all.
async fn cannot_save(rig: &mut Rig) -> Row {
    let in_the_way = rig.folder.path().join(Path::new(DUMP));
    let case = Case::of(REDIS, "cannot save", Loud, &["persistence_failing"]);
    rig.admin.tell("CONFIG SET save \"3600 1\"").await;
    let mut trial = Trial::begin(&rig.watched, case);
    // A dump cannot take the place of a folder, not even root's.
    fs::create_dir(&in_the_way).expect("a folder in the way");
    save(&mut rig.admin, "err").await;
    trial.shows().await;
    fs::remove_dir(&in_the_way).expect("it is removed");
    save(&mut rig.admin, "ok").await;
    trial.mended();
    trial.recovers().await;
    trial.end().await
}

/// The rows of a Redis that hangs or is started anew.
pub(super) async fn on_its_own() -> Vec<Row> {
    let mut rig = Rig::start().await;
    let rotated = rotated(&mut rig).await;
    let silence = &["connect_timeout", "response_timeout"];
    let case = Case::of(REDIS, "paused", Silent, silence);
    let paused = paused(&rig.watched, case, &rig.redis).await;
    let codes = &["connect_refused", "connection_closed", "loading"];
    let case = Case::of(REDIS, "restarted", Loud, codes);
    let restarted = restarted(&rig.watched, case, &mut rig.redis).await;
    vec![rotated, paused, restarted]
}

async fn rotated(rig: &mut Rig) -> Row {
    let set = |password: &str| format!("CONFIG SET requirepass {password}");
    rig.admin.tell(&set("Zk4vQ9tLw2Xs")).await;
    let outlived = outlives_a_rotation(&rig.watched, REDIS).await;
    let case = Case::of(REDIS, "password rotated", Loud, &["auth_failed"]);
    let mut trial = Trial::begin(&rig.watched, case);
    rig.admin.ask("CLIENT KILL TYPE normal SKIPME yes").await;
    trial.shows().await;
    rig.admin.tell(&set(PASSWORD)).await;
    trial.mended();
    trial.recovers().await;
    trial.expects(outlived, "open connections were not left alone");
    trial.end().await
}
