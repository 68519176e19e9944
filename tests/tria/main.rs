//! Behaviour of the built programs, seen from outside.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by failing")]

mod all_at_once;
mod chat;
mod commands;
mod database;
mod deployment;
mod diagnostics;
mod documents;
mod draining;
mod environment;
mod faults;
mod judge;
mod lifecycle;
mod migrations;
mod model;
mod redis;
mod reporting;
mod serving;
mod stock;
mod vector_store;
mod zero_drop;
