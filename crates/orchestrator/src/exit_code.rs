//! The exit codes of a start that was refused, after BSD's `sysexits.h`.

/// A dependency refused for good: a wrong password, a missing database, schema or model
/// (`EX_UNAVAILABLE`).
pub const UNAVAILABLE: u8 = 69;

/// A bug: a check panicked (`EX_SOFTWARE`).
pub const SOFTWARE: u8 = 70;

/// The deadline passed while every failure was one that may go away (`EX_TEMPFAIL`).
pub const TEMPORARY: u8 = 75;

/// The configuration is invalid (`EX_CONFIG`).
pub const CONFIG: u8 = 78;
