//! The database schema: migrations, and the tables that they make.
//!
//! A migration is a file `migrations/V<n>__expand_<what>.sql` or `V<n>__contract_<what>.sql`. An
//! *expand* only adds, so that a version that does not know it runs on; a *contract* takes away
//! what no running version uses any more. A migration that was released is never changed: its
//! checksum is compared at every start.

mod applied;
mod error;
mod migrate;
mod migrations;
mod tables;

pub use applied::AppliedMigration;
pub use error::MigrateError;
pub use migrate::{LOCK_KEY, MigrateOptions, MigrationReport, migrate};
pub use migrations::LATEST;
pub use tables::{Table, required_tables};
