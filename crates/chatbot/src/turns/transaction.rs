//! A transaction whose beginning and end travel together with its statements.

use std::{
    ops::Deref,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};

use deadpool_postgres::{ClientWrapper, Object};
use tokio_postgres::Error;

/// A connection in a transaction.
///
/// The driver's own transaction waits a round trip for `BEGIN` and one for `COMMIT`. Here they are
/// sent along: `BEGIN` before the first statements, and `COMMIT` behind the last one, which the
/// server takes for `ROLLBACK` if anything before it failed.
///
/// One that is dropped before it is [over](Self::over) takes its connection along: a statement that
/// still waits in the server, for somebody's lock maybe, is nothing for the next user of the pool.
/// The server rolls back when it sees that the connection has gone.
pub(super) struct Transaction {
    /// There is one until this is dropped.
    client: Option<Object>,
    /// A `ROLLBACK` outside of a transaction would be a warning in the server's log.
    is_open: AtomicBool,
    is_over: bool,
}

// === impl Transaction ===

impl Transaction {
    /// Nothing is begun yet.
    pub(super) fn on(client: Object) -> Self {
        Self {
            client: Some(client),
            is_open: AtomicBool::new(false),
            is_over: false,
        }
    }

    /// Begins, and does the first statements; their future must send them when it is first polled.
    /// Gives what came of them, in which each is to be looked at in the order in which they were
    /// sent.
    pub(super) async fn begin<T>(&self, first: impl Future<Output = T>) -> Result<T, Error> {
        self.is_open.store(true, Relaxed);
        let (begun, first) = tokio::join!(biased; self.batch_execute("BEGIN"), first);
        begun.map(|()| first)
    }

    /// Does the last statement, and commits; its future must send it when it is first polled.
    pub(super) async fn end(
        &self,
        last: impl Future<Output = Result<u64, Error>>,
    ) -> Result<(), Error> {
        // One that cannot even be sent ends this before `COMMIT` is sent.
        let commit = async {
            self.is_open.store(false, Relaxed);
            self.batch_execute("COMMIT").await
        };
        tokio::try_join!(biased; last, commit).map(drop)
    }

    /// Rolls back whatever was written, if anything was.
    pub(super) async fn roll_back(&self) -> Result<(), Error> {
        if self.is_open.swap(false, Relaxed) {
            self.batch_execute("ROLLBACK").await?;
        }
        Ok(())
    }

    /// Gives the connection back to its pool.
    pub(super) fn over(mut self) {
        self.is_over = true;
    }
}

impl Deref for Transaction {
    type Target = ClientWrapper;

    fn deref(&self) -> &ClientWrapper {
        self.client.as_ref().expect("there is one until the drop")
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if let Some(client) = self.client.take()
            && !self.is_over
        {
            drop(Object::take(client));
        }
    }
}

#[cfg(test)]
mod tests {
    use deadpool_postgres::{Manager, Pool};
    use tokio_postgres::{NoTls, Statement};
    use tria_devstack::TestDatabase;

    use super::*;

    /// A database with a table, and one connection to it at a time.
    async fn notes() -> (TestDatabase, Pool) {
        let stack = tria_devstack::shared().await.unwrap();
        let database = stack.fresh_database().await.unwrap();
        let manager = Manager::new(database.url().parse().unwrap(), NoTls);
        let pool = Pool::builder(manager).max_size(1).build().unwrap();
        let table = "CREATE TABLE notes (number integer CHECK (number > 0))";
        pool.get()
            .await
            .unwrap()
            .batch_execute(table)
            .await
            .unwrap();
        (database, pool)
    }

    async fn written(pool: &Pool) -> i64 {
        let client = pool.get().await.unwrap();
        let count = "SELECT count(*) FROM notes";
        client.query_one(count, &[]).await.unwrap().get(0)
    }

    const NOTE: &str = "INSERT INTO notes VALUES ($1)";

    /// A number in a transaction of its own on a connection of the pool.
    async fn begun(pool: &Pool) -> (Transaction, Statement) {
        let transaction = Transaction::on(pool.get().await.unwrap());
        let note = transaction.prepare_cached(NOTE).await.unwrap();
        let first = async { transaction.execute(&note, &[&1_i32]).await };
        transaction.begin(first).await.unwrap().unwrap();
        (transaction, note)
    }

    #[tokio::test]
    async fn statements_are_written_together_and_the_connection_goes_back() {
        let (_database, pool) = notes().await;
        let (transaction, note) = begun(&pool).await;
        let last = async { transaction.execute(&note, &[&2_i32]).await };
        transaction.end(last).await.unwrap();
        transaction.over();
        assert_eq!(pool.status().available, 1);
        assert_eq!(written(&pool).await, 2);
    }

    /// The server refuses the one number, and the driver does not even send the other.
    #[tokio::test]
    async fn a_last_statement_that_fails_commits_nothing() {
        let (_database, pool) = notes().await;
        for is_sent in [true, false] {
            let (transaction, note) = begun(&pool).await;
            let last = async {
                if is_sent {
                    transaction.execute(&note, &[&0_i32]).await
                } else {
                    transaction.execute(&note, &[&"a text"]).await
                }
            };
            let failed = transaction.end(last).await.unwrap_err();
            assert_eq!(failed.as_db_error().is_some(), is_sent);
            transaction.roll_back().await.unwrap();
            transaction.over();
            assert_eq!(written(&pool).await, 0);
        }
    }

    #[tokio::test]
    async fn what_is_rolled_back_leaves_nothing_and_can_be_rolled_back_again() {
        let (_database, pool) = notes().await;
        let (transaction, _note) = begun(&pool).await;
        transaction.roll_back().await.unwrap();
        transaction.roll_back().await.unwrap();
        transaction.over();
        assert_eq!(pool.status().available, 1);
        assert_eq!(written(&pool).await, 0);
    }

    #[tokio::test]
    async fn what_is_dropped_is_rolled_back_and_takes_its_connection_along() {
        let (_database, pool) = notes().await;
        let (transaction, _note) = begun(&pool).await;
        drop(transaction);
        assert_eq!(pool.status().size, 0);
        assert_eq!(written(&pool).await, 0);
    }
}
