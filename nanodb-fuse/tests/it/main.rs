//! Power cuts on a real file system that loses what was not synced.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says so")]

mod filesystem;
mod power_cuts;
mod workload;
