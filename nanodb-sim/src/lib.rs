//! The test harness: storage that fails on purpose, and files that were damaged.
//!
//! Every layer's tests need a disk that misbehaves in a way that can be repeated.
//! [`SimStorage`] is one: a file in memory, with its sidecars, that records what is
//! done to it and fails the call that the test chose. [`Crash`] makes of the record the disks
//! that a power cut may leave. [`damage`] lists the ways in which a
//! file's bytes can go wrong between two runs, each a small value that says what it
//! does and can be applied again. A [`Forgery`] goes wrong behind right checksums.
//!
//! Nothing here is truly random: what looks random is computed from a seed.

mod crash;
pub mod damage;
mod fault;
mod forge;
mod journal;
mod random;
mod storage;
#[cfg(feature = "workload")]
pub mod workload;

pub use crash::{Crash, Unsynced};
pub use damage::Damage;
pub use fault::{CallKind, Failure, Fault};
pub use forge::Forgery;
pub use journal::{Action, Event, Files};
pub use random::Random;
pub use storage::{Hold, SimStorage};
