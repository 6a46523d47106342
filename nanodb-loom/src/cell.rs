//! Cells that loom has no model of: their values stay out of its sight, and an atomic in its
//! sight says which is there.

use std::sync::{Arc, Mutex, PoisonError};

use loom::sync::atomic::Ordering;

use crate::atomic::{AtomicBool, AtomicUsize};

/// Like the standard library's: filled by a release, looked into with an acquire.
#[derive(Debug)]
pub struct OnceLock<T> {
    filled: AtomicBool,
    value: std::sync::OnceLock<T>,
}

impl<T> Default for OnceLock<T> {
    fn default() -> Self {
        Self { filled: AtomicBool::default(), value: std::sync::OnceLock::new() }
    }
}

impl<T> OnceLock<T> {
    /// Returns the value, if there is one.
    pub fn get(&self) -> Option<&T> {
        if self.filled.load(Ordering::Acquire) { self.value.get() } else { None }
    }

    /// Returns the value, made if there is none. `make` must do nothing that another thread could
    /// come in between.
    pub fn get_or_init(&self, make: impl FnOnce() -> T) -> &T {
        let value = self.value.get_or_init(make);
        self.filled.store(true, Ordering::Release);
        value
    }
}

/// Like arc-swap's, whose way of counting references loom can't follow.
///
/// All values that it ever had are kept, and the number of the one in force is stored with
/// release and loaded with acquire, the least that arc-swap promises.
#[derive(Debug)]
pub struct ArcSwapOption<T> {
    values: Mutex<Vec<Option<Arc<T>>>>,
    in_force: AtomicUsize,
}

impl<T> ArcSwapOption<T> {
    /// Returns a cell with a first value.
    pub fn new(value: Option<Arc<T>>) -> Self {
        Self { values: Mutex::new(vec![value]), in_force: AtomicUsize::new(0) }
    }

    fn value(&self, number: usize) -> Option<Arc<T>> {
        let values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        values.get(number).cloned().flatten()
    }

    /// Returns the value.
    pub fn load_full(&self) -> Option<Arc<T>> {
        self.value(self.in_force.load(Ordering::Acquire))
    }

    /// Returns the value, as a guard.
    pub fn load(&self) -> arc_swap::Guard<Option<Arc<T>>> {
        arc_swap::Guard::from_inner(self.load_full())
    }

    /// Sets the value and returns the one before.
    pub fn swap(&self, value: Option<Arc<T>>) -> Option<Arc<T>> {
        let number = {
            let mut values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
            values.push(value);
            values.len() - 1
        };
        self.value(self.in_force.swap(number, Ordering::AcqRel))
    }

    /// Sets the value.
    pub fn store(&self, value: Option<Arc<T>>) {
        self.swap(value);
    }
}

impl<T> Default for ArcSwapOption<T> {
    fn default() -> Self {
        Self::new(None)
    }
}
