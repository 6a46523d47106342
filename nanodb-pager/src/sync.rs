//! What the protocols between threads are made of, named in one place.
//!
//! With `--cfg loom` these are stand-ins that a model checker knows, and the tests in the
//! modules named `interleavings` run in every order that the memory model allows.

#[cfg(not(loom))]
pub(crate) use {
    arc_swap::ArcSwapOption,
    parking_lot::{Condvar, Mutex, MutexGuard},
    std::{
        sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
        thread::yield_now,
        time::Instant,
    },
};

#[cfg(loom)]
pub(crate) use {
    loom::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    loom::thread::yield_now,
    stand_in::{ArcSwapOption, Condvar, Instant, Mutex, MutexGuard},
};

#[cfg(loom)]
mod stand_in {
    use std::ops::{Deref, DerefMut};
    use std::sync::{Arc, PoisonError};
    use std::time::Duration;

    use loom::sync::atomic::{AtomicUsize, Ordering};

    /// loom's lock with parking_lot's methods.
    #[derive(Debug, Default)]
    pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

    /// Empty only while its thread waits.
    pub(crate) struct MutexGuard<'a, T>(Option<loom::sync::MutexGuard<'a, T>>);

    #[derive(Debug, Default)]
    pub(crate) struct Condvar(loom::sync::Condvar);

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(loom::sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
            MutexGuard(Some(self.0.lock().unwrap_or_else(PoisonError::into_inner)))
        }
    }

    impl<T> Deref for MutexGuard<'_, T> {
        type Target = T;

        #[expect(clippy::expect_used, reason = "nobody derefers a guard that waits")]
        fn deref(&self) -> &T {
            self.0.as_ref().expect("a guard that does not wait")
        }
    }

    impl<T> DerefMut for MutexGuard<'_, T> {
        #[expect(clippy::expect_used, reason = "nobody derefers a guard that waits")]
        fn deref_mut(&mut self) -> &mut T {
            self.0.as_mut().expect("a guard that does not wait")
        }
    }

    impl Condvar {
        pub(crate) fn new() -> Self {
            Self::default()
        }

        pub(crate) fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
            let waiting = guard.0.take();
            guard.0 = waiting.map(|g| self.0.wait(g).unwrap_or_else(PoisonError::into_inner));
        }

        pub(crate) fn notify_all(&self) {
            self.0.notify_all();
        }
    }

    /// arc-swap counts references in ways that loom can't follow. This keeps all values it
    /// ever had, out of loom's sight, and the number of the one in force, in loom's: that
    /// is stored with release and loaded with acquire, the least that arc-swap promises.
    #[derive(Debug)]
    pub(crate) struct ArcSwapOption<T> {
        values: std::sync::Mutex<Vec<Option<Arc<T>>>>,
        in_force: AtomicUsize,
    }

    impl<T> ArcSwapOption<T> {
        pub(crate) fn new(value: Option<Arc<T>>) -> Self {
            let values = std::sync::Mutex::new(vec![value]);
            Self { values, in_force: AtomicUsize::new(0) }
        }

        fn value(&self, number: usize) -> Option<Arc<T>> {
            self.values.lock().unwrap_or_else(PoisonError::into_inner)[number].clone()
        }

        pub(crate) fn load_full(&self) -> Option<Arc<T>> {
            self.value(self.in_force.load(Ordering::Acquire))
        }

        pub(crate) fn load(&self) -> arc_swap::Guard<Option<Arc<T>>> {
            arc_swap::Guard::from_inner(self.load_full())
        }

        pub(crate) fn swap(&self, value: Option<Arc<T>>) -> Option<Arc<T>> {
            let number = {
                let mut values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
                values.push(value);
                values.len() - 1
            };
            self.value(self.in_force.swap(number, Ordering::AcqRel))
        }

        pub(crate) fn store(&self, value: Option<Arc<T>>) {
            self.swap(value);
        }
    }

    impl<T> Default for ArcSwapOption<T> {
        fn default() -> Self {
            Self::new(None)
        }
    }

    /// A clock that stands still: every run must be the same.
    #[derive(Clone, Copy)]
    pub(crate) struct Instant;

    impl Instant {
        pub(crate) fn now() -> Self {
            Self
        }

        pub(crate) fn elapsed(self) -> Duration {
            Duration::ZERO
        }
    }
}
