//! What a commit tells the catalog besides the pages it changes.
//!
//! A commit's metadata is a sequence of edits; numbers are [LEB128](crate::catalog::varint), text
//! has its length in front.
//!
//! ```text
//! tag  edit         fields
//! ---  -----------  ------------------------------------------------------------
//!   1  Create       collection, name
//!   2  Drop         collection
//!   3  Rename       collection, new name
//!   4  State        collection, documents, next id, pages in use, index of the first
//!                   extent that changed, how many follow, then for each its first
//!                   page and its length
//!   5  RunsAdded    collection, how many, then for each its first page and its length
//!   6  RunsRemoved  as RunsAdded
//!   7  Index        collection, how many entries go, how many come, then those that go
//!                   and those that come, see below
//! ```
//!
//! An index entry is the 32 bits of the hash that the index knows, little-endian; the page,
//! less the one of the entry before (the first: less 0), as a number with its sign in the
//! lowest bit; the slot.
//!
//! State gives the numbers as they are after the commit and not by how much they
//! changed, runs are sets of pages, and of the changes of one index entry the last counts: a
//! sequence of edits that is replayed twice says the same as one that is replayed once.

use nanodb_index::{Change, KeyHash, RecordId};
use nanodb_pager::{Extent, PageId};

use crate::catalog::varint::{self, Reader};
use crate::ids::CollectionId;

const CREATE: u8 = 1;
const DROP: u8 = 2;
const RENAME: u8 = 3;
const STATE: u8 = 4;
const RUNS_ADDED: u8 = 5;
const RUNS_REMOVED: u8 = 6;
const INDEX: u8 = 7;

/// The fewest bytes that an index entry takes.
const CHANGE_BYTES_MIN: usize = 6;

/// One edit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CatalogEdit<'a> {
    Create { collection: CollectionId, name: &'a str },
    Drop { collection: CollectionId },
    Rename { collection: CollectionId, name: &'a str },
    State(State),
    RunsAdded(Runs),
    RunsRemoved(Runs),
    Index(Index<'a>),
}

/// Entries of the id index that go, and then those that come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Index<'a> {
    pub(crate) collection: CollectionId,
    removed: usize,
    added: usize,
    /// Checked when the edit is read.
    entries: &'a [u8],
}

/// Overflow pages that a collection takes or gives back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Runs {
    pub(crate) collection: CollectionId,
    pub(crate) runs: Vec<Extent>,
}

/// What a collection counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    /// How many documents there are.
    pub(crate) count: u64,
    /// The next integer to assign as an id.
    pub(crate) next_id: u64,
    /// How many pages of the extents are in use.
    pub(crate) used_pages: u64,
}

/// A collection's numbers and extents after a commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) collection: CollectionId,
    pub(crate) counters: Counters,
    /// The extents from this index on are replaced by `extents`.
    pub(crate) extents_from: usize,
    pub(crate) extents: Vec<Extent>,
}

impl CatalogEdit<'_> {
    /// Appends the edit to a commit's metadata.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Create { collection, name } => {
                out.push(CREATE);
                varint::write(out, u64::from(collection.get()));
                varint::write_text(out, name);
            }
            Self::Drop { collection } => {
                out.push(DROP);
                varint::write(out, u64::from(collection.get()));
            }
            Self::Rename { collection, name } => {
                out.push(RENAME);
                varint::write(out, u64::from(collection.get()));
                varint::write_text(out, name);
            }
            Self::State(state) => encode_state(
                out,
                state.collection,
                state.counters,
                state.extents_from,
                &state.extents,
            ),
            Self::RunsAdded(runs) => runs.encode(RUNS_ADDED, out),
            Self::RunsRemoved(runs) => runs.encode(RUNS_REMOVED, out),
            Self::Index(index) => {
                encode_index_header(out, index.collection, index.removed, index.added);
                out.extend_from_slice(index.entries);
            }
        }
    }
}

/// Appends a [`State`] entry without making one.
pub(crate) fn encode_state(
    out: &mut Vec<u8>,
    collection: CollectionId,
    counters: Counters,
    extents_from: usize,
    extents: &[Extent],
) {
    out.push(STATE);
    varint::write(out, u64::from(collection.get()));
    let Counters { count, next_id, used_pages } = counters;
    for number in [count, next_id, used_pages] {
        varint::write(out, number);
    }
    varint::write(out, extents_from as u64);
    write_extents(out, extents);
}

/// Appends an [`Index`] entry without making one: key hashes and record ids that go and that come.
#[inline]
pub(crate) fn encode_index(
    out: &mut Vec<u8>,
    collection: CollectionId,
    removed: impl ExactSizeIterator<Item = (KeyHash, RecordId)>,
    added: impl ExactSizeIterator<Item = (KeyHash, RecordId)>,
) {
    encode_index_header(out, collection, removed.len(), added.len());
    let mut before = 0;
    for (key, record_id) in removed.chain(added) {
        out.extend_from_slice(&key.bits().to_le_bytes());
        let difference = i64::from(record_id.page) - i64::from(before);
        varint::write(out, (difference << 1 ^ difference >> 63).cast_unsigned());
        varint::write(out, record_id.slot.into());
        before = record_id.page;
    }
}

fn encode_index_header(out: &mut Vec<u8>, collection: CollectionId, removed: usize, added: usize) {
    out.push(INDEX);
    varint::write(out, u64::from(collection.get()));
    varint::write(out, removed as u64);
    varint::write(out, added as u64);
}

impl<'a> Index<'a> {
    /// Reads what [`encode_index`] wrote, and checks that it makes sense.
    fn read(collection: CollectionId, reader: &mut Reader<'a>) -> Option<Self> {
        let (removed, added) = (reader.usize()?, reader.usize()?);
        let count = removed.checked_add(added)?;
        if count > reader.remaining() / CHANGE_BYTES_MIN {
            return None;
        }
        let begun = *reader;
        let mut page = 0;
        for _ in 0..count {
            page = read_index_entry(reader, page)?.1.page;
        }
        let entries = begun.before(reader);
        Some(Self { collection, removed, added, entries })
    }

    /// The changes, in order.
    pub(crate) fn changes(&self) -> impl Iterator<Item = Change> + 'a {
        let (removed, mut reader, mut page) = (self.removed, Reader::new(self.entries), 0);
        (0..self.removed + self.added).map_while(move |at| {
            let (key, record_id) = read_index_entry(&mut reader, page)?;
            page = record_id.page;
            Some(Change { key, record_id, removed: at < removed })
        })
    }
}

/// Reads an entry; `before` is the page of the one before.
#[inline]
fn read_index_entry(reader: &mut Reader<'_>, before: u32) -> Option<(KeyHash, RecordId)> {
    let key = KeyHash::from_stored(u32::from_le_bytes(reader.array()?))?;
    let number = reader.u64()?;
    let difference = (number >> 1).cast_signed() ^ -(number & 1).cast_signed();
    let page = u32::try_from(i64::from(before).checked_add(difference)?).ok()?;
    let slot = u16::try_from(reader.u64()?).ok().filter(|&slot| slot < RecordId::SLOTS)?;
    Some((key, RecordId { page, slot }))
}

impl Runs {
    fn encode(&self, tag: u8, out: &mut Vec<u8>) {
        out.push(tag);
        varint::write(out, u64::from(self.collection.get()));
        write_extents(out, &self.runs);
    }
}

/// Appends how many extents there are, and each.
pub(crate) fn write_extents(out: &mut Vec<u8>, extents: &[Extent]) {
    varint::write(out, extents.len() as u64);
    for extent in extents {
        varint::write(out, u64::from(extent.start.get()));
        varint::write(out, u64::from(extent.pages));
    }
}

/// Reads what [`write_extents`] wrote. Refuses extents that are empty or reach past the
/// last page number.
pub(crate) fn read_extents(reader: &mut Reader<'_>) -> Option<Vec<Extent>> {
    let count = reader.usize()?;
    // Each takes two bytes at least, so a false count cannot make us reserve much.
    let mut extents = Vec::with_capacity(count.min(reader.remaining() / 2));
    for _ in 0..count {
        let extent = Extent::new(PageId::new(reader.u32()?), reader.u32()?);
        if extent.pages == 0 || extent.end() > 1 << 32 {
            return None;
        }
        extents.push(extent);
    }
    Some(extents)
}

/// Iterates over the edits of a commit's metadata. `None` as an item: the bytes make no sense, and
/// nothing follows.
#[derive(Debug)]
pub(crate) struct CatalogEdits<'a> {
    reader: Reader<'a>,
}

impl<'a> CatalogEdits<'a> {
    pub(crate) fn new(metadata: &'a [u8]) -> Self {
        Self { reader: Reader::new(metadata) }
    }

    fn read(&mut self) -> Option<CatalogEdit<'a>> {
        let reader = &mut self.reader;
        let tag = reader.byte()?;
        let collection = CollectionId::new(reader.u32()?);
        Some(match tag {
            CREATE => CatalogEdit::Create { collection, name: reader.text()? },
            DROP => CatalogEdit::Drop { collection },
            RENAME => CatalogEdit::Rename { collection, name: reader.text()? },
            STATE => CatalogEdit::State(State {
                collection,
                counters: Counters {
                    count: reader.u64()?,
                    next_id: reader.u64()?,
                    used_pages: reader.u64()?,
                },
                extents_from: reader.usize()?,
                extents: read_extents(reader)?,
            }),
            RUNS_ADDED => CatalogEdit::RunsAdded(Runs { collection, runs: read_extents(reader)? }),
            RUNS_REMOVED => {
                CatalogEdit::RunsRemoved(Runs { collection, runs: read_extents(reader)? })
            }
            INDEX => CatalogEdit::Index(Index::read(collection, reader)?),
            _ => return None,
        })
    }
}

impl<'a> Iterator for CatalogEdits<'a> {
    type Item = Option<CatalogEdit<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.reader.is_empty() {
            return None;
        }
        let entry = self.read();
        if entry.is_none() {
            self.reader = Reader::new(&[]);
        }
        Some(entry)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn entries_have_the_bytes_the_format_promises() {
        let mut metadata = Vec::new();
        let runs =
            Runs { collection: CollectionId::new(1), runs: vec![Extent::new(PageId::new(300), 2)] };
        let index = [4, 3, 2, 1, 0x90, 3, 7, 5, 3, 2, 1, 0, 7, 6, 3, 2, 1, 0x8d, 1, 8];
        let index =
            Index { collection: CollectionId::new(1), removed: 1, added: 2, entries: &index };
        let entries = [
            CatalogEdit::Create { collection: CollectionId::new(1), name: "abc" },
            CatalogEdit::Rename { collection: CollectionId::new(1), name: "d" },
            CatalogEdit::State(State {
                collection: CollectionId::new(1),
                counters: Counters { count: 5, next_id: 6, used_pages: 1 },
                extents_from: 0,
                extents: vec![Extent::new(PageId::new(2), 1)],
            }),
            CatalogEdit::RunsAdded(runs.clone()),
            CatalogEdit::RunsRemoved(runs),
            CatalogEdit::Index(index.clone()),
            CatalogEdit::Drop { collection: CollectionId::new(1) },
        ];
        entries.iter().for_each(|entry| entry.encode(&mut metadata));
        assert_eq!(
            metadata,
            [
                &[1, 1, 3, b'a', b'b', b'c'][..],
                &[3, 1, 1, b'd'],
                &[4, 1, 5, 6, 1, 0, 1, 2, 1],
                &[5, 1, 1, 0xac, 2, 2],
                &[6, 1, 1, 0xac, 2, 2],
                &[7, 1, 1, 2],
                &[4, 3, 2, 1, 0x90, 3, 7],
                &[5, 3, 2, 1, 0, 7],
                &[6, 3, 2, 1, 0x8d, 1, 8],
                &[2, 1],
            ]
            .concat()
        );
        let read: Option<Vec<CatalogEdit<'_>>> = CatalogEdits::new(&metadata).collect();
        assert_eq!(read.as_deref(), Some(&entries[..]));

        let change = |key, page, slot, removed| Change {
            key: KeyHash::from_bits(key),
            record_id: RecordId { page, slot },
            removed,
        };
        let changes: Vec<Change> = index.changes().collect();
        assert_eq!(
            changes,
            [
                change(0x0102_0304, 200, 7, true),
                change(0x0102_0305, 200, 7, false),
                change(0x0102_0306, 129, 8, false)
            ]
        );
        let (mut again, entry) = (Vec::new(), |change: &Change| (change.key, change.record_id));
        let (removed, added) = changes.split_at(1);
        encode_index(
            &mut again,
            CollectionId::new(1),
            removed.iter().map(entry),
            added.iter().map(entry),
        );
        let mut expected = Vec::new();
        CatalogEdit::Index(index).encode(&mut expected);
        assert_eq!(again, expected);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let refused = CatalogEdits::new(&bytes).position(|entry| entry.is_none());
            prop_assert!(CatalogEdits::new(&bytes).count() <= bytes.len());
            prop_assert!(refused.is_none_or(|at| at + 1 == CatalogEdits::new(&bytes).count()));
        }
    }
}
