//! Who is let in, and what they may do.

use deadpool_redis::{Config, Runtime, redis::aio::MultiplexedConnection};
use tria_check::Status;
use tria_redis_check::{Password, RedisCheck, RedisOptions, codes};

use crate::support::{
    PASSWORD, WRONG, admin, assert_fails, check, codes, detail, info, limited, options, pool, run,
    server, server_with_password, verify,
};

/// The password after a change.
const NEW: &str = "Rt5pW8nX2cVb";

/// Makes the user `limited`, with the tests' password and these rules.
pub(crate) async fn grant(admin: &mut MultiplexedConnection, rules: &str) {
    let password = format!(">{PASSWORD}");
    let mut words = vec!["ACL", "SETUSER", "limited", "on", &password];
    words.extend(rules.split(' '));
    run::<()>(admin, &words).await;
}

#[tokio::test]
async fn the_right_password_is_let_in() {
    let redis = server_with_password().await;
    let password = Some(PASSWORD.into());
    let right = RedisOptions {
        password,
        ..options(redis.port())
    };
    assert_eq!(verify(&check(&right)).await.status(), Status::Pass);
}

#[tokio::test]
async fn no_password_is_asked_for() {
    let redis = server_with_password().await;
    let outcome = verify(&check(&options(redis.port()))).await;
    assert_fails(&outcome, codes::AUTH_REQUIRED, true);
}

#[tokio::test]
async fn a_wrong_password_is_refused_and_never_shown() {
    let redis = server_with_password().await;
    let password = Some(WRONG.into());
    let wrong = RedisOptions {
        password,
        ..options(redis.port())
    };
    let outcome = verify(&check(&wrong)).await;
    assert_fails(&outcome, codes::AUTH_FAILED, true);
    let place = format!("127.0.0.1:{}: WRONGPASS", redis.port());
    assert!(detail(&outcome).starts_with(&place), "{}", detail(&outcome));
}

#[tokio::test]
async fn an_unknown_and_a_disabled_user_are_refused() {
    let redis = server(&[]).await;
    let outcome = verify(&check(&limited(redis.port()))).await;
    assert_fails(&outcome, codes::AUTH_FAILED, true);

    grant(&mut admin(&redis).await, "off ~* +@all").await;
    let outcome = verify(&check(&limited(redis.port()))).await;
    assert_fails(&outcome, codes::AUTH_FAILED, true);
}

#[tokio::test]
async fn commands_that_are_denied_are_named() {
    let redis = server(&[]).await;
    let mut admin = admin(&redis).await;
    grant(&mut admin, "~* +@all -set").await;
    let outcome = verify(&check(&limited(redis.port()))).await;
    assert_fails(&outcome, codes::PERMISSION_DENIED, true);
    assert_eq!(outcome.text().as_str(), "the Redis user may not run SET");

    grant(&mut admin, "-del").await;
    let outcome = verify(&check(&limited(redis.port()))).await;
    assert_fails(&outcome, codes::PERMISSION_DENIED, true);
    assert_eq!(
        outcome.text().as_str(),
        "the Redis user may not run SET, DEL"
    );
    assert_eq!(
        codes(&outcome),
        ["ok", "permission_denied"],
        "it did connect"
    );
}

#[tokio::test]
async fn keys_that_are_denied_are_named_in_private() {
    let redis = server(&[]).await;
    grant(&mut admin(&redis).await, "~shop:* +@all").await;
    let outcome = verify(&check(&limited(redis.port()))).await;
    assert_fails(&outcome, codes::PERMISSION_DENIED, true);
    assert!(outcome.text().as_str().contains("keys"), "{outcome:?}");
    assert!(
        detail(&outcome).contains("tria:probe:*"),
        "{}",
        detail(&outcome)
    );
}

/// The pool tests connections with UNWATCH and PING, and silently opens a new one each time when
/// one of them is denied.
#[tokio::test]
async fn a_pool_that_cannot_reuse_its_connections_is_warned_about() {
    let redis = server(&[]).await;
    let mut admin = admin(&redis).await;
    grant(&mut admin, "~* +@all -unwatch").await;
    let check = check(&limited(redis.port()));
    let outcome = verify(&check).await;
    assert_eq!(codes(&outcome), ["ok", "ok", "connections_not_reused"]);
    let opened: u32 = info(&mut admin, "total_connections_received")
        .await
        .parse()
        .unwrap();
    assert!(opened > 4, "the warning tells the truth: {opened}");

    grant(&mut admin, "+unwatch").await;
    assert_eq!(codes(&verify(&check).await), ["ok", "ok"]);
}

#[tokio::test]
async fn a_command_that_was_renamed_is_named() {
    let redis = server(&["rename-command SET \"\"", "rename-command INFO \"\""]).await;
    let outcome = verify(&check(&options(redis.port()))).await;
    assert_fails(&outcome, codes::COMMAND_UNAVAILABLE, true);
    assert!(
        detail(&outcome).starts_with("SET: ERR unknown command"),
        "{}",
        detail(&outcome)
    );
}

#[tokio::test]
async fn a_database_beyond_the_last_is_out_of_range() {
    let redis = server(&["databases 16"]).await;
    let outcome = verify(&check(&RedisOptions {
        db: 16,
        ..options(redis.port())
    }))
    .await;
    assert_fails(&outcome, codes::DB_OUT_OF_RANGE, true);
    let outcome = verify(&check(&RedisOptions {
        db: 15,
        ..options(redis.port())
    }))
    .await;
    assert_eq!(outcome.status(), Status::Pass);
}

#[tokio::test]
async fn the_probe_writes_to_the_configured_database() {
    let redis = server(&[]).await;
    let mut admin = admin(&redis).await;
    grant(&mut admin, "~* +@all -del").await;
    let check = check(&RedisOptions {
        db: 7,
        ..limited(redis.port())
    });
    assert_eq!(verify(&check).await.code(), codes::PERMISSION_DENIED);
    assert_eq!(run::<u32>(&mut admin, &["DBSIZE"]).await, 0);
    run::<()>(&mut admin, &["SELECT", "7"]).await;
    assert!(run::<u32>(&mut admin, &["DBSIZE"]).await > 0);
}

#[tokio::test]
async fn a_denied_select_is_a_matter_of_permission() {
    let redis = server(&[]).await;
    grant(&mut admin(&redis).await, "~* +@all -select").await;
    let outcome = verify(&check(&RedisOptions {
        db: 1,
        ..limited(redis.port())
    }))
    .await;
    assert_fails(&outcome, codes::PERMISSION_DENIED, true);
    assert!(detail(&outcome).contains("select"), "{}", detail(&outcome));
}

/// Pools that were not built here: RESP2, with the driver's own set-up.
#[tokio::test]
async fn a_strange_pool_is_judged_as_well() {
    let redis = server_with_password().await;
    let foreign = |credentials: &str, db: u32| {
        let url = format!("redis://{credentials}127.0.0.1:{}/{db}", redis.port());
        let pool = Config::from_url(url).create_pool(Some(Runtime::Tokio1));
        RedisCheck::new(pool.unwrap())
    };
    let right = format!(":{PASSWORD}@");
    let outcome = verify(&foreign(&right, 3)).await;
    assert_eq!(codes(&outcome), ["ok", "ok"], "{outcome:?}");
    assert_ne!(outcome.observed_value("version"), Some(&"unknown".into()));

    let outcome = verify(&foreign("", 0)).await;
    assert_fails(&outcome, codes::AUTH_REQUIRED, true);
    let outcome = verify(&foreign(&format!(":{WRONG}@"), 0)).await;
    assert_fails(&outcome, codes::AUTH_FAILED, true);
    let outcome = verify(&foreign(&right, 99_999)).await;
    assert_fails(&outcome, codes::DB_OUT_OF_RANGE, true);
}

/// Redis changes its password without ending a session; who connects later needs the new one.
#[tokio::test]
async fn a_changed_password_lets_in_who_connects_from_then_on() {
    let redis = server_with_password().await;
    let password = Password::from(PASSWORD);
    let options = RedisOptions {
        password: Some(password.clone()),
        ..options(redis.port())
    };
    let pool = pool(&options);
    let held = pool.get().await.unwrap();
    let mut admin = pool.get().await.unwrap();
    run::<()>(&mut admin, &["CONFIG", "SET", "requirepass", NEW]).await;
    let error = pool.get().await.err().unwrap().to_string();
    assert!(!error.contains(PASSWORD), "{error}");

    password.rotate(NEW.into());
    let fresh = pool.get().await.unwrap();
    assert_eq!(pool.status().size, 3, "the others are still open");
    for mut connection in [held, fresh] {
        run::<String>(&mut connection, &["PING"]).await;
    }
}
