//! The documents name every metric and every alert, as they are.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use super::{
    monitoring::{everything, read, root},
    page::Page,
};

fn document(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap()
}

/// The rows of the tables that have these heads.
fn rows(text: &str, heads: &[&str]) -> Vec<Vec<String>> {
    let cells = |line: &str| -> Option<Vec<String>> {
        let inner = line.strip_prefix('|')?.strip_suffix('|')?;
        Some(inner.split('|').map(|it| it.trim().to_owned()).collect())
    };
    let (mut rows, mut is_inside) = (Vec::new(), false);
    for line in text.lines() {
        match cells(line) {
            None => is_inside = false,
            Some(cells) if cells == heads => is_inside = true,
            Some(cells) if is_inside && !cells[0].starts_with("---") => rows.push(cells),
            Some(_) => {}
        }
    }
    rows
}

/// An alert as `alerts.yml` has it.
struct Alert {
    name: String,
    severity: String,
    runbook: String,
}

fn alerts() -> Vec<Alert> {
    let text = read("alerts.yml");
    let told = |part: &str, key: &str| {
        let mut lines = part.lines().map(str::trim_start);
        let found = lines.find_map(|line| line.strip_prefix(key));
        found
            .unwrap_or_else(|| panic!("no {key} in {part}"))
            .to_owned()
    };
    let parts = text.split("- alert: ").skip(1);
    parts
        .map(|part| {
            for key in ["summary: ", "description: "] {
                assert!(told(part, key).len() > 10);
            }
            Alert {
                name: part.lines().next().unwrap().to_owned(),
                severity: told(part, "severity: "),
                runbook: told(part, "runbook_url: "),
            }
        })
        .collect()
}

/// The part of an address that leads to a heading.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with("##"));
    let anchor = |heading: &str| -> String {
        let title = heading.trim_start_matches('#').trim().to_lowercase();
        let letters = title.chars().filter_map(|letter| match letter {
            ' ' => Some('-'),
            '-' | '_' => Some(letter),
            _ => letter.is_alphanumeric().then_some(letter),
        });
        letters.collect()
    };
    headings.map(anchor).collect()
}

#[tokio::test(start_paused = true)]
async fn every_metric_is_documented_with_its_type_and_labels() {
    let page = Page::read(&everything().await);
    let mut documented = BTreeMap::new();
    for row in rows(
        &document("docs/monitoring.md"),
        &["metric", "type", "labels", "meaning"],
    ) {
        let name = row[0].trim_matches('`').to_owned();
        assert!(row[3].ends_with('.'), "{name}");
        let known = documented.insert(name.clone(), (row[1].clone(), row[2].clone()));
        assert!(known.is_none(), "{name} stands twice");
    }
    let exported = page.kinds.iter().map(|(name, kind)| {
        let of_it = page.samples.iter();
        let of_it = of_it.filter(|sample| page.family_of(&sample.name) == *name);
        let labels: BTreeSet<_> = of_it.flat_map(|sample| sample.labels.keys()).collect();
        let labels: Vec<_> = labels
            .into_iter()
            .filter(|it| *it != "le")
            .cloned()
            .collect();
        (name.clone(), (kind.clone(), labels.join(", ")))
    });
    assert_eq!(documented, exported.collect());
}

#[test]
fn every_alert_is_documented_and_leads_to_what_to_do() {
    let heads = ["alert", "severity", "fires when", "what to do"];
    let rows = rows(&document("docs/monitoring.md"), &heads);
    let anchors = anchors(&document("docs/failures.md"));
    let alerts = alerts();
    assert_eq!(rows.len(), alerts.len());
    for (row, alert) in rows.iter().zip(&alerts) {
        let Alert {
            name,
            severity,
            runbook,
        } = alert;
        assert_eq!((&row[0], &row[1]), (name, severity));
        assert!(["critical", "warning", "info"].contains(&severity.as_str()));
        let (file, anchor) = runbook.split_once('#').unwrap();
        assert_eq!(file, "docs/failures.md");
        assert!(anchors.contains(anchor), "{name}: {runbook} leads nowhere");
        let link = format!("](failures.md#{anchor})");
        assert!(row[3].ends_with(&link), "{name}: {}", row[3]);
    }
}

#[test]
fn every_alert_is_tested_firing_and_silent() {
    let tests = read("alerts_test.yml");
    for Alert { name, .. } in alerts() {
        let mark = format!("alertname: {name}\n");
        let cases: Vec<&str> = tests.split(&mark).skip(1).collect();
        let is_silent = |case: &&str| case.trim_start().starts_with("exp_alerts: []");
        assert!(cases.iter().any(is_silent), "{name} is never silent");
        assert!(!cases.iter().all(is_silent), "{name} never fires");
    }
}
