//! The chat, as its clients see it.

mod attempts;
mod described;
mod edges;
mod faults;
mod killed;
mod once;
mod streaming;
mod talking;
