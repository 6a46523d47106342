//! Truncating the file: free pages at its end go back to the file system.
//!
//! The free map that a checkpoint saves ends with the last page in use, and so does the page
//! count in its header. The file itself is truncated once that header is durable, and only as far
//! as nobody uses it in the running system either: commits since the switch of logs and open
//! transactions may have taken pages behind, and snapshots may want what was freed. As many pages
//! as a checkpoint takes for itself are left behind the end, and those that are
//! [kept](crate::space::reserve), or checkpoints on a full disk would give away what the next one
//! needs; closing leaves none. A truncation that a power cut undoes
//! leaves a file that is too long, which means nothing; the next checkpoint truncates it.
//!
//! # Who comes too late
//!
//! A reader that is no snapshot may have learned of a page from a commit that is not
//! the published one any more, and ask for it when it is gone. As for a page that has gone
//! to somebody else, the answer is that there is no version of it for that reader.

use std::sync::atomic::Ordering;

use crate::checkpoint::state::DiskState;
use crate::error::{Error, Result};
use crate::ids::{Extent, PAGE_SIZE, PageId};
use crate::shared::Shared;
use crate::space::state::SpaceState;

/// Another checkpoint is worthwhile if it truncates at least 64 KiB and a sixteenth of the file;
/// when the file is closed, 16 KiB and a sixteenth.
pub(crate) const WORTH_PAGES_MIN: u32 = 16;
pub(crate) const WORTH_PAGES_AT_LAST: u32 = 4;
const WORTH_PART: u32 = 16;

impl Shared {
    /// Returns free pages at the end of the file to the file system, but for `left` pages, and
    /// unless it is the `last` time those that are kept for a full disk.
    ///
    /// # Errors
    ///
    /// [`Error::Io`]: the file stays too long, and is as right. Nothing was to be saved by it, so
    /// it is no failed write that all later ones have to fear.
    pub(crate) fn truncate(&self, on_disk: &DiskState, left: u32, last: bool) -> Result<()> {
        // Never below what the header on stable storage says.
        let mut page_count_min = on_disk.header.page_count.saturating_add(left);
        {
            let mut allocator = self.space.allocator.lock();
            if !last {
                let at_the_end = allocator.free_at_the_end();
                let before = allocator.free_pages() - at_the_end;
                let kept = self.pages_kept(&allocator).saturating_sub(before);
                let used = allocator.page_count() - at_the_end;
                page_count_min = page_count_min.max(used.saturating_add(kept));
            }
            let before = allocator.page_count();
            let after = allocator.truncate(page_count_min);
            if after < before {
                self.space.truncated.to.fetch_max(before, Ordering::Relaxed);
                self.space.truncated.from.fetch_min(after, Ordering::Relaxed);
                self.space.page_count.store(after, Ordering::Relaxed);
            }
        }
        let _growing = self.space.growing.lock();
        // Asked for again: whoever has taken pages since and not yet made room for them waits
        // for this lock.
        let len = u64::from(self.space.allocator.lock().page_count()) * PAGE_SIZE as u64;
        let current =
            self.storage.len().map_err(|e| Error::io("asking for the file's length", e))?;
        if current > len {
            self.storage.set_len(len).map_err(|e| Error::io("truncating the file", e))?;
        }
        Ok(())
    }
}

impl SpaceState {
    /// Whether the file could be truncated if the pages of the root and the free map were not at
    /// its end: another checkpoint puts them further in front. By a page, where the file is to be
    /// as `short` as it can be; else by `least` pages at least.
    pub(crate) fn own_pages_keep_the_file_long(
        &self,
        on_disk: &DiskState,
        short: bool,
        least: u32,
    ) -> bool {
        let Some(last) = on_disk.streams.iter().max() else { return false };
        let allocator = self.allocator.lock();
        let before = allocator.free_before(*last);
        if short {
            return before > 0 && before >= on_disk.taken_pages;
        }
        let gain = before.saturating_sub(on_disk.taken_pages);
        gain >= least.max(allocator.page_count() / WORTH_PART)
    }

    /// What it means that a page could not be had: only that it is gone, if it was truncated
    /// away and no commit has taken it since.
    #[cold]
    pub(crate) fn unless_truncated(&self, page: PageId, error: Error) -> Error {
        if !self.truncated.contains(page) {
            return error;
        }
        let extent = Extent::new(page, 1);
        let allocator = self.allocator.lock();
        let in_use = allocator.in_use(extent) && !allocator.is_reserved(extent);
        if in_use { error } else { Error::WriteConflict { page } }
    }
}
