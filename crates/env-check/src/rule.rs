//! One rule on one value.

use std::{fmt, ops::RangeInclusive, sync::Arc, time::Duration};

use tria_check::{Code, PublicText, PublicValue};

use crate::{
    Level, Severity, Values, code,
    demand::Condition,
    shape::{self, Misshape, Shape},
    strength, url_shape,
};

/// One rule on one value. It is a violation everywhere unless [`Rule::at`] says otherwise, and
/// applies always unless [`Rule::when`] does.
///
/// ```
/// use tria_env_check::{Key, Level, Rule};
/// let key = Key::new("OPENAI_API_KEY")
///     .rule(Rule::prefix("sk-").when(|values| !values.is_set("OPENAI_BASE_URL")))
///     .rule(Rule::min_entropy(64).at(Level::Strict));
/// ```
#[derive(Clone, Debug)]
pub struct Rule {
    test: Test,
    level: Level,
    when: Option<Condition>,
}

/// What is wrong with one value; safe to print.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) code: Code,
    pub(crate) problem: PublicText,
    pub(crate) remedy: Option<PublicText>,
}

/// A part of the sentence that says what a key expects.
#[derive(Debug)]
pub(crate) enum Expected {
    /// What the value is, as in `a whole number from 1 to 9`.
    Noun(PublicText),
    /// What it is like, as in `that begins with sk-`.
    Quality(PublicText),
}

#[derive(Clone)]
enum Test {
    Integer(RangeInclusive<i64>),
    Float(RangeInclusive<f64>),
    Decimal(u32, RangeInclusive<f64>),
    Boolean,
    Duration(RangeInclusive<Duration>),
    OneOf(Vec<&'static str>, bool),
    Names,
    IpAddress,
    Host,
    HostAndPort,
    Url(Vec<&'static str>),
    Prefix(&'static str),
    VisibleAscii,
    MinLength(usize),
    MinEntropy(u32),
    Forbidden(Vec<&'static str>),
    UrlPassword(Vec<&'static str>),
    Custom(&'static str, &'static str, Holds),
}

type Holds = Arc<dyn Fn(&str) -> bool + Send + Sync>;

// === impl Rule ===

impl Rule {
    /// A whole number in the range, bounds included.
    pub fn integer(range: RangeInclusive<i64>) -> Self {
        Test::Integer(range).into()
    }

    /// A finite number in the range, bounds included.
    pub fn float(range: RangeInclusive<f64>) -> Self {
        Test::Float(range).into()
    }

    /// A number without exponent, with `digits` after the point at most, in the range, bounds
    /// included: an amount of money.
    pub fn decimal(digits: u32, range: RangeInclusive<f64>) -> Self {
        Test::Decimal(digits, range).into()
    }

    /// `true`, `yes`, `on`, `1`, or `false`, `no`, `off`, `0`, in any case.
    pub fn boolean() -> Self {
        Test::Boolean.into()
    }

    /// A duration such as `500ms`, `3s` or `2m`, in the range, bounds included.
    pub fn duration(range: RangeInclusive<Duration>) -> Self {
        Test::Duration(range).into()
    }

    /// One of these words, in this case.
    pub fn one_of(words: impl IntoIterator<Item = &'static str>) -> Self {
        Test::OneOf(words.into_iter().collect(), false).into()
    }

    /// One of these words, in any case.
    pub fn one_of_any_case(words: impl IntoIterator<Item = &'static str>) -> Self {
        Test::OneOf(words.into_iter().collect(), true).into()
    }

    /// Names of the form `[a-z0-9_.-]{1,64}`, separated by commas.
    pub fn names() -> Self {
        Test::Names.into()
    }

    /// An IP address, as a listener takes it.
    pub fn ip_address() -> Self {
        Test::IpAddress.into()
    }

    /// A host name or an IP address, without port.
    pub fn host() -> Self {
        Test::Host.into()
    }

    /// A host name or an IP address (IPv6 in brackets) with a port.
    pub fn host_and_port() -> Self {
        Test::HostAndPort.into()
    }

    /// A URL of one of the schemes, with a host.
    pub fn url(schemes: impl IntoIterator<Item = &'static str>) -> Self {
        Test::Url(schemes.into_iter().collect()).into()
    }

    /// Text that begins with `prefix`.
    pub fn prefix(prefix: &'static str) -> Self {
        Test::Prefix(prefix).into()
    }

    /// Visible ASCII characters only, as an HTTP header's token needs them.
    pub fn visible_ascii() -> Self {
        Test::VisibleAscii.into()
    }

    /// At least so many characters.
    pub fn min_length(characters: usize) -> Self {
        Test::MinLength(characters).into()
    }

    /// At least so many bits of entropy, as [`crate::estimated_bits`] estimates them.
    pub fn min_entropy(bits: u32) -> Self {
        Test::MinEntropy(bits).into()
    }

    /// None of the values that these patterns match. `*` stands for any characters; case is
    /// ignored, `_` and space are read as `-`, and digits and marks at the value's end do not
    /// save it from a pattern without `*`. See [`crate::WELL_KNOWN_DEFAULTS`].
    pub fn forbidden(patterns: impl IntoIterator<Item = &'static str>) -> Self {
        Test::Forbidden(patterns.into_iter().collect()).into()
    }

    /// A URL whose password is there, is not the user's name, and is none that these patterns
    /// match (as in [`Rule::forbidden`]).
    pub fn url_password(patterns: impl IntoIterator<Item = &'static str>) -> Self {
        Test::UrlPassword(patterns.into_iter().collect()).into()
    }

    /// A rule of one's own: where it does not hold, `problem` goes on the sentence that begins
    /// with the key (`is not a palindrome`), and `remedy` says what to do.
    pub fn custom(
        problem: &'static str,
        remedy: &'static str,
        holds: impl Fn(&str) -> bool + Send + Sync + 'static,
    ) -> Self {
        Test::Custom(problem, remedy, Arc::new(holds)).into()
    }

    /// Sets how much breaking it matters.
    pub fn at(mut self, level: Level) -> Self {
        self.level = level;
        self
    }

    /// Applies it only where `condition` holds over the values of all keys.
    pub fn when(mut self, condition: impl Fn(&Values) -> bool + Send + Sync + 'static) -> Self {
        self.when = Some(Condition::new(condition));
        self
    }

    /// What breaking it means here and now; `None` where it does not apply.
    pub(crate) fn severity(&self, values: &Values, strict: bool) -> Option<Severity> {
        let applies = self.when.as_ref().is_none_or(|when| when.holds(values));
        applies.then(|| self.level.severity(strict)).flatten()
    }

    /// Whether it is a violation everywhere and always.
    pub(crate) fn is_unconditional(&self) -> bool {
        self.when.is_none() && self.level == Level::Always
    }

    /// Whether it judges how good a secret is, rather than its form.
    pub(crate) fn judges_strength(&self) -> bool {
        matches!(
            self.test,
            Test::MinEntropy(_) | Test::Forbidden(_) | Test::UrlPassword(_)
        )
    }

    pub(crate) fn judge(&self, value: &str) -> Result<(), Fault> {
        self.test.judge(value)
    }

    pub(crate) fn expected(&self) -> Option<Expected> {
        self.test.expected()
    }
}

impl From<Test> for Rule {
    fn from(test: Test) -> Self {
        Self {
            test,
            level: Level::Always,
            when: None,
        }
    }
}

// === impl Test ===

impl Test {
    fn judge(&self, value: &str) -> Result<(), Fault> {
        match self {
            Self::Integer(range) => self.shaped(shape::integer(value, range)),
            Self::Float(range) => self.shaped(shape::float(value, range)),
            Self::Decimal(digits, range) => self.shaped(shape::decimal(value, *digits, range)),
            Self::Boolean => self.shaped(shape::boolean(value)),
            Self::Duration(range) => self.shaped(shape::duration(value, range)),
            Self::Names => self.shaped(shape::names(value)),
            Self::IpAddress => self.shaped(shape::ip_address(value)),
            Self::Host => self.shaped(shape::host(value)),
            Self::HostAndPort => self.shaped(shape::host_and_port(value)),
            Self::Url(schemes) => self.shaped(url_shape::url(value, schemes)),
            Self::VisibleAscii => self.shaped(shape::visible_ascii(value)),
            Self::OneOf(words, any_case) => {
                let same = |word: &&str| {
                    *word == value || (*any_case && word.eq_ignore_ascii_case(value))
                };
                holds(words.iter().any(same), code::MALFORMED, "is none of the known words")
            }
            Self::Prefix(prefix) => {
                let problem = PublicText::filled("does not begin with {}", &[(*prefix).into()]);
                holds(value.starts_with(prefix), code::MALFORMED, problem)
            }
            Self::MinLength(least) => {
                let problem = PublicText::filled("has fewer than {} characters", &[(*least).into()]);
                holds(value.chars().nth(least.saturating_sub(1)).is_some() || *least == 0, code::TOO_SHORT, problem)
            }
            Self::MinEntropy(bits) => {
                let strong = strength::estimated_bits(value) >= f64::from(*bits);
                holds(strong, code::TOO_WEAK, "is too easy to guess")
            }
            Self::Forbidden(patterns) => {
                let known = strength::is_forbidden(value, patterns);
                holds(!known, code::FORBIDDEN_DEFAULT, "is a default or an example that everyone knows")
            }
            Self::UrlPassword(patterns) => url_shape::password(value, patterns).map_err(|problem| Fault {
                code: code::FORBIDDEN_DEFAULT,
                problem: problem.into(),
                remedy: Some(
                    "give the user a password of its own, and write it into the URL percent-encoded".into(),
                ),
            }),
            Self::Custom(problem, remedy, test) => {
                holds(test(value), code::MALFORMED, *problem).map_err(|fault| Fault {
                    remedy: Some((*remedy).into()),
                    ..fault
                })
            }
        }
    }

    fn shaped(&self, shape: Shape) -> Result<(), Fault> {
        shape.map_err(|misshape| match misshape {
            Misshape::Malformed(problem) => Fault::new(code::MALFORMED, problem),
            Misshape::OutOfRange => {
                let (from, to) = self.bounds();
                Fault::new(
                    code::OUT_OF_RANGE,
                    PublicText::filled("lies outside {} to {}", &[from, to]),
                )
            }
        })
    }

    fn bounds(&self) -> (PublicValue, PublicValue) {
        let time =
            |time: &Duration| PublicValue::word(&humantime::format_duration(*time).to_string());
        match self {
            Self::Integer(range) => ((*range.start()).into(), (*range.end()).into()),
            Self::Float(range) | Self::Decimal(_, range) => {
                ((*range.start()).into(), (*range.end()).into())
            }
            Self::Duration(range) => (time(range.start()), time(range.end())),
            _ => ("its least".into(), "its most".into()),
        }
    }

    fn expected(&self) -> Option<Expected> {
        let bounded = |template| {
            let (from, to) = self.bounds();
            Expected::Noun(PublicText::filled(template, &[from, to]))
        };
        Some(match self {
            Self::Integer(_) => bounded("a whole number from {} to {}"),
            Self::Float(_) => bounded("a number from {} to {}"),
            Self::Decimal(digits, _) => {
                let (from, to) = self.bounds();
                let values = [(*digits).into(), from, to];
                let template = "a number with at most {} digits after the point from {} to {}";
                Expected::Noun(PublicText::filled(template, &values))
            }
            Self::Boolean => Expected::Noun("true or false".into()),
            Self::Duration(_) => bounded("a duration with its unit (ms, s, m, h) from {} to {}"),
            Self::OneOf(words, _) => Expected::Noun(listed("one of {}", words)),
            Self::Names => Expected::Noun("a list of names separated by commas".into()),
            Self::IpAddress => Expected::Noun("an IP address".into()),
            Self::Host => Expected::Noun("a host name or an IP address".into()),
            Self::HostAndPort => Expected::Noun("a host with its port, written host:port".into()),
            Self::Url(schemes) => Expected::Noun(listed("a URL of the scheme {}", schemes)),
            Self::Prefix(prefix) => Expected::Quality(PublicText::filled(
                "that begins with {}",
                &[(*prefix).into()],
            )),
            Self::VisibleAscii => Expected::Quality("of visible ASCII characters".into()),
            Self::MinLength(least) => Expected::Quality(PublicText::filled(
                "of at least {} characters",
                &[(*least).into()],
            )),
            Self::MinEntropy(_) | Self::Forbidden(_) | Self::UrlPassword(_) | Self::Custom(..) => {
                return None;
            }
        })
    }
}

impl fmt::Debug for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.expected() {
            Some(expected) => expected.fmt(f),
            None => f.write_str("Test"),
        }
    }
}

// === impl Fault ===

impl Fault {
    pub(crate) fn new(code: Code, problem: impl Into<PublicText>) -> Self {
        Self {
            code,
            problem: problem.into(),
            remedy: None,
        }
    }
}

fn holds(holds: bool, code: Code, problem: impl Into<PublicText>) -> Result<(), Fault> {
    if holds {
        Ok(())
    } else {
        Err(Fault::new(code, problem))
    }
}

fn listed(template: &'static str, words: &[&'static str]) -> PublicText {
    PublicText::filled(template, &[PublicValue::words(words)])
}
