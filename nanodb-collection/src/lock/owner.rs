//! Who holds a lock: a thread.

use std::cell::Cell;
use std::num::NonZeroU64;
use std::sync::atomic::{AtomicU64, Ordering};

/// A thread, as far as it holds locks and waits for them. Numbers are not given twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct LockOwner(NonZeroU64);

impl LockOwner {
    /// The calling thread.
    #[inline]
    pub(crate) fn current() -> Self {
        thread_local! {
            static OWNER: Cell<Option<LockOwner>> = const { Cell::new(None) };
        }
        static NEXT: AtomicU64 = AtomicU64::new(1);
        OWNER.get().unwrap_or_else(|| {
            // Relaxed: only that no two get the same matters.
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let owner = Self(NonZeroU64::new(number).unwrap_or(NonZeroU64::MAX));
            OWNER.set(Some(owner));
            owner
        })
    }

    #[cfg(test)]
    pub(crate) fn numbered(number: u64) -> Self {
        Self(NonZeroU64::new(number).unwrap())
    }
}

/// Who holds a lock, for those who may have to wait for it.
///
/// Relaxed throughout: what must be seen is ordered by the graph's own lock; see there.
#[derive(Debug, Default)]
pub(crate) struct LockHolder(AtomicU64);

impl LockHolder {
    pub(crate) fn get(&self) -> Option<LockOwner> {
        NonZeroU64::new(self.0.load(Ordering::Relaxed)).map(LockOwner)
    }

    pub(crate) fn set(&self, owner: LockOwner) {
        self.0.store(owner.0.get(), Ordering::Relaxed);
    }

    pub(crate) fn clear(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}
