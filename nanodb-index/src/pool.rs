//! The memory that buckets live in: segments that are recycled and never given back.
//!
//! A reader may hold a segment's number while the writer retires that segment, so the
//! memory behind a number stays what it is, buckets of entries, for as long as any index that
//! uses it lives. Chunks are added and never removed, eight for each doubling, so at most about
//! an eighth of the pool waits unused, and chunks that nobody touched yet take no memory.
//!
//! Several indexes may share their segments, so that what one gives up another can use. A reader of
//! the one may then come upon entries of the other: candidates that the page disproves. That its
//! own entries are gone shows in its group's head as ever, for the head was changed before the
//! segment was given up, and whoever took it over has seen that.
//!
//! ```text
//! segment   where                                              buckets
//! --------  -------------------------------------------------  -------
//! 0         a block of its own, for an index with few entries        4
//! 1         a block of its own                                      16
//! 8..       row log2(number) - 3, the next three bits the chunk     64
//! ```

use std::fmt;
use std::sync::Arc;

use crate::cache_lines::{Line, Lines};
use crate::sync::{Mutex, OnceLock, lock};

/// The buckets of an ordinary segment.
pub(crate) const SEGMENT_BUCKETS: u32 = if cfg!(loom) { 4 } else { 64 };
/// The first number of an ordinary segment.
pub(crate) const SEGMENT_FIRST: u32 = 8;
/// The buckets of the blocks that come before there is a whole segment.
#[cfg(not(loom))]
pub(crate) const SMALL_BUCKETS: [u32; 2] = [4, 16];
#[cfg(loom)]
pub(crate) const SMALL_BUCKETS: [u32; 1] = [1];

const ROWS: usize = 22;
const CHUNKS: usize = 8;
const ROW_FIRST: u32 = SEGMENT_FIRST.ilog2();

type Row = [OnceLock<Lines>; CHUNKS];

/// Where an index has its buckets.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    small: [OnceLock<Lines>; SMALL_BUCKETS.len()],
    /// None before the first segment is needed, if they are not to be shared.
    segments: OnceLock<Arc<Segments>>,
}

/// Memory for any number of [indexes](crate::IdIndex): what one gives up goes to others.
///
/// It grows as is needed and goes with the last of the indexes.
#[derive(Clone, Default)]
pub struct IndexMemory {
    segments: Arc<Segments>,
    keeps_marks: bool,
}

#[derive(Debug, Default)]
struct Segments {
    rows: [OnceLock<Box<Row>>; ROWS],
    unused: Mutex<Unused>,
}

/// Segments that no group has.
#[derive(Debug)]
struct Unused {
    free: Vec<u32>,
    /// From this one on, none was ever made.
    fresh: u32,
}

impl Default for Unused {
    fn default() -> Self {
        Self { free: Vec::new(), fresh: SEGMENT_FIRST }
    }
}

impl IndexMemory {
    /// Makes memory for indexes that drop groups now and then: they mark the groups that look-ups
    /// use, for [`IndexWriter::drop_unused`](crate::IndexWriter::drop_unused).
    #[must_use]
    pub fn with_marks() -> Self {
        Self { keeps_marks: true, ..Self::default() }
    }

    pub(crate) fn keeps_marks(&self) -> bool {
        self.keeps_marks
    }
}

impl fmt::Debug for IndexMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IndexMemory")
            .field("keeps_marks", &self.keeps_marks)
            .finish_non_exhaustive()
    }
}

/// Where a segment's buckets begin.
struct Address {
    row: usize,
    chunk: usize,
    bucket: usize,
}

impl Pool {
    pub(crate) fn within(memory: &IndexMemory) -> Self {
        let pool = Self::default();
        pool.segments.get_or_init(|| Arc::clone(&memory.segments));
        pool
    }

    /// A bucket of a segment; `None` when the segment was never made.
    #[inline]
    pub(crate) fn bucket(&self, segment: u32, bucket: u32) -> Option<&Line> {
        if segment < SEGMENT_FIRST {
            return self.small.get(segment as usize)?.get()?.get(bucket as usize);
        }
        let at = Address::of(segment);
        let row = self.segments.get()?.rows.get(at.row)?.get()?;
        row.get(at.chunk)?.get()?.get(at.bucket + bucket as usize)
    }

    /// Makes a small block, if it isn't there; false if there is none of that number.
    pub(crate) fn make_small(&self, number: u32) -> bool {
        let Some(small) = self.small.get(number as usize) else { return false };
        let buckets = SMALL_BUCKETS.get(number as usize).copied().unwrap_or_default();
        small.get_or_init(|| Lines::zeroed(buckets as usize));
        true
    }

    /// So many segments that nobody uses; `None` when there can be no more.
    pub(crate) fn take(&self, count: u32) -> Option<Vec<u32>> {
        let segments = self.segments.get_or_init(Arc::default);
        let mut taken = Vec::with_capacity(count as usize);
        let mut unused = lock(&segments.unused);
        for _ in 0..count {
            let segment = unused.free.pop().or_else(|| {
                let fresh = unused.fresh;
                segments.make(fresh).then(|| {
                    unused.fresh += 1;
                    fresh
                })
            });
            let Some(segment) = segment else {
                unused.free.append(&mut taken);
                return None;
            };
            taken.push(segment);
        }
        Some(taken)
    }

    /// Takes segments back which no head leads to any more; returns how many.
    pub(crate) fn free_segments(&self, given: impl Iterator<Item = u32>) -> usize {
        let Some(segments) = self.segments.get() else { return 0 };
        let mut unused = lock(&segments.unused);
        let before = unused.free.len();
        unused.free.extend(given.filter(|&segment| segment >= SEGMENT_FIRST));
        unused.free.len() - before
    }

    /// What the index takes, with all of the memory that it may share.
    pub(crate) fn heap_bytes(&self) -> usize {
        let all = self.segments.get();
        let free = all.map_or(0, |all| lock(&all.unused).free.capacity() * size_of::<u32>());
        let rows = all.into_iter().flat_map(|all| &all.rows).filter_map(OnceLock::get);
        let chunks = rows.clone().flat_map(|row| row.iter());
        let lines = self.small.iter().chain(chunks).filter_map(OnceLock::get);
        let lines = lines.map(Lines::heap_bytes).sum::<usize>();
        all.map_or(0, |_| size_of::<Segments>()) + free + rows.count() * size_of::<Row>() + lines
    }
}

impl Segments {
    /// Makes the memory for a segment, if it isn't there; false if its number is beyond
    /// what there can be.
    fn make(&self, segment: u32) -> bool {
        let at = Address::of(segment);
        let Some(row) = self.rows.get(at.row) else { return false };
        let Some(chunk) = row.get_or_init(Box::default).get(at.chunk) else { return false };
        chunk.get_or_init(|| Lines::zeroed((SEGMENT_BUCKETS as usize) << at.row));
        true
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
