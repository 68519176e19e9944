//! What `/metrics` tells, and the files that are made for it.

mod counted;
mod documents;
mod expressions;
mod judged;
mod monitoring;
mod page;
mod promtool;
mod requests;
mod service;
