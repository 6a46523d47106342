//! The limit on the file's size, where one is set.
//!
//! Transactions are refused pages that would make the file longer than it may be. As of a full
//! disk, something is [kept back](crate::space::reserve) for what has to go on: a checkpoint writes
//! the root and the free map to new places before it gives the old ones back. A limited file keeps
//! back more than that: what the layer above is likely to save. That is no promise: where it can't
//! be had, the layer above saves less. So the file never passes its limit, checkpoints included.
//! One that is longer when it is opened grows by no more than its checkpoints need.
//!
//! What is counted is the file's pages that are in use, and then its length; the logs and the
//! double-write buffer have a limit of their own. What commits have freed is in use until a
//! checkpoint. So one is made before a transaction is refused, if that may help.

use std::sync::atomic::Ordering;

use crate::error::{Error, Result};
use crate::ids::{Extent, PAGE_SIZE};
use crate::shared::Shared;
use crate::space::free_map::FreeMap;

/// The least number of pages that are kept back.
const KEPT_BACK_MIN: u32 = 4;

/// Checkpoint pages take at most one in this many bytes that the layer above keeps in memory.
const SAVED_PART: usize = 5;

/// And at most one in this many pages that transactions take.
const TAKEN_PART: u32 = 6;

/// What a transaction asks for.
#[derive(Clone, Copy)]
pub(crate) struct PageRequest {
    pub(crate) pages: u32,
    /// Whether fewer will do, where not so many lie side by side: one at least.
    pub(crate) or_fewer: bool,
    /// Whether the transaction makes room.
    pub(crate) may_use_reserve: bool,
}

impl Shared {
    /// Takes pages that lie side by side for a transaction.
    pub(crate) fn reserve(&self, asked: PageRequest) -> Result<Extent> {
        let refused = match self.try_reserve(asked) {
            Err(error) if error.is_out_of_space() => error,
            taken => return taken,
        };
        if !self.space.allocator.lock().has_pending() {
            return Err(refused);
        }
        // What was freed may be had after it. If it fails, whoever commits next is told why.
        let _ = self.checkpoint();
        self.try_reserve(asked)
    }

    fn try_reserve(&self, asked: PageRequest) -> Result<Extent> {
        let _growing = self.space.growing.lock();
        let mut allocator = self.space.allocator.lock();
        let pages = match self.options.file_bytes_max {
            Some(bytes_max) => self.within(&allocator, asked, pages_in(bytes_max)),
            None => asked.pages,
        };
        if pages == 0 {
            return Err(self.quota_exceeded());
        }
        let kept = self.pages_kept(&allocator);
        let mut take = match allocator.longest_run() {
            1.. if asked.or_fewer => pages.min(allocator.longest_run()),
            _ => pages,
        };
        if let Err(error) = self.make_free(&mut allocator, take, kept) {
            if !asked.or_fewer || take == 1 || !error.is_out_of_space() {
                return Err(error);
            }
            take = 1;
            self.make_free(&mut allocator, take, kept)?;
        }
        let extent = match asked.or_fewer {
            true => allocator.reserve_up_to(take)?,
            false => allocator.reserve(take)?,
        };
        self.space.page_count.store(allocator.page_count(), Ordering::Relaxed);
        Ok(extent)
    }

    /// How many of the pages asked for may be taken, if the file may have `pages_max`.
    fn within(&self, allocator: &FreeMap, asked: PageRequest, pages_max: u32) -> u32 {
        let page_count = allocator.page_count();
        let used = page_count - allocator.free_pages();
        let mut kept_back = self.pages_kept(allocator);
        if !asked.may_use_reserve {
            let taken = allocator.reserved_pages().saturating_add(asked.pages);
            kept_back = kept_back.max(self.kept_back().saturating_add(taken / TAKEN_PART));
        }
        let mut may_take =
            asked.pages.min(pages_max.saturating_sub(used).saturating_sub(kept_back));
        let longest = allocator.longest_run();
        let behind = pages_max.saturating_sub(page_count);
        let at_the_end = behind.saturating_add(allocator.free_at_the_end());
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
        let to_be_saved =
            self.checkpoint.charged_bytes.load(Ordering::Relaxed).div_ceil(SAVED_PART * PAGE_SIZE);
        let own = self.space.own_pages.load(Ordering::Relaxed);
        let to_be_saved = u32::try_from(to_be_saved).unwrap_or(u32::MAX);
        own.saturating_add(to_be_saved).saturating_add(KEPT_BACK_MIN)
    }

    #[cold]
    pub(crate) fn quota_exceeded(&self) -> Error {
        Error::QuotaExceeded {
            path: self.storage.path().map(ToOwned::to_owned),
            bytes_max: self.options.file_bytes_max.unwrap_or(u64::MAX),
        }
    }

    /// How many pages the file may have.
    pub(crate) fn pages_max(&self) -> Option<u32> {
        let floor = self.space.pages_max_min.load(Ordering::Relaxed);
        self.options.file_bytes_max.map(|bytes| pages_in(bytes).max(floor))
    }

    /// A file that was opened may be longer than its limit: its checkpoints need room all the
    /// same.
    pub(crate) fn apply_limit(&self) {
        let Some(bytes_max) = self.options.file_bytes_max else { return };
        let allocator = self.space.allocator.lock();
        let used = allocator.page_count() - allocator.free_pages();
        let needed = self.pages_needed(&allocator);
        if used.saturating_add(needed) > pages_in(bytes_max) {
            let pages = allocator.page_count().saturating_add(needed);
            self.space.pages_max_min.store(pages, Ordering::Relaxed);
        }
    }
}

fn pages_in(bytes: u64) -> u32 {
    u32::try_from(bytes / PAGE_SIZE as u64).unwrap_or(u32::MAX)
}
