//! Folders that are laid out like the kernel's.

use std::{fs, path::Path};

use tempfile::TempDir;

pub(crate) const GIB: u64 = 1 << 30;

/// A folder with `proc` and `sys/fs/cgroup` in it.
pub(crate) struct Tree {
    folder: TempDir,
}

impl Tree {
    /// A machine of so many GiB, in which the process is in no group.
    pub(crate) fn of_machine(total: u64, available: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let kib = |bytes: u64| bytes / 1024;
        Self { folder }.file(
            "proc/meminfo",
            &format!(
                "MemTotal:       {} kB\nMemFree:        12345 kB\nMemAvailable:   {} kB\n",
                kib(total),
                kib(available)
            ),
        )
    }

    /// Puts the process into a group of the second version.
    pub(crate) fn in_v2(self, group: &str) -> Self {
        let mount = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n";
        self.file("proc/self/cgroup", &format!("0::{group}\n"))
            .file("proc/self/mountinfo", mount)
    }

    /// Puts the process into a group of the first version, seen from the root `root`.
    pub(crate) fn in_v1(self, group: &str, root: &str) -> Self {
        let mount = format!(
            "35 31 0:32 {root} /sys/fs/cgroup/memory rw master:9 - cgroup cgroup rw,memory\n\
             41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
        );
        self.file("proc/self/cgroup", &format!("4:memory:{group}\n0::/\n"))
            .file("proc/self/mountinfo", &mount)
    }

    pub(crate) fn file(self, path: &str, content: &str) -> Self {
        let path = self.folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    /// A group with a limit (`max` is one too), what is used, and what of it is idle files.
    pub(crate) fn v2(self, group: &str, limit: &str, used: u64, idle: u64) -> Self {
        let base = format!("sys/fs/cgroup{group}");
        let stat = format!("anon 1\nfile 2\ninactive_anon 3\ninactive_file {idle}\nslab 5\n");
        self.file(&format!("{base}/memory.max"), &format!("{limit}\n"))
            .file(&format!("{base}/memory.current"), &format!("{used}\n"))
            .file(&format!("{base}/memory.stat"), &stat)
    }

    /// The same of the first version.
    pub(crate) fn v1(self, group: &str, limit: &str, used: u64, idle: u64) -> Self {
        let base = format!("sys/fs/cgroup/memory{group}");
        let stat = format!("cache 1\ninactive_file 0\ntotal_cache 2\ntotal_inactive_file {idle}\n");
        let file = |name: &str| format!("{base}/memory.{name}");
        self.file(&file("limit_in_bytes"), &format!("{limit}\n"))
            .file(&file("usage_in_bytes"), &format!("{used}\n"))
            .file(&file("stat"), &stat)
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}
