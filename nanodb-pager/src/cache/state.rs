//! What the cache keeps of an open file: the pages in memory, and who still reads older ones.

use parking_lot::Mutex;

use crate::cache::clock::Cache;
use crate::cache::frames::Frames;
use crate::cache::page_table::{PageTable, Stripes};
use crate::cache::snapshot_registry::Snapshots;
use crate::cache::version_file::SpillState;

/// The pages in memory, and who still reads older versions of them.
pub(crate) struct CacheState {
    pub(crate) table: PageTable,
    pub(crate) stripes: Stripes,
    pub(crate) clock: Cache,
    pub(crate) snapshots: Snapshots,
    /// The file that older versions are spilled to.
    pub(crate) spill: Mutex<SpillState>,
    pub(crate) spare_frames: Frames,
}

impl CacheState {
    /// Returns a cache without pages that keeps to `bytes_max`.
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self {
            table: PageTable::new(),
            stripes: Stripes::new(),
            clock: Cache::new(bytes_max),
            snapshots: Snapshots::default(),
            spill: Mutex::default(),
            spare_frames: Frames::default(),
        }
    }
}
