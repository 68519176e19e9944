//! Prints the settings as they hold.

use crate::{cli::ConfigOptions, environment::Environment, rules::rules, telemetry::say};

/// What stands for a secret that is set.
const REDACTED: &str = "[redacted]";

/// Prints every key with its value, or an env file to start from.
pub(crate) fn run(options: &ConfigOptions) -> anyhow::Result<u8> {
    let rules = rules()?;
    if options.template {
        say(rules.template().to_string().trim_end());
        return Ok(0);
    }
    let environment = Environment::read()?;
    let mut group = "";
    for key in rules.keys() {
        if key.get_group() != group {
            group = key.get_group();
            say(&format!("# {group}"));
        }
        let name = key.name();
        say(&match environment.values().get(name) {
            Some(_) if key.is_secret() => format!("{name}={REDACTED}"),
            Some(value) => format!("{name}={value}"),
            None => match key.get_default() {
                Some(default) => format!("{name}={default}  # default"),
                None => format!("# {name} is not set"),
            },
        });
    }
    Ok(0)
}
