//! The files in `deploy/monitoring` fit what is exported.

use std::{collections::BTreeSet, fs, path::PathBuf, time::Duration};

use axum::http::Method;
use serde_json::Value;
use tokio::time::advance;
use tria_health::PhaseState;

use super::{
    expressions::{self, Selector},
    page::Page,
    service::Service,
};
use crate::rig::{ask, meta};

/// Labels that Prometheus adds to what it scrapes.
const OF_THE_TARGET: [&str; 2] = ["job", "instance"];

pub(super) fn folder() -> PathBuf {
    root().join("deploy/monitoring")
}

pub(super) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

pub(super) fn read(name: &str) -> String {
    fs::read_to_string(folder().join(name)).unwrap()
}

/// What Prometheus gets of a service in which everything has happened once.
pub(super) async fn everything() -> String {
    let service = Service::of([meta("database"), meta("redis")]);
    service.progress.begin(1);
    advance(Duration::from_secs(1)).await;
    service.progress.end(1, PhaseState::Passed);
    service.run("redis").await;
    let router = service.router.clone();
    let router = router.layer(service.metrics.http_layer());
    ask(&router, Method::GET, "/readyz").await;
    ask(&router, Method::GET, "/metrics").await.text
}

/// The expressions of the alerts.
fn of_alerts() -> Vec<String> {
    let text = read("alerts.yml");
    let mut lines = text.lines().peekable();
    let mut found = Vec::new();
    let depth = |line: &str| line.len() - line.trim_start().len();
    while let Some(line) = lines.next() {
        let Some(told) = line.trim_start().strip_prefix("expr: ") else {
            continue;
        };
        if told != "|" {
            found.push(told.to_owned());
            continue;
        }
        let mut block = Vec::new();
        while let Some(more) = lines.next_if(|more| depth(more) > depth(line)) {
            block.push(more.trim());
        }
        found.push(block.join("\n"));
    }
    found
}

/// The expressions of the dashboard, with its variables filled in.
pub(super) fn of_dashboard() -> Vec<String> {
    fn gather(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                let text = map.get("expr").and_then(Value::as_str);
                found.extend(text.map(str::to_owned));
                map.values().for_each(|value| gather(value, found));
            }
            Value::Array(values) => values.iter().for_each(|value| gather(value, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    gather(&dashboard(), &mut found);
    let fill = |text: &String| {
        [
            ("$__rate_interval", "5m"),
            ("$job", "tria"),
            ("$instance", ".+"),
            ("$probes", "/livez"),
        ]
        .into_iter()
        .fold(text.clone(), |text, (name, value)| {
            text.replace(name, value)
        })
    };
    found.iter().map(fill).collect()
}

fn dashboard() -> Value {
    serde_json::from_str(&read("dashboard.json")).unwrap()
}

fn judge(page: &Page, selector: &Selector, expression: &str) {
    let Selector { metric, matchers } = selector;
    // Prometheus' own.
    if metric == "up" {
        return;
    }
    let labels: BTreeSet<&String> = page
        .samples_of(metric)
        .flat_map(|sample| sample.labels.keys())
        .collect();
    assert!(
        page.samples_of(metric).next().is_some(),
        "nobody exports {metric}: {expression}"
    );
    for (label, sign, value) in matchers {
        if OF_THE_TARGET.contains(&label.as_str()) {
            continue;
        }
        assert!(
            labels.contains(label),
            "{metric} has no {label}: {expression}"
        );
        let found = page.values_of(metric, label);
        assert!(
            !["=", "!="].contains(&sign.as_str()) || found.contains(value),
            "no {metric} has the {label} {value}: {expression}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_alerts_and_the_dashboard_name_is_exported() {
    let page = Page::read(&everything().await);
    let known: BTreeSet<&str> = page
        .samples
        .iter()
        .flat_map(|sample| sample.labels.keys().map(String::as_str))
        .chain(OF_THE_TARGET)
        .collect();
    let (alerts, panels) = (of_alerts(), of_dashboard());
    assert!(alerts.len() >= 14 && panels.len() >= 35);
    let mut used = BTreeSet::new();
    for expression in alerts.iter().chain(&panels) {
        let (selectors, grouped) = expressions::read(expression);
        assert!(!selectors.is_empty(), "{expression}");
        for selector in &selectors {
            judge(&page, selector, expression);
            used.insert(page.family_of(&selector.metric));
        }
        for label in grouped {
            assert!(
                known.contains(label.as_str()),
                "there is no label {label}: {expression}"
            );
        }
    }
    // And what is exported is looked at somewhere.
    used.remove("up");
    assert_eq!(used, page.kinds.into_keys().collect());
}

#[test]
fn the_dashboard_can_be_imported_anywhere() {
    let dashboard = dashboard();
    assert!(dashboard["id"].is_null());
    assert!(dashboard["schemaVersion"].as_u64().unwrap() >= 41);
    let variables = dashboard["templating"]["list"].as_array().unwrap();
    assert_eq!(variables[0]["type"], "datasource");
    assert_eq!(variables[0]["name"], "datasource");
    let panels = dashboard["panels"].as_array().unwrap();
    let mut ids = BTreeSet::new();
    let mut taken: Vec<[u64; 4]> = Vec::new();
    for panel in panels {
        let title = &panel["title"];
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{title}");
        let [x, y, width, height] = ["x", "y", "w", "h"].map(|side| {
            let side = &panel["gridPos"][side];
            side.as_u64().unwrap()
        });
        assert!(width > 0 && x + width <= 24, "{title}");
        let apart = |other: &[u64; 4]| {
            let [ox, oy, ow, oh] = *other;
            ox + ow <= x || x + width <= ox || oy + oh <= y || y + height <= oy
        };
        assert!(taken.iter().all(apart), "{title} lies on another panel");
        taken.push([x, y, width, height]);
        if panel["type"] == "row" {
            continue;
        }
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{title}");
        assert!(panel["description"].as_str().unwrap().ends_with('.'));
        for target in panel["targets"].as_array().unwrap() {
            assert_eq!(target["datasource"]["uid"], "${datasource}", "{title}");
            let expression = target["expr"].as_str().unwrap();
            let (selectors, _) = expressions::read(expression);
            for Selector { metric, matchers } in selectors {
                let names: Vec<_> = matchers.iter().map(|it| it.0.as_str()).collect();
                let fits = names.starts_with(&OF_THE_TARGET);
                assert!(
                    fits,
                    "{metric} of {title} is not that of the chosen replicas"
                );
            }
        }
    }
}
