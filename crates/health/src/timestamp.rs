//! Points in time as the wire formats write them.

use std::time::SystemTime;

use time::{OffsetDateTime, format_description::BorrowedFormatItem, macros::format_description};

/// RFC 3339 in UTC, always with milliseconds, so that texts of it sort by time.
const FORMAT: &[BorrowedFormatItem<'static>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

/// A point in time, as in `2026-11-23T15:08:59.120Z`.
pub(crate) fn rfc3339(at: SystemTime) -> String {
    // Formatting fails only where a component is missing, which a date with time has all of.
    OffsetDateTime::from(at).format(FORMAT).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn timestamps_are_utc_with_milliseconds() {
        let at = |millis| rfc3339(SystemTime::UNIX_EPOCH + Duration::from_millis(millis));
        assert_eq!(at(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(at(1_795_446_539_120), "2026-11-23T15:08:59.120Z");
    }
}
