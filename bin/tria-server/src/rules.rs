//! The keys of the server: what each means, and what its value must be.
//!
//! `tria-server config --template` prints an env file from them.

use std::{ops::RangeInclusive, time::Duration};

use tria_env_check::{Key, Level, Rule, Rules, RulesError, Values, WELL_KNOWN_DEFAULTS};

use tria_chatbot::http::TrustedProxies;

use crate::budget;

/// Up to a day: what is longer was meant in another unit.
const ANY_DURATION: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(86_400);

/// Up to an hour, and not nothing.
const DEADLINE: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_secs(3600);

/// Amounts of money, in the currency of the orders.
const MONEY: RangeInclusive<f64> = 0.01..=999_999_999.99;

/// The prefixes that no other program's keys have, so that an unknown key is a misspelt one.
const PREFIXES: [&str; 18] = [
    "CHAT_",
    "CHROMA_",
    "DATABASE_",
    "DB_POOL_",
    "DIAGNOSTICS_",
    "LOG_",
    "MAX_LINE_",
    "MAX_ORDER_",
    "MAX_QUANTITY_",
    "MIN_ORDER_",
    "OPENAI_",
    "OPTIONAL_CHECKS",
    "RATE_LIMIT_",
    "REDIS_",
    "SHUTDOWN_",
    "STARTUP_",
    "TAX_",
    "TRUSTED_",
];

/// The rules of all keys that the server reads.
///
/// # Errors
/// A mistake in the rules themselves; the tests of this module see that there is none.
pub(crate) fn rules() -> Result<Rules, RulesError> {
    Rules::builder()
        .keys(server())
        .keys(database())
        .keys(redis())
        .keys(openai())
        .keys(chroma())
        .keys(orders())
        .keys(chat())
        .keys(lifecycle())
        .keys(xero())
        .relation(
            ["MIN_ORDER_TOTAL", "MAX_ORDER_TOTAL"],
            "is greater than MAX_ORDER_TOTAL",
            "lower MIN_ORDER_TOTAL, or raise MAX_ORDER_TOTAL",
            |values| amount(values, "MIN_ORDER_TOTAL") <= amount(values, "MAX_ORDER_TOTAL"),
        )
        .relation(
            ["SHUTDOWN_GRACE", "DRAIN", "PRE_DRAIN"],
            budget::MISFIT,
            budget::REMEDY,
            budget::fits,
        )
        .known_prefixes(PREFIXES)
        .strict_when(is_production)
        .build()
}

/// Whether the rules are strict: defaults, examples, weak and missing secrets are violations.
pub(crate) fn is_production(values: &Values) -> bool {
    values.get("ENVIRONMENT") == Some("production")
}

/// Whether requests go to OpenAI itself, whose keys have a known form, and not to a compatible
/// server. A base URL that cannot be read is complained about by its own rule.
fn is_openai(values: &Values) -> bool {
    let Some(base) = values.get("OPENAI_BASE_URL") else {
        return true;
    };
    let after_scheme = base.split_once("://").map_or(base, |(_, rest)| rest);
    let authority = after_scheme
        .split(['/', '?', '#'])
        .next()
        .unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let host = host
        .split(':')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    host == "openai.com" || host.ends_with(".openai.com")
}

fn amount(values: &Values, key: &str) -> Option<f64> {
    values
        .get_or_default(key)
        .and_then(|value| value.parse().ok())
}

fn server() -> [Key; 8] {
    let key = |name: &'static str| Key::new(name).group("Server");
    [
        key("ENVIRONMENT")
            .about(
                "Where the server runs. In production default, example, weak and missing secrets \
                 forbid the start; elsewhere they are warned of.",
            )
            .one_of(["development", "staging", "production"])
            .default("development")
            .example("production"),
        key("HOST")
            .about("The address to listen on; in a container 0.0.0.0, which stands for all.")
            .ip_address()
            .default("127.0.0.1")
            .example("0.0.0.0"),
        key("PORT")
            .about("The port to listen on; 0 takes a free one.")
            .integer(0..=65_535)
            .default("8003")
            .example("8003"),
        key("SECRET_KEY")
            .about("Signs what must not be forged. Changing it ends all sessions.")
            .required()
            .secret()
            .min_length(32)
            .min_entropy(64, Level::Strict)
            .no_well_known_default(Level::Strict)
            .example("change_this_to_32_or_more_random_characters")
            .hint("`openssl rand -hex 32` makes one"),
        key("DIAGNOSTICS_TOKEN")
            .about(
                "Opens /api/v1/health/diagnostics, as `Authorization: Bearer <token>`. Outside \
                 production the page is open where no token is set.",
            )
            .required_at(Level::Strict)
            .secret()
            .visible_ascii()
            .rule(Rule::min_length(16).at(Level::Strict))
            .min_entropy(48, Level::Strict)
            .no_well_known_default(Level::Strict)
            .example("change_this_token")
            .hint("`openssl rand -hex 24` makes one"),
        key("LOG_LEVEL")
            .about("The least severe events that are logged.")
            .rule(Rule::one_of_any_case([
                "off", "error", "warn", "info", "debug", "trace",
            ]))
            .default("info")
            .example("debug"),
        key("LOG_FORMAT")
            .about("How events are logged: for people, or a JSON object on each line.")
            .one_of(["pretty", "json"])
            .default("pretty")
            .example("json"),
        key("SENTRY_DSN")
            .about("Where changes of a check, panics and an end that nobody asked for are reported to; nowhere, unless it is set.")
            .secret()
            .url(["https", "http"])
            .example("https://public_key@sentry.example.org/1"),
    ]
}

fn database() -> [Key; 2] {
    let key = |name: &'static str| Key::new(name).group("PostgreSQL");
    [
        key("DATABASE_URL")
            .about(
                "The database, with user and password. Special characters of the password are \
                 percent-encoded. `?sslmode=` takes disable, prefer, require and verify-full.",
            )
            .required()
            .secret()
            .url(["postgres", "postgresql"])
            .rule(Rule::url_password(WELL_KNOWN_DEFAULTS.iter().copied()).at(Level::Strict))
            .example("postgres://tria:change_this@localhost:5432/tria"),
        key("DB_POOL_SIZE")
            .about("The most connections that the server holds to PostgreSQL.")
            .integer(1..=1000)
            .default("10")
            .example("20"),
    ]
}

fn redis() -> [Key; 6] {
    let key = |name: &'static str| Key::new(name).group("Redis");
    [
        key("REDIS_HOST")
            .about("The host of Redis or Valkey.")
            .required()
            .host()
            .example("localhost"),
        key("REDIS_PORT")
            .about("Its port.")
            .required()
            .integer(1..=65_535)
            .example("6379"),
        key("REDIS_PASSWORD")
            .about("Its password.")
            .required_at(Level::Strict)
            .secret()
            .min_entropy(40, Level::Strict)
            .no_well_known_default(Level::Strict)
            .example("change_this_password")
            .hint("`openssl rand -hex 24` makes one, which goes into the server's `requirepass`"),
        key("REDIS_DB")
            .about("The number of its database.")
            .integer(0..=65_535)
            .default("0")
            .example("1"),
        key("REDIS_TLS")
            .about("Whether it is spoken to over TLS.")
            .boolean()
            .default("false")
            .example("true"),
        key("REDIS_POOL_SIZE")
            .about("The most connections that the server holds to it.")
            .integer(1..=1000)
            .default("10")
            .example("20"),
    ]
}

fn openai() -> [Key; 4] {
    let key = |name: &'static str| Key::new(name).group("OpenAI, or a compatible server");
    let urls = ["https", "http"];
    [
        key("OPENAI_API_KEY")
            .about(
                "The key of the API. Keys of OpenAI itself begin with sk- and have 20 characters \
                 or more; those of compatible servers may have any form.",
            )
            .required()
            .secret()
            .visible_ascii()
            .rule(Rule::prefix("sk-").when(is_openai))
            .rule(Rule::min_length(20).when(is_openai))
            .rule(Rule::min_entropy(48).at(Level::Strict).when(is_openai))
            .no_well_known_default(Level::Strict)
            .example("sk-your-api-key-goes-here"),
        key("OPENAI_BASE_URL")
            .about("The base of the API's paths.")
            .url(urls)
            .default("https://api.openai.com/v1")
            .example("http://localhost:8080/v1"),
        key("OPENAI_MODEL")
            .about("The model that answers; the API must offer it.")
            .visible_ascii()
            .default("gpt-4o-mini")
            .example("gpt-4o"),
        key("OPENAI_EMBEDDING_MODEL")
            .about(
                "The model that embeds; it must be the one that the documents were ingested with.",
            )
            .visible_ascii()
            .default("text-embedding-3-small")
            .example("text-embedding-3-large"),
    ]
}

fn chroma() -> [Key; 3] {
    let key = |name: &'static str| Key::new(name).group("ChromaDB");
    [
        key("CHROMA_URL")
            .about("The base URL of ChromaDB, version 1.0 or newer.")
            .required()
            .url(["http", "https"])
            .example("http://localhost:8000"),
        key("CHROMA_TENANT")
            .about("The tenant that holds the database.")
            .visible_ascii()
            .default("default_tenant")
            .example("tria"),
        key("CHROMA_DATABASE")
            .about("The database that holds the collections.")
            .visible_ascii()
            .default("default_database")
            .example("tria"),
    ]
}

fn orders() -> [Key; 5] {
    let key = |name: &'static str| Key::new(name).group("Orders");
    [
        key("TAX_RATE")
            .about("The tax on orders, as a share: 0.09 is 9 %.")
            .required()
            .decimal(6, 0.0..=1.0)
            .example("0.09"),
        key("MAX_QUANTITY_PER_ITEM")
            .about("The largest quantity of one line of an order.")
            .integer(1..=1_000_000)
            .default("10000")
            .example("500"),
        key("MAX_LINE_ITEMS")
            .about("The most lines of an order.")
            .integer(1..=10_000)
            .default("100")
            .example("50"),
        key("MIN_ORDER_TOTAL")
            .about("The smallest total of an order.")
            .decimal(2, MONEY)
            .default("0.01")
            .example("20.00"),
        key("MAX_ORDER_TOTAL")
            .about("The largest total of an order.")
            .decimal(2, MONEY)
            .default("100000.00")
            .example("5000.00"),
    ]
}

fn chat() -> [Key; 8] {
    let key = |name: &'static str| Key::new(name).group("Chat");
    [
        key("CHAT_BUDGET")
            .about("How long one answer may take altogether; then it is given up with 503.")
            .duration(Duration::from_millis(100)..=Duration::from_secs(600))
            .default("30s")
            .example("20s"),
        key("CHAT_CONCURRENCY")
            .about("How many messages are worked on at once; more are sent away with 503.")
            .integer(1..=100_000)
            .default("256")
            .example("64"),
        key("CHAT_GENERATE")
            .about(
                "Whether the model phrases answers from the passages that are found. Otherwise \
                 the passages are quoted, which costs no completion.",
            )
            .boolean()
            .default("true")
            .example("false"),
        key("CHAT_JUDGE")
            .about(
                "Whether the model says what a message is about where the examples leave that \
                 open. A small model only guesses.",
            )
            .boolean()
            .default("true")
            .example("false"),
        key("CHAT_WARM_UP")
            .about(
                "Whether examples and products are embedded before the start is complete. \
                 Otherwise the first message waits for it.",
            )
            .boolean()
            .default("true")
            .example("false"),
        key("RATE_LIMIT_PER_USER")
            .about("How many new messages of one user are taken a minute; 0 is any number.")
            .integer(0..=1_000_000)
            .default("60")
            .example("20"),
        key("RATE_LIMIT_PER_ADDRESS")
            .about("How many messages from one address are taken a minute; 0 is any number.")
            .integer(0..=1_000_000)
            .default("600")
            .example("300"),
        key("TRUSTED_PROXIES")
            .about(
                "Addresses and networks of proxies, separated by commas, whose X-Forwarded-For \
                 tells the client's address.",
            )
            .rule(Rule::custom(
                "is no list of addresses and networks",
                "write it like 10.0.0.1, 172.16.0.0/12",
                |value| value.parse::<TrustedProxies>().is_ok(),
            ))
            .example("172.16.0.0/12"),
    ]
}

fn lifecycle() -> [Key; 5] {
    let key = |name: &'static str| Key::new(name).group("Start and stop");
    [
        key("STARTUP_DEADLINE")
            .about("How long the start waits for dependencies that are not there yet.")
            .duration(DEADLINE)
            .default("60s")
            .example("2m"),
        key("SHUTDOWN_GRACE")
            .about(
                "How long a stop may take altogether, PRE_DRAIN and DRAIN included; no more than \
                 the platform grants before it kills (Kubernetes: 30s).",
            )
            .duration(DEADLINE)
            .default("30s")
            .example("25s"),
        key("PRE_DRAIN")
            .about(
                "How long new requests are still accepted after the signal to stop, while load \
                 balancers learn of it. Without it, 3s in production and 0s elsewhere.",
            )
            .duration(ANY_DURATION)
            .example("3s"),
        key("DRAIN")
            .about("How long requests in flight may take to finish after that.")
            .duration(ANY_DURATION)
            .default("15s")
            .example("10s"),
        key("OPTIONAL_CHECKS")
            .about(
                "The checks whose failure degrades the service instead of forbidding its start. \
                 None, unless it is set.",
            )
            .names()
            .example("chromadb"),
    ]
}

fn xero() -> [Key; 4] {
    let key = |name: &'static str| Key::new(name).group("Xero");
    [
        key("XERO_CLIENT_ID")
            .about("The client of the accounting service; it is off unless this is set.")
            .required_when(Level::Advice, |values| values.is_set("XERO_CLIENT_SECRET"))
            .visible_ascii(),
        key("XERO_CLIENT_SECRET")
            .about("The secret of that client.")
            .required_when(Level::Advice, |values| values.is_set("XERO_CLIENT_ID"))
            .secret()
            .visible_ascii()
            .no_well_known_default(Level::Strict),
        key("XERO_TENANT_ID")
            .about("The organisation that invoices are written for.")
            .visible_ascii(),
        key("XERO_REDIRECT_URI")
            .about("Where the accounting service sends its users back to.")
            .url(["https", "http"])
            .example("https://tria.example.org/xero/callback"),
    ]
}

#[cfg(test)]
mod tests;
