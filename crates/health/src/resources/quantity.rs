//! Quantities as people read them.

use tria_check::PublicValue;

const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];

/// `part` in percent of `whole`, with one digit; of nothing, nothing is taken.
#[expect(
    clippy::cast_precision_loss,
    reason = "a percentage with one digit needs no 64 bits"
)]
pub(crate) fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        return 0.0;
    }
    tenth(part as f64 / whole as f64 * 100.0)
}

/// A number with one digit.
pub(crate) fn tenth(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

/// A size, as in `1.3 GiB`.
#[expect(clippy::cast_precision_loss, reason = "one digit is shown")]
pub(crate) fn size(bytes: u64) -> PublicValue {
    let mut amount = bytes as f64 / 1024.0;
    let mut units = UNITS.into_iter().peekable();
    while let Some(unit) = units.next() {
        if amount < 1000.0 || units.peek().is_none() {
            return PublicValue::word(&format!("{} {unit}", tenth(amount)));
        }
        amount /= 1024.0;
    }
    bytes.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_told_in_the_unit_that_fits() {
        for (bytes, told) in [
            (0, "0 KiB"),
            (1536, "1.5 KiB"),
            (512 << 20, "512 MiB"),
            (1000 << 20, "1 GiB"),
            (5000 << 40, "5000 TiB"),
        ] {
            assert_eq!(size(bytes).to_string(), told);
        }
    }

    #[test]
    fn shares_are_told_with_one_digit() {
        for (part, whole, told) in [(750, 1000, 75.0), (2, 3, 66.7), (0, 0, 0.0), (5, 0, 0.0)] {
            assert!((percent(part, whole) - told).abs() < 1e-9, "{part} {whole}");
        }
    }
}
