//! An index as of one commit: all that it is made of.

use std::sync::Arc;

use crate::delta::{Chunk, ChunkCursor, Chunks, Delta, Pending};
use crate::filter::FilterHash;
use crate::leaf::Boundary;
use crate::merge::{MergeCursor, RunMerge, Source};
use crate::pages::Pages;
use crate::range::KeyRange;
use crate::run::{Run, RunBuilder, net_before};

/// The runs of an index, a delta above them as far as a commit sees it, and above that what a
/// transaction has not committed.
///
/// ```
/// use std::ops::Bound;
/// use std::sync::Arc;
///
/// use nanodb_sorted::{DamagedPage, Delta, IndexView, KeyRange, Operation, PageKind, Pages};
/// use nanodb_sorted::{Pending, RecordId};
///
/// struct NoPages;
///
/// impl Pages for NoPages {
///     type Page = Vec<u8>;
///     type Error = DamagedPage;
///
///     fn page(&self, _: u32, _: PageKind) -> Result<Vec<u8>, DamagedPage> {
///         Ok(Vec::new())
///     }
/// }
///
/// let (delta, mut pending) = (Delta::new(0), Pending::new());
/// for (key, slot) in [(b"ada", 0), (b"bob", 1)] {
///     let record = RecordId { page: 7, slot };
///     pending.push(Operation { key, record, removed: false }).unwrap();
/// }
/// let until = delta.append(&mut pending).unwrap();
///
/// let view = IndexView::new(&NoPages, 1, Arc::from([])).with_delta(&delta, until);
/// assert_eq!(view.count(KeyRange::ALL)?, 2);
/// let mut cursor = view.cursor();
/// assert!(cursor.seek(Bound::Included(b"b"))?);
/// assert_eq!(cursor.entry(), Some((&b"bob"[..], RecordId { page: 7, slot: 1 })));
/// # Ok::<(), DamagedPage>(())
/// ```
#[derive(Clone, Debug)]
pub struct IndexView<P> {
    pages: P,
    index: u32,
    pending: Chunks,
    delta: Chunks,
    /// Operations of the delta with a lower ordinal are visible.
    until: u64,
    /// The newest first.
    runs: Arc<[Run]>,
}

impl<P: Pages + Clone> IndexView<P> {
    /// Makes a view of runs, the newest first.
    pub fn new(pages: P, index: u32, runs: Arc<[Run]>) -> Self {
        Self { pages, index, pending: Chunks::default(), delta: Chunks::default(), until: 0, runs }
    }

    /// Puts a delta above the runs: its operations with ordinals below `until`.
    #[must_use]
    pub fn with_delta(mut self, delta: &Delta, until: u64) -> Self {
        self.delta = delta.chunks();
        self.until = until;
        self
    }

    /// Puts the operations of a transaction above all others. Those that are added later are not
    /// seen.
    #[must_use]
    pub fn with_pending(mut self, pending: &mut Pending) -> Self {
        self.pending = pending.sorted().clone();
        self
    }

    /// The newest chunk first, each with how far its operations are visible.
    fn chunks(&self) -> impl Iterator<Item = (&Chunk, u32)> {
        let pending = self.pending.iter().map(|chunk| (chunk, u32::MAX));
        let delta = self.delta.iter().map(|chunk| (chunk, chunk.visible(self.until)));
        pending.chain(delta.filter(|(_, visible)| *visible > 0))
    }

    /// Returns a cursor in front of the first entry. Reads nothing.
    #[must_use]
    pub fn cursor(&self) -> MergeCursor<P> {
        MergeCursor::new(self.sources(), false)
    }

    /// Returns a cursor at the first entry with a key that goes through those with this key alone,
    /// as after [`MergeCursor::find`]. What does not have the key is not among its sources.
    ///
    /// # Errors
    ///
    /// Whatever a page can't be read for, or [`DamagedPage`](crate::DamagedPage).
    pub fn find(&self, key: &[u8]) -> Result<MergeCursor<P>, P::Error> {
        let hash = FilterHash::of(key);
        let chunks = self.chunks().filter(|(chunk, _)| chunk.may_contain(hash));
        let mut sources: Vec<Source<P>> = chunks
            .map(|(chunk, visible)| Source::Chunk(ChunkCursor::new(chunk.clone(), visible)))
            .collect();
        for (number, run) in self.runs.iter().enumerate() {
            if run.may_contain_hash(&self.pages, self.index, hash)? {
                let (pages, runs) = (self.pages.clone(), Arc::clone(&self.runs));
                sources.extend(Source::of_run(pages, self.index, runs, number));
            }
        }
        let mut cursor = MergeCursor::new(sources, false);
        cursor.seek_one(key)?;
        Ok(cursor)
    }

    /// Begins to make one run of all of this.
    ///
    /// With `drops_removals` the run says nothing of entries that are not there. That is right only
    /// if the oldest run of the index is among these, and none is to come below it.
    #[must_use]
    pub fn merge(&self, drops_removals: bool) -> RunMerge<P> {
        let entries = self.chunks().map(|(chunk, _)| chunk.len() as u64);
        let entries = entries.chain(self.runs.iter().map(|run| run.entries)).sum();
        let builder = RunBuilder::new(self.index, entries);
        RunMerge::new(MergeCursor::new(self.sources(), true), builder, drops_removals)
    }

    fn sources(&self) -> Vec<Source<P>> {
        let chunk =
            |(chunk, visible): (&Chunk, _)| Source::Chunk(ChunkCursor::new(chunk.clone(), visible));
        let run =
            |number| Source::of_run(self.pages.clone(), self.index, Arc::clone(&self.runs), number);
        self.chunks().map(chunk).chain((0..self.runs.len()).filter_map(run)).collect()
    }

    /// Returns how many entries there are in a range: exactly, by two descents a run.
    ///
    /// Exact as long as each operation was what it says: an entry was added only if it was not
    /// there, and removed only if it was.
    ///
    /// # Errors
    ///
    /// Whatever a page can't be read for, or [`DamagedPage`](crate::DamagedPage).
    pub fn count(&self, range: KeyRange<'_>) -> Result<u64, P::Error> {
        if range.is_empty() {
            return Ok(0);
        }
        let (start, end) = range.boundaries();
        let mut net = 0_i64;
        for (chunk, visible) in self.chunks() {
            let position = |boundary: Option<Boundary<'_>>, unbounded| {
                boundary.map_or(unbounded, |boundary| chunk.position(boundary))
            };
            net += chunk.net(position(start, 0), position(end, chunk.len()), visible);
        }
        for run in &*self.runs {
            let rank = |boundary: Option<Boundary<'_>>, unbounded| match boundary {
                Some(boundary) => net_before(&self.pages, self.index, run, boundary),
                None => Ok(unbounded),
            };
            net = net.saturating_add(rank(end, run.net)?.saturating_sub(rank(start, 0)?));
        }
        // Below zero only if an operation was not what it said.
        Ok(u64::try_from(net).unwrap_or(0))
    }

    /// Returns whether keys of [`KEY_LEN_MAX`](crate::KEY_LEN_MAX) bytes, which may have been cut,
    /// are among these.
    #[must_use]
    pub fn has_long_keys(&self) -> bool {
        let in_chunks = self.chunks().any(|(chunk, _)| chunk.has_long_keys());
        in_chunks || self.runs.iter().any(|run| run.has_long_keys)
    }
}
