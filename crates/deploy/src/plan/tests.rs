use std::collections::BTreeMap;

use serde_json::json;

use super::*;
use crate::{
    clock::Timestamp,
    engine::{ContainerSpec, Health, ImageId},
    environment::Environment,
    fingerprint::FingerprintKey,
    migration::Migration,
    release::Release,
};

fn definition() -> Definition {
    let document = json!({
        "name": "tria",
        "services": {
            "caddy": {"image": "caddy:2"},
            "postgres": {"image": "postgres:17"},
            "tria-server": {"image": "tria-server"},
        },
    });
    Definition::from_json(&document.to_string()).unwrap()
}

fn desired(tree: &str, migrations: &[&str]) -> Desired {
    Desired {
        commit: "c0ffee".into(),
        tree: tree.into(),
        uncommitted: Vec::new(),
        migrations: migrations
            .iter()
            .map(|file| Migration::from_file_name(file).unwrap())
            .collect(),
        definition: definition(),
        environment: Environment::default(),
        context: ".".into(),
        dockerfile: "Dockerfile".into(),
        domain: None,
    }
}

fn fingerprint(desired: &Desired) -> Fingerprint {
    let key = FingerprintKey::from_array([1; 32]);
    let server = desired.definition.server().unwrap();
    key.fingerprint(&desired.tree, &desired.environment, server)
}

fn container(name: &str, role: Role, labels: BTreeMap<String, String>) -> Container {
    Container {
        name: name.into(),
        role,
        release: None,
        image: ImageId::new("sha256:1"),
        state: ContainerState::Running,
        health: Health::Healthy,
        restarts: 0,
        labels,
    }
}

/// A deployed state of `desired`, and what is seen of it.
fn deployed(desired: &Desired) -> (State, Observed) {
    let release = Release {
        number: 4,
        fingerprint: fingerprint(desired),
        commit: desired.commit.clone(),
        image: ImageId::new("sha256:1"),
        container: ContainerSpec {
            name: "tria-server-4".into(),
            ..ContainerSpec::default()
        },
        secrets_volume: "tria-secrets-4".into(),
        migrations: desired.migrations.clone(),
        backup: None,
        at: Timestamp::default(),
    };
    let state = State {
        last_number: 4,
        current: Some(release),
        ..State::default()
    };
    let labels = |service| {
        let hash = desired.definition.hash_of(service);
        BTreeMap::from([(DEFINITION_LABEL.to_owned(), hash)])
    };
    let observed = Observed {
        containers: vec![
            container("tria-server-4", Role::Server, BTreeMap::new()),
            container("tria-caddy", Role::Backing, labels("caddy")),
            container("tria-postgres", Role::Backing, labels("postgres")),
        ],
        target: Some("tria-server-4".into()),
        unfinished: false,
    };
    (state, observed)
}

fn planned(desired: &Desired, state: &State, observed: &Observed) -> Plan {
    Plan::make(desired, &fingerprint(desired), state, observed)
}

#[test]
fn what_is_as_it_should_be_is_left_alone() {
    let desired = desired("t1", &["V1__expand_a.sql"]);
    let (state, observed) = deployed(&desired);
    let plan = planned(&desired, &state, &observed);
    assert!(plan.is_unchanged());
    assert_eq!(plan.warnings, [""; 0]);
}

#[test]
fn the_first_deployment_makes_everything() {
    let plan = planned(
        &desired("t1", &["V1__expand_a.sql"]),
        &State::default(),
        &Observed::default(),
    );
    assert_eq!(plan.changes, ["nothing is deployed yet"]);
    assert_eq!(plan.services, ["caddy is created", "postgres is created"]);
    assert_eq!(plan.migrations, ["1 expand_a"]);
    assert_eq!((plan.number, plan.downtime_ms), (1, 0));
}

#[test]
fn another_tree_is_another_release_with_its_migrations() {
    let before = desired("t1", &["V1__expand_a.sql"]);
    let (state, observed) = deployed(&before);
    let after = desired("t2", &["V1__expand_a.sql", "V2__contract_b.sql"]);
    let plan = planned(&after, &state, &observed);
    assert_eq!(plan.changes, ["the source changed from t1 to t2"]);
    assert_eq!(plan.migrations, ["2 contract_b"]);
    assert_eq!(plan.contracting, plan.migrations);
    assert_eq!(plan.number, 5);
}

#[test]
fn what_is_seen_counts_more_than_what_is_remembered() {
    let desired = desired("t1", &[]);
    let (state, observed) = deployed(&desired);
    let told = |change: &dyn Fn(&mut Observed)| {
        let mut observed = observed.clone();
        change(&mut observed);
        planned(&desired, &state, &observed).changes
    };
    assert_eq!(
        told(&|seen| seen.containers[0].health = Health::Unhealthy),
        ["tria-server-4 is not healthy"]
    );
    assert_eq!(
        told(&|seen| drop(seen.containers.remove(0))),
        ["tria-server-4 is gone"]
    );
    assert_eq!(
        told(&|seen| seen.target = None),
        ["the traffic goes to another container"]
    );
    assert_eq!(
        told(&|seen| seen.containers[0].image = ImageId::new("sha256:2")),
        ["tria-server-4 runs 2 and not 1"]
    );
}

#[test]
fn a_degraded_release_is_made_anew() {
    let desired = desired("t1", &[]);
    let (mut state, observed) = deployed(&desired);
    state.degraded = Some("tests failed".into());
    let plan = planned(&desired, &state, &observed);
    assert_eq!(plan.changes, ["release 4 is degraded: tests failed"]);
}

#[test]
fn a_stopped_service_is_started_and_a_changed_one_left_alone() {
    let desired = desired("t1", &[]);
    let (state, mut observed) = deployed(&desired);
    observed.containers[2].state = ContainerState::Exited(0);
    observed.containers[1].labels.clear();
    let plan = planned(&desired, &state, &observed);
    assert_eq!(plan.services, ["postgres is started"]);
    assert!(plan.warnings[0].starts_with("the definition of caddy changed"));
}
