//! The schema's age, and who brings it up to date.

use std::time::Duration;

use tria_tests::Fixture;

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_schema_is_told_by_check_and_mended_by_serve() {
    let fixture = Fixture::empty().await;
    fixture.run(&["migrate"]).expect(0, &["Schema up to date"]);
    fixture
        .execute("DELETE FROM refinery_schema_history WHERE version > 1")
        .await;
    let ended = fixture.run(&["check"]);
    ended.expect(69, &["[schema_outdated]", "tria-server migrate"]);
    ended.within(SECOND);

    let fresh = Fixture::migrated().await;
    let tables = "DROP SCHEMA public CASCADE; CREATE SCHEMA public";
    fresh.execute(tables).await;
    fresh.run(&["check"]).expect(69, &["[schema_"]);
    let running = fresh.serve();
    running.ready();
}

/// A migration that nobody built in would be found to be applied.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_knows_other_migrations_is_told_before_anything_is_done() {
    let fixture = Fixture::empty().await;
    let latest = tria_chatbot::schema::LATEST;
    for other in [latest - 1, latest + 1] {
        let ended = fixture.run(&["migrate", "--expect", &other.to_string()]);
        let said = format!("up to {latest}, and {other} is expected");
        ended.expect(65, &[&said, "remedy:"]);
    }
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(fixture.count(tables).await, 0);
    let ended = fixture.run(&["migrate", "--expect", &latest.to_string()]);
    ended.expect(0, &["Schema up to date"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newer_schema_is_judged_by_what_its_migrations_do() {
    let fixture = Fixture::migrated().await;
    let applied = |version: u32, name: &str| {
        format!(
            "INSERT INTO refinery_schema_history (version, name, applied_on, checksum) \
             VALUES ({version}, '{name}', '2026-01-01T00:00:00Z', '1')"
        )
    };
    fixture.execute(&applied(900, "expand_wishes")).await;
    let running = fixture.serve();
    let text = running.wait_for("STARTUP COMPLETE");
    assert!(text.contains("[schema_newer]"), "{text}");
    drop(running);
    fixture.execute(&applied(901, "contract_wishes")).await;
    let ended = fixture.run(&["serve"]);
    ended.expect(69, &["[schema_incompatible]", "remedy:"]);
    ended.within(SECOND);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_that_start_at_once_migrate_once() {
    let fixture = Fixture::migrated().await;
    fixture
        .execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        .await;
    let servers = [fixture.serve(), fixture.serve(), fixture.serve()];
    for server in &servers {
        server.ready();
    }
    let rows = fixture
        .count("SELECT count(*) FROM refinery_schema_history")
        .await;
    let versions = fixture.count("SELECT count(DISTINCT version) FROM refinery_schema_history");
    assert_eq!(rows, versions.await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn migrating_twice_changes_nothing() {
    let fixture = Fixture::empty().await;
    fixture.run(&["migrate"]).expect(0, &[]);
    let before = fixture
        .count("SELECT count(*) FROM refinery_schema_history")
        .await;
    fixture.run(&["migrate"]).expect(0, &[]);
    assert_eq!(
        before,
        fixture
            .count("SELECT count(*) FROM refinery_schema_history")
            .await
    );
}

/// What the server refuses stays refused: nobody waits for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_migration_that_is_refused_is_not_retried() {
    let mut fixture = Fixture::empty().await;
    fixture.set("STARTUP_DEADLINE", "60s");
    fixture.execute("CREATE TABLE products (id int)").await;
    for command in ["migrate", "serve"] {
        let ended = fixture.run(&[command]);
        ended.expect(69, &["[migration_failed]", "already exists", "remedy:"]);
        ended.within(SECOND);
    }
    fixture.expect_nothing_left().await;
}

/// A dropped table does not come back by migrating, and nobody is told that it would.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_table_is_to_be_restored() {
    let fixture = Fixture::migrated().await;
    fixture
        .execute("DROP TABLE user_interaction_summaries")
        .await;
    let ended = fixture.run(&["check"]);
    ended.expect(69, &["[table_missing]", "from a backup"]);
    assert!(
        !ended.text().contains("tria-server migrate"),
        "{}",
        ended.text()
    );
}
