//! The database from outside, one binary.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]
#![allow(clippy::cast_possible_truncation, reason = "numbers are small here")]

mod aliases;
mod architecture;
mod auto_traits;
mod closing;
mod collections;
mod damaged;
mod data;
mod deadlocks;
mod errors;
mod facade;
mod first_try;
mod foreign_queries;
mod go_files;
mod guide;
mod histories;
mod id_values;
mod import_cycles;
mod isolation;
mod kill;
mod model;
mod programs;
mod prose;
mod queries;
mod read_only;
mod rooms;
mod sharing;
mod small;
mod space;
mod spilled;
mod syscalls;
mod threads;
mod typed;
mod ui;
