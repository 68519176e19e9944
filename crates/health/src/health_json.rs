//! The shape of draft-inadarei-api-health-check-06, for those who ask for it.

use serde::{Serialize, Serializer, ser::SerializeMap};
use tria_check::{Health, PublicText, Status};

use crate::{
    Reading,
    body::{Ground, TIME, Verdict},
    probe::{Liveness, Summary},
    service::{response_time, service_of},
    timestamp::rfc3339,
};

/// An answer as the draft has it, section 3.
#[derive(Serialize)]
pub(crate) struct Document {
    status: &'static str,
    version: String,
    description: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<&'static str>,
    checks: Checks,
}

/// The measured things by `component:measurement`, each with its measurements.
struct Checks(Vec<(String, Vec<Measured>)>);

/// One measurement, section 4.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Measured {
    #[serde(skip_serializing_if = "Option::is_none")]
    component_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    component_type: Option<&'static str>,
    observed_value: Option<f64>,
    observed_unit: &'static str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<String>,
    /// The code of what is wrong, in the place that the draft has for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<PublicText>,
}

// === impl Document ===

impl Document {
    /// The summary in the draft's shape, and the numbers of the machine where they are known.
    pub(crate) fn of(ours: &Summary<'_>, readings: &[Reading<'_>], ground: &Ground) -> Self {
        let mut checks = Checks(Vec::new());
        for reading in readings {
            let component = service_of(reading);
            checks.add(format!("{component}:responseTime"), Measured::of(reading));
        }
        if let Some(sample) = &ground.sample {
            for (name, percent) in sample.utilizations() {
                let measured = Measured::utilization(percent, sample.sampled_at());
                checks.add(format!("{name}:utilization"), measured);
            }
        }
        let notes = match ground.phase {
            phase if phase.is_ready() => Vec::new(),
            phase => vec![phase.name()],
        };
        Self {
            status: match ours.status() {
                Health::Healthy => "pass",
                Health::Degraded => "warn",
                Health::Unhealthy => "fail",
            },
            version: ours.version().to_owned(),
            description: "the dependencies of the service",
            notes,
            checks,
        }
    }

    /// Liveness in the draft's shape.
    pub(crate) fn of_liveness(ours: Verdict<Liveness>, version: &str) -> Verdict<Self> {
        ours.map(|ours| {
            let alive = ours.stuck.is_empty();
            let status = if alive { "pass" } else { "fail" };
            let uptime = Measured {
                component_id: None,
                component_type: Some("system"),
                observed_value: Some(ours.uptime_seconds),
                observed_unit: "s",
                status,
                time: Some(TIME.to_owned()),
                code: (!alive).then_some("task_stuck"),
                output: None,
            };
            Self {
                status,
                version: version.to_owned(),
                description: "the process and its own tasks",
                notes: Vec::new(),
                checks: Checks(vec![("uptime".to_owned(), vec![uptime])]),
            }
        })
    }
}

// === impl Checks ===

impl Checks {
    fn add(&mut self, key: String, measured: Measured) {
        match self.0.iter_mut().find(|(known, _)| *known == key) {
            Some((_, all)) => all.push(measured),
            None => self.0.push((key, vec![measured])),
        }
    }
}

impl Serialize for Checks {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, measured) in &self.0 {
            map.serialize_entry(key, measured)?;
        }
        map.end()
    }
}

// === impl Measured ===

impl Measured {
    fn of(reading: &Reading<'_>) -> Self {
        let status = reading.status();
        let passes = status == Status::Pass;
        let time = reading.latest().map(|report| rfc3339(report.started_at));
        Self {
            component_id: Some(reading.meta().name().to_owned()),
            component_type: None,
            observed_value: reading.current().map(response_time),
            observed_unit: "ms",
            status: match status {
                Status::Pass => "pass",
                Status::Warn => "warn",
                Status::Fail | Status::Unknown => "fail",
            },
            time,
            code: (!passes).then(|| reading.code().as_str()),
            output: (!passes).then(|| reading.text()),
        }
    }

    fn utilization(percent: Option<f64>, sampled_at: &str) -> Self {
        Self {
            component_id: None,
            component_type: Some("system"),
            observed_value: percent,
            observed_unit: "percent",
            status: "pass",
            time: Some(sampled_at.to_owned()),
            code: None,
            output: None,
        }
    }
}
