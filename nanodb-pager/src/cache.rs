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

use crate::ids::{PAGE_SIZE, PageId};
use crate::table::{PageTable, Stripes};

/// The pages in memory and the budget they must keep to.
pub(crate) struct Cache {
    frames_max: usize,
    clock: Mutex<Clock>,
    /// Older versions kept for readers; they count against the budget.
    older: AtomicUsize,
}

#[derive(Default)]
struct Clock {
    /// Every page whose slot has a frame, once.
    pages: Vec<PageId>,
    hand: usize,
}

impl Cache {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self {
            frames_max: (bytes_max / PAGE_SIZE).max(MIN_FRAMES),
            clock: Mutex::default(),
            older: AtomicUsize::new(0),
        }
    }

    pub(crate) fn frames_max(&self) -> usize {
        self.frames_max
    }

    /// How many newest versions are in memory.
    pub(crate) fn frames(&self) -> usize {
        self.clock.lock().pages.len()
    }

    /// How many older versions are in memory.
    pub(crate) fn older(&self) -> usize {
        self.older.load(Ordering::Relaxed)
    }

    pub(crate) fn older_added(&self) {
        self.older.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn older_dropped(&self) {
        self.older.fetch_sub(1, Ordering::Relaxed);
    }

    /// Counts `pages`, whose slots have just got a frame where there was none, and
    /// evicts as many others as the budget asks for.
    pub(crate) fn admit(&self, pages: &[PageId], table: &PageTable, stripes: &Stripes) {
        if pages.is_empty() {
            return;
        }
        let mut clock = self.clock.lock();
        clock.pages.extend_from_slice(pages);
        let frames_max = self.frames_max.saturating_sub(self.older()).max(MIN_FRAMES);
        // Two rounds see every page once with its mark cleared. If even then too
        // many remain, they are dirty, and a checkpoint is due.
        let mut steps = (clock.pages.len() * 2).min(STEPS_MAX + pages.len() * 2);
        while clock.pages.len() > frames_max && steps > 0 {
            clock.step(table, stripes);
            steps -= 1;
        }
    }
}

/// Fewer frames than this would make every access a read from disk.
const MIN_FRAMES: usize = 16;

/// How far the hand goes for one admission at most, so that none takes long.
const STEPS_MAX: usize = 4096;

impl Clock {
    /// Moves the hand over one page, evicting it if it was not used.
    fn step(&mut self, table: &PageTable, stripes: &Stripes) {
        if self.hand >= self.pages.len() {
            self.hand = 0;
        }
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
        slot.frame.store(None);
        self.pages.swap_remove(self.hand);
    }
}
