//! The atomics that readers and the writer share, named in one place.
//!
//! A model checker replaces these types by its own; everything else in the crate uses
//! them through here.

pub(crate) use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
pub(crate) use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
