//! What the pager promises, held against it from outside.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says so by panicking")]
#![allow(clippy::cast_possible_truncation, reason = "the numbers are small")]

mod background;
mod cache;
mod checkpoints;
mod concurrent_crash;
mod crash;
mod damage;
mod example;
mod faults;
mod forgotten;
mod full_disk;
mod hostile;
mod log_damage;
mod log_faults;
mod log_state;
mod lost_map;
mod model;
mod opening;
mod quota;
mod read_only;
mod releasing;
mod salvage;
mod saving;
mod saving_faults;
mod short_files;
mod shrinking;
mod spilling;
mod stale_images;
mod stress;
mod support;
mod sync;
mod transactions;
mod unlogged;
