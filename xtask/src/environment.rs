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

/// Whether somebody has said if the model judges messages.
pub(crate) fn has_chat_judge() -> bool {
    env::var_os("CHAT_JUDGE").is_some_and(|value| !value.is_empty())
}

/// The cargo that runs us.
pub(crate) fn cargo() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// The keys that cargo set for us as the program it runs. Whoever hands them on to another cargo
/// makes build scripts that look at them run again, and half of the dependencies be compiled anew.
pub(crate) fn of_our_own_run() -> Vec<String> {
    const BEGINNINGS: [&str; 5] = [
        "CARGO_PKG_",
        "CARGO_MANIFEST_",
        "CARGO_BIN_",
        "CARGO_CRATE_",
        "CARGO_PRIMARY_",
    ];
    let keys = env::vars_os().filter_map(|(key, _)| key.into_string().ok());
    keys.filter(|key| {
        BEGINNINGS
            .iter()
            .any(|beginning| key.starts_with(beginning))
    })
    .collect()
}

/// Where cargo puts what it builds, if that is not the usual place.
pub(crate) fn target_folder() -> Option<OsString> {
    env::var_os("CARGO_TARGET_DIR")
}
