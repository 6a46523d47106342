//! The crate's tests from outside, one binary.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bulk_write;
mod check;
mod compaction;
mod concurrent_crash;
mod crash;
mod damage;
mod edges;
mod faults;
mod flush;
mod found;
mod full_disk;
mod index;
mod index_crash;
mod moves;
mod queries;
mod quota;
mod search_threads;
mod sorting;
mod space;
mod thread_end;
mod transactions;
mod unpublished;
