//! The database from outside, one binary.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod collections;
mod data;
mod model;
mod sharing;
mod space;
mod spilled;
mod threads;
mod typed;
