//! The checks against real servers.
#![allow(clippy::unwrap_used)]

mod answers;
mod healing;
mod login;
mod refusals;
mod saturation;
mod schema;
mod scripted;
mod statistics;
mod support;
mod tls;
