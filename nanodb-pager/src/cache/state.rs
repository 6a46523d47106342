//! What the cache keeps of an open file: the pages in memory, and who still reads older ones.

use crossbeam_utils::CachePadded;
use parking_lot::Mutex;

use crate::cache::clock::EvictionClock;
use crate::cache::page_table::{PageTable, Stripes};
use crate::cache::snapshot_registry::SnapshotRegistry;
use crate::cache::spare_frames::SpareFrames;
use crate::cache::version_file::VersionSpill;

/// The pages in memory, and who still reads older versions of them.
pub(crate) struct CacheState {
    /// On cache lines of its own: every read of a page goes through it, and the rest changes with
    /// commits and evictions.
    pub(crate) table: CachePadded<PageTable>,
    pub(crate) stripes: Stripes,
    pub(crate) clock: EvictionClock,
    pub(crate) snapshots: SnapshotRegistry,
    /// The file that older versions are spilled to.
    pub(crate) spill: Mutex<VersionSpill>,
    pub(crate) spare_frames: SpareFrames,
}

impl CacheState {
    /// Returns a cache without pages that keeps to `bytes_max`.
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self {
            table: CachePadded::new(PageTable::new()),
            stripes: Stripes::new(),
            clock: EvictionClock::new(bytes_max),
            snapshots: SnapshotRegistry::default(),
            spill: Mutex::default(),
            spare_frames: SpareFrames::default(),
        }
    }
}
