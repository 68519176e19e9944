//! Judging a source by the rules.

use tria_check::{Code, PublicText};

use crate::{
    Complaint, Key, Report, Rules, Severity, Source, Values, code,
    nearest::{is_link, is_service_link, nearest},
    quote::{key_word, quoted},
    resolve::{Resolved, State},
    rule::Fault,
    shape,
};

/// Judges a source; gives the values of the known keys too.
pub(crate) fn validate(rules: &Rules, source: &Source) -> (Values, Report) {
    let Resolved {
        values,
        states,
        secrets,
    } = Resolved::new(rules, source);
    let strict = rules
        .strict
        .as_ref()
        .is_some_and(|strict| strict.holds(&values));
    let judge = Judge {
        rules,
        values: &values,
        secrets: &secrets,
        strict,
        strangers: strangers(rules, source),
    };
    let mut complaints = Vec::new();
    for (key, state) in rules.keys().iter().zip(states) {
        match state {
            State::Missing => complaints.extend(judge.absent(key, code::MISSING)),
            State::Empty => complaints.extend(judge.absent(key, code::EMPTY)),
            State::Set(value) => judge.value(key, &value, &mut complaints),
            State::Broken(complaint) => complaints.push(complaint),
        }
    }
    judge.relations(&mut complaints);
    judge.unknown_keys(source, &mut complaints);
    let report = Report::new(complaints, values.len(), rules.keys().len(), strict);
    (values, report)
}

struct Judge<'a> {
    rules: &'a Rules,
    values: &'a Values,
    secrets: &'a [String],
    strict: bool,
    strangers: Vec<Stranger>,
}

/// A key that is set and not known, with the known one that it resembles most.
struct Stranger {
    key: String,
    meant: Option<String>,
}

// === impl Judge ===

impl Judge<'_> {
    /// The complaint about a key without value, if it needs one.
    fn absent(&self, key: &Key, code: Code) -> Option<Complaint> {
        let severity = key.demand()?.severity(self.values, self.strict)?;
        let misspelt = self.strangers.iter().find(|stranger| {
            let meant = stranger.meant.as_deref();
            meant == Some(key.name()) || (meant.is_some() && meant == key.file_key().as_deref())
        });
        let problem = match (code, misspelt) {
            (code::MISSING, None) => "is not set".into(),
            (code::MISSING, Some(stranger)) => PublicText::filled(
                "is not set, while {} is, which may be a misspelling of it",
                &[key_word(&stranger.key)],
            ),
            _ => "is empty".into(),
        };
        let mut remedy = self.remedy(key);
        if let Some(file) = key.file_key() {
            let values = [remedy.into(), key_word(&file)];
            remedy = PublicText::filled("{}; or let {} name a file that holds it", &values);
        }
        Some(self.complaint(
            key,
            severity,
            Fault {
                code,
                problem,
                remedy: Some(remedy),
            },
            None,
        ))
    }

    /// All complaints about a key's value.
    fn value(&self, key: &Key, value: &str, complaints: &mut Vec<Complaint>) {
        let mut faults = self.faults(key, value);
        explain_edges(value, &mut faults);
        if is_link(value) && !key.is_secret() {
            for (_, fault) in faults
                .iter_mut()
                .filter(|(_, fault)| fault.code == code::MALFORMED)
            {
                fault.problem = "is a service link of Kubernetes or Docker".into();
                let template = "{}, or switch service links off (enableServiceLinks: false)";
                fault.remedy = Some(PublicText::filled(template, &[self.remedy(key).into()]));
            }
        }
        // What is widely known goes before what is short, and that before what is weak.
        faults.sort_by_key(|(_, fault)| match fault.code {
            code::FORBIDDEN_DEFAULT => 1,
            code::TOO_SHORT => 2,
            code::TOO_WEAK => 3,
            _ => 0,
        });
        let mut told: Vec<(Severity, Code)> = Vec::new();
        for (severity, fault) in faults {
            let covered = told
                .iter()
                .any(|(before, code)| before.is_at_least(severity) && covers(*code, fault.code));
            if !covered {
                told.push((severity, fault.code));
                complaints.push(self.complaint(key, severity, fault, Some(value)));
            }
        }
    }

    fn faults(&self, key: &Key, value: &str) -> Vec<(Severity, Fault)> {
        let mut faults: Vec<(Severity, Fault)> = key
            .rules()
            .iter()
            .filter_map(|rule| {
                let severity = rule.severity(self.values, self.strict)?;
                Some((severity, rule.judge(value).err()?))
            })
            .collect();
        let is_example = key.is_secret() && key.get_example() == Some(value);
        if let Some(severity) = crate::Level::Strict
            .severity(self.strict)
            .filter(|_| is_example)
        {
            let problem = "is the example of its documentation";
            faults.push((severity, Fault::new(code::FORBIDDEN_DEFAULT, problem)));
        }
        faults
    }

    fn relations(&self, complaints: &mut Vec<Complaint>) {
        for relation in &self.rules.relations {
            let judged = !complaints.iter().any(|complaint| {
                complaint.severity == Severity::Violation
                    && relation.keys.contains(&complaint.key.as_str())
            });
            if judged && !relation.holds.holds(self.values) {
                complaints.push(Complaint {
                    key: relation.keys[0].to_owned(),
                    code: code::CONFLICTING,
                    severity: Severity::Violation,
                    problem: relation.problem.into(),
                    found: None,
                    remedy: relation.remedy.into(),
                });
            }
        }
    }

    fn unknown_keys(&self, source: &Source, complaints: &mut Vec<Complaint>) {
        for Stranger { key, meant } in &self.strangers {
            let is_ours = self
                .rules
                .prefixes
                .iter()
                .any(|prefix| key.starts_with(prefix));
            if !is_ours || is_service_link(key, source.get(key).as_deref()) {
                continue;
            }
            let (problem, remedy) = match meant {
                Some(meant) => (
                    PublicText::filled("is no known key; did you mean {}?", &[key_word(meant)]),
                    PublicText::filled("rename it to {}, or remove it", &[key_word(meant)]),
                ),
                None => (
                    "is no known key".into(),
                    "remove it, or look for a misspelling".into(),
                ),
            };
            complaints.push(Complaint {
                key: key.clone(),
                code: code::UNKNOWN_KEY,
                severity: Severity::Warning,
                problem,
                found: None,
                remedy,
            });
        }
    }

    fn complaint(
        &self,
        key: &Key,
        severity: Severity,
        fault: Fault,
        value: Option<&str>,
    ) -> Complaint {
        let remedy = fault.remedy.unwrap_or_else(|| match fault.code {
            code::FORBIDDEN_DEFAULT | code::TOO_WEAK => {
                key.hinted("replace it with a value of your own, made at random".into())
            }
            _ => self.remedy(key),
        });
        Complaint {
            key: key.name().to_owned(),
            code: fault.code,
            severity,
            problem: fault.problem,
            found: value
                .filter(|_| !key.is_secret())
                .and_then(|value| quoted(value, self.secrets)),
            remedy,
        }
    }

    /// What to set a key to, by all rules that apply.
    fn remedy(&self, key: &Key) -> PublicText {
        let expected = key.expectation(|rule| {
            rule.severity(self.values, self.strict) == Some(Severity::Violation)
        });
        key.advised(PublicText::filled("set it to {}", &[expected.into()]))
    }
}

/// Where white space or quotation marks surround a value, they are what is wrong with its
/// form; where the form allows them, they deserve a warning.
fn explain_edges(value: &str, faults: &mut Vec<(Severity, Fault)>) {
    let Some((problem, remedy)) = shape::edges(value) else {
        return;
    };
    let malformed = |(_, fault): &(Severity, Fault)| fault.code == code::MALFORMED;
    let violates = faults
        .iter()
        .any(|found| malformed(found) && found.0 == Severity::Violation);
    faults.retain(|found| !malformed(found));
    let severity = if violates {
        Severity::Violation
    } else {
        Severity::Warning
    };
    let mut fault = Fault::new(code::MALFORMED, problem);
    fault.remedy = Some(remedy.into());
    faults.push((severity, fault));
}

/// Whether a complaint of the one code makes one of the other superfluous.
fn covers(told: Code, other: Code) -> bool {
    told == other
        || (told == code::FORBIDDEN_DEFAULT && [code::TOO_SHORT, code::TOO_WEAK].contains(&other))
        || (told == code::TOO_SHORT && other == code::TOO_WEAK)
}

/// The keys that are set to something and not known.
fn strangers(rules: &Rules, source: &Source) -> Vec<Stranger> {
    let known = rules.known_names();
    source
        .set_keys()
        .iter()
        .filter(|key| !known.contains(key))
        .filter(|key| {
            source
                .get(key)
                .is_some_and(|value| !value.trim().is_empty())
        })
        .map(|key| Stranger {
            key: key.clone(),
            meant: nearest(key, known.iter().map(String::as_str)).map(str::to_owned),
        })
        .collect()
}
