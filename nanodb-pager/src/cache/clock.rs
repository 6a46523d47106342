//! Which pages stay in memory: a clock over the pages whose newest version is cached.
//!
//! A page that was used since the hand last passed stays; one that was not, and
//! is on disk as it is in memory, goes. Dirty pages never go: a checkpoint makes
//! them clean first.
//!
//! Locks are taken in the order clock, stripe. Nobody asks for the clock while holding
//! a stripe.

use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;

use crate::cache::page_table::{PageTable, Stripes};
use crate::cache::spare_frames::SpareFrames;
use crate::ids::{PAGE_SIZE, PageId};

/// The pages in memory and the budget they must keep to.
pub(crate) struct EvictionClock {
    frames_max: usize,
    ring: Mutex<Ring>,
    // Relaxed, all four: they only count, and what they count is ordered by other means.
    /// How many pages the clock has.
    frames: AtomicUsize,
    /// Older versions kept in memory for readers.
    older: AtomicUsize,
    /// Older versions kept in a temporary file.
    spilled: AtomicUsize,
    /// Bytes of what is remembered of pages besides.
    unlogged_bytes: AtomicUsize,
}

#[derive(Default)]
struct Ring {
    /// Every page whose slot has a frame, once.
    pages: Vec<PageId>,
    hand: usize,
    /// How many steps the hand has made since it last evicted a page.
    steps_in_vain: usize,
    /// How many times evicting is still left out.
    skips: u32,
}

impl EvictionClock {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self {
            frames_max: (bytes_max / PAGE_SIZE).max(MIN_FRAMES),
            ring: Mutex::default(),
            frames: AtomicUsize::new(0),
            older: AtomicUsize::new(0),
            spilled: AtomicUsize::new(0),
            unlogged_bytes: AtomicUsize::new(0),
        }
    }

    pub(crate) fn frames_max(&self) -> usize {
        self.frames_max
    }

    /// How many newest versions are in memory.
    pub(crate) fn frames(&self) -> usize {
        self.frames.load(Ordering::Relaxed)
    }

    /// How many older versions are in memory.
    pub(crate) fn older(&self) -> usize {
        self.older.load(Ordering::Relaxed)
    }

    /// How many older versions are in a temporary file.
    pub(crate) fn spilled(&self) -> usize {
        self.spilled.load(Ordering::Relaxed)
    }

    pub(crate) fn older_added(&self) {
        self.older.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn older_dropped(&self) {
        self.older.fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn older_spilled(&self) {
        self.older.fetch_sub(1, Ordering::Relaxed);
        self.spilled.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn spilled_dropped(&self) {
        self.spilled.fetch_sub(1, Ordering::Relaxed);
    }

    /// Counts what is remembered of pages besides their bytes.
    pub(crate) fn set_unlogged_bytes(&self, bytes: usize) {
        self.unlogged_bytes.store(bytes, Ordering::Relaxed);
    }

    /// How many frames more than the budget allows are in memory.
    #[inline]
    pub(crate) fn excess(&self) -> usize {
        let spilled = self.spilled() / SPILLED_PER_FRAME;
        let unlogged = self.unlogged_bytes.load(Ordering::Relaxed) / PAGE_SIZE;
        (self.frames() + self.older() + spilled + unlogged).saturating_sub(self.frames_max)
    }

    /// Counts `pages`, whose slots have just got a frame where there was none.
    pub(crate) fn admit(&self, pages: &[PageId]) {
        if !pages.is_empty() {
            let mut ring = self.ring.lock();
            // A hand at the end goes back to the beginning, so that it passes all others before the
            // new pages. From anywhere else it comes to them before it begins again.
            if ring.hand >= ring.pages.len() {
                ring.hand = 0;
            }
            ring.pages.extend_from_slice(pages);
            self.frames.store(ring.pages.len(), Ordering::Relaxed);
        }
    }

    /// Pages that could not go may now: they are on disk as they are in memory.
    pub(crate) fn cleaned(&self) {
        let mut ring = self.ring.lock();
        ring.skips = 0;
        ring.steps_in_vain = 0;
    }

    /// Evicts as many pages as the budget asks for and can go.
    pub(crate) fn evict(&self, table: &PageTable, stripes: &Stripes, frames: &SpareFrames) {
        let mut ring = self.ring.lock();
        if let Some(left) = ring.skips.checked_sub(1) {
            ring.skips = left;
            return;
        }
        let before = ring.pages.len();
        // Where older versions can't be spilled, they must not push out everything else.
        let target = before.saturating_sub(self.excess()).max(self.frames_max / 2);
        // Two rounds see every page once with its mark cleared. If even then too
        // many remain, they are dirty, and a checkpoint is due.
        let mut steps = (before * 2).min(STEPS_MAX + before.saturating_sub(target) * 2);
        while ring.pages.len() > target && steps > 0 {
            ring.step(table, stripes, frames);
            steps -= 1;
        }
        self.frames.store(ring.pages.len(), Ordering::Relaxed);
        if ring.steps_in_vain > 2 * ring.pages.len() {
            // Nothing can go. Whoever comes next would look at as many in vain.
            ring.steps_in_vain = 0;
            ring.skips = SKIPS_MAX.min(u32::try_from(before / MIN_FRAMES).unwrap_or(SKIPS_MAX));
        }
    }
}

/// What is remembered of so many spilled versions takes as much memory as a frame.
const SPILLED_PER_FRAME: usize = 32;

/// How many times evicting is left out after nothing could be evicted; fewer with few pages.
const SKIPS_MAX: u32 = 64;

/// Fewer frames than this would make every access a read from disk.
const MIN_FRAMES: usize = 16;

/// How far the hand goes at a time at most, and twice what it is to evict, so that nobody
/// waits long.
const STEPS_MAX: usize = 4096;

impl Ring {
    /// Moves the hand over one page, evicting it if it was not used.
    fn step(&mut self, table: &PageTable, stripes: &Stripes, frames: &SpareFrames) {
        if self.hand >= self.pages.len() {
            self.hand = 0;
        }
        self.steps_in_vain += 1;
        let page = self.pages[self.hand];
        let slot = table.slot(page);
        if slot.referenced.swap(false, Ordering::Relaxed) {
            self.hand += 1;
            return;
        }
        let _stripe = stripes.lock(page);
        if slot.is_dirty() {
            self.hand += 1;
            return;
        }
        if let Some(evicted) = slot.frame.swap(None) {
            frames.recycle(evicted);
        }
        // The page that takes its place may be the newest: the hand has passed it.
        self.pages.swap_remove(self.hand);
        self.hand += 1;
        self.steps_in_vain = 0;
    }
}
