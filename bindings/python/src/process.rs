//! Which process a handle is of.
//!
//! `fork` copies all handles, and none of the threads: a lock that another thread held at that
//! moment is held for ever. So a child uses none of the handles that it has inherited, and does not
//! even drop them. The engine looks after the file itself.

use std::sync::atomic::{AtomicU64, Ordering};

use pyo3::prelude::*;

use crate::failure::Failure;

/// How many times this process and its forebears were forked.
static GENERATION: AtomicU64 = AtomicU64::new(0);

/// Says that this process is a fork; called by `os.register_at_fork`.
#[pyfunction]
#[pyo3(name = "_after_fork_in_child")]
pub(crate) fn after_fork_in_child() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
}

/// Returns the number of this process, which no forebear had.
pub(crate) fn generation() -> u64 {
    GENERATION.load(Ordering::Relaxed)
}

/// What belongs to the process that has made it: in a fork it can't be reached, and is not dropped.
pub(crate) struct Held<T> {
    /// Until it is dropped.
    value: Option<T>,
    generation: u64,
}

impl<T> Held<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { value: Some(value), generation: generation() }
    }

    #[inline]
    pub(crate) fn get(&self) -> Result<&T, Failure> {
        match &self.value {
            Some(value) if self.generation == generation() => Ok(value),
            _ => Err(Failure::Forked),
        }
    }

    pub(crate) fn get_mut(&mut self) -> Result<&mut T, Failure> {
        match &mut self.value {
            Some(value) if self.generation == generation() => Ok(value),
            _ => Err(Failure::Forked),
        }
    }

    pub(crate) fn into_inner(mut self) -> Result<T, Failure> {
        match self.value.take() {
            Some(value) if self.generation == generation() => Ok(value),
            other => {
                std::mem::forget(other);
                Err(Failure::Forked)
            }
        }
    }
}

impl<T> Drop for Held<T> {
    fn drop(&mut self) {
        if self.generation != generation() {
            std::mem::forget(self.value.take());
        }
    }
}
