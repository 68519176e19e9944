//! One key: what it means, whether it must be set, and the rules on its value.

use std::{borrow::Cow, ops::RangeInclusive, time::Duration};

use tria_check::{PublicText, PublicValue};

use crate::{
    Level, Rule, Values, WELL_KNOWN_DEFAULTS,
    demand::{Condition, Demand},
    rule::Expected,
};

/// One key: what it means, whether it must be set, and the rules on its value.
///
/// The texts (`about`, `group`, `default`, `example`, `hint`) are shown to people as they are,
/// so none may hold a real secret.
///
/// ```
/// use tria_env_check::{Key, Level};
/// let key = Key::new("SECRET_KEY")
///     .about("Signs the sessions.")
///     .required()
///     .secret()
///     .min_length(32)
///     .min_entropy(64, Level::Strict)
///     .no_well_known_default(Level::Strict)
///     .hint("`openssl rand -hex 32` makes one");
/// ```
#[derive(Clone, Debug)]
pub struct Key {
    name: Cow<'static, str>,
    secret: bool,
    demand: Option<Demand>,
    rules: Vec<Rule>,
    about: &'static str,
    group: &'static str,
    default: Option<&'static str>,
    example: Option<&'static str>,
    hint: Option<&'static str>,
}

// === impl Key ===

impl Key {
    /// An optional key that may hold any text.
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self {
            name: name.into(),
            secret: false,
            demand: None,
            rules: Vec::new(),
            about: "",
            group: "",
            default: None,
            example: None,
            hint: None,
        }
    }

    /// It must be set.
    pub fn required(self) -> Self {
        self.required_at(Level::Always)
    }

    /// Sets what it means that it is not set.
    pub fn required_at(mut self, level: Level) -> Self {
        self.demand = Some(Demand::new(level, None));
        self
    }

    /// Sets what it means that it is not set while `condition` holds over the values of all keys.
    pub fn required_when(
        mut self,
        level: Level,
        condition: impl Fn(&Values) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.demand = Some(Demand::new(level, Some(Condition::new(condition))));
        self
    }

    /// Its value is never shown, and may come from the file that `<KEY>_FILE` names; newlines at
    /// the file's end are cut off.
    pub fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    /// Adds a rule.
    pub fn rule(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }

    /// Adds [`Rule::integer`].
    pub fn integer(self, range: RangeInclusive<i64>) -> Self {
        self.rule(Rule::integer(range))
    }

    /// Adds [`Rule::float`].
    pub fn float(self, range: RangeInclusive<f64>) -> Self {
        self.rule(Rule::float(range))
    }

    /// Adds [`Rule::decimal`].
    pub fn decimal(self, digits: u32, range: RangeInclusive<f64>) -> Self {
        self.rule(Rule::decimal(digits, range))
    }

    /// Adds [`Rule::boolean`].
    pub fn boolean(self) -> Self {
        self.rule(Rule::boolean())
    }

    /// Adds [`Rule::duration`].
    pub fn duration(self, range: RangeInclusive<Duration>) -> Self {
        self.rule(Rule::duration(range))
    }

    /// Adds [`Rule::one_of`].
    pub fn one_of(self, words: impl IntoIterator<Item = &'static str>) -> Self {
        self.rule(Rule::one_of(words))
    }

    /// Adds [`Rule::names`].
    pub fn names(self) -> Self {
        self.rule(Rule::names())
    }

    /// Adds [`Rule::ip_address`].
    pub fn ip_address(self) -> Self {
        self.rule(Rule::ip_address())
    }

    /// Adds [`Rule::host`].
    pub fn host(self) -> Self {
        self.rule(Rule::host())
    }

    /// Adds [`Rule::host_and_port`].
    pub fn host_and_port(self) -> Self {
        self.rule(Rule::host_and_port())
    }

    /// Adds [`Rule::url`].
    pub fn url(self, schemes: impl IntoIterator<Item = &'static str>) -> Self {
        self.rule(Rule::url(schemes))
    }

    /// Adds [`Rule::prefix`].
    pub fn prefix(self, prefix: &'static str) -> Self {
        self.rule(Rule::prefix(prefix))
    }

    /// Adds [`Rule::visible_ascii`].
    pub fn visible_ascii(self) -> Self {
        self.rule(Rule::visible_ascii())
    }

    /// Adds [`Rule::min_length`].
    pub fn min_length(self, characters: usize) -> Self {
        self.rule(Rule::min_length(characters))
    }

    /// Adds [`Rule::min_entropy`].
    pub fn min_entropy(self, bits: u32, level: Level) -> Self {
        self.rule(Rule::min_entropy(bits).at(level))
    }

    /// Adds [`Rule::forbidden`] with [`WELL_KNOWN_DEFAULTS`].
    pub fn no_well_known_default(self, level: Level) -> Self {
        self.rule(Rule::forbidden(WELL_KNOWN_DEFAULTS.iter().copied()).at(level))
    }

    /// Says what the key means, in sentences.
    pub fn about(mut self, about: &'static str) -> Self {
        self.about = about;
        self
    }

    /// Puts it under a heading of the template.
    pub fn group(mut self, group: &'static str) -> Self {
        self.group = group;
        self
    }

    /// Says what holds where it is not set. [`Values::get_or_default`] gives it; nothing else
    /// applies it.
    pub fn default(mut self, default: &'static str) -> Self {
        self.default = Some(default);
        self
    }

    /// Gives an example, which remedies and the template show. Where the key is a secret, its
    /// own example is a forbidden default.
    pub fn example(mut self, example: &'static str) -> Self {
        self.example = Some(example);
        self
    }

    /// Adds to each remedy how to come by a good value.
    pub fn hint(mut self, hint: &'static str) -> Self {
        self.hint = Some(hint);
        self
    }

    /// The key's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether its value is never shown.
    pub fn is_secret(&self) -> bool {
        self.secret
    }

    /// Whether it must be set everywhere and always.
    pub fn is_required(&self) -> bool {
        self.demand.as_ref().is_some_and(Demand::is_unconditional)
    }

    /// What it means.
    pub fn get_about(&self) -> &'static str {
        self.about
    }

    /// The heading that it stands under.
    pub fn get_group(&self) -> &'static str {
        self.group
    }

    /// What holds where it is not set.
    pub fn get_default(&self) -> Option<&'static str> {
        self.default
    }

    /// An example.
    pub fn get_example(&self) -> Option<&'static str> {
        self.example
    }

    /// What the value must be, as in `a whole number from 1 to 65535`, as far as its rules apply
    /// everywhere and always.
    pub fn expects(&self) -> PublicText {
        self.expectation(Rule::is_unconditional)
    }

    pub(crate) fn rules(&self) -> &[Rule] {
        &self.rules
    }

    pub(crate) fn demand(&self) -> Option<&Demand> {
        self.demand.as_ref()
    }

    /// The key that names the file of a secret.
    pub(crate) fn file_key(&self) -> Option<String> {
        self.secret.then(|| format!("{}_FILE", self.name))
    }

    /// What the value must be by the rules that `applies` picks.
    pub(crate) fn expectation(&self, applies: impl Fn(&Rule) -> bool) -> PublicText {
        let mut noun = PublicText::new(if self.secret { "a secret" } else { "text" });
        let mut qualities = Vec::new();
        for rule in self.rules.iter().filter(|rule| applies(rule)) {
            match rule.expected() {
                Some(Expected::Noun(text)) => noun = text,
                Some(Expected::Quality(text)) => qualities.push(text),
                None => {}
            }
        }
        let mut template = "{} {}";
        qualities.into_iter().fold(noun, |text, quality| {
            PublicText::filled(
                std::mem::replace(&mut template, "{}, {}"),
                &[text.into(), quality.into()],
            )
        })
    }

    /// `remedy` with the key's example and hint.
    pub(crate) fn advised(&self, remedy: PublicText) -> PublicText {
        self.hinted(also(remedy, "{}, as in {}", self.example))
    }

    /// `remedy` with the key's hint.
    pub(crate) fn hinted(&self, remedy: PublicText) -> PublicText {
        also(remedy, "{}; {}", self.hint)
    }
}

fn also(text: PublicText, template: &'static str, more: Option<&'static str>) -> PublicText {
    match more {
        Some(more) => PublicText::filled(template, &[text.into(), PublicValue::from(more)]),
        None => text,
    }
}
