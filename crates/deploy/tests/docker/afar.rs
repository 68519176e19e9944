//! The same deployments to the engine of another machine, which is this one behind an ssh server.

use std::{path::Path, sync::Arc, time::Duration};

use tokio::time::{Instant, timeout};
use tria_deploy::{
    Outcome, Phase, deploy,
    engine::Engine,
    remote::{Remote, RemoteEngine},
    rollback,
};

use crate::{
    rig::{Rig, SENTINEL, Standing, docker, socket},
    sshd::Sshd,
};

/// Nothing here takes so long, however loaded the machine is.
const HANG: Duration = Duration::from_secs(300);

/// What a process that deploys begins with.
async fn ground(rig: &Rig, sshd: &Sshd) -> Standing {
    let options = sshd.options(Path::new(&socket()));
    let remote = Remote::connect(&sshd.url(), &options).await.unwrap();
    let engine = RemoteEngine::connect(&remote, rig.project()).await.unwrap();
    let store = remote.store(rig.state().to_str().unwrap()).await.unwrap();
    rig.standing(
        engine.docker(),
        Arc::new(engine.clone()),
        Arc::new(remote.clone()),
        Arc::new(store),
        Arc::new(remote.clock()),
    )
}

async fn deploy_from_afar(rig: &Rig, sshd: &Sshd, tree: &str) -> Outcome {
    let desired = rig.desired(tree);
    let ground = ground(rig, sshd).await;
    ground
        .run(async |ground| deploy(ground, &desired).await)
        .await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a container engine and an ssh server"]
async fn a_command_takes_one_connection() {
    let (rig, sshd) = (Rig::new("afar").await, Sshd::start());

    let started = Instant::now();
    let outcome = deploy_from_afar(&rig, &sshd, "one").await;
    assert_eq!(
        outcome,
        Outcome::Done { release: Some(1) },
        "{}",
        rig.told()
    );
    println!("first: {:?}", started.elapsed());
    assert_eq!(sshd.connections(), 1);
    let visitors = rig.visitors();

    let started = Instant::now();
    assert_eq!(
        deploy_from_afar(&rig, &sshd, "one").await,
        Outcome::Unchanged
    );
    println!("unchanged: {:?}", started.elapsed());
    assert_eq!(sshd.connections(), 2);

    let started = Instant::now();
    let outcome = deploy_from_afar(&rig, &sshd, "two").await;
    assert_eq!(
        outcome,
        Outcome::Done { release: Some(2) },
        "{}",
        rig.told()
    );
    println!("second: {:?}", started.elapsed());
    assert_eq!(sshd.connections(), 3);

    let desired = rig.desired("two");
    let back = ground(&rig, &sshd).await;
    let outcome = back
        .run(async |ground| rollback(ground, &desired, false).await)
        .await;
    assert_eq!(outcome, Outcome::Done { release: Some(1) });
    assert_eq!(sshd.connections(), 4);

    let (asked, refused) = visitors.count().await;
    println!("{asked} requests, {refused} failed");
    assert!(asked > 100);
    assert_eq!(refused, 0);

    // The machine of the engine needs no folder of ours.
    let proxy = format!("{}-caddy", rig.project());
    let mounts = docker(&[
        "inspect",
        "-f",
        "{{range .Mounts}}{{.Type}} {{end}}",
        &proxy,
    ]);
    assert!(
        mounts.contains("volume") && !mounts.contains("bind"),
        "{mounts}"
    );
    assert!(!sshd.log().contains(SENTINEL));
    rig.assert_no_secret_anywhere().await;
    rig.remove().await;
}

/// The connection ends in each phase, and so does the deployment, by itself and with the reason; the
/// next one goes on from there.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a container engine and an ssh server"]
async fn a_deployment_whose_connection_ends_is_settled_by_the_next() {
    let (rig, sshd) = (Rig::new("cut").await, Sshd::start());
    let outcome = deploy_from_afar(&rig, &sshd, "t0").await;
    assert_eq!(
        outcome,
        Outcome::Done { release: Some(1) },
        "{}",
        rig.told()
    );
    let visitors = rig.visitors();
    for phase in Phase::ALL {
        let tree = format!("t{}", phase.number());
        let deploying = deploy_from_afar(&rig, &sshd, &tree);
        tokio::pin!(deploying);
        tokio::select! {
            outcome = &mut deploying => panic!("before {phase}: {outcome:?}\n{}", rig.told()),
            () = rig.in_the_midst_of(phase) => sshd.cut(),
        }
        let outcome = timeout(HANG, deploying).await.unwrap();
        println!(
            "cut in {phase}: exit {}: {outcome:?}",
            outcome.exit_code().get()
        );
        assert_ne!(outcome.exit_code().get(), 0, "{phase}");
        let told = format!("{outcome:?}");
        assert!(
            told.contains("the connection to the server ended"),
            "{told}"
        );
        rig.forget_lease();
        let outcome = deploy_from_afar(&rig, &sshd, &tree).await;
        println!("then: {outcome:?}");
        assert_eq!(outcome.exit_code().get(), 0, "{phase}: {outcome:?}");
        rig.assert_one_serves(&tree).await;
    }
    assert_eq!(sshd.connections(), 1 + 2 * Phase::ALL.len());
    let (asked, refused) = visitors.count().await;
    println!("{asked} requests, {refused} failed");
    assert_eq!(refused, 0);
    rig.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a container engine and an ssh server"]
async fn the_engine_tells_what_its_own_machine_has() {
    let (rig, sshd) = (Rig::new("facts").await, Sshd::start());
    let remote = Remote::connect(&sshd.url(), &sshd.options(Path::new(&socket()))).await;
    let engine = RemoteEngine::connect(&remote.unwrap(), rig.project())
        .await
        .unwrap();
    let facts = engine.facts().await.unwrap();
    assert!(facts.disk_free_bytes.unwrap() > 0);
    assert_eq!(
        facts.memory_bytes,
        engine.docker().facts().await.unwrap().memory_bytes
    );
    sshd.cut();
    let error = engine.facts().await.unwrap_err();
    println!("{error}: {}", std::error::Error::source(&error).unwrap());
    rig.remove().await;
}
