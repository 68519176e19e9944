//! The forms of single values: what is wrong with each, as the end of a sentence that begins
//! with the key.

use std::{net::IpAddr, ops::RangeInclusive, time::Duration};

/// A verdict: what is wrong, in fixed words.
pub(crate) type Shape = Result<(), Misshape>;

/// What is wrong with a value's form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Misshape {
    /// Not of the form at all.
    Malformed(&'static str),
    /// Of the form, and outside the range.
    OutOfRange,
}

pub(crate) fn integer(value: &str, range: &RangeInclusive<i64>) -> Shape {
    let digits = value.strip_prefix(['-', '+']).unwrap_or(value);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Misshape::Malformed("is not a whole number"));
    }
    // What is too large for the type is outside every range.
    within(value.parse().ok(), range)
}

pub(crate) fn float(value: &str, range: &RangeInclusive<f64>) -> Shape {
    match value.parse::<f64>() {
        Ok(number) if number.is_finite() => within(Some(number), range),
        _ if is_decimal(&value.replacen(',', ".", 1), u32::MAX) => {
            Err(Misshape::Malformed("has a decimal comma"))
        }
        _ => Err(Misshape::Malformed("is not a number")),
    }
}

pub(crate) fn decimal(value: &str, digits: u32, range: &RangeInclusive<f64>) -> Shape {
    float(value, range)?;
    if is_decimal(value, digits) {
        Ok(())
    } else if is_decimal(value, u32::MAX) {
        Err(Misshape::Malformed("has too many digits after the point"))
    } else {
        Err(Misshape::Malformed("is not a plain decimal number"))
    }
}

/// The words that the crate `config` reads as flags.
pub(crate) fn boolean(value: &str) -> Shape {
    let words = ["1", "true", "on", "yes", "0", "false", "off", "no"];
    if words.iter().any(|word| word.eq_ignore_ascii_case(value)) {
        Ok(())
    } else {
        Err(Misshape::Malformed("is neither true nor false"))
    }
}

pub(crate) fn duration(value: &str, range: &RangeInclusive<Duration>) -> Shape {
    match humantime::parse_duration(value) {
        Ok(duration) => within(Some(duration), range),
        Err(_) if is_decimal(value, u32::MAX) => {
            Err(Misshape::Malformed("is a duration without a unit"))
        }
        Err(_) => Err(Misshape::Malformed("is not a duration")),
    }
}

pub(crate) fn names(value: &str) -> Shape {
    let legal = |c: u8| matches!(c, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'-');
    let is_name = |name: &str| name.len() <= 64 && name.bytes().all(legal);
    // A comma too many harms nobody.
    let mut names = value
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .peekable();
    if names.peek().is_some() && names.all(is_name) {
        Ok(())
    } else {
        Err(Misshape::Malformed("is not a list of names"))
    }
}

pub(crate) fn ip_address(value: &str) -> Shape {
    match value.parse::<IpAddr>() {
        Ok(_) => Ok(()),
        Err(_) => Err(Misshape::Malformed("is not an IP address")),
    }
}

/// A host name (RFC 1123, and `_`, which container networks allow) or an IP address.
pub(crate) fn host(value: &str) -> Shape {
    if value.parse::<IpAddr>().is_ok() {
        return Ok(());
    }
    if value.contains("://") {
        return Err(Misshape::Malformed("is a URL, not a host alone"));
    }
    if value
        .rsplit_once(':')
        .is_some_and(|(_, port)| port.parse::<u16>().is_ok())
    {
        return Err(Misshape::Malformed(
            "has a port, which belongs in a key of its own",
        ));
    }
    let legal = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_');
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(legal)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let name = value.strip_suffix('.').unwrap_or(value);
    // A name whose last label is a number could only be an address, and it is none.
    let numeric_end = |name: &str| {
        name.rsplit('.')
            .next()
            .is_some_and(|label| label.bytes().all(|byte| byte.is_ascii_digit()))
    };
    if name.len() <= 253 && name.split('.').all(is_label) && !numeric_end(name) {
        Ok(())
    } else {
        Err(Misshape::Malformed(
            "is neither a host name nor an IP address",
        ))
    }
}

/// `host:port`, with an IPv6 address in brackets.
pub(crate) fn host_and_port(value: &str) -> Shape {
    const WRONG: Shape = Err(Misshape::Malformed("is not a host with a port"));
    let Some((name, port)) = value.rsplit_once(':') else {
        return WRONG;
    };
    if value.contains("://") {
        return Err(Misshape::Malformed("is a URL, not a host with a port"));
    }
    let plain_digits = port.bytes().all(|byte| byte.is_ascii_digit());
    if !plain_digits
        || port.parse::<u16>().is_ok_and(|port| port == 0)
        || port.parse::<u16>().is_err()
    {
        return Err(Misshape::Malformed("has no port from 1 to 65535"));
    }
    let bracketed = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'));
    match bracketed {
        Some(address)
            if address
                .parse::<IpAddr>()
                .is_ok_and(|address| address.is_ipv6()) =>
        {
            Ok(())
        }
        None if !name.contains(':') && host(name).is_ok() => Ok(()),
        _ => WRONG,
    }
}

pub(crate) fn visible_ascii(value: &str) -> Shape {
    if value.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(())
    } else {
        Err(Misshape::Malformed(
            "holds spaces, or characters other than visible ASCII",
        ))
    }
}

/// What is wrong with the edges of any value; it is seldom meant, and hard to see.
pub(crate) fn edges(value: &str) -> Option<(&'static str, &'static str)> {
    let blank = |c: char| c.is_whitespace() || c.is_control();
    if value.starts_with(blank) || value.ends_with(blank) {
        return Some((
            "begins or ends with white space",
            "remove it; a file written on Windows ends its lines with a character that is easily overlooked",
        ));
    }
    let wrapped =
        |quote: char| value.len() > 1 && value.starts_with(quote) && value.ends_with(quote);
    (wrapped('"') || wrapped('\'')).then_some((
        "is wrapped in quotation marks",
        "remove them; some readers of env files, as Docker's, take them for a part of the value",
    ))
}

fn within<T: PartialOrd>(value: Option<T>, range: &RangeInclusive<T>) -> Shape {
    match value {
        Some(value) if range.contains(&value) => Ok(()),
        _ => Err(Misshape::OutOfRange),
    }
}

/// Whether it is written with digits and at most one point, with `digits` after it at most.
fn is_decimal(value: &str, digits: u32) -> bool {
    let unsigned = value.strip_prefix(['-', '+']).unwrap_or(value);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    plain(whole) && plain(fraction) && u32::try_from(fraction.len()).is_ok_and(|n| n <= digits)
}

#[cfg(test)]
#[path = "shape_tests.rs"]
mod tests;
