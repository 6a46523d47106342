//! The id index of a collection as a file keeps it: runs, oldest first.
//!
//! A run is a sequence of pages of kind 18, as `nanodb_index::run` packs them, written by one
//! checkpoint. The manifest says for each which checkpoint that was, how many entries it has, and
//! where its pages are. Of all changes of one entry that of the newest run counts.

use nanodb_index::Change;
use nanodb_index::run::{PAGE_COUNT_MAX, decode_page};
use nanodb_pager::{CheckpointPages, Extent, Owner, PageKind, PageTag, Seq};

use crate::catalog::edit::{read_extents, write_extents};
use crate::catalog::varint::{self, Reader};

/// Pages of a run.
pub(crate) const INDEX: PageKind = PageKind::new(18);

/// One run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IndexRun {
    /// The commit that the checkpoint shows which wrote it.
    pub(crate) seq: Seq,
    /// How many changes it holds.
    pub(crate) entries: u64,
    /// Its pages, in order.
    extents: Vec<Extent>,
    /// How many pages there are up to the end of each extent.
    ends: Vec<u64>,
}

/// A run could not be read, for whatever reason.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Unreadable;

impl IndexRun {
    pub(crate) fn new(seq: Seq, entries: u64, extents: Vec<Extent>) -> Self {
        let mut pages = 0;
        let ends = extents.iter().map(|extent| {
            pages += u64::from(extent.pages);
            pages
        });
        let ends = ends.collect();
        Self { seq, entries, extents, ends }
    }

    pub(crate) fn mark(&self, owner: Owner) -> PageTag {
        PageTag { kind: INDEX, owner, seq: self.seq }
    }

    pub(crate) fn extents(&self) -> &[Extent] {
        &self.extents
    }

    pub(crate) fn pages(&self) -> u64 {
        self.ends.last().copied().unwrap_or_default()
    }

    /// The page at `index` and those behind it that lie side by side, at most `pages`. Costs the
    /// logarithm of the number of extents: a run may lie in as many as it has pages.
    pub(crate) fn extent_at(&self, index: u64, pages: u32) -> Option<Extent> {
        let at = first_beyond(&self.ends, index);
        let (extent, end) = (self.extents.get(at)?, self.ends.get(at)?);
        let left = u32::try_from(end.checked_sub(index)?).ok()?;
        let start = extent.page(extent.pages.checked_sub(left)?)?;
        Some(Extent::new(start, left.min(pages)))
    }

    fn decode(reader: &mut Reader<'_>) -> Option<Self> {
        let (seq, entries) = (Seq::new(reader.u64()?), reader.u64()?);
        let run = Self::new(seq, entries, read_extents(reader)?);
        let pages = run.pages();
        let sound =
            pages > 0 && entries >= pages && entries <= pages.saturating_mul(PAGE_COUNT_MAX as u64);
        sound.then_some(run)
    }

    fn encode(&self, out: &mut Vec<u8>) {
        varint::write(out, self.seq.get());
        varint::write(out, self.entries);
        write_extents(out, &self.extents);
    }
}

/// The position of the first of `ends`, which rise, that is above `index`.
fn first_beyond<T: PartialOrd<u64>>(ends: &[T], index: u64) -> usize {
    ends.partition_point(|end| *end <= index)
}

/// Appends an index: one more than how many runs, and each; 0 for one that must be built from
/// the collection's pages.
pub(crate) fn encode_index(index: Option<&[IndexRun]>, out: &mut Vec<u8>) {
    varint::write(out, index.map_or(0, |runs| runs.len() as u64 + 1));
    index.unwrap_or_default().iter().for_each(|run| run.encode(out));
}

/// Reads what [`encode_index`] wrote.
pub(crate) fn decode_index(reader: &mut Reader<'_>) -> Option<Option<Vec<IndexRun>>> {
    let Some(count) = reader.usize()?.checked_sub(1) else { return Some(None) };
    let mut runs: Vec<IndexRun> = Vec::new();
    for _ in 0..count {
        let run = IndexRun::decode(reader)?;
        if runs.last().is_some_and(|last| last.seq >= run.seq) {
            return None;
        }
        runs.push(run);
    }
    Some(Some(runs))
}

/// Unpacks pages of a run.
pub(crate) fn decode_pages(
    pages: &CheckpointPages,
    out: &mut Vec<Change>,
) -> Result<(), Unreadable> {
    pages.bodies().try_for_each(|body| decode_page(body, out)).map_err(|_| Unreadable)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::cmp::Ordering;

    use nanodb_pager::PageId;

    use super::*;

    fn run(extents: &[(u32, u32)]) -> IndexRun {
        let extent = |&(start, pages): &(u32, u32)| Extent::new(PageId::new(start), pages);
        IndexRun::new(Seq::new(1), 1, extents.iter().map(extent).collect())
    }

    #[test]
    fn each_page_of_a_run_is_found_with_those_behind_it() {
        let extents = [(10, 1), (20, 5), (7, 1), (30, 3), (90, 40)];
        let run = run(&extents);
        let pages: Vec<(u32, u32)> = extents
            .iter()
            .flat_map(|&(start, pages)| (0..pages).map(move |page| (start + page, pages - page)))
            .collect();
        assert_eq!(run.pages(), pages.len() as u64);
        for most in [1, 2, 8, 100] {
            for (index, &(start, left)) in (0..).zip(&pages) {
                let wanted = Extent::new(PageId::new(start), left.min(most));
                assert_eq!(run.extent_at(index, most), Some(wanted), "{index}");
            }
            assert_eq!(run.extent_at(run.pages(), most), None);
            assert_eq!(run.extent_at(u64::MAX, most), None);
        }
        assert_eq!(IndexRun::new(Seq::new(1), 0, Vec::new()).extent_at(0, 1), None);
    }

    #[test]
    fn a_page_among_very_many_extents_is_found_in_few_steps() {
        /// Counts how often it is compared.
        struct Counted<'a>(u64, &'a Cell<u32>);

        impl PartialEq<u64> for Counted<'_> {
            fn eq(&self, other: &u64) -> bool {
                self.partial_cmp(other) == Some(Ordering::Equal)
            }
        }

        impl PartialOrd<u64> for Counted<'_> {
            fn partial_cmp(&self, other: &u64) -> Option<Ordering> {
                self.1.set(self.1.get() + 1);
                self.0.partial_cmp(other)
            }
        }

        let steps = Cell::new(0);
        let ends: Vec<Counted<'_>> = (1..=100_000).map(|end| Counted(end, &steps)).collect();
        for index in (0..100_000).step_by(1009) {
            steps.set(0);
            assert_eq!(first_beyond(&ends, index) as u64, index);
            assert!(steps.get() <= 20, "{} steps", steps.get());
        }
    }
}
