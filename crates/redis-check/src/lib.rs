//! Proves that a Redis (or Valkey) works for what an application needs of it: a keyed write, a
//! read and a delete, through the application's own pool.
//!
//! ```no_run
//! use tria_redis_check::{RedisCheck, RedisOptions, build_pool};
//!
//! # fn main() -> Result<(), tria_redis_check::BuildPoolError> {
//! let options = RedisOptions::new("redis.internal", 6379);
//! let check = RedisCheck::new(build_pool(&options)?).endpoint(&options);
//! # Ok(())
//! # }
//! ```
//!
//! One probe is one round trip of a pipeline: PING, `SET key value NX PX`, GET (compared), DEL,
//! and beside them HELLO and INFO, which may be forbidden. The key is random, so that probes never
//! meet, and expires, so that a probe that was cut leaves nothing behind.
//!
//! [`LoginCheck`] proves that a new login still works, which open connections cannot tell.
//!
//! Nothing is retried, and nothing is opened besides what the injected pools open. What can be
//! wrong is told apart by [`codes`].
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod check;
mod classify;
pub mod codes;
mod endpoint;
mod facts;
mod fault;
mod login;
mod password;
mod pool;
mod probe;
mod recycle;
mod way;

pub use check::RedisCheck;
pub use login::LoginCheck;
pub use password::Password;
pub use pool::{BuildPoolError, RedisOptions, build_pool};
