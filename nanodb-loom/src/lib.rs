//! Stand-ins for what threads share, known to loom, a model checker.
//!
//! Each crate with a protocol of its own names its locks and atomics in a module `sync`.
//! With `--cfg loom` they are the ones here, and `every_interleaving` runs a test in all
//! orders that the memory model allows. Without it this crate is empty.
#![cfg(loom)]

mod atomic;
mod backoff;
mod cell;
mod clock;
mod lock;

pub use atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize};
pub use backoff::Backoff;
pub use cell::{ArcSwapOption, OnceLock};
pub use clock::Instant;
pub use lock::{Condvar, Mutex, MutexGuard};
pub use loom::sync::atomic::Ordering;
pub use loom::thread;

/// Runs `protocol` in every order in which threads are interrupted three times at most where
/// they need not wait, with every value that a load may then return.
///
/// It must do the same each time but for what follows from that: no clock, no randomness.
pub fn every_interleaving(protocol: impl Fn() + Sync + Send + 'static) {
    interleavings(3, protocol);
}

/// Does the same as `every_interleaving`, with this many interruptions.
pub fn interleavings(interruptions_max: usize, protocol: impl Fn() + Sync + Send + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(interruptions_max);
    model.max_branches = 10_000;
    model.check(protocol);
}
