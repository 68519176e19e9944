//! Control groups of the first version, made for one test.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// A group below the one that this process is in. Dropping it removes it.
pub(crate) struct Group {
    folder: PathBuf,
}

impl Group {
    /// None where the controller is not of the first version here, or we may not make groups.
    pub(crate) fn below_our_own(controller: &str) -> Option<Self> {
        let folder = own(controller)?.join(format!("tria-health-{}", std::process::id()));
        fs::create_dir(&folder).ok()?;
        Some(Self { folder })
    }

    /// Whether the kernel took it.
    pub(crate) fn set(&self, file: &str, value: u64) -> bool {
        fs::write(self.folder.join(file), value.to_string()).is_ok()
    }

    /// What a shell does to go into the group.
    pub(crate) fn enter(&self) -> String {
        format!("echo $$ > {}", self.folder.join("cgroup.procs").display())
    }
}

/// A number of the group that this process is in.
pub(crate) fn number_of_our_own(controller: &str, file: &str) -> u64 {
    let told = fs::read_to_string(own(controller).unwrap().join(file)).unwrap();
    told.trim().parse().unwrap()
}

fn own(controller: &str) -> Option<PathBuf> {
    let told = fs::read_to_string("/proc/self/cgroup").ok()?;
    let own = told.lines().find_map(|line| {
        let (_, rest) = line.split_once(':')?;
        let (list, path) = rest.split_once(':')?;
        list.split(',').any(|of| of == controller).then_some(path)
    })?;
    let mount = Path::new("/sys/fs/cgroup").join(controller);
    Some(mount.join(own.trim_start_matches('/')))
}

impl Drop for Group {
    fn drop(&mut self) {
        // The kernel takes a moment to forget who was in it.
        for _ in 0..200 {
            if fs::remove_dir(&self.folder).is_ok() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }
}
