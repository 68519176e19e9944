//! What the page tells, before it is marked up.

use std::time::{Duration, SystemTime};

use tria_check::{Finding, Health, Phase, PrivateText, PublicText, PublicValue, Rank, Status};

use super::words::Verdict;
use crate::{
    Access, History, Reading, StartupPhase,
    service::{Service, by_service, worst},
    state::Shared,
};

/// What the page tells.
pub(super) struct View<'a> {
    pub(super) verdict: Verdict,
    pub(super) phase: &'static str,
    pub(super) uptime: Duration,
    pub(super) version: &'a str,
    pub(super) now: SystemTime,
    /// The phases of the start, where it is not complete.
    pub(super) start: Vec<StartupPhase>,
    pub(super) services: Vec<ServiceView<'a>>,
    /// For those who have access.
    pub(super) revision: Option<&'a str>,
    /// Whether a token would show more.
    pub(super) hides_something: bool,
}

/// One service.
pub(super) struct ServiceView<'a> {
    pub(super) name: &'a str,
    pub(super) status: Status,
    pub(super) is_optional: bool,
    pub(super) response_time_ms: Option<f64>,
    pub(super) pool: Vec<(&'static str, PublicValue)>,
    /// The code of what is wrong, and what to say of it, unless a finding says it.
    pub(super) complaint: Option<(&'static str, PublicText)>,
    /// For those who have access.
    pub(super) behind: Option<Behind<'a>>,
}

/// What lies behind the verdict on a service.
pub(super) struct Behind<'a> {
    pub(super) last_success: Option<SystemTime>,
    pub(super) consecutive_failures: u32,
    pub(super) findings: Vec<FindingView<'a>>,
}

/// Something that the last run of a check found wrong, whether it counts yet or not.
pub(super) struct FindingView<'a> {
    pub(super) check: &'a str,
    pub(super) code: &'static str,
    pub(super) message: &'a PublicText,
    pub(super) remedy: Option<&'a PublicText>,
    pub(super) detail: Option<&'a str>,
}

// === impl View ===

impl<'a> View<'a> {
    pub(super) fn of(shared: &'a Shared, readings: &'a [Reading<'a>], may_see_all: bool) -> Self {
        let phase = shared.phase();
        let health = Health::of(readings.iter().map(Reading::rank));
        let groups = by_service(readings);
        let weighs = |members: &[&Reading<'_>]| members.iter().any(|member| counts(member, health));
        let causes = groups.iter().filter(|(_, members)| weighs(members));
        let causes: Vec<&str> = causes.map(|(name, _)| *name).collect();
        let overdue = shared.heartbeats.overdue();
        let stuck: Vec<&str> = overdue.iter().map(|overdue| &*overdue.task).collect();
        Self {
            verdict: Verdict::of(phase, health, &causes, &stuck),
            phase: phase.name(),
            uptime: shared.begun.elapsed(),
            version: &shared.version,
            now: SystemTime::now(),
            start: match phase {
                Phase::Ready | Phase::Draining | Phase::Stopping | Phase::Stopped(_) => Vec::new(),
                _ => shared.startup.phases().to_vec(),
            },
            services: groups
                .iter()
                .map(|(name, members)| ServiceView::of(name, members, may_see_all))
                .collect(),
            revision: may_see_all.then_some(&*shared.revision),
            hides_something: !may_see_all && !matches!(shared.access, Access::Closed),
        }
    }
}

/// Whether a reading is among those that make the whole what it is.
fn counts(reading: &Reading<'_>, health: Health) -> bool {
    let least = match health {
        Health::Unhealthy => Rank::Uncertain,
        _ => Rank::Degraded,
    };
    reading.rank() >= least
}

// === impl ServiceView ===

impl<'a> ServiceView<'a> {
    fn of(name: &'a str, members: &[&'a Reading<'a>], may_see_all: bool) -> Self {
        let service = Service::of(name, members);
        let worst = worst(members);
        let behind = may_see_all.then(|| Behind::of(members, worst));
        let complaint = service.complaint.map(|it| (it.code, it.message));
        let is_told = |(code, message): &(&str, PublicText)| {
            let findings = behind.iter().flat_map(|behind| &behind.findings);
            let mut told = findings.map(|it| (it.code, it.message.as_str()));
            told.any(|told| told == (*code, message.as_str()))
        };
        Self {
            name,
            status: worst.map_or(Status::Unknown, Reading::status),
            is_optional: members.iter().all(|member| !member.meta().is_critical()),
            response_time_ms: service.answer.and_then(|answer| answer.response_time_ms),
            pool: service.pool.0,
            complaint: complaint.filter(|complaint| !is_told(complaint)),
            behind,
        }
    }
}

// === impl Behind ===

impl<'a> Behind<'a> {
    /// The last success is that of the check that is told about; others may still succeed.
    fn of(members: &[&'a Reading<'a>], worst: Option<&'a Reading<'a>>) -> Self {
        let histories = members.iter().filter_map(|member| member.history());
        let failures = histories.map(History::consecutive_failures);
        Self {
            last_success: worst
                .and_then(Reading::history)
                .and_then(History::last_success),
            consecutive_failures: failures.max().unwrap_or_default(),
            findings: members
                .iter()
                .flat_map(|member| FindingView::all_of(member))
                .collect(),
        }
    }
}

// === impl FindingView ===

impl<'a> FindingView<'a> {
    fn all_of(reading: &'a Reading<'a>) -> impl Iterator<Item = Self> {
        let check = reading.meta().name();
        let findings = reading.latest().map(|report| report.outcome.findings());
        let findings = findings.unwrap_or_default().iter();
        let wrong = findings.filter(|finding| finding.status() != Status::Pass);
        wrong.map(move |finding| Self::of(check, finding))
    }

    fn of(check: &'a str, finding: &'a Finding) -> Self {
        Self {
            check,
            code: finding.code().as_str(),
            message: finding.text(),
            remedy: finding.get_remedy(),
            detail: finding.get_detail().map(PrivateText::expose),
        }
    }
}
