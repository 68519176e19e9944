//! Groups of digits that belong together.

/// The zeros of the scripts whose digits people type.
const ZEROS: [char; 5] = ['0', '\u{660}', '\u{6f0}', '\u{966}', '\u{ff10}'];

/// What may stand between two groups of one number.
const SEPARATORS: &[char] = &[
    ' ', '\u{a0}', '\u{202f}', '-', '\u{2010}', '\u{2011}', '\u{2013}', '.', '/', '(', ')',
];

/// The most separators in a row: `) - `.
const MOST_SEPARATORS: usize = 3;

/// Digits without anything between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Group {
    /// In ASCII.
    pub(super) digits: String,
    /// In bytes of the text.
    pub(super) start: usize,
    pub(super) end: usize,
    /// What parts it from the one before it, with one kind of space and of hyphen; empty for the
    /// first.
    pub(super) separator: String,
}

/// The runs of groups that may be one number. None has a letter at either end of it, and dates are
/// left out.
pub(super) fn runs(text: &str) -> Vec<Vec<Group>> {
    let mut runs = Vec::new();
    let mut run: Vec<Group> = Vec::new();
    let mut separator = String::new();
    let mut separators = 0;
    for (at, c) in text.char_indices() {
        let end = at + c.len_utf8();
        if let Some(digit) = digit(c) {
            match run.last_mut() {
                Some(group) if group.end == at => {
                    group.digits.push(digit);
                    group.end = end;
                }
                _ => {
                    let separator = std::mem::take(&mut separator);
                    let digits = digit.to_string();
                    run.push(Group {
                        digits,
                        start: at,
                        end,
                        separator,
                    });
                }
            }
            separators = 0;
        } else if !run.is_empty() && SEPARATORS.contains(&c) && separators < MOST_SEPARATORS {
            separators += 1;
            separator.push(plain(c));
        } else if !run.is_empty() {
            separator.clear();
            separators = 0;
            runs.push(std::mem::take(&mut run));
        }
    }
    runs.push(run);
    let words = runs.into_iter().map(|run| without_words(text, run));
    words
        .flat_map(|run| without_dates(&run))
        .filter(|run| !run.is_empty())
        .collect()
}

/// The digit that a character stands for.
fn digit(c: char) -> Option<char> {
    ZEROS.into_iter().find_map(|zero| {
        let value = u32::from(c).checked_sub(u32::from(zero))?;
        char::from_digit(value, 10)
    })
}

fn plain(separator: char) -> char {
    match separator {
        '\u{a0}' | '\u{202f}' => ' ',
        '\u{2010}' | '\u{2011}' | '\u{2013}' => '-',
        other => other,
    }
}

/// Groups that are parts of words are none: `B12`, `12cm`, `x_12`.
fn without_words(text: &str, mut run: Vec<Group>) -> Vec<Group> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    if let Some(first) = run.first()
        && text[..first.start].ends_with(is_word)
    {
        run.remove(0);
    }
    if let Some(last) = run.last()
        && text[last.end..].starts_with(is_word)
    {
        run.pop();
    }
    run
}

/// Divides a run where a date is: a date and an hour make as many digits as a telephone number has
/// (PostHog/posthog-js#4783).
fn without_dates(run: &[Group]) -> Vec<Vec<Group>> {
    let mut parts = vec![Vec::new()];
    let mut rest = run;
    while let Some((group, others)) = rest.split_first() {
        if let [a, b, c, after @ ..] = rest
            && is_date(a, b, c)
            && a.separator != b.separator
            && after
                .first()
                .is_none_or(|next| next.separator != b.separator)
        {
            parts.push(Vec::new());
            rest = after;
            continue;
        }
        if let Some(part) = parts.last_mut() {
            part.push(group.clone());
        }
        rest = others;
    }
    parts
}

/// Whether three groups are year, month and day in an order in use.
fn is_date(a: &Group, b: &Group, c: &Group) -> bool {
    let separated = b.separator == c.separator && ["-", ".", "/"].contains(&b.separator.as_str());
    let value = |group: &Group| group.digits.parse::<u32>().unwrap_or(u32::MAX);
    let short = |group: &Group| group.digits.len() <= 2;
    let (day, month) = (1..=31, 1..=12);
    let of_month = |one: &Group, other: &Group| {
        short(one)
            && short(other)
            && ((day.contains(&value(one)) && month.contains(&value(other)))
                || (month.contains(&value(one)) && day.contains(&value(other))))
    };
    let is_year = |group: &Group| group.digits.len() == 4 && (1900..2200).contains(&value(group));
    separated
        && ((is_year(a) && of_month(b, c))
            || (of_month(a, b) && (is_year(c) || c.digits.len() == 2)))
}
