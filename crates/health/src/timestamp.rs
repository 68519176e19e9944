//! Points in time as the wire formats write them.

use std::time::SystemTime;

use time::{Date, OffsetDateTime, Time};

/// A point in time in RFC 3339, in UTC and always with milliseconds, so that texts of it sort by
/// time: as in `2026-11-23T15:08:59.120Z`.
pub(crate) fn rfc3339(at: SystemTime) -> String {
    let mut text = Vec::with_capacity(24);
    write(at, &mut text);
    String::from_utf8(text).unwrap_or_default()
}

/// Appends a point in time. Written out by hand: it is the only part of most answers that is
/// made anew for each request.
pub(crate) fn write(at: SystemTime, text: &mut Vec<u8>) {
    let at = OffsetDateTime::from(at);
    let (date, time): (Date, Time) = (at.date(), at.time());
    let (year, month, day) = date.to_calendar_date();
    let (hour, minute, second, milli) = time.as_hms_milli();
    digits::<4>(u32::try_from(year).unwrap_or(0), b'-', text);
    digits::<2>(u8::from(month).into(), b'-', text);
    digits::<2>(day.into(), b'T', text);
    digits::<2>(hour.into(), b':', text);
    digits::<2>(minute.into(), b':', text);
    digits::<2>(second.into(), b'.', text);
    digits::<3>(milli.into(), b'Z', text);
}

/// The last `N` digits of a number, and what comes after it.
fn digits<const N: usize>(mut number: u32, then: u8, text: &mut Vec<u8>) {
    let mut written = [b'0'; N];
    for digit in written.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
    text.extend_from_slice(&written);
    text.push(then);
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
        assert_eq!(at(4_107_542_399_999), "2100-02-28T23:59:59.999Z");
    }
}
