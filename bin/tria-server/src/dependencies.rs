//! What the service depends on, and the checks that prove it.

use std::time::Duration;

use tokio::time::sleep;
use tria_chatbot::{collections, schema};
use tria_check::{Code, Finding, PrivateText, PublicText, PublicValue, Registry, RegistryBuilder};
use tria_chroma::ChromaClient;
use tria_db_check::{
    DatabaseCheck, SchemaCheck, SchemaSpec, TableSpec,
    pool::{DatabaseUrl, PoolOptions},
};
use tria_lifecycle::Hook;
use tria_llm_check::{Endpoint, EndpointOptions, LlmCheck};
use tria_redis_check::{RedisCheck, RedisOptions, build_pool};
use tria_vector_check::{CollectionSpec, VectorCheck};

use crate::{
    environment::Environment,
    plan,
    settings::Settings,
    steps::{Collections, Migrations},
};

/// A value passed its rules, but what it names cannot be used.
pub(crate) const UNUSABLE: Code = Code::new("unusable");

/// The checks that `OPTIONAL_CHECKS` may name.
const CHECKS: [&str; 4] = ["database", "redis", "openai", "chromadb"];

/// How often a pool that is being closed is looked at.
const CLOSING: Duration = Duration::from_millis(5);

/// The pools and clients of everything that the service depends on. Opening them connects to
/// nothing.
///
/// Probing has a connection of its own beside each pool, so that a pool that is busy with traffic
/// can be told from a dependency that is down.
#[derive(Clone)]
pub(crate) struct Dependencies {
    database: DatabasePools,
    redis: RedisPools,
    openai: Endpoint,
    chroma: ChromaClient,
}

#[derive(Clone)]
struct DatabasePools {
    main: deadpool_postgres::Pool,
    probe: deadpool_postgres::Pool,
    target: tria_db_check::Target,
}

#[derive(Clone)]
struct RedisPools {
    main: deadpool_redis::Pool,
    probe: deadpool_redis::Pool,
    options: RedisOptions,
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

    /// What a start proves, migrations included.
    pub(crate) fn startup_checks(
        &self,
        environment: &Environment,
        settings: &Settings,
    ) -> anyhow::Result<Registry> {
        let migrations = Migrations::new(self.database.main.clone());
        Ok(self
            .proofs(environment, settings)?
            .register(migrations)
            .build()?)
    }

    /// What a preflight proves; it changes nothing.
    pub(crate) fn preflight_checks(
        &self,
        environment: &Environment,
        settings: &Settings,
    ) -> anyhow::Result<Registry> {
        Ok(self.proofs(environment, settings)?.build()?)
    }

    /// What `migrate` does and proves.
    pub(crate) fn migration_checks(
        &self,
        environment: &Environment,
        settings: &Settings,
    ) -> anyhow::Result<Registry> {
        let migrations = Migrations::new(self.database.main.clone());
        let collections = Collections::new(self.chroma.clone());
        let proofs = self.proofs(environment, settings)?;
        Ok(proofs.register(migrations).register(collections).build()?)
    }

    /// Closes the pool that the hook's phase has proven when the service stops, and waits until
    /// it is empty: until then a transaction may still be under way.
    pub(crate) fn with_disposal(&self, hook: Hook, limit: Duration) -> Hook {
        let hook = hook.stop_timeout(limit);
        match hook.name() {
            plan::DATABASE => {
                let DatabasePools { main, probe, .. } = self.database.clone();
                hook.on_stop(async move |_| {
                    for pool in [main, probe] {
                        pool.close();
                        while pool.status().size > 0 {
                            sleep(CLOSING).await;
                        }
                    }
                    Ok(())
                })
            }
            plan::REDIS => {
                let RedisPools { main, probe, .. } = self.redis.clone();
                hook.on_stop(async move |_| {
                    for pool in [main, probe] {
                        pool.close();
                        while pool.status().size > 0 {
                            sleep(CLOSING).await;
                        }
                    }
                    Ok(())
                })
            }
            _ => hook,
        }
    }

    fn proofs(
        &self,
        environment: &Environment,
        settings: &Settings,
    ) -> anyhow::Result<RegistryBuilder> {
        let database = DatabaseCheck::new(self.database.main.clone())
            .probe_pool(self.database.probe.clone())
            .target(self.database.target.clone());
        let schema = SchemaCheck::new(self.database.main.clone(), schema_spec()?)
            .probe_pool(self.database.probe.clone())
            .target(self.database.target.clone())
            .migrate_remedy("run `tria-server migrate`");
        let redis = RedisCheck::new(self.redis.main.clone())
            .probe_pool(self.redis.probe.clone())
            .endpoint(&self.redis.options);
        let openai = LlmCheck::new(&self.openai, settings.openai_model.clone())
            .embedding_model(settings.openai_embedding_model.clone());
        let specs = collections::COLLECTIONS
            .iter()
            .map(|name| CollectionSpec::new(*name));
        let chroma = VectorCheck::new(self.chroma.clone())
            .collections(specs)?
            .missing_remedy("run `tria-server migrate`, which creates what is missing");
        let builder = Registry::builder().register(environment.check());
        let builder = builder.register(database).register(schema).register(redis);
        Ok(builder
            .register(openai)
            .register(chroma)
            .optional(settings.optional_checks.clone()))
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

/// The application's schema, in the words of the check.
fn schema_spec() -> anyhow::Result<SchemaSpec> {
    let tables = schema::required_tables().iter().map(|table| {
        let spec = TableSpec::new(table.name, table.columns.iter().copied());
        match table.detail_of {
            Some(master) => spec.detail_of(master),
            None => spec,
        }
    });
    Ok(SchemaSpec::new(schema::LATEST, tables)?)
}
