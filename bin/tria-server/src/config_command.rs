//! Prints the settings as they hold.

use crate::{cli::ConfigOptions, environment::Environment, rules::rules, telemetry::say};

/// What stands for a secret that is set.
const REDACTED: &str = "[redacted]";

/// One setting as it holds.
pub(crate) struct Effective {
    group: &'static str,
    pub(crate) name: String,
    /// `None`: it is not set, and has no default. A secret is redacted.
    pub(crate) value: Option<String>,
    is_default: bool,
}

/// Prints every key with its value, or an env file to start from.
pub(crate) fn run(options: &ConfigOptions) -> anyhow::Result<u8> {
    if options.template {
        say(rules()?.template().to_string().trim_end());
        return Ok(0);
    }
    let mut group = "";
    for setting in effective(&Environment::read()?)? {
        if setting.group != group {
            group = setting.group;
            say(&format!("# {group}"));
        }
        let name = setting.name;
        say(&match setting.value {
            Some(value) if setting.is_default => format!("{name}={value}  # default"),
            Some(value) => format!("{name}={value}"),
            None => format!("# {name} is not set"),
        });
    }
    Ok(0)
}

/// Every setting as it holds, in the order of the rules.
pub(crate) fn effective(environment: &Environment) -> anyhow::Result<Vec<Effective>> {
    let rules = rules()?;
    let settings = rules.keys().iter().map(|key| {
        let set = environment.values().get(key.name()).map(|value| {
            if key.is_secret() {
                REDACTED.to_owned()
            } else {
                value.to_owned()
            }
        });
        Effective {
            group: key.get_group(),
            name: key.name().to_owned(),
            is_default: set.is_none(),
            value: set.or_else(|| key.get_default().map(str::to_owned)),
        }
    });
    Ok(settings.collect())
}
