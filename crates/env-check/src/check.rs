//! The report as a check.

use tria_check::{
    Check, CheckContext, CheckMeta, Cost, Finding, Group, Outcome, PrivateText, PublicText,
    PublicValue,
};

use crate::{Complaint, Report, Severity, code, quote::key_word};

/// A report as a check: one finding for each complaint. Public texts name keys, problems and
/// remedies; the values that were found stand in the private details.
///
/// Settings are read once, at the start, so the check holds the report and no value.
#[derive(Clone, Debug)]
pub struct EnvCheck {
    meta: CheckMeta,
    outcome: Outcome,
}

// === impl EnvCheck ===

impl EnvCheck {
    /// The check's name.
    pub const NAME: &'static str = "environment";

    /// A check that gives this report.
    pub fn new(report: &Report) -> Self {
        Self {
            meta: CheckMeta::new(Self::NAME)
                .groups([Group::Startup, Group::Diagnostics])
                .cost(Cost::Local)
                .codes(code::ALL),
            outcome: outcome(report),
        }
    }
}

impl Check for EnvCheck {
    fn meta(&self) -> &CheckMeta {
        &self.meta
    }

    async fn check(&self, _cx: &CheckContext) -> Outcome {
        self.outcome.clone()
    }
}

fn outcome(report: &Report) -> Outcome {
    let passed = report.is_valid().then(|| {
        let count = [PublicValue::from(report.keys_set())];
        Finding::pass(PublicText::filled(
            "Environment validation passed ({} keys set)",
            &count,
        ))
    });
    Outcome::new(passed.into_iter().chain(report.iter().map(finding)))
        .observe("keys_set", report.keys_set(), "keys")
        .observe("keys_known", report.keys_known(), "keys")
        .observe("strict", report.is_strict(), "")
}

fn finding(complaint: &Complaint) -> Finding {
    let text = PublicText::filled(
        "{} {}",
        &[
            key_word(complaint.key()),
            complaint.problem().clone().into(),
        ],
    );
    let finding = match complaint.severity() {
        Severity::Violation => Finding::fail(complaint.code(), text),
        Severity::Warning => Finding::warn(complaint.code(), text),
    }
    .remedy(complaint.remedy().clone());
    match complaint.found() {
        Some(found) => finding.detail(PrivateText::new(format!("found {found}"))),
        None => finding,
    }
}
