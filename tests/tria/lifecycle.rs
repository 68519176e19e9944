//! How the service lives under those who start and stop it.

mod boot;
mod killed;
mod namespace;
mod reload;
mod signals;
mod systemd;
