//! What the service depends on, and the checks that prove it.

use secrecy::ExposeSecret;
use tria_check::{Code, Finding, PrivateText, PublicText, PublicValue};
use tria_chroma::ChromaClient;
use tria_db_check::pool::{DatabaseUrl, PoolOptions};
use tria_health::{Pool, PoolStatus};
use tria_lifecycle::Disposal;
use tria_llm_check::{Endpoint, EndpointOptions};
use tria_redis_check::{Password, RedisOptions, build_pool};

use crate::settings::Settings;

/// A value passed its rules, but what it names cannot be used.
pub(crate) const UNUSABLE: Code = Code::new("unusable");

/// The checks that `OPTIONAL_CHECKS` may name.
const CHECKS: [&str; 4] = ["database", "redis", "openai", "chromadb"];

/// The pools and clients of everything that the service depends on. Opening them connects to
/// nothing.
///
/// Probing has a connection of its own beside each pool, so that a pool that is busy with traffic
/// can be told from a dependency that is down. Logging in anew has pools and clients of its own,
/// which keep no connection.
#[derive(Clone)]
pub(crate) struct Dependencies {
    pub(crate) database: DatabasePools,
    pub(crate) redis: RedisPools,
    pub(crate) openai: Endpoint,
    pub(crate) openai_login: Endpoint,
    pub(crate) chroma: ChromaClient,
    pub(crate) chroma_login: ChromaClient,
}

#[derive(Clone)]
pub(crate) struct DatabasePools {
    pub(crate) main: deadpool_postgres::Pool,
    pub(crate) probe: deadpool_postgres::Pool,
    pub(crate) login: deadpool_postgres::Pool,
    /// What they were built of, with the password that they log in with.
    pub(crate) url: DatabaseUrl,
}

#[derive(Clone)]
pub(crate) struct RedisPools {
    pub(crate) main: deadpool_redis::Pool,
    pub(crate) probe: deadpool_redis::Pool,
    pub(crate) login: deadpool_redis::Pool,
    pub(crate) options: RedisOptions,
}

// === impl Dependencies ===

impl Dependencies {
    /// Builds pools and clients; connects to nothing.
    ///
    /// # Errors
    /// Every key whose value cannot be used.
    pub(crate) fn open(settings: &Settings) -> Result<Self, Vec<Finding>> {
        let mut problems = unknown_optional(settings);
        problems.extend(unusable_dsn(settings));
        let database = open_database(settings).map_err(|problem| problems.push(problem));
        let redis = open_redis(settings).map_err(|problem| problems.push(problem));
        let openai = open_openai(settings).map_err(|problem| problems.push(problem));
        let chroma = open_chroma(settings).map_err(|problem| problems.push(problem));
        match (database, redis, openai, chroma) {
            (Ok(database), Ok(redis), Ok(openai), Ok(chroma)) if problems.is_empty() => {
                let ([openai, openai_login], [chroma, chroma_login]) = (openai, chroma);
                Ok(Self {
                    database,
                    redis,
                    openai,
                    openai_login,
                    chroma,
                    chroma_login,
                })
            }
            _ => Err(problems),
        }
    }

    /// The pools of the traffic, to be looked at.
    pub(crate) fn pools(&self) -> [Pool; 2] {
        let database = self.database.main.clone();
        let redis = self.redis.main.clone();
        [
            Pool::new("database", move || {
                let status = database.status();
                PoolStatus {
                    size: status.size,
                    available: status.available,
                    waiting: status.waiting,
                    max: status.max_size,
                }
            }),
            Pool::new("redis", move || {
                let status = redis.status();
                PoolStatus {
                    size: status.size,
                    available: status.available,
                    waiting: status.waiting,
                    max: status.max_size,
                }
            }),
        ]
    }
}

// === impl DatabasePools ===

impl DatabasePools {
    /// Closes the pools. Until they are empty a transaction may still be under way.
    pub(crate) fn disposal(&self) -> Disposal {
        let pools = [
            ("database", &self.main),
            ("database probe", &self.probe),
            ("database login", &self.login),
        ];
        closing(pools, deadpool_postgres::Pool::close, |pool| {
            pool.status().size
        })
    }
}

// === impl RedisPools ===

impl RedisPools {
    /// Closes the pools.
    pub(crate) fn disposal(&self) -> Disposal {
        let pools = [
            ("redis", &self.main),
            ("redis probe", &self.probe),
            ("redis login", &self.login),
        ];
        closing(pools, deadpool_redis::Pool::close, |pool| {
            pool.status().size
        })
    }
}

/// The two kinds of pools have no type in common.
fn closing<P: Clone + Send + Sync + 'static>(
    pools: [(&str, &P); 3],
    close: fn(&P),
    size: fn(&P) -> usize,
) -> Disposal {
    let add = |disposal: Disposal, (name, pool): (&str, &P)| {
        let (closed, left) = (pool.clone(), pool.clone());
        disposal.part(name, move || close(&closed), move || size(&left))
    };
    pools.into_iter().fold(Disposal::new(), add)
}

/// The violation of a key whose value passed its rules, and cannot be used all the same.
fn unusable(key: &'static str, detail: PrivateText, remedy: &'static str) -> Finding {
    let text = PublicText::filled("{} cannot be used", &[PublicValue::from(key)]);
    Finding::fail(UNUSABLE, text).detail(detail).remedy(remedy)
}

fn unknown_optional(settings: &Settings) -> Vec<Finding> {
    let unknown = settings
        .optional_checks
        .iter()
        .filter(|name| !CHECKS.contains(&name.as_str()));
    let finding = |name: &String| {
        let detail = PrivateText::new(format!("there is no check {name:?}"));
        unusable(
            "OPTIONAL_CHECKS",
            detail,
            "the checks are database, redis, openai and chromadb",
        )
    };
    unknown.map(finding).collect()
}

/// A DSN that cannot be used would mean that nobody is told of anything.
fn unusable_dsn(settings: &Settings) -> Option<Finding> {
    let dsn = settings.sentry_dsn.as_ref()?;
    let error = dsn.expose_secret().parse::<sentry::types::Dsn>().err()?;
    let remedy = "copy it from the project's settings, as in https://key@host/project";
    Some(unusable(
        "SENTRY_DSN",
        PrivateText::from_error(&error),
        remedy,
    ))
}

fn open_database(settings: &Settings) -> Result<DatabasePools, Finding> {
    let refuse = |error: &dyn std::error::Error| {
        let remedy = "write it as postgres://user:password@host:5432/database?sslmode=prefer";
        unusable("DATABASE_URL", PrivateText::from_error(error), remedy)
    };
    let url = DatabaseUrl::parse(&settings.database_url).map_err(|error| refuse(&error))?;
    let pool = |max_size, name: &str| {
        let application_name = Some(name.to_owned());
        let options = PoolOptions {
            max_size,
            application_name,
            ..PoolOptions::default()
        };
        url.pool(&options).map_err(|error| refuse(&error))
    };
    Ok(DatabasePools {
        main: pool(settings.db_pool_size, "tria-server")?,
        probe: pool(1, "tria-server probe")?,
        login: pool(1, "tria-server login")?,
        url,
    })
}

fn open_redis(settings: &Settings) -> Result<RedisPools, Finding> {
    let mut options = RedisOptions::new(settings.redis_host.clone(), settings.redis_port);
    options.password = settings.redis_password.clone().map(Password::from);
    options.db = settings.redis_db;
    options.tls = settings.redis_tls;
    let pool = |max_size| {
        let options = RedisOptions {
            max_size,
            ..options.clone()
        };
        build_pool(&options).map_err(|error| {
            let remedy = "see REDIS_HOST, REDIS_PORT, REDIS_DB and REDIS_TLS";
            unusable("REDIS_HOST", PrivateText::from_error(&error), remedy)
        })
    };
    let main = pool(settings.redis_pool_size)?;
    let (probe, login) = (pool(1)?, pool(1)?);
    Ok(RedisPools {
        main,
        probe,
        login,
        options,
    })
}

/// One that keeps its connections, and one that does not.
fn open_openai(settings: &Settings) -> Result<[Endpoint; 2], Finding> {
    let mut options = EndpointOptions::new(settings.openai_api_key.clone());
    if let Some(base_url) = &settings.openai_base_url {
        options = options.base_url(base_url.clone());
    }
    let build = |keep| options.clone().keep_connections(keep).build();
    let endpoints = build(true).and_then(|keeping| Ok([keeping, build(false)?]));
    endpoints.map_err(|error| {
        let remedy = "see OPENAI_BASE_URL, as in https://api.openai.com/v1, and OPENAI_API_KEY";
        unusable("OPENAI_BASE_URL", PrivateText::from_error(&error), remedy)
    })
}

/// One that keeps its connections, and one that does not.
fn open_chroma(settings: &Settings) -> Result<[ChromaClient; 2], Finding> {
    let mut builder = ChromaClient::builder(&settings.chroma_url);
    if let Some(tenant) = &settings.chroma_tenant {
        builder = builder.tenant(tenant.clone());
    }
    if let Some(database) = &settings.chroma_database {
        builder = builder.database(database.clone());
    }
    let build = |keep| builder.clone().keep_connections(keep).build();
    let clients = build(true).and_then(|keeping| Ok([keeping, build(false)?]));
    clients.map_err(|error| {
        let remedy =
            "write CHROMA_URL as http://host:8000, and see CHROMA_TENANT and CHROMA_DATABASE";
        unusable("CHROMA_URL", PrivateText::from_error(&error), remedy)
    })
}
