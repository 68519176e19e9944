//! Every crate is called after its folder and takes the workspace's lints.

use std::path::Path;

use super::{Breach, imports::Metadata, text};

pub(super) fn check(root: &Path, metadata: &Metadata) -> Vec<Breach> {
    let manifests = metadata.packages.iter().map(|package| {
        let path = package
            .manifest_path
            .strip_prefix(root)
            .unwrap_or(&package.manifest_path);
        (path.to_owned(), package.name.as_str())
    });
    manifests
        .flat_map(|(path, name)| check_one(&path, name, &text(root, &path)))
        .collect()
}

fn check_one(path: &Path, name: &str, manifest: &str) -> Vec<Breach> {
    let mut breaches = Vec::new();
    let mut breach = |line, what: String, remedy| {
        breaches.push(Breach {
            file: path.to_owned(),
            line,
            what,
            remedy,
        });
    };
    let folder = path.parent().map(Path::to_owned).unwrap_or_default();
    let wanted = wanted_name(&folder);
    if wanted.as_deref().is_some_and(|wanted| wanted != name) {
        let line = manifest
            .lines()
            .position(|line| line.starts_with("name"))
            .unwrap_or(0)
            + 1;
        let what = format!("{name} is in the folder {}", folder.display());
        breach(line, what, "call the package `tria-` and its folder's name");
    }
    let lints = manifest.lines().position(|line| line.trim() == "[lints]");
    let inherited = manifest
        .lines()
        .skip(lints.map_or(usize::MAX, |index| index + 1));
    let inherited = inherited
        .take_while(|line| !line.starts_with('['))
        .any(|line| line.replace(' ', "") == "workspace=true");
    if !inherited {
        let line = lints.map_or_else(|| manifest.lines().count(), |index| index + 1);
        breach(
            line,
            format!("{name} does not take the workspace's lints"),
            "add `[lints]` with `workspace = true`",
        );
    }
    breaches
}

fn wanted_name(folder: &Path) -> Option<String> {
    let name = folder.file_name()?.to_str()?;
    match folder.parent()?.to_str()? {
        "crates" => Some(format!("tria-{name}")),
        "bin" => Some(name.to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(path: &str, name: &str, manifest: &str) -> Vec<(usize, String)> {
        let breaches = check_one(Path::new(path), name, manifest);
        breaches
            .into_iter()
            .map(|breach| (breach.line, breach.what))
            .collect()
    }

    #[test]
    fn lints_must_come_from_the_workspace() {
        let good = "[package]\nname = \"tria-check\"\n\n[lints]\nworkspace = true\n";
        assert_eq!(told("crates/check/Cargo.toml", "tria-check", good), []);
        let own = "[package]\nname = \"tria-check\"\n\n[lints]\nrust.unsafe_code = \"allow\"\n\n[x]\nworkspace = true\n";
        let what = "tria-check does not take the workspace's lints".to_owned();
        assert_eq!(
            told("crates/check/Cargo.toml", "tria-check", own),
            [(4, what.clone())]
        );
        let none = "[package]\nname = \"tria-check\"\n";
        assert_eq!(
            told("crates/check/Cargo.toml", "tria-check", none),
            [(2, what)]
        );
    }

    #[test]
    fn a_package_is_called_after_its_folder() {
        let manifest = "[package]\nname = \"tria-checks\"\n[lints]\nworkspace = true\n";
        let told = told("crates/check/Cargo.toml", "tria-checks", manifest);
        assert_eq!(
            told,
            [(2, "tria-checks is in the folder crates/check".to_owned())]
        );
    }
}
