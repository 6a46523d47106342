//! When a checkpoint is due.

use std::sync::atomic::Ordering;

use super::state::CheckpointUrgency;
use crate::cache::dirty_page::DirtyPage;
use crate::ids::{PAGE_SIZE, PageId};
use crate::shared::{Commit, Shared};

/// One in this many bytes of unlogged pages counts as if it were in the log: opening may have to
/// check them, which is faster than replaying as many bytes of log.
const UNLOGGED_PART: u64 = 8;

/// Pages that commits have freed are used again after a checkpoint. It is due when they are more
/// than 256 KiB and an eighth of the file.
const FREED_PAGES_MIN: u32 = 64;
const FREED_PART: u32 = 8;

impl Shared {
    /// Returns how urgent a checkpoint is: by what waits in memory and in the log for it.
    pub(crate) fn checkpoint_urgency(&self, commit: &Commit) -> CheckpointUrgency {
        if commit.schedule.log_full {
            return CheckpointUrgency::Due;
        }
        let log_bytes = commit.log_bytes();
        if log_bytes < commit.schedule.postponed {
            return CheckpointUrgency::None;
        }
        let budget = self.cache.clock.frames_max() * PAGE_SIZE;
        let waiting =
            commit.uncheckpointed.dirty.len() * PAGE_SIZE + commit.uncheckpointed.memory_bytes();
        // Nothing of this can be evicted, and readers must find some room.
        let held =
            waiting + commit.schedule.running_pages * PAGE_SIZE + commit.schedule.running_bytes;
        let log_bytes_max = self.options.log_bytes_max;
        if held > budget / 4 * 3 || log_bytes > log_bytes_max {
            CheckpointUrgency::Blocking
        } else if waiting > budget / 2
            || log_bytes > log_bytes_max / 8 * 7
            || self.much_is_freed(commit)
            || self.log_fills_the_disk(log_bytes)
        {
            CheckpointUrgency::Due
        } else {
            CheckpointUrgency::None
        }
    }

    /// Returns whether so many pages are pending that the file would grow for lack of them.
    fn much_is_freed(&self, commit: &Commit) -> bool {
        let freed = commit.uncheckpointed.freed_pages;
        freed >= FREED_PAGES_MIN
            && self.storage.is_persistent()
            && freed > self.space.page_count.load(Ordering::Relaxed) / FREED_PART
    }

    /// Puts the next checkpoint off until the log has grown a little: the disk was full.
    pub(super) fn postpone(&self) {
        let mut commit = self.commit.lock();
        let log_bytes = commit.log_bytes();
        commit.schedule.postponed = log_bytes + self.options.log_bytes_max / 8;
        commit.schedule.log_full = false;
    }
}

impl Commit {
    /// What of the log counts against its limit.
    pub(super) fn log_bytes(&self) -> u64 {
        self.log.len() + (self.uncheckpointed.unlogged_pages * PAGE_SIZE) as u64 / UNLOGGED_PART
    }

    /// Lists a page for the next checkpoint to write, unless it is listed already; returns the
    /// number of that checkpoint.
    pub(crate) fn mark_dirty(&mut self, page: PageId, due: u64, fresh: bool) -> u64 {
        if due != self.schedule.next_number {
            self.uncheckpointed.dirty.push(DirtyPage { page, fresh });
        }
        self.schedule.next_number
    }
}
