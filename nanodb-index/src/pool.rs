//! The memory that buckets live in: segments that are recycled and never given back.
//!
//! A reader may hold a segment's number while the writer retires that segment, so the
//! memory behind a number stays what it is, buckets of entries, for as long as the index
//! lives. Chunks are added and never removed, eight for each doubling, so at most about
//! an eighth of the pool waits unused, and chunks that nobody touched yet take no memory.
//!
//! ```text
//! segment   where                                              buckets
//! --------  -------------------------------------------------  -------
//! 0         a block of its own, for an index with few entries        4
//! 1         a block of its own                                      16
//! 8..       row log2(number) - 3, the next three bits the chunk     64
//! ```

use crate::lines::{Line, Lines};
use crate::sync::OnceLock;

/// The buckets of an ordinary segment.
pub(crate) const SEGMENT_BUCKETS: u32 = if cfg!(loom) { 4 } else { 64 };
/// The first number of an ordinary segment.
pub(crate) const SEGMENT_FIRST: u32 = 8;
/// The buckets of the blocks that come before there is a whole segment.
#[cfg(not(loom))]
pub(crate) const SMALL_BUCKETS: [u32; 2] = [4, 16];
#[cfg(loom)]
pub(crate) const SMALL_BUCKETS: [u32; 1] = [1];

const ROWS: usize = 19;
const CHUNKS: usize = 8;
const ROW_FIRST: u32 = SEGMENT_FIRST.ilog2();

type Row = [OnceLock<Lines>; CHUNKS];

#[derive(Debug, Default)]
pub(crate) struct Pool {
    small: [OnceLock<Lines>; SMALL_BUCKETS.len()],
    rows: [OnceLock<Box<Row>>; ROWS],
}

/// Where a segment's buckets begin.
struct Address {
    row: usize,
    chunk: usize,
    bucket: usize,
}

impl Pool {
    /// A bucket of a segment; `None` when the segment was never made.
    #[inline]
    pub(crate) fn bucket(&self, segment: u32, bucket: u32) -> Option<&Line> {
        if segment < SEGMENT_FIRST {
            return self.small.get(segment as usize)?.get()?.get(bucket as usize);
        }
        let at = Address::of(segment);
        self.rows.get(at.row)?.get()?.get(at.chunk)?.get()?.get(at.bucket + bucket as usize)
    }

    /// Makes the memory for a segment, if it isn't there; false if its number is beyond
    /// what the pool can hold.
    pub(crate) fn make(&self, segment: u32) -> bool {
        if let Some(small) = self.small.get(segment as usize) {
            let buckets = SMALL_BUCKETS.get(segment as usize).copied().unwrap_or_default();
            small.get_or_init(|| Lines::zeroed(buckets as usize));
            return true;
        }
        let at = Address::of(segment);
        let Some(row) = self.rows.get(at.row) else { return false };
        let Some(chunk) = row.get_or_init(Box::default).get(at.chunk) else { return false };
        chunk.get_or_init(|| Lines::zeroed((SEGMENT_BUCKETS as usize) << at.row));
        true
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        let rows = self.rows.iter().filter_map(OnceLock::get);
        let chunks = rows.clone().flat_map(|row| row.iter());
        let lines = self.small.iter().chain(chunks).filter_map(OnceLock::get);
        rows.count() * size_of::<Row>() + lines.map(Lines::heap_bytes).sum::<usize>()
    }
}

impl Address {
    /// `segment` is at least [`SEGMENT_FIRST`]; a lower one gets a row that doesn't exist.
    #[inline]
    fn of(segment: u32) -> Self {
        let row = segment.checked_ilog2().unwrap_or_default().wrapping_sub(ROW_FIRST);
        let chunk = segment.wrapping_shr(row) as usize % CHUNKS;
        let offset = segment & !(u32::MAX.wrapping_shl(row));
        Self { row: row as usize, chunk, bucket: (offset * SEGMENT_BUCKETS) as usize }
    }
}
