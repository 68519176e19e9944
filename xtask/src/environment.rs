//! The environment, read in one place.
#![expect(clippy::disallowed_methods, reason = "this is the place")]

use std::{collections::BTreeMap, env, ffi::OsString, path::PathBuf};

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

/// A key of the API that is set already.
pub(crate) fn openai_api_key() -> Option<String> {
    env::var("OPENAI_API_KEY")
        .ok()
        .filter(|key| !key.is_empty())
}

/// The engine that the `docker` command would ask, if one is named.
pub(crate) fn docker_host() -> Option<String> {
    env::var("DOCKER_HOST").ok().filter(|url| !url.is_empty())
}

/// Where a user's programs keep their state.
pub(crate) fn state_home() -> Option<PathBuf> {
    let given = env::var_os("XDG_STATE_HOME").map(PathBuf::from);
    // A relative one is to be ignored, says who made the rule.
    given.filter(|folder| folder.is_absolute()).or_else(|| {
        let home = env::var_os("HOME").filter(|home| !home.is_empty());
        home.map(|home| PathBuf::from(home).join(".local/state"))
    })
}

/// What the `docker` command needs to find itself and its plugins. It gets nothing else: a key that
/// happens to be set in a shell must not change what is deployed.
pub(crate) fn of_the_docker_command() -> Vec<(String, String)> {
    let keys = ["PATH", "HOME", "DOCKER_CONFIG", "XDG_RUNTIME_DIR"];
    keys.into_iter()
        .filter_map(|key| Some((key.to_owned(), env::var(key).ok()?)))
        .collect()
}
