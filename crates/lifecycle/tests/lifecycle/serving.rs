//! HTTP serving and its end, over real sockets.

mod accepting;
mod client;
mod holdups;
mod hook;
mod http2;
mod limits;
mod rig;
mod stages;
