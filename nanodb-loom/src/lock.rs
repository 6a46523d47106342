//! loom's locks with parking_lot's methods.

use std::ops::{Deref, DerefMut};
use std::sync::PoisonError;

/// Like parking_lot's.
#[derive(Debug, Default)]
pub struct Mutex<T>(loom::sync::Mutex<T>);

/// Empty only while its thread waits for a [`Condvar`].
#[derive(Debug)]
pub struct MutexGuard<'a, T>(Option<loom::sync::MutexGuard<'a, T>>);

/// Like parking_lot's.
#[derive(Debug, Default)]
pub struct Condvar(loom::sync::Condvar);

impl<T> Mutex<T> {
    /// Returns a lock that no thread holds.
    pub fn new(value: T) -> Self {
        Self(loom::sync::Mutex::new(value))
    }

    /// Waits until no other thread holds the lock.
    pub fn lock(&self) -> MutexGuard<'_, T> {
        MutexGuard(Some(self.0.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    /// Takes the lock if no thread holds it.
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        self.0.try_lock().ok().map(|guard| MutexGuard(Some(guard)))
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    #[expect(clippy::expect_used, reason = "a guard that waits is borrowed by its waiting")]
    fn deref(&self) -> &T {
        self.0.as_ref().expect("a guard that does not wait")
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    #[expect(clippy::expect_used, reason = "a guard that waits is borrowed by its waiting")]
    fn deref_mut(&mut self) -> &mut T {
        self.0.as_mut().expect("a guard that does not wait")
    }
}

impl Condvar {
    /// Returns a condition that no thread waits for.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives the lock back until somebody notifies.
    pub fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
        let waiting = guard.0.take();
        guard.0 = waiting.map(|held| self.0.wait(held).unwrap_or_else(PoisonError::into_inner));
    }

    /// Wakes one that waits.
    pub fn notify_one(&self) {
        self.0.notify_one();
    }

    /// Wakes all that wait.
    pub fn notify_all(&self) {
        self.0.notify_all();
    }
}
