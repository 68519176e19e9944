//! Measured values, told as benches tell them.

use std::fmt;

/// The median of some values, and how far they spread.
///
/// It is written as `median (least to most)`. The width of a format is the median's; its precision
/// is that of all three.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The value in the middle; of an even number the greater of the two.
    pub median: f64,
    /// The least value.
    pub least: f64,
    /// The greatest value.
    pub most: f64,
}

// === impl Spread ===

impl Spread {
    /// The spread of some values, in any order.
    ///
    /// # Panics
    /// If there is none.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        Self {
            median: values[values.len() / 2],
            least: values[0],
            most: values[values.len() - 1],
        }
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            median,
            least,
            most,
        } = self;
        let (width, digits) = (f.width().unwrap_or(0), f.precision().unwrap_or(1));
        write!(
            f,
            "{median:width$.digits$} ({least:.digits$} to {most:.digits$})"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_width_is_the_medians_and_the_precision_of_all() {
        let spread = Spread::of([30.0, 1.25, 22.5]);
        assert_eq!(format!("{spread:8.1}|"), "    22.5 (1.2 to 30.0)|");
        assert_eq!(spread.to_string(), "22.5 (1.2 to 30.0)");
        assert_eq!(format!("{spread:5.0}|"), "   22 (1 to 30)|");
    }

    #[test]
    fn one_value_is_all_three() {
        assert_eq!(Spread::of([4.0]).to_string(), "4.0 (4.0 to 4.0)");
    }
}
