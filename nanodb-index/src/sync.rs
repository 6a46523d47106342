//! The atomics and locks that readers and the writer share, named in one place.
//!
//! With `--cfg loom` they are those of a model checker that runs the tests in
//! `interleavings` in every order that the memory model allows.

#[cfg(not(loom))]
pub(crate) use std::sync::{
    Mutex, MutexGuard, OnceLock, PoisonError,
    atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering},
};

#[cfg(loom)]
pub(crate) use std::sync::PoisonError;

#[cfg(loom)]
pub(crate) use loom::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering},
};

#[cfg(loom)]
pub(crate) use stand_in::OnceLock;

#[cfg(loom)]
mod stand_in {
    use loom::sync::atomic::{AtomicBool, Ordering};

    /// loom has no such cell. Like the standard library's it is filled by a release and
    /// looked into with an acquire; the value itself is out of loom's sight.
    #[derive(Debug)]
    pub(crate) struct OnceLock<T> {
        filled: AtomicBool,
        value: std::sync::OnceLock<T>,
    }

    impl<T> Default for OnceLock<T> {
        fn default() -> Self {
            Self { filled: AtomicBool::new(false), value: std::sync::OnceLock::new() }
        }
    }

    impl<T> OnceLock<T> {
        pub(crate) fn get(&self) -> Option<&T> {
            if self.filled.load(Ordering::Acquire) { self.value.get() } else { None }
        }

        /// `make` does nothing that another thread could come in between.
        pub(crate) fn get_or_init(&self, make: impl FnOnce() -> T) -> &T {
            let value = self.value.get_or_init(make);
            self.filled.store(true, Ordering::Release);
            value
        }
    }
}
