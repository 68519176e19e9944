//! Private PostgreSQL, Redis, ChromaDB and model servers for development, tests and benches.
//!
//! [`setup()`] finds or installs what is needed, once per clone and without root. After it, each
//! server is a value: started by `start`, stopped by `stop` or by dropping it, and killed with the
//! process that owns it. [`Stack`] is all four together; [`shared`] gives a test the stack that
//! `cargo xtask test` holds, with a database, a Redis keyspace and a Chroma database of its own.
//! [`FaultProxy`] stands in front of any of them and misbehaves on command.
//!
//! Nothing here reads the environment or prints: callers hand in values and a [`Progress`].

mod error;

mod progress;
mod workspace;

mod account;
mod cleanup;
mod command;
mod files;
mod secret;

mod installation;
mod setup;

mod http;
mod keepalive;
mod port;
mod process;
mod server;

mod chroma;
mod engine;
mod model;
mod postgres;
mod redis;

mod fault_proxy;
mod foreground;
mod shared;
mod stack;

pub use chroma::{Chroma, ChromaDatabase, ChromaOptions};
pub use engine::ContainerEngine;
pub use error::{Error, Result};
pub use fault_proxy::{FaultProxy, Mode};
pub use foreground::Foreground;
pub use installation::Installation;
pub use keepalive::keepalive_in;
pub use model::{ModelServer, ModelServerOptions};
pub use port::{free_port, port_or_free};
pub use postgres::{Postgres, PostgresOptions, Recovery, TestDatabase, Tls};
pub use progress::Progress;
pub use redis::{Redis, RedisOptions};
pub use server::Server;
pub use setup::setup;
pub use shared::{Published, RedisSpace, SharedStack, publish, shared};
pub use stack::{ENVIRONMENT_KEYS, Stack, StackOptions};
pub use workspace::Workspace;
