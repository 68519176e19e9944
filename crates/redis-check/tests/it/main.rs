//! The check against real servers in every state that a server can be brought into.
#![allow(clippy::unwrap_used)]

mod access;
mod cluster;
mod healing;
mod healthy;
mod login;
mod pool;
mod state;
mod strangers;
mod support;
mod tls;
mod way;
