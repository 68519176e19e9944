//! In which shape an answer is wanted.

use axum::http::{HeaderMap, header};

/// The shapes of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// `application/json`, ours.
    Json,
    /// `application/health+json`, as draft-inadarei-api-health-check-06 has it.
    HealthJson,
}

pub(crate) const HEALTH_JSON: &str = "application/health+json";

// === impl Shape ===

impl Shape {
    /// Ours, unless the draft's is asked for by its name and is no less welcome than ours.
    pub(crate) fn wanted(headers: &HeaderMap) -> Self {
        let accepted = headers.get_all(header::ACCEPT).iter();
        let accepted: Vec<&str> = accepted.filter_map(|value| value.to_str().ok()).collect();
        // Most probes accept anything, and need no list taken apart.
        if !accepted.iter().any(|value| value.contains('+')) {
            return Self::Json;
        }
        let ranges = || accepted.iter().flat_map(|value| value.split(','));
        let quality = |media: &str| {
            let named = ranges().filter_map(|range| quality_of(range, media));
            named.reduce(f32::max)
        };
        let ours = quality("application/json").unwrap_or(0.0);
        match quality(HEALTH_JSON) {
            Some(theirs) if theirs > 0.0 && theirs >= ours => Self::HealthJson,
            _ => Self::Json,
        }
    }

    /// The content type.
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::HealthJson => HEALTH_JSON,
        }
    }
}

/// The quality (0 to 1) of a range that names `media`.
fn quality_of(range: &str, media: &str) -> Option<f32> {
    let mut parts = range.split(';').map(str::trim);
    if !parts.next()?.eq_ignore_ascii_case(media) {
        return None;
    }
    let quality = parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")));
    Some(quality.map_or(1.0, |quality| quality.parse().unwrap_or(0.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_drafts_shape_must_be_asked_for_by_name() {
        let health = Shape::HealthJson;
        let table = [
            (&[][..], Shape::Json),
            (&["*/*"], Shape::Json),
            (&["application/*"], Shape::Json),
            (&["application/health+json"], health),
            (&["Application/Health+JSON; q=0.5"], health),
            (
                &["text/html, application/health+json;q=0.9, */*;q=0.8"],
                health,
            ),
            (&["application/json", "application/health+json"], health),
            (
                &["application/json, application/health+json;q=0.9"],
                Shape::Json,
            ),
            (&["application/health+json;q=0"], Shape::Json),
            (&["application/health+json;q=x"], Shape::Json),
        ];
        for (accepted, expected) in table {
            let mut headers = HeaderMap::new();
            for value in accepted {
                headers.append(header::ACCEPT, value.parse().unwrap());
            }
            assert_eq!(Shape::wanted(&headers), expected, "{accepted:?}");
        }
    }
}
