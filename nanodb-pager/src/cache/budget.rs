//! Keeping to the budget: what goes when memory is short.
//!
//! Newest versions that are on disk as they are in memory are evicted; older ones that
//! snapshots hold are spilled to a temporary file and read from there when asked for. What is
//! neither, waits: dirty pages for a checkpoint, and versions just replaced until their commit
//! is published. Dirty pages take up three quarters of the budget at most before commits
//! wait, older versions keep an eighth of a full cache, so readers always have some room.
//!
//! Readers evict. Only commits, which make older versions, spill them, and wait for each
//! other meanwhile.
//!
//! Spilling that fails, as on a full disk, loses nothing and is nobody's error: the versions
//! stay in memory, above the budget, and it is tried again some time later.
//!
//! The lock of the temporary file comes before all but those of checkpoints and commits; see
//! [`Shared`].

use std::sync::Arc;

use crate::cache::clock::EvictionClock;
use crate::cache::dirty_page::DirtyPage;
use crate::cache::page_table::{CLEAN, Version, VersionBytes};
use crate::cache::snapshot_registry::OldVersion;
use crate::cache::state::CacheState;
use crate::cache::version_file::{VersionFile, VersionSpill};
use crate::error::Result;
use crate::file::page::Frame;
use crate::ids::{PageId, Seq};
use crate::shared::Shared;

/// What part of a full cache is left to older versions: one in so many frames.
const OLDER_SHARE: usize = 8;

/// How many versions are taken out to be spilled at a time.
const BATCH: usize = 64;

/// The most pages that a checkpoint writes between two syncs of their images.
const CHECKPOINT_BATCH_MAX: usize = 4096;

/// How many times spilling is left out after it failed.
const SKIPS_MAX: u32 = 256;

impl CacheState {
    /// Counts `pages`, whose slots have just got a frame where there was none, and evicts
    /// as many others as the budget asks for.
    pub(crate) fn admit(&self, pages: &[PageId]) {
        self.clock.admit(pages);
        if self.clock.excess() > 0 {
            self.evict();
        }
    }

    fn evict(&self) {
        self.clock.evict(&self.table, &self.stripes, &self.spare_frames);
    }

    /// Drops a version that nobody wants.
    pub(crate) fn drop_version(&self, version: OldVersion) {
        let dropped = {
            let _stripe = self.stripes.lock(version.page);
            self.table.slot(version.page).drop_older(version.superseded_at)
        };
        dropped.into_iter().for_each(|version| self.dropped(version));
    }

    fn dropped(&self, version: Arc<Version>) {
        match &version.bytes {
            VersionBytes::InMemory(frame) => {
                self.clock.older_dropped();
                let frame = Arc::clone(frame);
                drop(version);
                self.spare_frames.recycle(frame);
            }
            VersionBytes::Spilled(_) => self.clock.spilled_dropped(),
        }
    }

    /// Drops a version and all older ones of its page, which nobody wants either.
    pub(crate) fn drop_versions(&self, newest: OldVersion) {
        let mut next = {
            let _stripe = self.stripes.lock(newest.page);
            self.table.slot(newest.page).take_older_from(newest.superseded_at)
        };
        while let Some(version) = next {
            next = version.next();
            self.dropped(version);
        }
    }

    /// Marks pages as clean that no commit has changed since checkpoint `number` took them over.
    pub(crate) fn mark_clean(&self, dirty: &[DirtyPage], number: u64) {
        for dirty in dirty {
            let _stripe = self.stripes.lock(dirty.page);
            let slot = self.table.slot(dirty.page);
            if slot.due() == number {
                slot.set_due(CLEAN);
            }
        }
    }

    /// Returns how many private pages a transaction gathers before it writes those that can be: a
    /// quarter of the cache.
    pub(crate) fn gather_pages_max(&self) -> usize {
        (self.clock.frames_max() / 4).max(4)
    }

    /// Returns how many pages a checkpoint writes between two syncs of their images: few enough to
    /// be kept in memory meanwhile, whatever the budget.
    pub(crate) fn batch_pages(&self) -> usize {
        (self.clock.frames_max() / 8).min(CHECKPOINT_BATCH_MAX)
    }

    /// Ends a reader at `seq`: what it alone wanted goes.
    pub(crate) fn unregister(&self, seq: Seq) {
        self.snapshots.unregister(seq, |version| self.drop_version(version));
        if self.clock.spilled() == 0
            && let Some(mut state) = self.spill.try_lock()
            && state.file.as_ref().is_some_and(|file| file.is_empty())
        {
            // With it goes what it took on disk.
            state.file = None;
        }
    }
}

impl Shared {
    /// Makes room after a commit, if more is in memory than the budget allows. Costs next to
    /// nothing if not.
    #[inline]
    pub(crate) fn keep_budget(&self) {
        if self.cache.clock.excess() > 0 {
            self.make_room();
        }
    }

    #[cold]
    fn make_room(&self) {
        let share = self.cache.clock.frames_max() / OLDER_SHARE;
        self.spill(|cache| cache.excess().min(cache.older().saturating_sub(share)));
        self.cache.evict();
        self.spill(EvictionClock::excess);
    }

    /// Spills as many older versions as `wanted` says, as long as there are some.
    fn spill(&self, wanted: impl Fn(&EvictionClock) -> usize) {
        if wanted(&self.cache.clock) == 0 {
            return;
        }
        let mut state = self.cache.spill.lock();
        if let Some(left) = state.skips.checked_sub(1) {
            state.skips = left;
            return;
        }
        loop {
            let count = wanted(&self.cache.clock).min(BATCH);
            let taken = self.cache.snapshots.take(count, |version| {
                !self.checkpoint.is_to_write(version.written_at, version.superseded_at)
            });
            if taken.is_empty() {
                return;
            }
            let mut works = true;
            for version in taken {
                works = works && self.spill_version(&mut state, version).is_ok();
                if !self.cache.snapshots.put_back(version, works) {
                    self.cache.drop_version(version);
                }
            }
            if !works {
                state.skips = SKIPS_MAX;
                return;
            }
        }
    }

    /// Writes a version to the temporary file. By whoever has taken it out.
    fn spill_version(&self, state: &mut VersionSpill, version: OldVersion) -> std::io::Result<()> {
        let slot = self.cache.table.slot(version.page);
        let Some(found) = slot.find_older(version.written_at) else { return Ok(()) };
        let VersionBytes::InMemory(frame) = &found.bytes else { return Ok(()) };
        let file = match &state.file {
            Some(file) => file,
            None => state.file.insert(VersionFile::new(self.storage.temp_file()?)),
        };
        let place = file.write(frame, self.checksummer)?;
        let frame = Arc::clone(frame);
        {
            let _stripe = self.cache.stripes.lock(version.page);
            // Its snapshot may be gone, and with the last one all that is old.
            if slot.spill_older(version.superseded_at, place) {
                self.cache.clock.older_spilled();
            }
        }
        drop(found);
        self.cache.spare_frames.recycle(frame);
        Ok(())
    }

    /// The bytes of an older version, from wherever they are.
    pub(crate) fn read_version(&self, page: PageId, version: &Version) -> Result<Arc<Frame>> {
        match &version.bytes {
            VersionBytes::InMemory(frame) => Ok(Arc::clone(frame)),
            VersionBytes::Spilled(place) => {
                // No spare one: it does not come back from whoever reads it.
                let mut frame = Arc::new(Frame::ZERO);
                let private = Arc::make_mut(&mut frame);
                place.read(page, version.written_at, self.checksummer, private)?;
                Ok(frame)
            }
        }
    }
}
