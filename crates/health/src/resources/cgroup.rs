//! The control groups that hold this process.

use std::{
    fs,
    path::{Component, Path, PathBuf},
};

use super::kernel::{Kernel, number};

const PROCESS: &str = "/proc/self/cgroup";
const MOUNTS: &str = "/proc/self/mountinfo";

/// Which of the kernel's two interfaces a controller is used through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    V1,
    V2,
}

/// The folders of the groups of one controller that hold this process, from its own outwards to
/// the outermost that can be seen from here. Limits of each hold.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Groups {
    pub(crate) version: Version,
    pub(crate) folders: Vec<PathBuf>,
}

// === impl Groups ===

impl Groups {
    /// The groups of `controller`; none where the process is in none that can be seen.
    pub(crate) fn of(kernel: &Kernel, controller: &str) -> Option<Self> {
        let (version, group) = membership(&kernel.read(PROCESS).ok()?, controller)?;
        let mounts = kernel.read(MOUNTS).ok()?;
        let seen = seen_below(&mounts, version, controller, Path::new(&group))?;
        let folders = seen.iter().map(|folder| kernel.path(folder));
        Some(Self {
            version,
            // A container may be told its host's path, of which it sees the end only.
            folders: folders.filter(|folder| folder.is_dir()).collect(),
        })
    }
}

/// For how many processors' time the tightest quota is; none without a quota.
pub(crate) fn processors(kernel: &Kernel) -> Option<f64> {
    let groups = Groups::of(kernel, "cpu")?;
    let quotas = groups.folders.iter().filter_map(|folder| {
        let (quota, period) = quota(folder, groups.version)?;
        #[expect(
            clippy::cast_precision_loss,
            reason = "both are microseconds of seconds"
        )]
        (period > 0).then(|| quota as f64 / period as f64)
    });
    quotas.min_by(f64::total_cmp)
}

/// Microseconds of work in so many microseconds of time. `max` and `-1` are no numbers here.
fn quota(folder: &Path, version: Version) -> Option<(u64, u64)> {
    match version {
        Version::V1 => {
            let quota = number(&folder.join("cpu.cfs_quota_us"))?;
            Some((quota, number(&folder.join("cpu.cfs_period_us"))?))
        }
        Version::V2 => {
            let told = fs::read_to_string(folder.join("cpu.max")).ok()?;
            let (quota, period) = told.trim().split_once(' ')?;
            Some((quota.parse().ok()?, period.parse().ok()?))
        }
    }
}

/// The group that `/proc/self/cgroup` names. Where both versions are mounted, a controller
/// belongs to one of them.
fn membership(told: &str, controller: &str) -> Option<(Version, String)> {
    let mut unified = None;
    for line in told.lines() {
        let mut fields = line.splitn(3, ':');
        let (Some(number), Some(list), Some(path)) = (fields.next(), fields.next(), fields.next())
        else {
            continue;
        };
        if list.split(',').any(|of| of == controller) {
            return Some((Version::V1, path.to_owned()));
        }
        if number == "0" && list.is_empty() {
            unified = Some((Version::V2, path.to_owned()));
        }
    }
    unified
}

/// The folders of `group` and of those around it, by the table of mounts.
fn seen_below(
    mounts: &str,
    version: Version,
    controller: &str,
    group: &Path,
) -> Option<Vec<PathBuf>> {
    let mut outermost = None;
    for (root, point) in mounts
        .lines()
        .filter_map(|line| mounted(line, version, controller))
    {
        // A bind mount shows a part of the tree, and the group is named from the tree's root.
        let inner = group.strip_prefix(root).ok().filter(|inner| {
            let mut parts = inner.components();
            parts.all(|part| matches!(part, Component::Normal(_)))
        });
        if let Some(inner) = inner {
            let all = inner.ancestors().map(|inner| Path::new(point).join(inner));
            return Some(all.collect());
        }
        outermost.get_or_insert(point);
    }
    // The group lies outside of what is mounted; what is mounted still limits it.
    Some(vec![PathBuf::from(outermost?)])
}

/// Root and mount point of a line of `/proc/self/mountinfo` that mounts the controller.
fn mounted<'a>(line: &'a str, version: Version, controller: &str) -> Option<(&'a str, &'a str)> {
    let (mount, system) = line.split_once(" - ")?;
    let mut mount = mount.split(' ').skip(3);
    let (root, point) = (mount.next()?, mount.next()?);
    let mut system = system.split(' ');
    let (kind, options) = (system.next()?, system.nth(1)?);
    let serves = match version {
        Version::V1 => kind == "cgroup" && options.split(',').any(|option| option == controller),
        Version::V2 => kind == "cgroup2",
    };
    serves.then_some((root, point))
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIFIED: &str = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n";
    const SPLIT: &str = "\
        32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n\
        35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
        41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";

    #[test]
    fn a_controller_belongs_to_one_version() {
        let hybrid = "4:memory:/a\n2:cpu,cpuacct:/b:c\n1:name=systemd:/d\n0::/e\n";
        for (controller, expected) in [
            ("memory", (Version::V1, "/a")),
            ("cpu", (Version::V1, "/b:c")),
            ("pids", (Version::V2, "/e")),
        ] {
            let (version, path) = membership(hybrid, controller).unwrap();
            assert_eq!((version, &*path), expected, "{controller}");
        }
        assert_eq!(membership("4:memory:/a\n", "cpu"), None);
        assert_eq!(membership("nonsense\n", "cpu"), None);
    }

    #[test]
    fn every_group_around_the_process_is_seen() {
        let v1 = |root: &str| {
            format!(
                "35 31 0:32 {root} /sys/fs/cgroup/memory ro master:9 - cgroup cgroup rw,memory\n"
            )
        };
        let (v1_docker, v1_outside) = (v1("/docker/abc"), v1("/.."));
        let table: [(&str, Version, &str, &[&str]); 8] = [
            (
                UNIFIED,
                Version::V2,
                "/a.slice/b.scope",
                &["/a.slice/b.scope", "/a.slice", ""],
            ),
            // A container with a cgroup namespace of its own.
            (UNIFIED, Version::V2, "/", &[""]),
            (
                SPLIT,
                Version::V1,
                "/a/b",
                &["/memory/a/b", "/memory/a", "/memory"],
            ),
            // A container that is told its host's path, and sees its own part only.
            (&v1_docker, Version::V1, "/docker/abc", &["/memory"]),
            (
                &v1_docker,
                Version::V1,
                "/docker/abc/inner",
                &["/memory/inner", "/memory"],
            ),
            (&v1_docker, Version::V1, "/elsewhere", &["/memory"]),
            // A mount that was made outside of the process's namespace of groups.
            (&v1_outside, Version::V1, "/../x", &["/memory/x", "/memory"]),
            (&v1_outside, Version::V1, "/", &["/memory"]),
        ];
        for (mounts, version, group, expected) in table {
            let seen = seen_below(mounts, version, "memory", Path::new(group)).unwrap();
            let shown: Vec<String> = seen
                .iter()
                .map(|folder| folder.display().to_string())
                .collect();
            let expected: Vec<String> = expected
                .iter()
                .map(|end| format!("/sys/fs/cgroup{end}"))
                .collect();
            let shown: Vec<&str> = shown.iter().map(|it| it.trim_end_matches('/')).collect();
            assert_eq!(shown, expected, "{group}");
        }
        assert_eq!(seen_below(SPLIT, Version::V1, "pids", Path::new("/")), None);
    }

    #[test]
    fn this_process_is_in_groups_that_are_there() {
        let Some(groups) = Groups::of(&Kernel::default(), "memory") else {
            return;
        };
        assert!(!groups.folders.is_empty(), "{groups:?}");
    }
}
