//! A page in Prometheus' text format.

use std::fmt::{self, Display, Write};

/// What is written family by family.
///
/// What is looked at when somebody scrapes does not go through the recorder: its counters are
/// whole numbers, which seconds are not, and its gauges outlive what they were set for.
#[derive(Default)]
pub(super) struct Page {
    text: String,
}

/// The samples of one family.
pub(super) struct Family<'a> {
    name: &'static str,
    text: &'a mut String,
}

/// A value of a label, escaped.
struct Escaped<'a>(&'a str);

// === impl Page ===

impl Page {
    /// Begins a family of numbers that only grow.
    pub(super) fn counter(&mut self, name: &'static str, help: &str) -> Family<'_> {
        self.family(name, "counter", help)
    }

    /// Begins a family of numbers that go up and down.
    pub(super) fn gauge(&mut self, name: &'static str, help: &str) -> Family<'_> {
        self.family(name, "gauge", help)
    }

    /// Adds families that are written already.
    pub(super) fn append(&mut self, text: &str) {
        self.text.push_str(text);
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }

    fn family(&mut self, name: &'static str, kind: &str, help: &str) -> Family<'_> {
        let text = &mut self.text;
        // Writing to a string cannot fail.
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        Family { name, text }
    }
}

// === impl Family ===

impl Family<'_> {
    /// Adds a sample.
    pub(super) fn sample(&mut self, labels: &[(&str, &str)], value: impl Display) {
        self.text.push_str(self.name);
        let mut opening = '{';
        for (name, value) in labels {
            let _ = write!(self.text, "{opening}{name}=\"{}\"", Escaped(value));
            opening = ',';
        }
        let closing = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.text, "{closing} {value}");
    }

    /// Makes `value` the only sample; nothing where it is not known.
    pub(super) fn only(mut self, value: Option<impl Display>) {
        if let Some(value) = value {
            self.sample(&[], value);
        }
    }

    /// Adds a sample for each of `states`: 1 for the one that holds, 0 for the others.
    pub(super) fn states<const N: usize>(
        &mut self,
        of: &[(&str, &str)],
        label: &str,
        states: [&str; N],
        holds: &str,
    ) {
        for state in states {
            let labels: Vec<_> = of.iter().copied().chain([(label, state)]).collect();
            self.sample(&labels, u8::from(state == holds));
        }
    }
}

// === impl Escaped ===

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for letter in self.0.chars() {
            match letter {
                '\\' => f.write_str("\\\\")?,
                '"' => f.write_str("\\\"")?,
                '\n' => f.write_str("\\n")?,
                _ => f.write_char(letter)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_written_as_prometheus_reads_it() {
        let mut page = Page::default();
        page.counter("a_seconds_total", "Seconds.").only(Some(1.5));
        let mut family = page.gauge("b", "B.");
        family.sample(&[("x", "1"), ("y", "say \"\\\"\n")], 2_u64);
        family.states(&[("x", "1")], "is", ["on", "off"], "off");
        page.gauge("c", "C.").only(None::<u64>);
        page.append("# done\n");
        let expected = "# HELP a_seconds_total Seconds.\n# TYPE a_seconds_total counter\n\
            a_seconds_total 1.5\n# HELP b B.\n# TYPE b gauge\nb{x=\"1\",y=\"say \\\"\\\\\\\"\\n\"} 2\n\
            b{x=\"1\",is=\"on\"} 0\nb{x=\"1\",is=\"off\"} 1\n# HELP c C.\n# TYPE c gauge\n# done\n";
        assert_eq!(page.into_text(), expected);
    }
}
