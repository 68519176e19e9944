//! How long the API asks to be left alone.

use std::time::{Duration, SystemTime};

use reqwest::header::HeaderMap;

/// A longer wait is no wait any more, and would overflow a clock somewhere.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// The wait that the headers ask for: `retry-after-ms`, `Retry-After` (seconds, or a date seen
/// from `now`), or the reset of whichever rate limit has nothing remaining.
pub(crate) fn asked(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let value = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::trim)
    };
    let wait = value("retry-after-ms")
        .and_then(|ms| seconds(ms, 1000.0))
        .or_else(|| {
            value("retry-after").and_then(|after| seconds(after, 1.0).or_else(|| until(after, now)))
        })
        .or_else(|| {
            let reset = |kind: &str| {
                let spent =
                    value(&format!("x-ratelimit-remaining-{kind}")).is_none_or(|left| left == "0");
                let reset = value(&format!("x-ratelimit-reset-{kind}")).filter(|_| spent)?;
                go_duration(reset).or_else(|| seconds(reset, 1.0))
            };
            reset("requests").max(reset("tokens"))
        });
    wait.map(|wait| wait.min(LONGEST))
}

/// What is left of the named limit (`requests` or `tokens`), where the API says so.
pub(crate) fn remaining(headers: &HeaderMap, kind: &str) -> Option<i64> {
    let name = format!("x-ratelimit-remaining-{kind}");
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

fn seconds(number: &str, per_second: f64) -> Option<Duration> {
    let number: f64 = number.parse().ok()?;
    Duration::try_from_secs_f64(number / per_second).ok()
}

/// A date of the past means: now.
fn until(date: &str, now: SystemTime) -> Option<Duration> {
    let date = httpdate::parse_http_date(date).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

/// A duration as OpenAI writes it: `6m0s`, `1h2m3.5s`, `120ms`.
fn go_duration(raw: &str) -> Option<Duration> {
    let mut total = Duration::ZERO;
    let mut rest = raw;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(digits);
        let end = tail
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(end);
        let per_second = match unit {
            "h" => 1.0 / 3600.0,
            "m" => 1.0 / 60.0,
            "s" => 1.0,
            "ms" => 1e3,
            "us" | "µs" => 1e6,
            "ns" => 1e9,
            _ => return None,
        };
        total = total.checked_add(seconds(number, per_second)?)?;
        rest = tail;
    }
    (!raw.is_empty()).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked_of(headers: &[(&'static str, &str)]) -> Option<Duration> {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_445_412_480);
        asked(&headers.collect(), now)
    }

    #[test]
    fn every_form_is_understood() {
        let ms = |ms| Some(Duration::from_millis(ms));
        for (headers, wait) in [
            (&[][..], None),
            (&[("retry-after", "7")][..], ms(7000)),
            (&[("retry-after", "0.5")], ms(500)),
            (
                &[("retry-after", "Wed, 21 Oct 2015 07:28:30 GMT")],
                ms(30_000),
            ),
            (&[("retry-after", "Wed, 21 Oct 2015 07:00:00 GMT")], ms(0)),
            (&[("retry-after", "soon")], None),
            (&[("retry-after", "-3")], None),
            (&[("retry-after", "NaN")], None),
            (&[("retry-after", "1e300")], None),
            (&[("retry-after", "99999999999")], ms(86_400_000)),
            (
                &[("retry-after-ms", "1500"), ("retry-after", "9")],
                ms(1500),
            ),
            (&[("x-ratelimit-reset-requests", "1s")], ms(1000)),
            (
                &[
                    ("x-ratelimit-reset-requests", "120ms"),
                    ("x-ratelimit-reset-tokens", "6m0s"),
                ],
                ms(360_000),
            ),
            (
                &[
                    ("x-ratelimit-remaining-requests", "0"),
                    ("x-ratelimit-reset-requests", "8.64s"),
                    ("x-ratelimit-remaining-tokens", "900"),
                    ("x-ratelimit-reset-tokens", "6m0s"),
                ],
                ms(8640),
            ),
            (&[("x-ratelimit-reset-tokens", "1h2m3s")], ms(3_723_000)),
            (&[("x-ratelimit-reset-tokens", "tomorrow")], None),
            (
                &[("retry-after", "2"), ("x-ratelimit-reset-tokens", "6m0s")],
                ms(2000),
            ),
        ] {
            assert_eq!(asked_of(headers), wait, "{headers:?}");
        }
    }
}
