//! Runs, deltas and their merging from outside.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::cast_possible_truncation,
    reason = "a test says so by panicking, and chooses its numbers"
)]

mod damage;
mod delta;
mod golden;
mod merge;
mod run;
mod support;
