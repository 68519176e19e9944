//! Behaviour of the built programs, seen from outside.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by failing")]

mod all_at_once;
mod commands;
mod database;
mod documents;
mod environment;
mod lifecycle;
mod migrations;
mod model;
mod redis;
mod serving;
mod vector_store;
