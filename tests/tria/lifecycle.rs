//! How the service lives under those who start and stop it.

mod reload;
mod systemd;
