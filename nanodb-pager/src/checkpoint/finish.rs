//! Ending a checkpoint, once its header is on stable storage.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::state::{DiskState, RunningCheckpoint, StreamPlacement};
use crate::checkpoint::double_write;
use crate::error::Result;
use crate::shared::Shared;

impl Shared {
    /// Makes what the file now says known. An error says no more than that a file beside it stays
    /// too long.
    pub(super) fn finish(&self, on_disk: &mut DiskState, running: RunningCheckpoint) -> Result<()> {
        let taken_pages: u32 = running.taken().map(|extent| extent.pages).sum();
        let RunningCheckpoint { seq, dirty, number, placed, grown, .. } = running;
        self.cache.unregister(seq);
        let Some(StreamPlacement { header, metadata_root, free, streams, freed, .. }) = placed
        else {
            return Ok(());
        };
        self.checkpoint.count.fetch_add(1, Ordering::Relaxed);
        *self.checkpoint.metadata_root.lock() = Arc::clone(&metadata_root);
        let new = DiskState {
            header,
            metadata_root,
            free,
            streams,
            lost_map: None,
            taken_pages,
            double_write_tail: double_write::Tail::new(),
            stopped: None,
        };
        let old = std::mem::replace(on_disk, new);
        self.cache.mark_clean(&dirty, number);
        {
            let mut commit = self.commit.lock();
            (
                commit.schedule.running_pages,
                commit.schedule.running_bytes,
                commit.schedule.postponed,
            ) = (0, 0, 0);
            self.checkpoint.count_charged(&commit.uncheckpointed, &commit.schedule);
        }
        self.cache.clock.cleaned();
        let log_generation = on_disk.header.log_generation;
        let mut shortened = Ok(());
        {
            let mut recovered = self.wal.recovered.write();
            if recovered.is_some() {
                // Nobody reads it under the lock, nor begins it: that is done after a recovery.
                shortened = self.shorten_log(log_generation);
            }
            *recovered = None;
        }
        shortened = shortened.and_then(|()| self.shorten_log(log_generation + 1));
        shortened = shortened.and_then(|()| self.shorten_double_write(old.double_write_tail.end));
        self.wal.met_full_disk.store(false, Ordering::Relaxed);
        self.checkpoint.done_seq.store(seq.get(), Ordering::Relaxed);
        // Before others may write over what it refers to.
        self.hooks.after_checkpoint(&on_disk.metadata_root, seq);
        let released: u32 = old.streams.iter().chain(&freed).map(|extent| extent.pages).sum();
        let own_pages = self.space.own_pages.load(Ordering::Relaxed).saturating_add(taken_pages);
        self.space.own_pages.store(own_pages.saturating_sub(released), Ordering::Relaxed);
        let mut allocator = self.space.allocator.lock();
        for extent in old.streams.into_iter().chain(freed) {
            allocator.release(extent);
        }
        allocator.set_own(&on_disk.streams);
        drop(allocator);
        self.checkpoint.metadata_root_bytes.store(on_disk.metadata_root.len(), Ordering::Relaxed);
        self.checkpoint.metadata_root_growth.fetch_sub(grown, Ordering::Relaxed);
        self.prune();
        self.prune_unseen();
        self.keep_budget();
        shortened
    }
}
