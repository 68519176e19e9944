//! One round trip of a pipeline, and what its replies prove.

use std::time::Duration;

use deadpool_redis::{
    Connection,
    redis::{Pipeline, RedisResult, Value, cmd},
};
use tria_check::{Finding, PrivateText, PublicText, PublicValue};
use uuid::Uuid;

use crate::{
    classify::Diagnosis,
    codes,
    facts::{Facts, text},
    fault::Fault,
};

/// What one probe writes.
#[derive(Debug)]
pub(crate) struct Probe {
    prefix: String,
    key: String,
    value: String,
    expiry: Duration,
}

/// The replies to a probe, an error reply among them as a value.
#[derive(Debug)]
pub(crate) struct Replies {
    unwatch: Value,
    ping: Value,
    set: Value,
    get: Value,
    del: Value,
    hello: Value,
    info: Value,
}

// === impl Probe ===

impl Probe {
    pub(crate) fn new(prefix: &str, expiry: Duration) -> Self {
        Self {
            prefix: prefix.to_owned(),
            key: format!("{prefix}{}", Uuid::new_v4()),
            value: Uuid::new_v4().to_string(),
            expiry,
        }
    }

    pub(crate) async fn ask(&self, connection: &mut Connection) -> RedisResult<Option<Replies>> {
        let mut pipeline = Pipeline::new();
        pipeline.cmd("UNWATCH");
        pipeline.cmd("PING");
        pipeline.cmd("SET").arg(&self.key).arg(&self.value);
        pipeline.arg("NX").arg("PX").arg(self.expiry_ms());
        pipeline.cmd("GET").arg(&self.key);
        pipeline.cmd("DEL").arg(&self.key);
        pipeline.cmd("HELLO");
        pipeline.cmd("INFO");
        let count = pipeline.len();
        let replies = connection.send_packed_commands(&pipeline, 0, count).await?;
        let replies = <[Value; 7]>::try_from(replies).ok();
        Ok(
            replies.map(|[unwatch, ping, set, get, del, hello, info]| Replies {
                unwatch,
                ping,
                set,
                get,
                del,
                hello,
                info,
            }),
        )
    }

    /// What the replies prove, and all that is wrong.
    pub(crate) fn judge(&self, replies: &Replies, facts: &Facts) -> Vec<Finding> {
        if facts.is_sentinel() {
            return vec![facts.connected(), Fault::SENTINEL.finding()];
        }
        let mut findings = self.judge_round_trip(replies);
        // HELLO also answers where the round trip fails.
        let answered = facts.is_known() || !findings.iter().any(Finding::is_failure);
        if answered {
            findings.insert(0, facts.connected());
        }
        findings.extend(facts.too_old().map(Fault::finding));
        findings.extend(facts.warnings());
        findings.extend(replies.reuse());
        findings
    }

    fn judge_round_trip(&self, replies: &Replies) -> Vec<Finding> {
        let asked = [
            ("PING", &replies.ping),
            ("SET", &replies.set),
            ("GET", &replies.get),
            ("DEL", &replies.del),
        ];
        let failed: Vec<(&'static str, Diagnosis)> = asked
            .into_iter()
            .filter_map(|(command, reply)| match reply {
                Value::ServerError(error) => Some((command, Diagnosis::of_server(error))),
                _ => None,
            })
            .collect();
        if failed.is_empty() {
            return vec![self.judge_values(replies)];
        }
        let denied: Vec<&str> = failed
            .iter()
            .filter(|(_, diagnosis)| diagnosis.fault == Fault::COMMAND_DENIED)
            .map(|(command, _)| *command)
            .collect();
        let mut findings = Vec::new();
        let mut seen: Vec<Fault> = Vec::new();
        for (command, diagnosis) in failed {
            if seen.contains(&diagnosis.fault) {
                continue;
            }
            seen.push(diagnosis.fault);
            findings.push(self.finding(command, &diagnosis, &denied));
            // A server that is loading, say, has nothing to add with its other replies; what is
            // forbidden or missing is all told at once.
            if !diagnosis.fault.is_of_one_command() {
                break;
            }
        }
        findings
    }

    fn finding(&self, command: &'static str, diagnosis: &Diagnosis, denied: &[&str]) -> Finding {
        let said = diagnosis.detail.expose();
        match diagnosis.fault {
            Fault::COMMAND_DENIED => {
                let text = "the Redis user may not run {}";
                let text = PublicText::filled(text, &[PublicValue::words(denied)]);
                Finding::fail(codes::PERMISSION_DENIED, text)
                    .remedy("grant the user these commands (ACL SETUSER)")
                    .detail(PrivateText::new(said))
            }
            Fault::KEY_DENIED => diagnosis.fault.finding().detail(PrivateText::new(format!(
                "{said} (keys of the probe: {}*)",
                self.prefix
            ))),
            fault => fault
                .finding()
                .detail(PrivateText::new(format!("{command}: {said}"))),
        }
    }

    fn judge_values(&self, replies: &Replies) -> Finding {
        if text(&replies.ping).as_deref() != Some("PONG") {
            return Fault::NOT_REDIS
                .finding()
                .detail(PrivateText::new("PING was not answered with PONG"));
        }
        let mismatch = |what: &str| {
            Fault::ROUND_TRIP_MISMATCH
                .finding()
                .detail(PrivateText::new(what))
        };
        if text(&replies.set).as_deref() != Some("OK") {
            return mismatch("SET NX of a random key was not answered with OK");
        }
        match text(&replies.get) {
            Some(value) if value == self.value => Finding::pass("Read/write round trip OK"),
            Some(_) => mismatch("GET gave another value than SET wrote"),
            None => mismatch("GET found no key that SET had just written"),
        }
    }

    fn expiry_ms(&self) -> u64 {
        u64::try_from(self.expiry.as_millis())
            .unwrap_or(u64::MAX)
            .max(1)
    }
}

// === impl Replies ===

impl Replies {
    pub(crate) fn facts(&self) -> Facts {
        Facts::read(&self.hello, &self.info)
    }

    /// The pool sends UNWATCH and PING before it hands a connection out again, and throws the
    /// connection away when one of them is refused.
    pub(crate) fn reuse(&self) -> Option<Finding> {
        let Value::ServerError(error) = &self.unwatch else {
            return None;
        };
        let diagnosis = Diagnosis::of_server(error);
        let refused = [Fault::COMMAND_DENIED, Fault::COMMAND_UNAVAILABLE];
        refused.contains(&diagnosis.fault).then(|| {
            Finding::warn(
                codes::CONNECTIONS_NOT_REUSED,
                "UNWATCH is not allowed there, so that every use opens a new connection",
            )
            .remedy("grant the user UNWATCH (ACL SETUSER)")
            .detail(diagnosis.detail)
        })
    }
}

/// Whether the keys of the cluster that a node is of are spread over several nodes; `None` when
/// it is not told.
pub(crate) async fn is_spread(connection: &mut Connection) -> Option<bool> {
    let info: String = cmd("CLUSTER")
        .arg("INFO")
        .query_async(connection)
        .await
        .ok()?;
    let size = info
        .lines()
        .find_map(|line| line.strip_prefix("cluster_size:"))?;
    Some(size.trim().parse::<u32>().ok()? > 1)
}
