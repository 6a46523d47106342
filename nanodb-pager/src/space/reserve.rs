//! What is kept for a disk that is full, so that it traps nobody: who has committed once since
//! the file was opened can always delete.
//!
//! With the first log of an opening are taken, and really written, so that they have their room:
//!
//! | | |
//! |---|---|
//! | both logs | the bytes that a commit which gives space back may need, see [`writer`] |
//! | the [double-write buffer](crate::checkpoint::double_write) | one batch of a few images |
//! | free pages in the file | what the next checkpoint may take for root and free map, and eight |
//!
//! Closing gives them back.
//!
//! # Invariants
//!
//! 1. Every page below the file's page count has its room on the disk: the file is made longer
//!    when a transaction takes pages, and that is refused before anything has changed.
//! 2. No transaction takes a page of those that the next checkpoint may need, whether or not the
//!    file could become longer then. Nor does what the layer above saves take them.
//! 3. So a checkpoint needs no more of the disk than it has: its log was made ready before it
//!    switched to that, its root and free map find room in free pages, in pieces if need be, images
//!    go to the double-write buffer a batch at a time, and pages that are written in place have
//!    theirs.
//! 4. So a commit that gives space back and finds no room in the log finds it after a checkpoint,
//!    if its record is no longer than what is kept.
//!
//! The pages that a checkpoint may need are counted from above: ten bytes for each run of free
//! pages, and what each extent that was taken or given back can add to the root. What a
//! snapshot still wants is not free: as long as one is kept, thousands of runs that
//! were freed meanwhile may come to need more than the eight.
//!
//! [`writer`]: crate::wal::writer

use std::sync::atomic::Ordering;

use crate::checkpoint::double_write;
use crate::error::{Error, Result, is_full_disk, no_room};
use crate::file::stream;
use crate::ids::{Extent, PAGE_SIZE};
use crate::shared::Shared;
use crate::space::free_map::{FreeMap, RUN_SIZE_MAX};
use crate::wal::{self, writer};

/// How many pages are kept besides those that the next checkpoint may need for root and free map.
const SPARE_PAGES: u32 = 8;

/// How many of them checkpoint pages may not take.
const SPARE_FROM_SAVING: u32 = 4;

/// What an extent that is taken or given back adds to the root at most.
pub(crate) const METADATA_ROOT_BYTES_PER_EXTENT: usize = 32;

impl Shared {
    /// Takes what is kept for a full disk. Before the first log of an opening begins.
    pub(crate) fn take_reserve(&self) -> Result<()> {
        if self.space.has_reserve.load(Ordering::Relaxed) {
            return Ok(());
        }
        let doing = "making room for the log";
        let log_len = writer::least_len(self.options.log_bytes_max);
        let logs = [0, 1].map(|generation| (wal::suffix(generation), log_len));
        let kept = [logs[0], logs[1], (double_write::SUFFIX, double_write::KEPT_LEN)];
        let mut files = Vec::with_capacity(kept.len());
        let mut missing = 0;
        for (suffix, least) in kept {
            let file = self.sidecar(suffix, "beginning a log")?;
            let len = file.len().map_err(|e| self.io("asking for the log's length", e))?;
            missing += least.saturating_sub(len);
            files.push((file, len, least));
        }
        missing += u64::from(self.pages_missing()) * PAGE_SIZE as u64;
        for (file, len, least) in files {
            let failed = |e| {
                let e = if is_full_disk(&e) { no_room(&e, missing) } else { e };
                self.write_failed(Error::io(doing, e))
            };
            writer::fill(&*file, len, least, |_| ()).map_err(failed)?;
        }
        self.keep_pages().map_err(|error| match error {
            Error::Io { source, .. } if is_full_disk(&source) => {
                self.io(doing, no_room(&source, missing))
            }
            error => error,
        })?;
        // Relaxed: whoever comes to look under the same lock, that of the commits.
        self.space.has_reserve.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// How many pages root and free map may take in the next checkpoint.
    pub(crate) fn pages_needed(&self, allocator: &FreeMap) -> u32 {
        if !self.storage.is_persistent() && self.options.file_bytes_max.is_none() {
            return 0;
        }
        let root = self.checkpoint.metadata_root_bytes.load(Ordering::Relaxed);
        let grown = self.checkpoint.metadata_root_growth.load(Ordering::Relaxed);
        let root_pages = stream::pages_for(root.saturating_add(grown));
        let runs = allocator.runs_max();
        // Each piece that they are taken in may split a run.
        let pieces = root_pages + runs / (PAGE_SIZE / RUN_SIZE_MAX) + 1;
        let map_pages = stream::pages_for((runs + pieces) * RUN_SIZE_MAX);
        u32::try_from(root_pages + map_pages).unwrap_or(u32::MAX)
    }

    /// How many free pages transactions leave.
    pub(crate) fn pages_kept(&self, allocator: &FreeMap) -> u32 {
        and_spare(self.pages_needed(allocator), SPARE_PAGES)
    }

    /// How many free pages what the layer above saves leaves.
    pub(crate) fn pages_kept_from_saving(&self, allocator: &FreeMap) -> u32 {
        and_spare(self.pages_needed(allocator), SPARE_FROM_SAVING)
    }

    fn pages_missing(&self) -> u32 {
        let allocator = self.space.allocator.lock();
        self.pages_kept(&allocator).saturating_sub(allocator.free_pages())
    }

    /// Makes the file long enough for the free pages that are kept.
    fn keep_pages(&self) -> Result<()> {
        let _growing = self.space.growing.lock();
        let mut allocator = self.space.allocator.lock();
        let kept = self.pages_kept(&allocator);
        match self.make_free(&mut allocator, 0, kept) {
            // The limit of a file that is as long already: what there is has to do.
            Err(Error::QuotaExceeded { .. }) => Ok(()),
            made => made,
        }
    }

    /// Provides `pages` free pages side by side and leaves `kept` besides, if need be by making the
    /// file longer. The caller holds `growing`.
    pub(crate) fn make_free(&self, allocator: &mut FreeMap, pages: u32, kept: u32) -> Result<()> {
        let for_these = match allocator.longest_run() >= pages {
            true => 0,
            false => pages - allocator.free_at_the_end(),
        };
        let for_all = pages.saturating_add(kept).saturating_sub(allocator.free_pages());
        self.grow(allocator, for_these.max(for_all))
    }

    /// Makes the file longer by `pages`, which are free then and have their room on the disk.
    fn grow(&self, allocator: &mut FreeMap, pages: u32) -> Result<()> {
        if pages == 0 {
            return Ok(());
        }
        let full = Error::Full { asked: pages };
        let after = allocator.page_count().checked_add(pages).ok_or(full)?;
        if self.pages_max().is_some_and(|max| after > max) {
            return Err(self.quota_exceeded());
        }
        if self.storage.is_persistent() {
            self.extend_to(u64::from(after) * PAGE_SIZE as u64)?;
        }
        allocator.lengthen(pages)?;
        self.space.page_count.store(allocator.page_count(), Ordering::Relaxed);
        Ok(())
    }

    /// Makes the file at least so long. The caller holds `growing`.
    pub(crate) fn extend_to(&self, len: u64) -> Result<()> {
        // For a transaction, nobody else looks whether the file is released.
        let _writing = self.begin_use()?;
        let current = self.storage.len().map_err(|e| self.io("asking for the file's length", e))?;
        if current < len {
            // A fork leaves the file as it is. Whether this handle may write is told at the commit.
            self.check_process()?;
            let failed = |e| {
                let e = if is_full_disk(&e) { no_room(&e, len - current) } else { e };
                self.write_failed(Error::io("setting the file's length", e))
            };
            self.storage.extend(current, len).map_err(failed)?;
        }
        Ok(())
    }

    /// Makes the file at least so long. Never shorter: open transactions may have written
    /// behind what a checkpoint knows of. See [`truncate`](Shared::truncate) for that.
    pub(crate) fn lengthen(&self, len: u64) -> Result<()> {
        let _growing = self.space.growing.lock();
        self.extend_to(len)
    }

    /// Takes pages for the pager itself, side by side if that can be.
    pub(crate) fn allocate_own(&self, pages: u32) -> Result<Vec<Extent>> {
        let _growing = self.space.growing.lock();
        let mut allocator = self.space.allocator.lock();
        let more = pages.saturating_sub(allocator.free_pages());
        self.grow(&mut allocator, more)?;
        let taken = allocator.allocate_pieces(pages).ok_or(Error::Full { asked: pages })?;
        self.space.page_count.store(allocator.page_count(), Ordering::Relaxed);
        Ok(taken)
    }

    /// Whether the layer above can save so many pages and what is kept from it is left.
    pub(crate) fn has_room_to_save(&self, pages: u32) -> bool {
        let _growing = self.space.growing.lock();
        let mut allocator = self.space.allocator.lock();
        let kept = self.pages_kept_from_saving(&allocator);
        self.make_free(&mut allocator, 0, kept.saturating_add(pages)).is_ok()
    }

    /// Takes pages for what the layer above saves: fewer, where so many neither lie side by
    /// side nor find room at the end.
    pub(crate) fn allocate_to_save(&self, pages: u32) -> Result<Extent> {
        let _growing = self.space.growing.lock();
        let mut allocator = self.space.allocator.lock();
        let kept = self.pages_kept_from_saving(&allocator);
        let mut take = pages;
        if let Err(error) = self.make_free(&mut allocator, take, kept) {
            let left = allocator.free_pages().saturating_sub(kept);
            take = allocator.longest_run().min(left).min(pages);
            if !error.is_out_of_space() || take == 0 {
                return Err(error);
            }
        }
        let extent = allocator.allocate(take)?;
        self.space.page_count.store(allocator.page_count(), Ordering::Relaxed);
        Ok(extent)
    }
}

fn and_spare(needed: u32, spare: u32) -> u32 {
    if needed == 0 { 0 } else { needed.saturating_add(spare) }
}
