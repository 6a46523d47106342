//! Finding what is kept for snapshots once they are gone.
//!
//! Collections and the list of names keep something of the past for as long as a
//! snapshot wants it. Whoever does is listed here; whoever drops a snapshot sweeps.
//!
//! Nothing is left lying: who keeps something new is listed first and then looks once more
//! whether it is still wanted. A snapshot that was dropped before that look is
//! noticed by it; one that is dropped after sees the list. The pager's lock on its
//! snapshots orders the two.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

/// What may keep something for snapshots.
pub(crate) trait Reclaim: Send + Sync + 'static {
    /// Drops what no snapshot wants; false if nothing is left.
    fn sweep(&self) -> bool;

    /// Whether it is listed. Relaxed: read and written under the reclaimer's lock.
    fn listed(&self) -> &AtomicBool;
}

/// Everything of a database that keeps something for snapshots.
#[derive(Default)]
pub(crate) struct Reclaimer {
    keepers: Mutex<Vec<Weak<dyn Reclaim>>>,
    /// Relaxed: see the module for what orders it.
    len: AtomicUsize,
}

impl Reclaimer {
    /// Lists a keeper that has come to keep something.
    pub(crate) fn list(&self, keeper: Arc<dyn Reclaim>) {
        let mut keepers = self.keepers.lock();
        if !keeper.listed().swap(true, Ordering::Relaxed) {
            keepers.push(Arc::downgrade(&keeper));
            self.len.store(keepers.len(), Ordering::Relaxed);
        }
        drop(keepers);
        keeper.sweep();
    }

    /// Has all who keep something look whether it is still wanted.
    pub(crate) fn sweep(&self) {
        if self.len.load(Ordering::Relaxed) == 0 {
            return;
        }
        // Dropped outside the lock: the last handle of a collection may be among them.
        let mut gone = Vec::new();
        let mut keepers = self.keepers.lock();
        keepers.retain(|keeper| {
            let Some(keeper) = keeper.upgrade() else { return false };
            let keeps = keeper.sweep();
            if !keeps {
                keeper.listed().store(false, Ordering::Relaxed);
            }
            gone.push(keeper);
            keeps
        });
        self.len.store(keepers.len(), Ordering::Relaxed);
    }
}
