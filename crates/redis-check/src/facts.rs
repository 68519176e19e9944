//! What a server tells of itself, and what follows from it.

use std::collections::HashMap;

use deadpool_redis::redis::Value;
use tria_check::{Finding, Outcome, PublicText, PublicValue};

use crate::{codes, fault::Fault};

/// The oldest major version with ACLs and RESP3.
const OLDEST_MAJOR: u32 = 6;
/// The part of `maxmemory` beyond which it is time to look.
const MEMORY_HIGH_PERCENT: u128 = 90;

/// What a server tells of itself in HELLO, which is always allowed, and in INFO, which need not
/// be. Whatever it does not tell is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    /// `redis`, `valkey` or another name.
    product: Option<String>,
    version: Option<String>,
    /// `standalone`, `cluster` or `sentinel`.
    mode: Option<String>,
    maxmemory_policy: Option<String>,
    used_memory_bytes: Option<u64>,
    /// Zero: no limit.
    maxmemory_bytes: Option<u64>,
    connected_clients: Option<u64>,
    maxclients: Option<u64>,
    /// Clients that wait in a blocking command.
    blocked_clients: Option<u64>,
    /// Since the server started, as the next.
    evicted_keys: Option<u64>,
    rejected_connections: Option<u64>,
    rdb_last_save_ok: Option<bool>,
    aof_enabled: Option<bool>,
    aof_last_write_ok: Option<bool>,
    /// `master` or `replica`.
    role: Option<String>,
    connected_replicas: Option<u64>,
    /// Of a replica only.
    master_link_up: Option<bool>,
}

// === impl Facts ===

impl Facts {
    /// Reads the replies to HELLO and INFO; errors in their place tell nothing.
    pub(crate) fn read(hello: &Value, info: &Value) -> Self {
        let hello = text_pairs(hello);
        let info = text(info).unwrap_or_default();
        let info: HashMap<&str, &str> = info
            .lines()
            .filter_map(|line| line.split_once(':'))
            .collect();
        let number = |key| info.get(key).and_then(|value| value.parse().ok());
        let owned = |key| info.get(key).map(|value| (*value).to_owned());
        let is = |key, word: &str| info.get(key).map(|value| *value == word);

        // Valkey may be told to introduce itself as the Redis it is compatible with; INFO has
        // its own name and version in any case.
        let valkey = owned("valkey_version");
        let product = owned("server_name").or_else(|| hello.get("server").cloned());
        let version = valkey
            .or_else(|| hello.get("version").cloned())
            .or_else(|| owned("redis_version"));
        let mode = hello.get("mode").cloned();
        Self {
            product,
            version,
            mode: mode.or_else(|| owned("redis_mode")),
            maxmemory_policy: owned("maxmemory_policy"),
            used_memory_bytes: number("used_memory"),
            maxmemory_bytes: number("maxmemory"),
            connected_clients: number("connected_clients"),
            maxclients: number("maxclients"),
            blocked_clients: number("blocked_clients"),
            evicted_keys: number("evicted_keys"),
            rejected_connections: number("rejected_connections"),
            rdb_last_save_ok: is("rdb_last_bgsave_status", "ok"),
            aof_enabled: is("aof_enabled", "1"),
            aof_last_write_ok: is("aof_last_write_status", "ok"),
            role: owned("role").map(|role| role.replace("slave", "replica")),
            connected_replicas: number("connected_slaves"),
            master_link_up: is("master_link_status", "up"),
        }
    }

    /// Whether the server told what it is.
    pub(crate) fn is_known(&self) -> bool {
        self.product.is_some() || self.version.is_some()
    }

    pub(crate) fn is_sentinel(&self) -> bool {
        self.mode.as_deref() == Some("sentinel")
    }

    pub(crate) fn is_cluster(&self) -> bool {
        self.mode.as_deref() == Some("cluster")
    }

    /// What was proven by having an answer at all.
    pub(crate) fn connected(&self) -> Finding {
        let product = match self.product.as_deref() {
            None | Some("redis") => PublicValue::from("Redis"),
            Some("valkey") => PublicValue::from("Valkey"),
            Some(other) => PublicValue::word(other),
        };
        Finding::pass(match &self.version {
            Some(version) => {
                PublicText::filled("Connected to {} {}", &[product, PublicValue::word(version)])
            }
            None => PublicText::filled("Connected to {}, version unknown", &[product]),
        })
    }

    /// Whether the version is known and too old.
    pub(crate) fn too_old(&self) -> Option<Fault> {
        let major: u32 = self.version.as_deref()?.split('.').next()?.parse().ok()?;
        (major < OLDEST_MAJOR).then_some(Fault::VERSION_TOO_OLD)
    }

    /// What somebody should look at.
    pub(crate) fn warnings(&self) -> Vec<Finding> {
        [self.eviction(), self.memory(), self.saving()]
            .into_iter()
            .flatten()
            .collect()
    }

    /// Without `maxmemory` nothing is ever evicted. With it, all policies but `noeviction` may
    /// drop a key that has an expiry, as keys that guard against repeated requests have.
    fn eviction(&self) -> Option<Finding> {
        let policy = self.maxmemory_policy.as_deref()?;
        if self.maxmemory_bytes? == 0 || policy == "noeviction" {
            return None;
        }
        let policy = PublicValue::word(policy);
        let (code, text) = if let Some(evicted @ 1..) = self.evicted_keys {
            let text = "Redis has dropped {} keys before they expired ({})";
            let text = PublicText::filled(text, &[evicted.into(), policy]);
            (codes::EVICTING, text)
        } else {
            let text = "under memory pressure Redis drops keys before they expire ({})";
            (codes::EVICTION_POLICY, PublicText::filled(text, &[policy]))
        };
        let remedy = "set maxmemory-policy to noeviction, or keep such keys in a Redis of their \
                      own; else a repeated request may be carried out twice";
        Some(Finding::warn(code, text).remedy(remedy))
    }

    /// A server that refuses writes for it is a failure, which the round trip tells; one that
    /// goes on loses at its next restart what it could not save.
    fn saving(&self) -> Option<Finding> {
        let rdb = self.rdb_last_save_ok == Some(false);
        let aof = self.aof_enabled == Some(true) && self.aof_last_write_ok == Some(false);
        (rdb || aof).then(|| {
            Finding::warn(codes::SAVE_FAILED, "Redis could not save its data to disk")
                .remedy("see the server's log; mostly its disk is full or its folder not writable")
        })
    }

    fn memory(&self) -> Option<Finding> {
        let (used, most) = (self.used_memory_bytes?, self.maxmemory_bytes?);
        let (used, most) = (u128::from(used), u128::from(most));
        if used * 100 <= most * MEMORY_HIGH_PERCENT || most == 0 {
            return None;
        }
        let percent = u64::try_from(used * 100 / most).unwrap_or(u64::MAX);
        let text = PublicText::filled("Redis uses {} % of its maxmemory", &[percent.into()]);
        Some(
            Finding::warn(codes::MEMORY_HIGH, text)
                .remedy("raise maxmemory, or find what fills it (MEMORY STATS, --bigkeys)"),
        )
    }

    pub(crate) fn observe(&self, mut outcome: Outcome) -> Outcome {
        let word =
            |value: &Option<String>| value.as_deref().map_or("unknown".into(), PublicValue::word);
        outcome = outcome.observe("version", word(&self.version), "");
        if self.product.is_some() {
            outcome = outcome.observe("server", word(&self.product), "");
        }
        if self.maxmemory_policy.is_some() {
            outcome = outcome.observe("maxmemory_policy", word(&self.maxmemory_policy), "");
        }
        for (name, value, unit) in [
            ("used_memory_bytes", self.used_memory_bytes, "bytes"),
            ("maxmemory_bytes", self.maxmemory_bytes, "bytes"),
            ("connected_clients", self.connected_clients, "connections"),
            ("maxclients", self.maxclients, "connections"),
            ("blocked_clients", self.blocked_clients, "connections"),
            ("evicted_keys", self.evicted_keys, "keys"),
            (
                "rejected_connections",
                self.rejected_connections,
                "connections",
            ),
            ("connected_replicas", self.connected_replicas, "replicas"),
        ] {
            if let Some(value) = value {
                outcome = outcome.observe(name, value, unit);
            }
        }
        if self.role.is_some() {
            outcome = outcome.observe("role", word(&self.role), "");
        }
        for (name, value) in [
            ("rdb_last_save_ok", self.rdb_last_save_ok),
            ("aof_enabled", self.aof_enabled),
            ("aof_last_write_ok", self.aof_last_write_ok),
            ("master_link_up", self.master_link_up),
        ] {
            if let Some(value) = value {
                outcome = outcome.observe(name, value, "");
            }
        }
        outcome
    }
}

/// A reply that is text.
pub(crate) fn text(value: &Value) -> Option<String> {
    match value {
        Value::BulkString(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => Some(text.clone()),
        Value::Okay => Some("OK".to_owned()),
        _ => None,
    }
}

/// The pairs of a map whose values are text; in RESP2 a map is a flat array.
fn text_pairs(value: &Value) -> HashMap<String, String> {
    let pair = |key: &Value, value: &Value| Some((text(key)?, text(value)?));
    match value {
        Value::Map(pairs) => pairs.iter().filter_map(|(k, v)| pair(k, v)).collect(),
        Value::Array(flat) => flat
            .chunks_exact(2)
            .filter_map(|two| pair(&two[0], &two[1]))
            .collect(),
        _ => HashMap::new(),
    }
}

#[cfg(test)]
#[path = "facts_tests.rs"]
mod tests;
