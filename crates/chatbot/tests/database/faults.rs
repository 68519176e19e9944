//! Turns that fail at each of their statements.

use tria_chatbot::turns::TurnError;

use crate::{
    said::{Make, Said, complaint, hello, order},
    shop::Shop,
};

impl Shop {
    /// Keeps a turn that must fail, and leave nothing; and then again, mended.
    async fn fails(&self, said: &Said, broken: &str, mend: &str) -> TurnError {
        let before = self.sum().await;
        self.execute(broken).await;
        let failed = self.keep(said).await.unwrap_err();
        assert_eq!(self.sum().await, before, "{failed:?}");
        self.execute(mend).await;
        assert!(!self.keep(said).await.unwrap().was_there());
        failed
    }

    /// A turn that opens a conversation, and one that goes on with another.
    async fn both(&self, key: &str, make: impl Fn(&str) -> Said) -> [Said; 2] {
        let opened = hello(&format!("{key}-opened"));
        self.keep(&opened).await.unwrap();
        let next = make(&format!("{key}-next"));
        [make(&format!("{key}-first")), opened.then(next)]
    }
}

fn constraint(error: &TurnError) -> Option<&str> {
    match error {
        TurnError::Database(error) => error.as_db_error()?.constraint(),
        _ => None,
    }
}

fn greet(key: &str) -> Said {
    hello(key)
}

fn buy(key: &str) -> Said {
    order(key, &[(2, 1), (1, 2)])
}

fn complain(key: &str) -> Said {
    complaint(key, None)
}

const OF_ALL: [&str; 4] = [
    "conversation_sessions",
    "conversation_messages",
    "user_interaction_summaries",
    "chat_answers",
];

/// Each table in turn refuses its statement, after those before it were written.
#[tokio::test]
async fn whatever_is_refused_nothing_is_left() {
    let shop = Shop::open(&[("10.00", 1, 90), ("1.00", 1, 90)]).await;
    let of_orders = [
        "orders",
        "order_items",
        "products",
        "delivery_orders",
        "invoices",
    ];
    let make: [(Make, &[&str]); 3] = [(greet, &[]), (complain, &["complaints"]), (buy, &of_orders)];
    for (at, (make, of_work)) in make.into_iter().enumerate() {
        for table in OF_ALL.iter().chain(of_work) {
            for said in shop.both(&format!("{at}-{table}"), make).await {
                let broken =
                    format!("ALTER TABLE {table} ADD CONSTRAINT broken CHECK (false) NOT VALID");
                let mend = format!("ALTER TABLE {table} DROP CONSTRAINT broken");
                let failed = shop.fails(&said, &broken, &mend).await;
                assert_eq!(constraint(&failed), Some("broken"), "{table}: {failed:?}");
                assert!(!failed.is_transient());
            }
        }
    }
}

/// What is judged when the transaction ends.
#[tokio::test]
async fn a_commit_that_is_refused_leaves_nothing() {
    let shop = Shop::open(&[("10.00", 1, 90), ("1.00", 1, 90)]).await;
    shop.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN RAISE EXCEPTION 'no' USING ERRCODE = TG_ARGV[0]; END $$",
    )
    .await;
    let makes: [Make; 3] = [greet, complain, buy];
    for (at, make) in makes.into_iter().enumerate() {
        for (code, is_transient) in [("40001", true), ("40P01", true), ("23514", false)] {
            for said in shop.both(&format!("{at}-{code}"), make).await {
                let broken = format!(
                    "CREATE CONSTRAINT TRIGGER broken AFTER INSERT ON chat_answers
                     DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse('{code}')"
                );
                let mend = "DROP TRIGGER broken ON chat_answers";
                let failed = shop.fails(&said, &broken, mend).await;
                assert_eq!(failed.is_transient(), is_transient, "{failed:?}");
            }
        }
    }
}

/// A row that somebody holds for too long: the turn may be tried again.
#[tokio::test]
async fn a_lock_that_stays_taken_is_transient() {
    let shop = Shop::open(&[("10.00", 1, 50)]).await;
    let other = shop.pool_of(1).get().await.unwrap();
    let held = "BEGIN; SELECT FROM products FOR UPDATE";
    other.batch_execute(held).await.unwrap();
    let impatient = "DO $$ BEGIN
        EXECUTE format('ALTER DATABASE %I SET lock_timeout = 50', current_database());
    END $$";
    shop.execute(impatient).await;
    let before = shop.sum().await;
    let pool = shop.pool_of(1);
    let said = order("k", &[(1, 1)]);
    let failed = said.keep(&pool).await.unwrap_err();
    assert!(failed.is_transient(), "{failed:?}");
    assert_eq!(shop.sum().await, before);
    other.batch_execute("ROLLBACK").await.unwrap();
    assert!(!said.keep(&pool).await.unwrap().was_there());
}

#[tokio::test]
async fn a_database_that_is_away_is_told() {
    let shop = Shop::open(&[]).await;
    let pool = shop.pool_of(1);
    pool.close();
    let failed = hello("k").keep(&pool).await.unwrap_err();
    assert!(matches!(failed, TurnError::Pool(_)), "{failed:?}");
    assert!(!failed.is_transient());
}
