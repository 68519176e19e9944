//! A sentinel secret is searched for where it must not be.

use tria_deploy::{
    Options, Stop,
    event::{JsonLines, Observer},
    plan,
};

use crate::{
    harness::{Collector, SENTINEL, deploy_with, deployed, desired},
    memory::{Behaviour, Memory},
};

fn assert_clean(memory: &Memory, events: &Collector) {
    let mut bytes = Vec::new();
    for event in events.events.lock().unwrap().iter() {
        JsonLines::new(&mut bytes).event(event);
    }
    let lines = String::from_utf8(bytes).unwrap();
    assert!(!lines.contains(SENTINEL), "an event tells it: {lines}");
    let inner = memory.lock();
    for (name, bytes) in &inner.documents {
        let text = String::from_utf8_lossy(bytes);
        assert!(!text.contains(SENTINEL), "{name} holds it: {text}");
    }
    // What `docker inspect` would show.
    for container in inner.containers.values() {
        let inspected = format!("{:?}", container.spec);
        assert!(!inspected.contains(SENTINEL), "{inspected}");
    }
    let volumes = format!("{:?}", inner.volumes);
    assert!(volumes.contains(SENTINEL), "it was not handed out at all");
}

#[tokio::test(start_paused = true)]
async fn it_is_in_no_event_document_or_container() {
    let behaviours = [
        Behaviour::Good,
        Behaviour::Crashes,
        Behaviour::NeverHealthy,
        Behaviour::MigrationFails,
        Behaviour::FailsTests,
        Behaviour::FailsBehindTheDoor,
    ];
    for behaviour in behaviours {
        let memory = deployed(&["t1"]).await;
        memory.lock().behaviours.insert("t2".into(), behaviour);
        let collector = Collector::default();
        let next = desired("t2");
        deploy_with(
            &memory,
            &next,
            &Options::default(),
            &Stop::new(),
            &collector,
        )
        .await;
        assert_clean(&memory, &collector);
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_in_no_plan_nor_shown_by_debug() {
    let memory = deployed(&["t1"]).await;
    let next = desired("t2");
    let planned = plan(&memory.world(), &next).await.unwrap();
    let shown = format!("{planned:?} {next:?}");
    assert!(!shown.contains(SENTINEL), "{shown}");
}
