//! Who may import whom.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::Deserialize;

use crate::cargo;

use super::{Breach, text};

/// What `cargo metadata` says about the members.
#[derive(Deserialize)]
pub(crate) struct Metadata {
    pub(crate) packages: Vec<Package>,
}

#[derive(Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) manifest_path: PathBuf,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    /// None: a normal one.
    kind: Option<String>,
}

impl Metadata {
    pub(crate) fn of_workspace() -> Result<Self> {
        let text = cargo::output(&[
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ])?;
        Ok(serde_json::from_str(&text)?)
    }
}

/// What a crate may import of ours.
enum Ours {
    Only(&'static [&'static str]),
    /// Anything but the programs and their tests.
    Libraries,
    Anything,
}

/// Crates from outside that only some of ours may use: what they do belongs there.
const RESERVED: &[(&str, &[&str])] = &[
    (
        "axum",
        &[
            "tria-health",
            "tria-lifecycle",
            "tria-chatbot",
            "tria-server",
            "tria-tests",
        ],
    ),
    ("async-openai", &["tria-llm-check", "tria-chatbot"]),
    ("bollard", &["tria-deploy"]),
];

fn allowed(name: &str) -> Option<Ours> {
    Some(match name {
        "tria-check" | "tria-chroma" => Ours::Only(&[]),
        "tria-vector-check" => Ours::Only(&["tria-check", "tria-chroma"]),
        "tria-lifecycle" | "tria-health" => Ours::Only(&["tria-check"]),
        "tria-orchestrator" => Ours::Only(&["tria-check", "tria-lifecycle"]),
        "tria-chatbot" => Ours::Only(&["tria-chroma"]),
        "tria-deploy" | "tria-devstack" | "xtask" => Ours::Libraries,
        "tria-server" | "tria-tests" => Ours::Anything,
        name if name.ends_with("-check") => Ours::Only(&["tria-check"]),
        _ => return None,
    })
}

pub(super) fn check(root: &Path, metadata: &Metadata) -> Vec<Breach> {
    let is_ours = |name: &str| metadata.packages.iter().any(|package| package.name == name);
    let mut breaches = Vec::new();
    for package in &metadata.packages {
        let manifest = package
            .manifest_path
            .strip_prefix(root)
            .unwrap_or(&package.manifest_path);
        let mut breach = |at: &str, what: String, remedy| {
            let line = line_of(&text(root, manifest), at);
            breaches.push(Breach {
                file: manifest.to_owned(),
                line,
                what,
                remedy,
            });
        };
        let Some(ours) = allowed(&package.name) else {
            let what = format!("no rule says what {} may import", package.name);
            breach(
                "name",
                what,
                "add it to the rules of `cargo xtask tidy` and to ARCHITECTURE.md",
            );
            continue;
        };
        // Tests may use what they need.
        for dependency in package
            .dependencies
            .iter()
            .filter(|found| found.kind.as_deref() != Some("dev"))
        {
            let name = dependency.name.as_str();
            let may = match &ours {
                _ if !is_ours(name) => true,
                Ours::Anything => true,
                Ours::Libraries => !matches!(name, "tria-server" | "tria-tests"),
                Ours::Only(names) => names.contains(&name),
            };
            if !may {
                let what = format!("{} may not import {name}", package.name);
                breach(
                    name,
                    what,
                    "move what it needs into a crate that both may import, or hand it in",
                );
            }
            let homes = RESERVED
                .iter()
                .find(|(reserved, _)| *reserved == name)
                .map(|(_, homes)| *homes);
            if homes.is_some_and(|homes| !homes.contains(&package.name.as_str())) {
                let what = format!("{} may not use {name}", package.name);
                breach(
                    name,
                    what,
                    "leave that to the crates whose concern it is, and hand in what is needed",
                );
            }
        }
    }
    breaches
}

/// The line of a manifest that starts with `key`, as far as it can be told.
fn line_of(manifest: &str, key: &str) -> usize {
    let starts = |line: &str| {
        line.trim_start()
            .strip_prefix(key)
            .is_some_and(|rest| rest.starts_with([' ', '.', '=']))
    };
    manifest
        .lines()
        .position(starts)
        .map_or(1, |index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A package, and its dependencies with their kinds.
    type Described = (
        &'static str,
        &'static [(&'static str, Option<&'static str>)],
    );

    fn metadata(packages: &[Described]) -> Metadata {
        let packages = packages.iter().map(|(name, dependencies)| Package {
            name: (*name).to_owned(),
            manifest_path: format!("/none/{name}/Cargo.toml").into(),
            dependencies: dependencies
                .iter()
                .map(|(name, kind)| Dependency {
                    name: (*name).to_owned(),
                    kind: kind.map(str::to_owned),
                })
                .collect(),
        });
        Metadata {
            packages: packages.collect(),
        }
    }

    fn told(packages: &[Described]) -> Vec<String> {
        check(Path::new("/none"), &metadata(packages))
            .into_iter()
            .map(|breach| breach.what)
            .collect()
    }

    #[test]
    fn what_may_be_imported_is_not_told() {
        let good: &[Described] = &[
            (
                "tria-check",
                &[("tokio", None), ("tria-devstack", Some("dev"))],
            ),
            ("tria-chroma", &[]),
            (
                "tria-db-check",
                &[("tria-check", None), ("tria-devstack", Some("dev"))],
            ),
            (
                "tria-vector-check",
                &[("tria-check", None), ("tria-chroma", None)],
            ),
            ("tria-lifecycle", &[("tria-check", None), ("axum", None)]),
            ("tria-llm-check", &[("async-openai", None)]),
            ("tria-devstack", &[]),
            (
                "tria-server",
                &[
                    ("tria-check", None),
                    ("tria-db-check", None),
                    ("axum", None),
                ],
            ),
            ("tria-tests", &[("tria-devstack", None)]),
        ];
        assert_eq!(told(good), Vec::<String>::new());
    }

    #[test]
    fn every_kind_of_forbidden_import_is_told() {
        let bad: &[Described] = &[
            ("tria-check", &[("tria-chroma", None)]),
            ("tria-chroma", &[("tria-devstack", Some("build"))]),
            (
                "tria-db-check",
                &[("tria-redis-check", None), ("axum", None)],
            ),
            ("tria-redis-check", &[("tria-chroma", None)]),
            ("tria-orchestrator", &[("tria-db-check", None)]),
            ("tria-chatbot", &[("tria-check", None), ("bollard", None)]),
            ("tria-devstack", &[("tria-server", None)]),
            (
                "tria-health",
                &[("async-openai", None), ("tria-lifecycle", None)],
            ),
            ("tria-lifecycle", &[("tria-health", None)]),
            ("tria-server", &[]),
            ("tria-novelty", &[]),
        ];
        assert_eq!(
            told(bad),
            [
                "tria-check may not import tria-chroma",
                "tria-chroma may not import tria-devstack",
                "tria-db-check may not import tria-redis-check",
                "tria-db-check may not use axum",
                "tria-redis-check may not import tria-chroma",
                "tria-orchestrator may not import tria-db-check",
                "tria-chatbot may not import tria-check",
                "tria-chatbot may not use bollard",
                "tria-devstack may not import tria-server",
                "tria-health may not use async-openai",
                "tria-health may not import tria-lifecycle",
                "tria-lifecycle may not import tria-health",
                "no rule says what tria-novelty may import",
            ]
        );
    }

    #[test]
    fn the_line_of_a_dependency_is_found() {
        let manifest = "[package]\nname = \"x\"\n\n[dependencies]\naxum-extra = \"1\"\naxum.workspace = true\n";
        assert_eq!(line_of(manifest, "axum"), 6);
        assert_eq!(line_of(manifest, "name"), 2);
        assert_eq!(line_of(manifest, "tokio"), 1);
    }
}
