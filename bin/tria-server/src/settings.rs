//! The settings, typed.

use std::{collections::BTreeMap, net::IpAddr, time::Duration};

use config::{Config, ConfigError, Environment as Source};
use rust_decimal::Decimal;
use secrecy::SecretString;
use serde::{Deserialize, Deserializer, de::Error};
use tria_chatbot::http::TrustedProxies;

use crate::budget::PRODUCTION_PRE_DRAIN;

/// The settings of the service, one field for each key that it reads. The keys' meaning and
/// rules are in [`crate::rules`].
#[derive(Debug, Deserialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "a field for each key, and these are switches"
)]
pub(crate) struct Settings {
    pub(crate) database_url: SecretString,
    #[serde(default = "defaults::pool_size")]
    pub(crate) db_pool_size: usize,
    pub(crate) redis_host: String,
    pub(crate) redis_port: u16,
    pub(crate) redis_password: Option<SecretString>,
    #[serde(default)]
    pub(crate) redis_db: u32,
    #[serde(default)]
    pub(crate) redis_tls: bool,
    #[serde(default = "defaults::pool_size")]
    pub(crate) redis_pool_size: usize,
    pub(crate) openai_api_key: SecretString,
    pub(crate) openai_base_url: Option<String>,
    #[serde(default = "defaults::model")]
    pub(crate) openai_model: String,
    #[serde(default = "defaults::embedding_model")]
    pub(crate) openai_embedding_model: String,
    pub(crate) chroma_url: String,
    pub(crate) chroma_tenant: Option<String>,
    pub(crate) chroma_database: Option<String>,
    #[serde(default = "defaults::host")]
    pub(crate) host: IpAddr,
    #[serde(default = "defaults::port")]
    pub(crate) port: u16,
    #[serde(default)]
    pub(crate) environment: Environment,
    pub(crate) secret_key: SecretString,
    pub(crate) tax_rate: Decimal,
    #[serde(default = "defaults::max_quantity_per_item")]
    pub(crate) max_quantity_per_item: u32,
    #[serde(default = "defaults::max_line_items")]
    pub(crate) max_line_items: usize,
    #[serde(default = "defaults::min_order_total")]
    pub(crate) min_order_total: Decimal,
    #[serde(default = "defaults::max_order_total")]
    pub(crate) max_order_total: Decimal,
    #[serde(default = "defaults::chat_budget", deserialize_with = "duration")]
    pub(crate) chat_budget: Duration,
    #[serde(default = "defaults::chat_concurrency")]
    pub(crate) chat_concurrency: usize,
    #[serde(default = "defaults::yes")]
    pub(crate) chat_generate: bool,
    #[serde(default = "defaults::yes")]
    pub(crate) chat_judge: bool,
    #[serde(default = "defaults::yes")]
    pub(crate) chat_warm_up: bool,
    #[serde(default = "defaults::rate_limit_per_user")]
    pub(crate) rate_limit_per_user: u32,
    #[serde(default = "defaults::rate_limit_per_address")]
    pub(crate) rate_limit_per_address: u32,
    #[serde(default, deserialize_with = "proxies")]
    pub(crate) trusted_proxies: TrustedProxies,
    pub(crate) diagnostics_token: Option<SecretString>,
    pub(crate) sentry_dsn: Option<SecretString>,
    #[serde(default)]
    pub(crate) log_format: LogFormat,
    #[serde(default = "defaults::startup_deadline", deserialize_with = "duration")]
    pub(crate) startup_deadline: Duration,
    #[serde(default = "defaults::shutdown_grace", deserialize_with = "duration")]
    pub(crate) shutdown_grace: Duration,
    #[serde(default, deserialize_with = "optional_duration")]
    pub(crate) pre_drain: Option<Duration>,
    #[serde(default = "defaults::drain", deserialize_with = "duration")]
    pub(crate) drain: Duration,
    #[serde(default, deserialize_with = "names")]
    pub(crate) optional_checks: Vec<String>,
}

/// Where the service runs.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Environment {
    #[default]
    Development,
    Staging,
    Production,
}

/// For whom the log is written.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LogFormat {
    Json,
    #[default]
    Pretty,
}

/// What a key is where it is not set. The rules print these as the keys' defaults.
pub(crate) mod defaults {
    use std::{
        net::{IpAddr, Ipv4Addr},
        time::Duration,
    };

    use rust_decimal::Decimal;

    pub(crate) fn pool_size() -> usize {
        10
    }
    pub(crate) fn model() -> String {
        "gpt-4o-mini".to_owned()
    }
    pub(crate) fn embedding_model() -> String {
        "text-embedding-3-small".to_owned()
    }
    pub(crate) fn max_quantity_per_item() -> u32 {
        10_000
    }
    pub(crate) fn max_line_items() -> usize {
        100
    }
    pub(crate) fn min_order_total() -> Decimal {
        Decimal::new(1, 2)
    }
    pub(crate) fn max_order_total() -> Decimal {
        Decimal::new(10_000_000, 2)
    }
    pub(crate) fn chat_budget() -> Duration {
        Duration::from_secs(30)
    }
    pub(crate) fn chat_concurrency() -> usize {
        256
    }
    pub(crate) fn yes() -> bool {
        true
    }
    pub(crate) fn rate_limit_per_user() -> u32 {
        60
    }
    pub(crate) fn rate_limit_per_address() -> u32 {
        600
    }
    pub(crate) fn host() -> IpAddr {
        IpAddr::V4(Ipv4Addr::LOCALHOST)
    }
    pub(crate) fn port() -> u16 {
        8003
    }
    pub(crate) fn startup_deadline() -> Duration {
        Duration::from_secs(60)
    }
    pub(crate) fn shutdown_grace() -> Duration {
        Duration::from_secs(30)
    }
    pub(crate) fn drain() -> Duration {
        Duration::from_secs(15)
    }
}

// === impl Environment ===

impl Environment {
    /// Its name as the key has it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Staging => "staging",
            Self::Production => "production",
        }
    }
}

// === impl Settings ===

impl Settings {
    /// The settings that `values` spell out. Values that passed the rules always convert.
    pub(crate) fn load(values: &BTreeMap<String, String>) -> Result<Self, ConfigError> {
        let values = values.iter().filter(|(_, value)| !value.trim().is_empty());
        let values = values
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        // Without parsing: a password of digits must keep its leading zero.
        let source = Source::default().try_parsing(false).source(Some(values));
        Config::builder()
            .add_source(source)
            .build()?
            .try_deserialize()
    }

    /// How long connections are still accepted after a stop was asked for: `PRE_DRAIN`, or 3 s
    /// in production and nothing elsewhere.
    pub(crate) fn pre_drain(&self) -> Duration {
        let default = match self.environment {
            Environment::Production => PRODUCTION_PRE_DRAIN,
            Environment::Development | Environment::Staging => Duration::ZERO,
        };
        self.pre_drain.unwrap_or(default)
    }
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    humantime::parse_duration(&text).map_err(D::Error::custom)
}

fn optional_duration<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    duration(deserializer).map(Some)
}

fn proxies<'de, D: Deserializer<'de>>(deserializer: D) -> Result<TrustedProxies, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(D::Error::custom)
}

fn names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let names = text
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty());
    Ok(names.map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn minimal() -> BTreeMap<String, String> {
        let pairs = [
            ("DATABASE_URL", "postgres://a:b@localhost/c"),
            ("REDIS_HOST", "localhost"),
            ("REDIS_PORT", "6379"),
            ("OPENAI_API_KEY", "sk-00000000000000000000"),
            ("CHROMA_URL", "http://localhost:8000"),
            ("SECRET_KEY", "0123456789abcdef0123456789abcdef"),
            ("TAX_RATE", "0.09"),
        ];
        pairs
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect()
    }

    #[test]
    fn digits_in_a_secret_stay_as_they_are() {
        let mut values = minimal();
        values.insert("REDIS_PASSWORD".into(), "00123".into());
        let settings = Settings::load(&values).unwrap();
        assert_eq!(settings.redis_password.unwrap().expose_secret(), "00123");
    }

    #[test]
    fn durations_names_and_flags_are_read_as_written() {
        let mut values = minimal();
        for (key, value) in [
            ("STARTUP_DEADLINE", "1500ms"),
            ("PRE_DRAIN", "2m"),
            ("OPTIONAL_CHECKS", "redis, openai ,"),
            ("REDIS_TLS", "true"),
            ("ENVIRONMENT", "production"),
            ("LOG_FORMAT", "json"),
            ("HOST", ""),
            ("MAX_ORDER_TOTAL", "5000.00"),
            ("CHAT_GENERATE", "false"),
        ] {
            values.insert(key.into(), value.into());
        }
        let settings = Settings::load(&values).unwrap();
        assert_eq!(settings.startup_deadline, Duration::from_millis(1500));
        assert_eq!(settings.pre_drain(), Duration::from_secs(120));
        assert_eq!(settings.optional_checks, ["redis", "openai"]);
        assert!(settings.redis_tls);
        assert_eq!(settings.environment, Environment::Production);
        assert_eq!(settings.log_format, LogFormat::Json);
        assert_eq!(settings.host, defaults::host());
        assert_eq!(settings.max_order_total, Decimal::from(5000));
        assert_eq!(settings.tax_rate, Decimal::new(9, 2));
        assert!(!settings.chat_generate && settings.chat_judge);
    }

    #[test]
    fn the_debug_form_holds_no_secret() {
        let mut values = minimal();
        values.insert(
            "DATABASE_URL".into(),
            "postgres://a:planted@localhost/c".into(),
        );
        let text = format!("{:?}", Settings::load(&values).unwrap());
        assert!(!text.contains("planted"), "{text}");
    }
}
