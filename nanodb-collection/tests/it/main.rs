//! The crate's tests from outside, one binary.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod crash;
mod damage;
mod documents;
mod edges;
mod transactions;
mod unpublished;
