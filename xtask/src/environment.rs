//! The environment, read in one place.
#![expect(clippy::disallowed_methods, reason = "this is the place")]

use std::{collections::BTreeMap, env, ffi::OsString};

use tria_devstack::ENVIRONMENT_KEYS;

/// The keys of the service that are set already, also as `<KEY>_FILE`.
pub(crate) fn service_keys() -> BTreeMap<String, String> {
    let keys = ENVIRONMENT_KEYS
        .iter()
        .flat_map(|key| [(*key).to_owned(), format!("{key}_FILE")]);
    // An empty value is what a shell leaves of a key that was meant to be unset.
    keys.filter_map(|key| Some((env::var(&key).ok().filter(|value| !value.is_empty())?, key)))
        .map(|(value, key)| (key, value))
        .collect()
}

/// The port the service should listen on, if one is asked for.
pub(crate) fn port() -> Option<String> {
    env::var("PORT").ok()
}

/// The cargo that runs us.
pub(crate) fn cargo() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// Where cargo puts what it builds, if that is not the usual place.
pub(crate) fn target_folder() -> Option<OsString> {
    env::var_os("CARGO_TARGET_DIR")
}
