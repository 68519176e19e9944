//! Why PostgreSQL told nothing.

/// Why PostgreSQL did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseError {
    /// It did not answer, or no connection to it was free.
    #[error("no connection to the database")]
    Pool(#[from] deadpool_postgres::PoolError),
    /// A statement failed.
    #[error("the database refused")]
    Database(#[from] tokio_postgres::Error),
}
