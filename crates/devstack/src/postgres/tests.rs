use std::{path::Path, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_postgres::{Client, NoTls, error::SqlState};

use super::*;

async fn connect(url: &str) -> std::result::Result<Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

fn exists(pid: u32) -> bool {
    Path::new("/proc").join(pid.to_string()).exists()
}

#[tokio::test]
async fn asks_for_the_password_that_was_set() {
    let postgres = Postgres::start(PostgresOptions {
        password: Some("it's 5 o'clock".into()),
        ..Default::default()
    });
    let postgres = postgres.await.unwrap();
    let config = |password: &str| {
        let mut config = tokio_postgres::Config::new();
        config
            .host("127.0.0.1")
            .port(postgres.port())
            .user(Postgres::USER)
            .dbname("postgres")
            .password(password);
        config
    };
    config("it's 5 o'clock")
        .connect(NoTls)
        .await
        .map(drop)
        .unwrap();
    let usual =
        std::fs::read_to_string(Installation::load().unwrap().postgres.password_file).unwrap();
    for wrong in ["wrong", &usual] {
        let refused = config(wrong).connect(NoTls).await.err().unwrap();
        assert_eq!(refused.code(), Some(&SqlState::INVALID_PASSWORD));
    }
    assert!(!format!("{postgres:?}").contains("clock"));
}

#[tokio::test]
async fn data_survive_a_restart_on_the_same_port_and_nothing_is_left_after_drop() {
    let mut postgres = Postgres::start(PostgresOptions::default()).await.unwrap();
    let url = postgres.create_database("kept").await.unwrap();
    connect(&url)
        .await
        .unwrap()
        .batch_execute("CREATE TABLE boxes (size int); INSERT INTO boxes VALUES (12)")
        .await
        .unwrap();
    let before = postgres.pid().unwrap();

    postgres.stop().await;
    assert!(!exists(before));
    assert!(connect(&url).await.is_err());
    postgres.restart().await.unwrap();

    let client = connect(&url).await.unwrap();
    let size: i32 = client
        .query_one("SELECT size FROM boxes", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(size, 12);
    let backend: i32 = client
        .query_one("SELECT pg_backend_pid()", &[])
        .await
        .unwrap()
        .get(0);
    let (pid, folder) = (
        postgres.pid().unwrap(),
        postgres.log().parent().unwrap().to_owned(),
    );
    drop(postgres);
    assert!(!exists(pid) && !exists(u32::try_from(backend).unwrap()));
    assert!(!folder.exists());
}

#[tokio::test]
async fn a_half_made_data_folder_is_mended_and_a_complete_one_kept() {
    let installation = Installation::load().unwrap();
    let folder = RunFolder::create(&installation.postgres.home.join("run")).unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir_all(data.join("base/1")).unwrap();
    std::fs::create_dir_all(folder.path().join("data.making/global")).unwrap();
    let options = || PostgresOptions {
        data: Some(data.clone()),
        ..Default::default()
    };

    let mut postgres = Postgres::start(options()).await.unwrap();
    postgres.create_database("kept").await.unwrap();
    postgres.stop().await;
    drop(postgres);
    let postgres = Postgres::start(options()).await.unwrap();
    connect(&postgres.url("kept")).await.unwrap();
    drop(postgres);

    std::fs::write(data.join("PG_VERSION"), "9.6\n").unwrap();
    let refused = Postgres::start(options()).await.unwrap_err().to_string();
    assert!(
        refused.contains("9.6") && refused.contains("--reset"),
        "{refused}"
    );
}

#[tokio::test]
async fn data_of_a_killed_server_are_used_again_even_when_nobody_reaps_it() {
    let installation = Installation::load().unwrap();
    let folder = RunFolder::create(&installation.postgres.home.join("run")).unwrap();
    let options = PostgresOptions {
        data: Some(folder.path().join("data")),
        ..Default::default()
    };
    let killed = Postgres::start(options.clone()).await.unwrap();
    killed.create_database("kept").await.unwrap();
    let pid = i32::try_from(killed.pid().unwrap())
        .ok()
        .and_then(rustix::process::Pid::from_raw);
    rustix::process::kill_process(pid.unwrap(), Signal::KILL).unwrap();

    let again = Postgres::start(options).await.unwrap();

    connect(&again.url("kept")).await.unwrap();
    drop(killed);
}

#[tokio::test]
async fn settings_reach_the_server_and_a_bad_one_is_told() {
    let settings = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
    let options = PostgresOptions {
        settings: settings("max_connections", "7"),
        ..Default::default()
    };
    let postgres = Postgres::start(options).await.unwrap();
    let client = connect(&postgres.url("postgres")).await.unwrap();
    let shown: String = client
        .query_one("SHOW max_connections", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(shown, "7");

    let options = PostgresOptions {
        settings: settings("max_connections", "many"),
        ..Default::default()
    };
    let refused = Postgres::start(options).await.unwrap_err().to_string();
    assert!(refused.contains("max_connections"), "{refused}");
}

#[tokio::test]
async fn stays_in_recovery_when_asked() {
    let recovering = |recovery| {
        Postgres::start(PostgresOptions {
            recovery: Some(recovery),
            ..Default::default()
        })
    };
    let (reading, refusing) = tokio::join!(
        recovering(Recovery::ReadOnly),
        recovering(Recovery::NotAccepting)
    );
    let (reading, refusing) = (reading.unwrap(), refusing.unwrap());

    let client = connect(&reading.url("postgres")).await.unwrap();
    let recovers: bool = client
        .query_one("SELECT pg_is_in_recovery()", &[])
        .await
        .unwrap()
        .get(0);
    assert!(recovers);
    let refused = connect(&refusing.url("postgres")).await.err().unwrap();
    assert_eq!(refused.code(), Some(&SqlState::CANNOT_CONNECT_NOW));
}

#[tokio::test]
async fn serves_tls_and_refuses_plain_connections_when_required() {
    if !Installation::load().unwrap().postgres_has_tls() {
        eprintln!("skipped: this PostgreSQL was built without TLS");
        return;
    }
    let issued = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let tls = Tls {
        certificate: issued.cert.pem(),
        key: issued.signing_key.serialize_pem(),
        required: true,
    };
    let postgres = Postgres::start(PostgresOptions {
        tls: Some(tls),
        ..Default::default()
    })
    .await
    .unwrap();

    // The protocol's SSLRequest; S is yes.
    let mut stream = TcpStream::connect(postgres.address()).await.unwrap();
    stream
        .write_all(&[0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f])
        .await
        .unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), b'S');
    let refused = connect(&postgres.url("postgres")).await.err().unwrap();
    assert_eq!(
        refused.code(),
        Some(&SqlState::INVALID_AUTHORIZATION_SPECIFICATION)
    );
}

#[tokio::test]
async fn a_paused_server_hangs_until_it_is_resumed() {
    let postgres = Postgres::start(PostgresOptions::default()).await.unwrap();
    let client = connect(&postgres.url("postgres")).await.unwrap();
    postgres.pause();
    let mut query = std::pin::pin!(client.simple_query("SELECT 1"));
    assert!(
        timeout(Duration::from_millis(100), &mut query)
            .await
            .is_err()
    );
    postgres.resume();
    query.await.unwrap();
    postgres.pause();
    let pid = postgres.pid().unwrap();
    drop(postgres);
    assert!(!exists(pid));
}

#[tokio::test]
async fn a_test_database_goes_with_its_value_even_when_in_use() {
    let postgres = Postgres::start(PostgresOptions::default()).await.unwrap();
    let admin = postgres.url("postgres");
    let database = create_test_database(&admin, |name| postgres.url(name))
        .await
        .unwrap();
    let client = connect(database.url()).await.unwrap();
    client.batch_execute("CREATE TABLE t ()").await.unwrap();
    let other = create_test_database(&admin, |name| postgres.url(name))
        .await
        .unwrap();
    assert_ne!(database.name(), other.name());

    drop(database);
    other.close().await.unwrap();

    let left = connect(&admin)
        .await
        .unwrap()
        .query("SELECT 1 FROM pg_database WHERE datname LIKE 'test_%'", &[])
        .await;
    assert_eq!(left.unwrap().len(), 0);
}
