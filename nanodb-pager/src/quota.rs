//! The limit on the file's size, where one is set.
//!
//! Transactions are refused pages that would make the file longer than it may be. As of a full disk,
//! something is kept back, for what has to go on: a checkpoint writes the root, the free map and
//! what the layer above saves to new places before it gives the old ones back, and transactions
//! that make room may need some first. Checkpoints are never refused: where what is kept back
//! does not do, which takes very small documents or free pages in very small pieces, one passes
//! the limit by what is missing.
//!
//! What is counted is the file's pages that are in use, and then its length; the logs and the side
//! area have a limit of their own. What commits have freed is in use until a checkpoint. So one is
//! made before a transaction is refused, if that may help.

use std::sync::atomic::Ordering;

use crate::error::{Error, Result};
use crate::free_map::FreeMap;
use crate::ids::{Extent, PAGE_SIZE};
use crate::pager::{Commit, Shared};

/// So many pages are kept back at least.
const KEPT_BACK_MIN: u32 = 4;

/// The layer above saves no more than such a part of what it keeps in memory until then.
const SAVED_PART: usize = 5;

/// And no more than such a part of the pages that transactions take.
const TAKEN_PART: u32 = 6;

/// What a transaction asks for.
#[derive(Clone, Copy)]
pub(crate) struct Asked {
    pub(crate) pages: u32,
    /// Whether fewer will do, where not so many lie side by side: one at least.
    pub(crate) or_fewer: bool,
    /// Whether the transaction makes room.
    pub(crate) gives_space_back: bool,
}

impl Shared {
    /// Takes pages that lie side by side for a transaction.
    pub(crate) fn reserve(&self, asked: Asked) -> Result<Extent> {
        let refused = match self.try_reserve(asked) {
            Err(error @ Error::QuotaExceeded { .. }) => error,
            taken => return taken,
        };
        if !self.allocator.lock().has_pending() {
            return Err(refused);
        }
        // What was freed may be had after it. If it fails, whoever commits next is told why.
        let _ = self.checkpoint();
        self.try_reserve(asked)
    }

    fn try_reserve(&self, asked: Asked) -> Result<Extent> {
        let mut allocator = self.allocator.lock();
        let pages = match self.options.file_bytes_max {
            Some(bytes_max) => self.within(&allocator, asked, pages_in(bytes_max)),
            None => asked.pages,
        };
        if pages == 0 {
            drop(allocator);
            return Err(self.quota_exceeded());
        }
        let extent = if asked.or_fewer {
            allocator.reserve_up_to(pages)?
        } else {
            allocator.reserve(pages)?
        };
        self.page_count.store(allocator.page_count(), Ordering::Relaxed);
        Ok(extent)
    }

    /// How many of the pages asked for may be taken, if the file may have `pages_max`.
    fn within(&self, allocator: &FreeMap, asked: Asked, pages_max: u32) -> u32 {
        let page_count = allocator.page_count();
        let mut may_take = asked.pages;
        if !asked.gives_space_back {
            let used = page_count - allocator.free_pages();
            let taken = allocator.reserved_pages().saturating_add(asked.pages);
            let kept_back = self.kept_back().saturating_add(taken / TAKEN_PART);
            may_take = may_take.min(pages_max.saturating_sub(used).saturating_sub(kept_back));
        }
        let longest = allocator.longest_run();
        let at_the_end = pages_max.saturating_sub(page_count);
        // Free ones are taken first, whether or not the file could become longer.
        may_take = match longest {
            0 => may_take.min(at_the_end),
            _ if asked.or_fewer => may_take.min(longest),
            _ if longest >= asked.pages => may_take,
            _ => may_take.min(at_the_end),
        };
        if may_take < asked.pages && !asked.or_fewer { 0 } else { may_take }
    }

    /// What the next checkpoint may need.
    fn kept_back(&self) -> u32 {
        let to_be_saved = self.kept_bytes.load(Ordering::Relaxed).div_ceil(SAVED_PART * PAGE_SIZE);
        let own = self.own_pages.load(Ordering::Relaxed);
        let to_be_saved = u32::try_from(to_be_saved).unwrap_or(u32::MAX);
        own.saturating_add(to_be_saved).saturating_add(KEPT_BACK_MIN)
    }

    #[cold]
    fn quota_exceeded(&self) -> Error {
        Error::QuotaExceeded {
            path: self.storage.path().map(ToOwned::to_owned),
            bytes_max: self.options.file_bytes_max.unwrap_or(u64::MAX),
        }
    }

    /// Takes pages for what the layer above saves: fewer, where so many would make the file
    /// longer than it may be and free ones would do.
    pub(crate) fn allocate_to_save(&self, pages: u32) -> Result<Extent> {
        let mut allocator = self.allocator.lock();
        let mut may_take = pages;
        if let Some(bytes_max) = self.options.file_bytes_max
            && allocator.longest_run() < pages
        {
            let at_the_end = pages_in(bytes_max).saturating_sub(allocator.page_count());
            if at_the_end < pages {
                may_take = allocator.longest_run().max(at_the_end).max(1);
            }
        }
        let extent = allocator.allocate(may_take)?;
        self.page_count.store(allocator.page_count(), Ordering::Relaxed);
        Ok(extent)
    }

    /// Notes how much the layer above keeps in memory for checkpoints to save.
    pub(crate) fn note_kept(&self, commit: &Commit) {
        let bytes = commit.kept_bytes + commit.under_way_bytes;
        self.kept_bytes.store(bytes, Ordering::Relaxed);
    }
}

fn pages_in(bytes: u64) -> u32 {
    u32::try_from(bytes / PAGE_SIZE as u64).unwrap_or(u32::MAX)
}
