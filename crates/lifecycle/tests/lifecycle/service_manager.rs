//! What a service manager is told, over a real socket.

use std::{
    ffi::OsString,
    os::{
        linux::net::SocketAddrExt,
        unix::net::{SocketAddr, UnixDatagram},
    },
    time::Duration,
};

use tempfile::TempDir;
use tokio::time::{Instant, sleep};
use tria_check::{Heartbeats, Phase};
use tria_lifecycle::{Hook, HookError, Lifecycle, LifecycleBuilder, RunReport, ServiceManager};

use crate::journal::{Journal, ms};

const SECOND: Duration = Duration::from_secs(1);

/// The manager's side.
struct Manager {
    folder: TempDir,
    socket: UnixDatagram,
}

impl Manager {
    fn listen() -> Self {
        let folder = TempDir::new().unwrap();
        let socket = UnixDatagram::bind(folder.path().join("notify")).unwrap();
        socket.set_nonblocking(true).unwrap();
        Self { folder, socket }
    }

    fn told(&self) -> ServiceManager {
        let path: OsString = self.folder.path().join("notify").into();
        ServiceManager::at(&path).unwrap()
    }

    /// All lines so far, without those of that key.
    fn lines_without(&self, key: &str) -> Vec<String> {
        lines(&self.socket)
            .into_iter()
            .filter(|line| !line.starts_with(key))
            .collect()
    }

    fn lines(&self) -> Vec<String> {
        lines(&self.socket)
    }
}

fn lines(socket: &UnixDatagram) -> Vec<String> {
    let mut lines = Vec::new();
    let mut message = [0; 4096];
    while let Ok(length) = socket.recv(&mut message) {
        let text = str::from_utf8(&message[..length]).unwrap();
        lines.extend(text.lines().map(str::to_owned));
    }
    lines
}

/// Runs it, and asks for a stop after that time.
async fn run(builder: LifecycleBuilder, after: Duration) -> RunReport {
    let lifecycle = builder.build().unwrap();
    let handle = lifecycle.shutdown_handle();
    let run = tokio::spawn(lifecycle.run());
    sleep(after).await;
    handle.shutdown("done");
    run.await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn it_is_told_each_phase_and_for_what_the_process_waits() {
    let (manager, journal) = (Manager::listen(), Journal::open());
    let builder = Lifecycle::builder()
        .hook(journal.hook("database", [], 10, 10))
        .hook(journal.hook("redis", [], 20, 10))
        .hook(journal.hook("http", ["database", "redis"], 10, 10))
        .pre_drain(ms(10))
        .service_manager(manager.told());
    assert!(run(builder, SECOND).await.is_clean());
    let expected = [
        "STATUS=Starting: database, redis",
        "STATUS=Starting: redis",
        "STATUS=Starting: http",
        "READY=1",
        "STATUS=Ready",
        "STOPPING=1",
        "STATUS=Draining (done)",
        "STATUS=Stopping (done): http",
        "STATUS=Stopping (done): database, redis",
        "STOPPING=1",
        "STATUS=Stopped with exit code 0 (done)",
    ];
    let told = manager.lines_without("EXTEND_TIMEOUT_USEC");
    // Steps that end in the same instant may be told one by one.
    let told: Vec<&str> = told
        .iter()
        .map(String::as_str)
        .filter(|line| !["STATUS=Starting", "STATUS=Stopping (done)"].contains(line))
        .filter(|line| *line != "STATUS=Stopping (done): redis")
        .filter(|line| *line != "STATUS=Stopping (done): database")
        .collect();
    assert_eq!(told, expected);
}

#[tokio::test(start_paused = true)]
async fn more_time_is_asked_for_as_long_as_a_start_or_a_stop_goes_on() {
    let (manager, journal) = (Manager::listen(), Journal::open());
    let slow = journal.hook("slow", [], 23_000, 13_000);
    let slow = slow.stop_timeout(20 * SECOND);
    let builder = Lifecycle::builder().hook(slow);
    let ready = async {
        sleep(30 * SECOND).await;
        let asked = manager.lines();
        sleep(60 * SECOND).await;
        (asked, manager.lines())
    };
    let run = run(builder.service_manager(manager.told()), 100 * SECOND);
    let (report, (starting, serving)) = tokio::join!(run, ready);
    assert!(report.is_clean(), "{report:?}");
    let asked = |lines: &[String]| {
        let asked = lines.iter();
        asked
            .filter(|line| *line == "EXTEND_TIMEOUT_USEC=10000000")
            .count()
    };
    // At once, and each time when half of it is over.
    assert!((5..=6).contains(&asked(&starting)), "{starting:#?}");
    assert_eq!(serving, [""; 0]);
    assert!((3..=5).contains(&asked(&manager.lines())));
}

#[tokio::test(start_paused = true)]
async fn it_hears_signs_of_life_only_while_every_task_is_heard_of() {
    let manager = Manager::listen();
    let heartbeats = Heartbeats::default();
    let told = manager.told().watchdog(2 * SECOND, &heartbeats);
    let builder = Lifecycle::builder().service_manager(told.clone());
    let watching = async {
        // Not for long: the socket holds few messages that nobody reads.
        sleep(ms(4_500)).await;
        let well = manager.lines();
        let heartbeat = heartbeats.start("stuck", Duration::ZERO);
        // Heartbeats go by the system's clock.
        while heartbeats.overdue().is_empty() {
            std::thread::yield_now();
        }
        sleep(5 * SECOND).await;
        let missed = manager.lines();
        heartbeat.retire();
        sleep(5 * SECOND).await;
        (well, missed, manager.lines())
    };
    let run = run(builder, 40 * SECOND);
    let (_, (well, missed, again)) = tokio::join!(run, watching);
    let signs = |lines: &[String]| lines.iter().filter(|line| *line == "WATCHDOG=1").count();
    assert_eq!((signs(&well), signs(&missed), signs(&again)), (5, 0, 5));
}

#[tokio::test(start_paused = true)]
async fn a_reload_is_told_while_the_process_serves_and_only_then() {
    let manager = Manager::listen();
    let told = manager.told();
    // A second ready would end the start too early, and be wrong in a stop.
    drop(told.reloading());
    assert_eq!(manager.lines(), [""; 0]);

    let builder = Lifecycle::builder().service_manager(told.clone());
    let reloading = async {
        sleep(SECOND).await;
        manager.lines();
        let reload = told.reloading();
        let begun = manager.lines();
        drop(reload);
        let ended = manager.lines();
        let reload = told.reloading();
        sleep(2 * SECOND).await;
        manager.lines();
        drop(reload);
        (begun, ended, manager.lines())
    };
    let (_, (begun, ended, stopped)) = tokio::join!(run(builder, 2 * SECOND), reloading);
    assert_eq!((&*begun[0], begun.len()), ("RELOADING=1", 3));
    let micros = begun[1].strip_prefix("MONOTONIC_USEC=").unwrap();
    assert!(micros.parse::<u64>().unwrap() > 0);
    assert_eq!(ended, ["READY=1", "STATUS=Ready"]);
    assert_eq!(stopped, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_start_that_fails_is_told() {
    let manager = Manager::listen();
    let refused = async |_| Err(HookError::new("no").with_exit_code(69));
    let report = Lifecycle::builder()
        .hook(Hook::new("broken").on_start(refused))
        .service_manager(manager.told())
        .build()
        .unwrap()
        .run()
        .await;
    assert_eq!(report.phase, Phase::Failed(69));
    let told = manager.lines();
    let last = "STATUS=Failed with exit code 69 (hook `broken` failed to start)";
    assert_eq!(told.last().unwrap(), last);
    assert!(told.contains(&"STOPPING=1".to_owned()), "{told:#?}");
    assert!(!told.contains(&"READY=1".to_owned()), "{told:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_socket_without_a_place_in_the_file_system_is_reached() {
    let name = format!(
        "tria-lifecycle-{}-{}",
        std::process::id(),
        fastrand::u64(..)
    );
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let socket = UnixDatagram::bind_addr(&address).unwrap();
    socket.set_nonblocking(true).unwrap();
    let told = ServiceManager::at(format!("@{name}").as_ref()).unwrap();
    run(Lifecycle::builder().service_manager(told.clone()), SECOND).await;
    let lines = lines(&socket);
    assert!(lines.contains(&"READY=1".to_owned()), "{lines:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_manager_that_does_not_listen_holds_up_nobody() {
    for socket in ["", "notify", "@"] {
        assert!(ServiceManager::at(socket.as_ref()).is_err(), "{socket:?}");
    }
    let manager = Manager::listen();
    let told = manager.told();
    drop(manager);
    let begun = Instant::now();
    let report = run(Lifecycle::builder().service_manager(told.clone()), SECOND).await;
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(begun.elapsed(), SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_manager_that_is_slow_gets_the_news_when_it_has_room() {
    let manager = Manager::listen();
    let crowd = UnixDatagram::unbound().unwrap();
    crowd.set_nonblocking(true).unwrap();
    let path = manager.folder.path().join("notify");
    while crowd.send_to(b"CROWD=1", &path).is_ok() {}
    let builder = Lifecycle::builder().service_manager(manager.told());
    let reading = async {
        sleep(10 * SECOND).await;
        manager.lines();
        sleep(SECOND).await;
        manager.lines()
    };
    let (report, late) = tokio::join!(run(builder, 20 * SECOND), reading);
    assert!(report.is_clean(), "{report:?}");
    assert!(late.contains(&"READY=1".to_owned()), "{late:#?}");
}
