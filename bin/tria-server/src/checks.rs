//! The checks that prove the environment and the dependencies.

use tria_chatbot::{collections::COLLECTIONS, schema};
use tria_check::{Registry, RegistryBuilder};
use tria_db_check::{DatabaseCheck, SchemaCheck, SchemaSpec, TableSpec};
use tria_llm_check::LlmCheck;
use tria_redis_check::RedisCheck;
use tria_vector_check::{CollectionSpec, VectorCheck};

use crate::{
    environment::{Environment, Usable},
    steps::{Collections, Migrations},
};

/// What a start proves, migrations included.
pub(crate) fn of_startup(environment: &Environment, usable: &Usable) -> anyhow::Result<Registry> {
    let migrations = Migrations::new(usable.dependencies.database.main.clone());
    Ok(proofs(environment, usable)?.register(migrations).build()?)
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
        .target(postgres.target.clone());
    let schema = SchemaCheck::new(postgres.main.clone(), schema_spec()?)
        .probe_pool(postgres.probe.clone())
        .target(postgres.target.clone())
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
