//! The built program, run on files.

#![expect(clippy::unwrap_used, reason = "a test says so by panicking")]

mod data;
mod demo;
mod failures;
mod importing;
mod locking;
mod querying;
mod reading;
mod support;
