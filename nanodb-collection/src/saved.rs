//! The id index of a collection as a file keeps it: runs, oldest first.
//!
//! A run is a sequence of pages of kind 18, as `nanodb_index::run` packs them, written by one
//! checkpoint. The root says for each which checkpoint that was, how many entries it has, and
//! where its pages are. Of all changes of one entry that of the newest run counts.

use nanodb_index::Change;
use nanodb_index::run::{PAGE_COUNT_MAX, decode_page};
use nanodb_pager::{Extent, Owner, PageKind, SavedMark, SavedPages, Seq};

use crate::note::{read_extents, write_extents};
use crate::varint::{self, Reader};

/// Pages of a run.
pub(crate) const INDEX: PageKind = PageKind::new(18);

/// One run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SavedRun {
    /// The commit that the checkpoint shows which wrote it.
    pub(crate) seq: Seq,
    /// How many changes it holds.
    pub(crate) entries: u64,
    /// Its pages, in order.
    pub(crate) extents: Vec<Extent>,
}

/// A run could not be read, for whatever reason.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Unreadable;

impl SavedRun {
    pub(crate) fn mark(&self, owner: Owner) -> SavedMark {
        SavedMark { kind: INDEX, owner, seq: self.seq }
    }

    pub(crate) fn pages(&self) -> u64 {
        self.extents.iter().map(|extent| u64::from(extent.pages)).sum()
    }

    /// The page at `index` and those behind it that lie side by side, at most `pages`.
    pub(crate) fn extent_at(&self, index: u64, pages: u32) -> Option<Extent> {
        let mut before = 0;
        for extent in &self.extents {
            let offset = index - before;
            if offset < u64::from(extent.pages) {
                let offset = u32::try_from(offset).ok()?;
                let start = extent.page(offset)?;
                return Some(Extent::new(start, (extent.pages - offset).min(pages)));
            }
            before += u64::from(extent.pages);
        }
        None
    }

    fn decode(reader: &mut Reader<'_>) -> Option<Self> {
        let (seq, entries) = (Seq::new(reader.u64()?), reader.u64()?);
        let run = Self { seq, entries, extents: read_extents(reader)? };
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

/// Appends an index: one more than how many runs, and each; 0 for one that must be built from
/// the collection's pages.
pub(crate) fn encode_index(index: Option<&[SavedRun]>, out: &mut Vec<u8>) {
    varint::write(out, index.map_or(0, |runs| runs.len() as u64 + 1));
    index.unwrap_or_default().iter().for_each(|run| run.encode(out));
}

/// Reads what [`encode_index`] wrote.
pub(crate) fn decode_index(reader: &mut Reader<'_>) -> Option<Option<Vec<SavedRun>>> {
    let Some(count) = reader.usize()?.checked_sub(1) else { return Some(None) };
    let mut runs: Vec<SavedRun> = Vec::new();
    for _ in 0..count {
        let run = SavedRun::decode(reader)?;
        if runs.last().is_some_and(|last| last.seq >= run.seq) {
            return None;
        }
        runs.push(run);
    }
    Some(Some(runs))
}

/// Unpacks pages of a run.
pub(crate) fn decode_pages(pages: &SavedPages, out: &mut Vec<Change>) -> Result<(), Unreadable> {
    pages.bodies().try_for_each(|body| decode_page(body, out)).map_err(|_| Unreadable)
}
