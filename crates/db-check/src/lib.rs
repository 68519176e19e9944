//! PostgreSQL checks over an injected [`deadpool_postgres::Pool`].
//!
//! - [`DatabaseCheck`] proves that the database answers, is new enough, takes writes and has
//!   connections left; a pool whose connections are all in use is told apart from a database
//!   that is down.
//! - [`SchemaCheck`] proves that the migrations and the required tables and columns are there.
//! - [`LoginCheck`] proves that a new login still works.
//! - [`StatisticsCheck`] tells operators what the database is busy with.
//! - [`pool`] builds a pool from a database URL, with `sslmode` as libpq means it.
//! - [`Fault`] is the closed list of what can be wrong, each with its code and remedy.
//!
//! A check opens no pool, and gives back no connection whose answer it has not read.
//!
//! ```no_run
//! use tria_db_check::{DatabaseCheck, SchemaCheck, SchemaSpec, TableSpec, pool};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let url = pool::DatabaseUrl::parse(&"postgres://app:secret@db/shop?sslmode=verify-full".into())?;
//! let pool = url.pool(&pool::PoolOptions::default())?;
//! let spec = SchemaSpec::new(7, [TableSpec::new("orders", ["id", "total"])])?;
//!
//! let database = DatabaseCheck::new(pool.clone()).target(url.target());
//! let schema = SchemaCheck::new(pool, spec).target(url.target());
//! # Ok(())
//! # }
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod activity;
mod connect;
mod database;
mod fault;
mod lease;
mod login;
pub mod pool;
mod recycle;
mod schema;
mod server;
mod source;
mod spec;
mod statistics;
mod target;
mod tls;
mod url;

pub use database::DatabaseCheck;
pub use fault::{CODES, Fault};
pub use login::LoginCheck;
pub use schema::SchemaCheck;
pub use spec::{InvalidSpec, SchemaSpec, TableSpec};
pub use statistics::StatisticsCheck;
pub use target::Target;
