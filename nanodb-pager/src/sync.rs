//! What the protocols between threads are made of, named in one place.
//!
//! With `--cfg loom` these are stand-ins that a model checker knows, and the tests in the
//! modules named `interleavings` run in every order that the memory model allows.

#[cfg(not(loom))]
pub(crate) use {
    arc_swap::ArcSwapOption,
    crossbeam_utils::Backoff,
    parking_lot::{Condvar, Mutex, MutexGuard},
    std::{
        sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering},
        time::Instant,
    },
};

#[cfg(loom)]
pub(crate) use nanodb_loom::{
    ArcSwapOption, AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Backoff, Condvar, Instant, Mutex,
    MutexGuard, Ordering,
};
