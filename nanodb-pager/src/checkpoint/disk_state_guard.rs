//! What the file on disk says, held by the one who changes it.

use std::ops::{Deref, DerefMut};

use parking_lot::MutexGuard;

use super::state::DiskState;
use crate::shared::Shared;

/// [`DiskState`], held alone; commits that wait for a checkpoint look again afterwards.
pub(crate) struct DiskStateGuard<'a> {
    // Dropped first: the others are told when it is free.
    on_disk: MutexGuard<'a, DiskState>,
    _ended: EndSignal<'a>,
}

struct EndSignal<'a>(&'a Shared);

impl Drop for EndSignal<'_> {
    fn drop(&mut self) {
        // Under the lock, so that nobody who has just looked falls asleep after this.
        let _commit = self.0.commit.lock();
        self.0.checkpoint.log_switched.notify_all();
    }
}

impl Deref for DiskStateGuard<'_> {
    type Target = DiskState;

    fn deref(&self) -> &DiskState {
        &self.on_disk
    }
}

impl DerefMut for DiskStateGuard<'_> {
    fn deref_mut(&mut self) -> &mut DiskState {
        &mut self.on_disk
    }
}

impl Shared {
    /// Returns what the file on disk says, once no checkpoint is running.
    pub(crate) fn lock_disk_state(&self) -> DiskStateGuard<'_> {
        DiskStateGuard { on_disk: self.checkpoint.on_disk.lock(), _ended: EndSignal(self) }
    }

    /// The same without waiting; `None` if a checkpoint is running. The guard must not be dropped
    /// under the commit lock, which it takes then.
    pub(super) fn try_lock_disk_state(&self) -> Option<DiskStateGuard<'_>> {
        let on_disk = self.checkpoint.on_disk.try_lock()?;
        Some(DiskStateGuard { on_disk, _ended: EndSignal(self) })
    }
}
