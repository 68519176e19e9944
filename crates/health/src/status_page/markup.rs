//! The page in HTML. The macro escapes whatever is put into it.

use std::time::SystemTime;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use tria_check::PublicValue;

use super::{
    view::{Behind, FindingView, ServiceView, View},
    words::{self, Tone},
};
use crate::{StartupPhase, timestamp::rfc3339};

const STYLE: &str = include_str!("style.css");

/// How often a browser asks for it again, in seconds: as often as the checks are run.
const RENEWED_EVERY: u32 = 5;

pub(super) fn page(view: &View<'_>) -> Markup {
    let verdict = &view.verdict;
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex";
                meta http-equiv="refresh" content=(RENEWED_EVERY);
                title { (verdict.word) " \u{b7} status" }
                // Or else a browser asks for one.
                link rel="icon" href="data:,";
                style { (PreEscaped(STYLE)) }
            }
            body {
                header class=(verdict.tone.class()) {
                    h1 { (sign(verdict.tone)) (verdict.word) }
                    p { (verdict.says) }
                }
                main {
                    (facts(view))
                    (start(&view.start))
                    (services(view))
                }
                footer {
                    "As of " (time(view.now, &rfc3339(view.now)))
                    ", renewed every " (RENEWED_EVERY) " s."
                    @if view.hides_something {
                        " Who sends the diagnostics token sees more."
                    }
                }
            }
        }
    }
}

fn facts(view: &View<'_>) -> Markup {
    html! {
        dl.facts {
            (fact("phase", &view.phase.replace('_', " ")))
            (fact("up for", &words::span(view.uptime)))
            (fact("version", view.version))
            @if let Some(revision) = view.revision {
                (fact("revision", revision))
            }
        }
    }
}

fn start(phases: &[StartupPhase]) -> Markup {
    html! {
        @if !phases.is_empty() {
            section aria-label="The start" {
                h2 { "The start" }
                ol.start {
                    @for phase in phases {
                        @let tone = Tone::of_phase(phase.state);
                        li class=(tone.class()) {
                            p {
                                (sign(tone)) strong { (phase.title) } ": " (words::of_phase(phase.state))
                                @if let Some(elapsed) = phase.elapsed() { ", " (words::span(elapsed)) }
                            }
                            @for line in &phase.lines {
                                p.line { (line) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn services(view: &View<'_>) -> Markup {
    html! {
        section aria-label="Services" {
            h2 { "Services" }
            @if view.services.is_empty() {
                p { "There is nothing to check." }
            }
            div.services {
                @for it in &view.services {
                    (service(it, view.now))
                }
            }
        }
    }
}

fn service(it: &ServiceView<'_>, now: SystemTime) -> Markup {
    let tone = Tone::of(it.status);
    html! {
        article class=(tone.class()) {
            h3 { (it.name) }
            p.state {
                (sign(tone)) (words::of_service(it.status))
                @if it.is_optional { " (optional)" }
            }
            @if let Some((code, message)) = &it.complaint {
                p { (message) " " code { (code) } }
            }
            dl {
                @if let Some(millis) = it.response_time_ms {
                    (fact("answers in", &format!("{millis:.1} ms")))
                }
                @if !it.pool.is_empty() {
                    (fact("pool", &pool(&it.pool)))
                }
                @if let Some(behind) = &it.behind {
                    (past(behind, now))
                }
            }
            @if let Some(behind) = &it.behind {
                @for it in &behind.findings {
                    (finding(it))
                }
            }
        }
    }
}

fn past(behind: &Behind<'_>, now: SystemTime) -> Markup {
    html! {
        div {
            dt { "last success" }
            dd {
                @match behind.last_success {
                    Some(at) => (time(at, &words::ago(at, now))),
                    None => "never",
                }
            }
        }
        (fact("failures in a row", &behind.consecutive_failures.to_string()))
    }
}

fn finding(it: &FindingView<'_>) -> Markup {
    html! {
        div.finding {
            p { (it.message) " " code { (it.check) " " (it.code) } }
            @if let Some(remedy) = it.remedy {
                p { "What to do: " (remedy) }
            }
            @if let Some(detail) = it.detail {
                p.detail { (detail) }
            }
        }
    }
}

fn pool(numbers: &[(&'static str, PublicValue)]) -> String {
    let numbers = numbers
        .iter()
        .map(|(name, value)| format!("{} {value}", name.replace('_', " ")));
    numbers.collect::<Vec<_>>().join(", ")
}

fn fact(name: &str, value: &str) -> Markup {
    html! { div { dt { (name) } dd { (value) } } }
}

fn time(at: SystemTime, text: &str) -> Markup {
    html! { time datetime=(rfc3339(at)) title=(rfc3339(at)) { (text) } }
}

/// Not for ears: a word stands beside it.
fn sign(tone: Tone) -> Markup {
    html! { span.sign aria-hidden="true" { (tone.sign()) } }
}
