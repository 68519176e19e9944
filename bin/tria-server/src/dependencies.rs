//! What the service depends on, and the checks that prove it.

use tria_check::{Code, Finding, PrivateText, PublicText, PublicValue};
use tria_chroma::ChromaClient;
use tria_db_check::pool::{DatabaseUrl, PoolOptions};
use tria_lifecycle::Disposal;
use tria_llm_check::{Endpoint, EndpointOptions};
use tria_redis_check::{RedisOptions, build_pool};

use crate::settings::Settings;

/// A value passed its rules, but what it names cannot be used.
pub(crate) const UNUSABLE: Code = Code::new("unusable");

/// The checks that `OPTIONAL_CHECKS` may name.
const CHECKS: [&str; 4] = ["database", "redis", "openai", "chromadb"];

/// The pools and clients of everything that the service depends on. Opening them connects to
/// nothing.
///
/// Probing has a connection of its own beside each pool, so that a pool that is busy with traffic
/// can be told from a dependency that is down.
#[derive(Clone)]
pub(crate) struct Dependencies {
    pub(crate) database: DatabasePools,
    pub(crate) redis: RedisPools,
    pub(crate) openai: Endpoint,
    pub(crate) chroma: ChromaClient,
}

#[derive(Clone)]
pub(crate) struct DatabasePools {
    pub(crate) main: deadpool_postgres::Pool,
    pub(crate) probe: deadpool_postgres::Pool,
    pub(crate) target: tria_db_check::Target,
}

#[derive(Clone)]
pub(crate) struct RedisPools {
    pub(crate) main: deadpool_redis::Pool,
    pub(crate) probe: deadpool_redis::Pool,
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
        let database = open_database(settings).map_err(|problem| problems.push(problem));
        let redis = open_redis(settings).map_err(|problem| problems.push(problem));
        let openai = open_openai(settings).map_err(|problem| problems.push(problem));
        let chroma = open_chroma(settings).map_err(|problem| problems.push(problem));
        match (database, redis, openai, chroma) {
            (Ok(database), Ok(redis), Ok(openai), Ok(chroma)) if problems.is_empty() => Ok(Self {
                database,
                redis,
                openai,
                chroma,
            }),
            _ => Err(problems),
        }
    }
}

// === impl DatabasePools ===

impl DatabasePools {
    /// Closes both pools. Until they are empty a transaction may still be under way.
    pub(crate) fn disposal(&self) -> Disposal {
        let pools = [("database", &self.main), ("database probe", &self.probe)];
        pools
            .into_iter()
            .fold(Disposal::new(), |disposal, (name, pool)| {
                let (closed, left) = (pool.clone(), pool.clone());
                disposal.part(name, move || closed.close(), move || left.status().size)
            })
    }
}

// === impl RedisPools ===

impl RedisPools {
    /// Closes both pools.
    pub(crate) fn disposal(&self) -> Disposal {
        let pools = [("redis", &self.main), ("redis probe", &self.probe)];
        pools
            .into_iter()
            .fold(Disposal::new(), |disposal, (name, pool)| {
                let (closed, left) = (pool.clone(), pool.clone());
                disposal.part(name, move || closed.close(), move || left.status().size)
            })
    }
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
        target: url.target(),
    })
}

fn open_redis(settings: &Settings) -> Result<RedisPools, Finding> {
    let mut options = RedisOptions::new(settings.redis_host.clone(), settings.redis_port);
    options.password.clone_from(&settings.redis_password);
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
    let probe = pool(1)?;
    Ok(RedisPools {
        main,
        probe,
        options,
    })
}

fn open_openai(settings: &Settings) -> Result<Endpoint, Finding> {
    let mut options = EndpointOptions::new(settings.openai_api_key.clone());
    if let Some(base_url) = &settings.openai_base_url {
        options = options.base_url(base_url.clone());
    }
    options.build().map_err(|error| {
        let remedy = "see OPENAI_BASE_URL, as in https://api.openai.com/v1, and OPENAI_API_KEY";
        unusable("OPENAI_BASE_URL", PrivateText::from_error(&error), remedy)
    })
}

fn open_chroma(settings: &Settings) -> Result<ChromaClient, Finding> {
    let mut builder = ChromaClient::builder(&settings.chroma_url);
    if let Some(tenant) = &settings.chroma_tenant {
        builder = builder.tenant(tenant.clone());
    }
    if let Some(database) = &settings.chroma_database {
        builder = builder.database(database.clone());
    }
    builder.build().map_err(|error| {
        let remedy =
            "write CHROMA_URL as http://host:8000, and see CHROMA_TENANT and CHROMA_DATABASE";
        unusable("CHROMA_URL", PrivateText::from_error(&error), remedy)
    })
}
