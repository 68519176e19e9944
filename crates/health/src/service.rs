//! Checks folded into the services that people know.

use serde::{Serialize, Serializer, ser::SerializeMap};
use tria_check::{CheckReport, Cost, PublicText, PublicValue, Rank, Status};

use crate::Reading;

/// The observed values that make up a pool, with the keys under which they are shown.
const POOL_KEYS: [(&str, &str); 5] = [
    ("pool_size", "size"),
    ("pool_checked_in", "checked_in"),
    ("pool_checked_out", "checked_out"),
    ("pool_waiting", "waiting"),
    ("pool_max", "max"),
];

/// The services by name, in the order of their first checks. The check `database.schema`
/// belongs to the service `database`.
pub(crate) struct Services(Vec<(String, Service)>);

/// One service on the wire. What is not known is left out, except the response time of what can
/// have one, which is null then.
#[derive(Serialize)]
pub(crate) struct Service {
    healthy: bool,
    #[serde(flatten)]
    pub(crate) answer: Option<Answer>,
    #[serde(skip_serializing_if = "Pool::is_empty")]
    pub(crate) pool: Pool,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_key_set: Option<bool>,
    #[serde(flatten)]
    pub(crate) complaint: Option<Complaint>,
}

/// How quickly a dependency answers.
#[derive(Serialize)]
pub(crate) struct Answer {
    pub(crate) response_time_ms: Option<f64>,
}

/// What is said of a service that does not simply pass.
#[derive(Serialize)]
pub(crate) struct Complaint {
    status: Status,
    pub(crate) code: &'static str,
    pub(crate) message: PublicText,
}

/// Key and number of each value known of a pool.
pub(crate) struct Pool(pub(crate) Vec<(&'static str, PublicValue)>);

// === impl Services ===

impl Services {
    /// Folds readings by the part of their name before the first `.`.
    pub(crate) fn fold(readings: &[Reading<'_>]) -> Self {
        let services = by_service(readings).into_iter();
        Self(
            services
                .map(|(name, members)| (name.to_owned(), Service::of(name, &members)))
                .collect(),
        )
    }
}

impl Serialize for Services {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, service)| (name, service)))
    }
}

/// The readings of each service, in the order of their first checks.
pub(crate) fn by_service<'a, 'b>(
    readings: &'a [Reading<'b>],
) -> Vec<(&'a str, Vec<&'a Reading<'b>>)> {
    let mut groups: Vec<(&str, Vec<&Reading<'_>>)> = Vec::new();
    for reading in readings {
        let name = service_of(reading);
        match groups.iter_mut().find(|(known, _)| *known == name) {
            Some((_, members)) => members.push(reading),
            None => groups.push((name, vec![reading])),
        }
    }
    groups
}

/// The part of a check's name before the first `.`.
pub(crate) fn service_of<'a>(reading: &'a Reading<'_>) -> &'a str {
    let name = reading.meta().name();
    name.split_once('.').map_or(name, |(service, _)| service)
}

// === impl Service ===

impl Service {
    /// The members are the checks of one service; there is at least one.
    pub(crate) fn of(name: &str, members: &[&Reading<'_>]) -> Self {
        let main = members.iter().find(|member| member.meta().name() == name);
        let current: Vec<&CheckReport> = members.iter().filter_map(|m| m.current()).collect();
        Self {
            healthy: members.iter().all(|member| works(member.status())),
            answer: main.and_then(|main| Answer::of(main)),
            pool: Pool::of(&current),
            api_key_set: observed(&current, "api_key_set").and_then(|value| match value {
                PublicValue::Bool(set) => Some(*set),
                _ => None,
            }),
            complaint: worst(members).and_then(Complaint::about),
        }
    }
}

fn works(status: Status) -> bool {
    matches!(status, Status::Pass | Status::Warn)
}

/// The first of those that weigh most. Among equals a failure hides what cannot be told, and
/// that a warning, so that what is told is what keeps a service from being healthy.
pub(crate) fn worst<'a, 'b>(members: &[&'a Reading<'b>]) -> Option<&'a Reading<'b>> {
    let weight = |reading: &Reading<'_>| -> (Rank, u8) {
        let among_equals = match reading.status() {
            Status::Pass => 0,
            Status::Warn => 1,
            Status::Unknown => 2,
            Status::Fail => 3,
        };
        (reading.rank(), among_equals)
    };
    let first = *members.first()?;
    Some(members[1..].iter().fold(first, |worst, member| {
        if weight(member) > weight(worst) {
            member
        } else {
            worst
        }
    }))
}

fn observed<'a>(reports: &[&'a CheckReport], name: &str) -> Option<&'a PublicValue> {
    reports
        .iter()
        .find_map(|report| report.outcome.observed_value(name))
}

/// What the check measured of its dependency, or else how long the whole run took. In
/// milliseconds to the microsecond: more digits than that are noise.
pub(crate) fn response_time(report: &CheckReport) -> f64 {
    let millis = match report.outcome.observed_value("response_time_ms") {
        Some(PublicValue::Float(measured)) if measured.is_finite() => *measured,
        _ => report.duration.as_secs_f64() * 1_000.0,
    };
    (millis * 1_000.0).round() / 1_000.0
}

// === impl Answer ===

impl Answer {
    /// None of what answers nobody: a look at the own process takes time too, which says nothing.
    /// And checks that only share the beginning of their names are no one dependency.
    fn of(main: &Reading<'_>) -> Option<Self> {
        (main.meta().get_cost() != Cost::Local).then(|| Self {
            response_time_ms: main.current().map(response_time),
        })
    }
}

// === impl Complaint ===

impl Complaint {
    fn about(reading: &Reading<'_>) -> Option<Self> {
        (reading.status() != Status::Pass).then(|| Self {
            status: reading.status(),
            code: reading.code().as_str(),
            message: reading.text(),
        })
    }
}

// === impl Pool ===

impl Pool {
    fn of(reports: &[&CheckReport]) -> Self {
        let numbers = POOL_KEYS.into_iter().filter_map(|(name, key)| {
            let value = observed(reports, name)?;
            let is_number = matches!(value, PublicValue::Int(_) | PublicValue::Float(_));
            is_number.then(|| (key, value.clone()))
        });
        Self(numbers.collect())
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Pool {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}
