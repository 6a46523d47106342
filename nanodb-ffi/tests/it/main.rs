//! The C interface, called as C calls it.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "tests")]

mod c;
mod closing;
mod conformance;
mod cursors;
mod entries;
mod formats;
mod misuse;
mod status;
mod transactions;
mod verbs;
