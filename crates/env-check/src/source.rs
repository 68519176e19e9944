//! Where settings come from.

use std::{collections::BTreeMap, fmt, io, path::Path};

type Lookup = Box<dyn Fn(&str) -> Option<String> + Send + Sync>;
type FileReader = Box<dyn Fn(&Path) -> io::Result<String> + Send + Sync>;

/// Where settings come from: a lookup by key, the keys that are set (to tell misspellings), and
/// a reader of the files in which secrets may lie.
///
/// ```
/// use tria_env_check::Source;
/// let source = Source::from_pairs([("SECRET_KEY_FILE", "/run/secrets/key")])
///     .files(|path| std::fs::read_to_string(path));
/// assert_eq!(source.get("SECRET_KEY_FILE").as_deref(), Some("/run/secrets/key"));
/// ```
pub struct Source {
    lookup: Lookup,
    keys: Vec<String>,
    files: Option<FileReader>,
}

// === impl Source ===

impl Source {
    /// A source that asks `lookup` for each key. Misspelt keys are told only once
    /// [`Source::keys`] has named the keys that are set.
    pub fn new(lookup: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self {
            lookup: Box::new(lookup),
            keys: Vec::new(),
            files: None,
        }
    }

    /// A source of these pairs; of two with one key the later counts. All its keys are known.
    pub fn from_pairs<K: Into<String>, V: Into<String>>(
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        let map: BTreeMap<String, String> = pairs
            .into_iter()
            .map(|(key, value)| (key.into(), value.into()))
            .collect();
        let keys: Vec<String> = map.keys().cloned().collect();
        Self::new(move |key| map.get(key).cloned()).keys(keys)
    }

    /// Names the keys that are set.
    pub fn keys<K: Into<String>>(mut self, keys: impl IntoIterator<Item = K>) -> Self {
        self.keys = keys.into_iter().map(Into::into).collect();
        self
    }

    /// Sets what reads the file that a `<KEY>_FILE` names. Its error's kind is reported, never
    /// its text.
    pub fn files(
        mut self,
        reader: impl Fn(&Path) -> io::Result<String> + Send + Sync + 'static,
    ) -> Self {
        self.files = Some(Box::new(reader));
        self
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<String> {
        (self.lookup)(key)
    }

    /// The keys that are known to be set.
    pub fn set_keys(&self) -> &[String] {
        &self.keys
    }

    /// The content of a file.
    ///
    /// # Errors
    /// The reader's own, or `Unsupported` where no reader was given.
    pub(crate) fn read(&self, path: &str) -> io::Result<String> {
        match &self.files {
            Some(reader) => reader(Path::new(path)),
            None => Err(io::ErrorKind::Unsupported.into()),
        }
    }
}

impl fmt::Debug for Source {
    /// Says nothing of the values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source")
            .field("keys", &self.keys.len())
            .field("files", &self.files.is_some())
            .finish_non_exhaustive()
    }
}
