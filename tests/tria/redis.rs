//! Redis, stopped and broken.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    time::Duration,
};

use tria_devstack::{Redis, RedisOptions};
use tria_tests::Fixture;

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopped() {
    let mut redis = Redis::start(RedisOptions::default()).await.unwrap();
    let fixture = Fixture::migrated().await.on_redis(&redis);
    redis.stop().await;
    let ended = fixture.run(&["serve"]);
    ended.expect(
        75,
        &["redis:", "[connect_refused]", "remedy:", "retrying for"],
    );
    assert!(
        ended.elapsed >= 2 * SECOND,
        "it did not wait until the deadline"
    );
    ended.within(4 * SECOND);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_password_and_none() {
    let password = Some("Rk5wNq8zTd2v".to_owned());
    let redis = Redis::start(RedisOptions {
        password,
        ..RedisOptions::default()
    })
    .await
    .unwrap();
    let mut fixture = Fixture::migrated().await.on_redis(&redis);
    let ended = fixture.run(&["serve"]);
    ended.expect(69, &["redis:", "[auth_required]", "REDIS_PASSWORD"]);
    ended.within(SECOND);
    fixture.set("REDIS_PASSWORD", "wrong-Hj4kL9");
    let ended = fixture.run(&["serve"]);
    ended.expect(69, &["redis:", "[auth_failed]", "REDIS_PASSWORD"]);
    ended.within(SECOND);
    assert!(!ended.text().contains("wrong-Hj4kL9"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_that_may_not_set() {
    let config = vec!["user default on nopass ~* +@all -set".to_owned()];
    let redis = Redis::start(RedisOptions {
        config,
        ..RedisOptions::default()
    })
    .await
    .unwrap();
    let ended = Fixture::migrated().await.on_redis(&redis).run(&["serve"]);
    ended.expect(69, &["redis:", "[permission_denied]", "remedy:"]);
    ended.within(SECOND);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn still_loading() {
    let folder = tempfile::tempdir().unwrap();
    let dir = format!("dir \"{}\"", folder.path().display());
    let config = vec![dir.clone()];
    let mut first = Redis::start(RedisOptions {
        config,
        ..RedisOptions::default()
    })
    .await
    .unwrap();
    let value = "x".repeat(600);
    let mut commands: Vec<String> = (0..3000).map(|n| format!("SET key:{n} {value}")).collect();
    commands.push("SAVE".to_owned());
    tell(first.port(), &commands);
    first.stop().await;

    // 5 ms for each of 3,000 keys, and commands are answered in between.
    let slow = [
        "key-load-delay 5000",
        "loading-process-events-interval-bytes 1024",
    ];
    let config = [&dir, slow[0], slow[1]].map(str::to_owned).to_vec();
    let options = RedisOptions {
        config,
        ready_while_loading: true,
        ..RedisOptions::default()
    };
    let redis = Redis::start(options).await.unwrap();
    let mut fixture = Fixture::migrated().await.on_redis(&redis);
    fixture
        .run(&["serve"])
        .expect(75, &["redis:", "[loading]", "remedy:"]);

    // What loads now is there soon: a start that waits succeeds.
    fixture.set("STARTUP_DEADLINE", "60s");
    let running = fixture.serve();
    running.wait_for("⏳ redis:");
    tell(redis.port(), &["CONFIG SET key-load-delay 0".to_owned()]);
    running.ready();
}

/// Sends commands and sees that each is answered well.
fn tell(port: u16, commands: &[String]) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let mut answers = BufReader::new(stream.try_clone().unwrap()).lines();
    for command in commands {
        stream
            .write_all(format!("{command}\r\n").as_bytes())
            .unwrap();
        assert_eq!(answers.next().unwrap().unwrap(), "+OK", "{command}");
    }
}
