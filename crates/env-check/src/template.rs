//! An env file to begin with.

use std::fmt;

use crate::{Key, Rules};

/// The columns that comments are wrapped to.
const WIDTH: usize = 96;

/// An env file with every key, what it means, what it expects, its default and an example. Keys
/// that must be set stand as `KEY=example`, the others are commented out.
#[derive(Clone, Copy, Debug)]
pub struct Template<'a>(&'a Rules);

// === impl Template ===

impl<'a> Template<'a> {
    pub(crate) fn new(rules: &'a Rules) -> Self {
        Self(rules)
    }
}

impl fmt::Display for Template<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut group = "";
        for (index, key) in self.0.keys().iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            if key.get_group() != group {
                group = key.get_group();
                writeln!(f, "# === {group} ===\n")?;
            }
            entry(f, key)?;
        }
        Ok(())
    }
}

fn entry(f: &mut fmt::Formatter<'_>, key: &Key) -> fmt::Result {
    comment(f, key.get_about())?;
    let demand = key.demand().map_or("Optional", |demand| demand.label());
    let default = key
        .get_default()
        .map(|default| format!(" Default: {default}."))
        .unwrap_or_default();
    let file = key
        .file_key()
        .map(|file| format!(" Secret; {file} may name a file that holds it instead."))
        .unwrap_or_default();
    let sentence = format!("{demand}: {}.{default}{file}", key.expects());
    comment(f, &sentence)?;
    let mark = if key.is_required() { "" } else { "#" };
    let value = key.get_example().or(key.get_default()).unwrap_or_default();
    writeln!(f, "{mark}{}={}", key.name(), quoted(value))
}

fn comment(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    let mut line = String::from("#");
    for word in text.split_whitespace() {
        if line.len() > 1 && line.chars().count() + 1 + word.chars().count() > WIDTH {
            writeln!(f, "{line}")?;
            line.truncate(1);
        }
        line.push(' ');
        line.push_str(word);
    }
    if line.len() > 1 {
        writeln!(f, "{line}")?;
    }
    Ok(())
}

/// A value as readers of env files take it literally: in quotes where it holds what means
/// something to them.
fn quoted(value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-.,:/@%+=?&~*".contains(c);
    if value.chars().all(plain) {
        return value.to_owned();
    }
    if !value.contains('\'') {
        return format!("'{value}'");
    }
    let escaped = |c| {
        if "\\\"$".contains(c) {
            vec!['\\', c]
        } else {
            vec![c]
        }
    };
    let value: String = value.chars().flat_map(escaped).collect();
    format!("\"{value}\"")
}

#[cfg(test)]
mod tests {
    use crate::{Key, Level, Rules};

    #[test]
    fn it_says_of_each_key_what_is_known() {
        let rules = Rules::builder()
            .key(
                Key::new("A")
                    .group("Letters")
                    .about("The first.")
                    .required()
                    .secret()
                    .example("it's a $"),
            )
            .key(
                Key::new("B")
                    .group("Letters")
                    .boolean()
                    .default("no")
                    .example("yes"),
            )
            .key(
                Key::new("C")
                    .group("More")
                    .required_at(Level::Strict)
                    .example("two words"),
            )
            .build()
            .unwrap();
        assert_eq!(
            rules.template().to_string(),
            "# === Letters ===\n\n\
             # The first.\n\
             # Required: a secret. Secret; A_FILE may name a file that holds it instead.\n\
             A=\"it's a \\$\"\n\n\
             # Optional: true or false. Default: no.\n\
             #B=yes\n\n\
             # === More ===\n\n\
             # Required in production: text.\n\
             #C='two words'\n"
        );
    }

    #[test]
    fn long_comments_are_wrapped() {
        let rules = Rules::builder()
            .key(Key::new("A").about(concat!(
                "word word word word word word word word word word word word ",
                "word word word word word word word word word word word word word word"
            )))
            .build()
            .unwrap();
        let template = rules.template().to_string();
        assert!(
            template.lines().all(|line| line.len() <= super::WIDTH),
            "{template}"
        );
        assert_eq!(template.matches("word").count(), 26);
    }
}
