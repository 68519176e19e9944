//! The files in which the kernel tells of itself.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Where those files are: below `/`, or below a folder that is laid out like it.
#[derive(Clone, Debug)]
pub(crate) struct Kernel {
    root: PathBuf,
}

// === impl Kernel ===

impl Kernel {
    pub(crate) fn below(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// An absolute path as the kernel names it, where it is found.
    pub(crate) fn path(&self, absolute: impl AsRef<Path>) -> PathBuf {
        let absolute = absolute.as_ref();
        self.root
            .join(absolute.strip_prefix("/").unwrap_or(absolute))
    }

    pub(crate) fn read(&self, absolute: &str) -> io::Result<String> {
        fs::read_to_string(self.path(absolute))
    }

    /// Total and available memory of the machine, in bytes.
    pub(crate) fn memory(&self) -> Option<(u64, u64)> {
        let told = self.read("/proc/meminfo").ok()?;
        let kibibytes = |key| value_of(&told, key)?.strip_suffix(" kB")?.parse().ok();
        let bytes = |key| kibibytes(key).map(|value: u64| value.saturating_mul(1024));
        Some((bytes("MemTotal:")?, bytes("MemAvailable:")?))
    }

    /// How many tasks ran or wanted to, on average of 1, 5 and 15 minutes.
    pub(crate) fn load_average(&self) -> Option<[f64; 3]> {
        let told = self.read("/proc/loadavg").ok()?;
        let mut words = told.split_whitespace().map(str::parse);
        let mut next = || words.next()?.ok();
        Some([next()?, next()?, next()?])
    }
}

impl Default for Kernel {
    fn default() -> Self {
        Self::below("/")
    }
}

/// The number that is a file's whole content; none where it is `max`, or not there.
pub(crate) fn number(file: &Path) -> Option<u64> {
    fs::read_to_string(file).ok()?.trim().parse().ok()
}

/// What stands after `key` on the line that begins with it.
pub(crate) fn value_of<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let is_apart = |rest: &str| key.ends_with(':') || rest.starts_with([' ', '\t']);
    let mut lines = text.lines().filter_map(|line| line.strip_prefix(key));
    lines.find(|rest| is_apart(rest)).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_not_mistaken_for_one_that_it_begins() {
        let told = "inactive_file_x 1\ninactive_file 20\nVmRSS:\t  300 kB\n";
        assert_eq!(value_of(told, "inactive_file"), Some("20"));
        assert_eq!(value_of(told, "VmRSS:"), Some("300 kB"));
        assert_eq!(value_of(told, "active_file"), None);
    }

    #[test]
    fn this_machine_tells_its_memory_and_its_load() {
        let kernel = Kernel::default();
        let (total, available) = kernel.memory().unwrap();
        assert!(total > 1 << 20 && available <= total, "{total} {available}");
        let load = kernel.load_average().unwrap();
        assert!(
            load.iter().all(|of| (0.0..10_000.0).contains(of)),
            "{load:?}"
        );
    }

    #[test]
    fn a_folder_without_the_files_tells_nothing() {
        let kernel = Kernel::below("/nowhere");
        assert_eq!(
            kernel.path("/proc/meminfo"),
            Path::new("/nowhere/proc/meminfo")
        );
        assert_eq!((kernel.memory(), kernel.load_average()), (None, None));
    }
}
