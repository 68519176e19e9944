//! What `/metrics` tells, and the files that are made for it.

mod counted;
mod judged;
mod page;
mod requests;
mod service;
