//! The checks that prove the environment and the dependencies.

use std::time::SystemTime;

use tria_chatbot::{collections::COLLECTIONS, model::Model, schema};
use tria_check::{Check, Heartbeats, Registry, RegistryBuilder};
use tria_db_check::{DatabaseCheck, SchemaCheck, SchemaSpec, StatisticsCheck, TableSpec};
use tria_health::resources::{
    ClockCheck, DiskCheck, FileDescriptorCheck, HeartbeatCheck, MemoryCheck, PoolCheck,
};
use tria_llm_check::LlmCheck;
use tria_redis_check::RedisCheck;
use tria_vector_check::{CollectionSpec, VectorCheck};

use crate::{
    dependencies::Dependencies,
    environment::{Environment, Usable},
    model::Circuits,
    steps::{Collections, Migrations},
};

/// What a start proves, migrations included, and what is watched beside it while the service runs.
pub(crate) fn of_service(
    environment: &Environment,
    usable: &Usable,
    model: &Model,
    heartbeats: &Heartbeats,
) -> anyhow::Result<Registry> {
    let dependencies = &usable.dependencies;
    let migrations = Migrations::new(dependencies.database.main.clone());
    let proofs = proofs(environment, usable)?.register(migrations);
    let [database, redis] = dependencies.pools();
    let watched = while_serving(proofs, usable)
        .register(Circuits::new(model.clone()))
        .register(MemoryCheck::new())
        // The root of a container may well be read-only: nothing of ours is written there.
        .register(DiskCheck::new("/").may_be_read_only())
        .register(FileDescriptorCheck::new())
        .register(clock(dependencies))
        .register(PoolCheck::new("database.pool", database))
        .register(PoolCheck::new("redis.pool", redis))
        .register(HeartbeatCheck::new(heartbeats.clone()));
    Ok(watched.build()?)
}

/// The clock of this machine against PostgreSQL's, over the connection that is kept for probing.
fn clock(dependencies: &Dependencies) -> impl Check + use<> {
    let probe = dependencies.database.probe.clone();
    ClockCheck::new("PostgreSQL", move || {
        let probe = probe.clone();
        async move {
            // Not `now()`, which is the start of the transaction.
            let told = probe.get().await?;
            let told = told.query_one("SELECT clock_timestamp()", &[]).await?;
            Ok::<SystemTime, deadpool_postgres::PoolError>(told.try_get(0)?)
        }
    })
}

/// What a preflight proves; it changes nothing.
pub(crate) fn of_preflight(environment: &Environment, usable: &Usable) -> anyhow::Result<Registry> {
    Ok(proofs(environment, usable)?.build()?)
}

/// What `migrate` does and proves.
pub(crate) fn of_migration(environment: &Environment, usable: &Usable) -> anyhow::Result<Registry> {
    let migrations = Migrations::new(usable.dependencies.database.main.clone());
    let collections = Collections::new(usable.dependencies.chroma.clone());
    let proofs = proofs(environment, usable)?;
    Ok(proofs.register(migrations).register(collections).build()?)
}

/// What can be proven of an environment that leads nowhere: that it is wrong.
pub(crate) fn of_environment(environment: &Environment) -> anyhow::Result<Registry> {
    Ok(Registry::builder().register(environment.check()).build()?)
}

fn proofs(environment: &Environment, usable: &Usable) -> anyhow::Result<RegistryBuilder> {
    let Usable {
        settings,
        dependencies,
    } = usable;
    let postgres = &dependencies.database;
    let database = DatabaseCheck::new(postgres.main.clone())
        .probe_pool(postgres.probe.clone())
        .target(postgres.url.target());
    let schema = SchemaCheck::new(postgres.main.clone(), schema_spec()?)
        .probe_pool(postgres.probe.clone())
        .target(postgres.url.target())
        .migrate_remedy("run `tria-server migrate`");
    let redis = RedisCheck::new(dependencies.redis.main.clone())
        .probe_pool(dependencies.redis.probe.clone())
        .endpoint(&dependencies.redis.options);
    let openai = LlmCheck::new(&dependencies.openai, settings.openai_model.clone())
        .embedding_model(settings.openai_embedding_model.clone());
    let chroma = VectorCheck::new(dependencies.chroma.clone())
        .collections(COLLECTIONS.map(CollectionSpec::new))?
        .missing_remedy("run `tria-server migrate`, which creates what is missing");
    let builder = Registry::builder().register(environment.check());
    let builder = builder.register(database).register(schema).register(redis);
    let builder = builder.register(openai).register(chroma);
    Ok(builder.optional(settings.optional_checks.clone()))
}

/// What a start has no need of: that new logins work is news only beside sessions that last, and
/// what a database is busy with is for operators.
fn while_serving(builder: RegistryBuilder, usable: &Usable) -> RegistryBuilder {
    let Usable {
        settings,
        dependencies,
    } = usable;
    let (postgres, redis) = (&dependencies.database, &dependencies.redis);
    let database = tria_db_check::LoginCheck::new(postgres.login.clone());
    let statistics = StatisticsCheck::new(postgres.main.clone())
        .probe_pool(postgres.probe.clone())
        .target(postgres.url.target());
    let redis = tria_redis_check::LoginCheck::new(redis.login.clone()).endpoint(&redis.options);
    let (endpoint, model) = (&dependencies.openai_login, settings.openai_model.clone());
    let openai = tria_llm_check::LoginCheck::new(endpoint, model);
    let chroma = tria_vector_check::LoginCheck::new(dependencies.chroma_login.clone());
    let builder = builder.register(database.target(postgres.url.target()));
    let builder = builder.register(statistics).register(redis);
    builder.register(openai).register(chroma)
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
