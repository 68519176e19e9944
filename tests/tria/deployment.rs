//! Deployments of the whole program on a real container engine, by the command that people use,
//! while others use the service.
//!
//! `cargo xtask test --deploy` prepares what they need: the engine, its images, the built programs
//! and the shared stack, whose model the containers ask.

mod command;
mod docker;
mod make;
mod record;
mod secrets;
mod site;
mod visitors;

use std::{sync::Arc, time::Duration};

use tokio::time::sleep;
use tria_chatbot::schema::LATEST;
use tria_tests::{Door, Post};

use self::{
    command::field,
    make::Make,
    record::{Cost, Record},
    secrets::Spy,
    site::Site,
    visitors::Visitors,
};

/// The phases, as events name them, with the exit code of a deployment that is asked to stop there.
const PHASES: [(&str, i32); 7] = [
    ("preflight", 130),
    ("environment", 130),
    ("backup", 130),
    ("build", 130),
    ("startup", 130),
    ("switch", 130),
    // The traffic is switched already: it goes to its end.
    ("diagnostics", 0),
];

/// How far into a phase it is killed or stopped.
const INTO: Duration = Duration::from_millis(300);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a container engine: `cargo xtask test --deploy`"]
async fn deployment() {
    let site = Arc::new(Site::new().await);
    let mut record = Record::new();
    let secrets = site.secrets();
    let spy = Spy::on(secrets.clone());
    if first(&site, &mut record).await {
        let visitors = Visitors::of(&site.url);
        changes(&site, &mut record, &visitors).await;
        failures(&site, &mut record, &visitors).await;
        interruptions(&site, &mut record, &visitors).await;
        ways_back(&site, &mut record, &visitors).await;
        drop(visitors);
        restored(&site, &mut record, &Visitors::who_look(&site.url)).await;
    }
    for found in spy.found().into_iter().chain(site.leaks(&secrets)) {
        record.wrong(format!("a secret is in: {found}"));
    }
    for left in site.remove().await {
        record.wrong(format!("left behind: {left}"));
    }
    let broken = record.end();
    assert!(broken.is_empty(), "{}", broken.join("\n\n"));
}

/// The image is built from nothing, but for the layers that the engine knows.
async fn first(site: &Arc<Site>, record: &mut Record) -> bool {
    let its = Arc::clone(site);
    let done = record.case(
        "first deployment, real build",
        None,
        Cost::Nothing,
        async move {
            let code = its.deployed(&[]).await.expect(0, &[]);
            its.expect_serving(&its.head()).await;
            its.stock().await;
            code
        },
    );
    done.await
}

async fn changes(site: &Arc<Site>, record: &mut Record, visitors: &Visitors) {
    let its = Arc::clone(site);
    let work = async move {
        let before = its.serving().await;
        its.replace("bin/tria-server/src/main.rs", "//!", "//! Changed.\n//!");
        its.list_migration(&its.add_migration());
        its.commit("One line and a migration");
        its.forbid_migration();
        let ended = its.deployed(&[]).await;
        its.allow_migration();
        assert_eq!(its.serving().await, before);
        assert_eq!(its.running_servers(), [before]);
        assert_eq!(its.migrated(), "0", "what failed is undone in the database");
        ended.expect(15, &["problem", "it is forbidden here"])
    };
    let case = "one line and a migration that fails, real build";
    record.case(case, Some(visitors), Cost::Nothing, work).await;

    let its = Arc::clone(site);
    let work = async move {
        let code = its.deployed(&[]).await.expect(0, &[]);
        its.expect_serving(&its.head()).await;
        assert_eq!(its.migrated(), "1");
        its.keep_what_was_built();
        code
    };
    let case = "again, and its migration succeeds";
    record.case(case, Some(visitors), Cost::Nothing, work).await;

    let its = Arc::clone(site);
    let work = async move {
        its.commit_release(Make::Good);
        its.deployed(&[]).await.expect(0, &[])
    };
    let case = "one line changed, nothing to compile";
    record.case(case, Some(visitors), Cost::Nothing, work).await;

    let its = Arc::clone(site);
    let work = async move {
        let before = its.serving().await;
        let again = its.deployed(&[]).await;
        assert_eq!(its.serving().await, before);
        again.expect(0, &["unchanged"])
    };
    record
        .case("unchanged", Some(visitors), Cost::Nothing, work)
        .await;

    let its = Arc::clone(site);
    let work = async move {
        // The model speaks for a minute, while the traffic goes elsewhere.
        its.speak_for(Duration::from_secs(62));
        its.commit_release(Make::Good);
        let door = Door::of(&its.url);
        let question = "How long can I return unopened packs?";
        let begun = std::time::Instant::now();
        let stream = door.listen(&Post::of("patient", question)).await;
        assert_eq!(stream.status, 200);
        let reading = tokio::spawn(stream.rest());
        let code = its.deployed(&["--quick"]).await.expect(0, &[]);
        its.speak_for(Duration::ZERO);
        let events = reading.await.unwrap();
        assert!(
            begun.elapsed() >= Duration::from_secs(60),
            "{:?}: {events:?}",
            begun.elapsed()
        );
        let last = events.last().unwrap();
        assert_eq!(
            (&last.name[..], &last.data["success"]),
            ("done", &true.into()),
            "{events:?}"
        );
        code
    };
    let case = "a stream of 60 s across the switch";
    record.case(case, Some(visitors), Cost::Nothing, work).await;
}

async fn failures(site: &Arc<Site>, record: &mut Record, visitors: &Visitors) {
    let makes = [
        ("an image that crashes", Make::Crashes, 15),
        ("an image that never becomes healthy", Make::Mute, 15),
        (
            "healthy, but fails the integration tests",
            Make::Differs,
            16,
        ),
    ];
    for (case, make, code) in makes {
        let its = Arc::clone(site);
        let work = async move {
            let before = its.serving().await;
            its.commit_release(make);
            let ended = its.deployed(&["--quick"]).await;
            assert_eq!(its.serving().await, before);
            assert_eq!(its.running_servers(), [before]);
            ended.expect(code, &["problem"])
        };
        record.case(case, Some(visitors), Cost::Nothing, work).await;
    }

    let its = Arc::clone(site);
    let work = async move {
        let before = its.serving().await;
        let file = its.add_migration();
        its.commit_release(Make::Good);
        let ended = its.deployed(&["--quick"]).await;
        std::fs::remove_file(file).unwrap();
        assert_eq!(its.running_servers(), [before]);
        ended.expect(15, &["problem", &format!("and {} is expected", LATEST + 2)])
    };
    let case = "a migration that was not built in";
    record.case(case, Some(visitors), Cost::Nothing, work).await;

    let its = Arc::clone(site);
    let work = async move {
        its.commit_release(Make::Good);
        let before = its.serving().await;
        let right = its.set_key("OPENAI_API_KEY", "sk-wrong-5f1c0b7a9e3d4c2b8a6f");
        let ended = its.deployed(&["--quick"]).await;
        its.set_key("OPENAI_API_KEY", &right);
        assert_eq!(its.running_servers(), [before]);
        ended.expect(15, &["problem"])
    };
    record
        .case("a wrong secret", Some(visitors), Cost::Nothing, work)
        .await;

    let its = Arc::clone(site);
    let work = async move {
        let before = its.serving().await;
        let ended = its.deployed(&["--disk-needed", "1000000000000000"]).await;
        assert_eq!(its.serving().await, before);
        ended.expect(11, &["disk_low"])
    };
    record
        .case(
            "the disk is nearly full",
            Some(visitors),
            Cost::Nothing,
            work,
        )
        .await;
}

async fn interruptions(site: &Arc<Site>, record: &mut Record, visitors: &Visitors) {
    for (phase, _) in PHASES {
        let its = Arc::clone(site);
        let work = async move {
            its.commit_release(Make::Good);
            let mut killed = its.deploy(&["--quick"]);
            killed.until_phase(phase).await;
            sleep(INTO).await;
            killed.signal("KILL");
            assert_eq!(killed.ended().await.code, None);
            let code = its.deployed(&["--quick"]).await.expect(0, &[]);
            its.expect_serving(&its.head()).await;
            code
        };
        let case = format!("kill -9 in {phase}, then again");
        record
            .case(&case, Some(visitors), Cost::Nothing, work)
            .await;
    }
    for (phase, code) in PHASES {
        let its = Arc::clone(site);
        let work = async move {
            let before = its.serving().await;
            its.commit_release(Make::Good);
            let mut stopped = its.deploy(&["--quick"]);
            stopped.until_phase(phase).await;
            stopped.signal("INT");
            let ended = stopped.ended().await;
            let after = its.serving().await;
            assert_eq!(
                after == before,
                code == 130,
                "{before} served, {after} serves"
            );
            assert_eq!(its.running_servers(), [after]);
            ended.expect(code, &[])
        };
        let case = format!("Ctrl-C in {phase}");
        record
            .case(&case, Some(visitors), Cost::Nothing, work)
            .await;
    }
    let its = Arc::clone(site);
    let work = async move {
        its.commit_release(Make::Good);
        let mut one = its.deploy(&["--quick"]);
        one.until_phase("backup").await;
        let other = its.deployed(&["--quick"]).await;
        one.ended().await.expect(0, &[]);
        its.expect_serving(&its.head()).await;
        other.expect(30, &[])
    };
    record
        .case(
            "two at once: the second",
            Some(visitors),
            Cost::Nothing,
            work,
        )
        .await;
}

async fn ways_back(site: &Arc<Site>, record: &mut Record, visitors: &Visitors) {
    let its = Arc::clone(site);
    let work = async move {
        let before = its.serving().await;
        let code = its.done("rollback", &["--yes"]).await.expect(0, &[]);
        let after = its.serving().await;
        assert_ne!(after, before);
        assert_eq!(its.running_servers(), [after]);
        code
    };
    record
        .case("rollback", Some(visitors), Cost::Nothing, work)
        .await;

    let its = Arc::clone(site);
    let work = async move {
        let door = Door::of(&its.url);
        for number in 0..5 {
            let mut customer = door.customer(&format!("buyer-{number}"));
            let said = customer
                .says("5 packs of pizza savers for Napoli Express")
                .await;
            assert_eq!(said.body["intent"], "order_placement", "{}", said.body);
        }
        assert_eq!(its.sql("select count(*) from orders"), "5");
        assert_ne!(its.sql("select count(*) from products"), "0");
        its.done("backup", &[]).await.expect(0, &[])
    };
    record
        .case("backup", Some(visitors), Cost::Nothing, work)
        .await;
}

/// Nobody may write meanwhile, or the rows could not be compared.
async fn restored(site: &Arc<Site>, record: &mut Record, visitors: &Visitors) {
    let its = Arc::clone(site);
    let work = async move {
        its.done("backup", &[]).await.expect(0, &[]);
        let before = its.rows();
        its.sql("drop schema public cascade");
        its.sql("create schema public");
        assert_eq!(its.rows(), "");
        let listed = its.done("restore", &[]).await;
        listed.expect(0, &[]);
        let id = newest(&listed.stdout);
        let code = its.done("restore", &[&id, "--yes"]).await.expect(0, &[]);
        let after = its.rows();
        assert!(before == after, "rows differ:\n{before}\n{after}");
        let mut customer = Door::of(&its.url).customer("buyer-after");
        let said = customer
            .says("5 packs of pizza savers for Napoli Express")
            .await;
        assert_eq!(said.body["intent"], "order_placement");
        assert_eq!(its.sql("select count(*) from orders"), "6");
        code
    };
    let case = "backup, everything dropped, restore";
    record.case(case, Some(visitors), Cost::Outage, work).await;
}

/// The backup that was made last: names of backups are times.
fn newest(stdout: &str) -> String {
    let ids = stdout.lines().filter_map(|line| field(line, "id"));
    ids.max().expect("a backup is listed")
}
