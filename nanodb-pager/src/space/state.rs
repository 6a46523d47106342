//! What is known of an open file's pages: which are free, and how many there are.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use crossbeam_utils::CachePadded;
use parking_lot::Mutex;

use crate::error::{Corruption, Result};
use crate::ids::PageId;
use crate::space::free_map::FreeMap;
use crate::space::truncated_pages::TruncatedPages;
use crate::space::unlogged::UnloggedPages;

/// Which pages the file has, and who uses them.
pub(crate) struct SpaceState {
    pub(crate) allocator: Mutex<FreeMap>,
    /// The allocator's page count for readers, who take no lock. Written under the
    /// allocator's lock; relaxed, since whoever learns a page's number learns it
    /// from a commit, which orders more than this. On a cache line of its own, as every read of a
    /// page looks at it.
    pub(crate) page_count: CachePadded<AtomicU32>,
    /// How many commits have freed pages. Changed under the commit lock, which orders it for
    /// commits; relaxed, since all others only want to be told early.
    pub(crate) frees: AtomicU64,
    /// Pages of root, free map and what the layer above saves. Relaxed, as
    /// [`charged_bytes`](crate::checkpoint::state::CheckpointState::charged_bytes): an older
    /// value says what is kept back of a limited file as well.
    pub(crate) own_pages: AtomicU32,
    /// Whether what is kept for a full disk was taken; see [`reserve`](crate::space::reserve).
    /// Under the commit lock.
    pub(crate) has_reserve: AtomicBool,
    /// The file may have this many pages whatever its limit. Relaxed: stored when it is opened.
    pub(crate) pages_max_min: AtomicU32,
    pub(crate) unlogged: UnloggedPages,
    /// Held to make the file longer or shorter. Only the allocator is locked under it.
    pub(crate) growing: Mutex<()>,
    pub(crate) truncated: TruncatedPages,
}

impl SpaceState {
    /// Returns what is known of a file whose pages `allocator` gives out; the pager uses
    /// `own_pages` of them.
    pub(crate) fn new(allocator: FreeMap, own_pages: u32) -> Self {
        Self {
            page_count: CachePadded::new(AtomicU32::new(allocator.page_count())),
            allocator: Mutex::new(allocator),
            frees: AtomicU64::new(0),
            own_pages: AtomicU32::new(own_pages),
            has_reserve: AtomicBool::new(false),
            pages_max_min: AtomicU32::new(0),
            unlogged: UnloggedPages::default(),
            growing: Mutex::new(()),
            truncated: TruncatedPages::default(),
        }
    }

    /// Refuses a page behind the end of the file.
    #[inline]
    pub(crate) fn check_bounds(&self, page: PageId) -> Result<(), Corruption> {
        let page_count = self.page_count.load(Ordering::Relaxed);
        if page.get() >= page_count {
            return Err(Corruption::OutOfBounds { page, page_count });
        }
        Ok(())
    }
}
