//! Getting at the id index: from the file as a rule, else by reading all pages.
//!
//! Nobody writes to a collection before there is an index, so until then its pages are
//! the same as of every commit since the file was opened, and any snapshot at which the
//! collection exists will do. Whoever builds therefore waits for no writer, and holds up
//! none but those who want the same index.

use std::sync::atomic::AtomicU32;

use nanodb_index::{IdIndex, IndexWriter, Place, hash_id, key_bits};
use nanodb_page::spill::Head;
use nanodb_page::{PageRef, Record, RecordKind};
use nanodb_pager::{Owner, PageId, Snapshot};

use super::{Index, Store};
use crate::error::Result;
use crate::layout::Layout;
use crate::spill::{AsPage, SLOTTED};
use nanodb_document::{record_key, with_hashed_key};

impl Store {
    /// The index, for a reader of the published commit; none if that commit has no
    /// documents and the index was not built.
    #[inline]
    pub(crate) fn index(&self) -> Result<Option<&Index>> {
        match self.shelf.index.get() {
            Some(index) => Ok(Some(index)),
            None => self.index_now(),
        }
    }

    /// The index, if it need not be made anew by reading all pages.
    pub(crate) fn index_at_hand(&self) -> Option<&Index> {
        self.shelf.index.get().or_else(|| self.index_in_file())
    }

    /// The index, if the file has it.
    fn index_in_file(&self) -> Option<&Index> {
        let mut base = self.shelf.base.lock();
        base.runs.as_ref()?;
        Some(self.shelf.index.get_or_init(|| base.index(&self.indexes.memory)))
    }

    #[cold]
    fn index_now(&self) -> Result<Option<&Index>> {
        if let Some(index) = self.index_in_file() {
            return Ok(Some(index));
        }
        let snapshot = self.pager.snapshot();
        let index = self.index_at(&snapshot);
        drop(snapshot);
        self.attic.sweep();
        index
    }

    /// The index, for a reader of a snapshot; none if that shows no documents and the
    /// index was not built.
    pub(crate) fn index_at(&self, snapshot: &Snapshot) -> Result<Option<&Index>> {
        if let Some(index) = self.index_at_hand() {
            return Ok(Some(index));
        }
        match self.state_at(snapshot.seq()) {
            // Without pages: empty, not made yet, or dropped. From the last no index can
            // be made for those who see the collection as it was.
            Some(state) if state.layout.used_pages > 0 => {
                self.index_from(snapshot, &state.layout).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// The index, for who holds the writers' lock and found that the collection is not
    /// dropped.
    pub(crate) fn index_for_writer(&self) -> Result<&Index> {
        match self.index_at_hand() {
            Some(index) => Ok(index),
            None => {
                let snapshot = self.pager.snapshot();
                let state = self.state_at(snapshot.seq());
                let layout = state.map(|state| state.layout).unwrap_or_default();
                let index = self.index_from(&snapshot, &layout);
                drop(snapshot);
                self.attic.sweep();
                index
            }
        }
    }

    fn index_from(&self, snapshot: &Snapshot, layout: &Layout) -> Result<&Index> {
        let _alone = self.shelf.base.lock();
        if let Some(index) = self.shelf.index.get() {
            return Ok(index);
        }
        let mut unreadable = 0;
        let ids = IdIndex::within(&self.indexes.memory);
        let mut ids_writer = ids.write();
        for page in layout.pages() {
            if !self.index_page(snapshot, page, &mut ids_writer)? {
                unreadable = page.get();
            }
        }
        drop(ids_writer);
        let unreadable = AtomicU32::new(unreadable);
        Ok(self.shelf.index.get_or_init(|| Index { ids, unreadable }))
    }

    /// Adds the documents on one page; false if some may be missing because of damage.
    fn index_page(
        &self,
        snapshot: &Snapshot,
        page: PageId,
        ids: &mut IndexWriter<'_>,
    ) -> Result<bool> {
        let held = match snapshot.page(page) {
            Ok(held) => held,
            Err(nanodb_pager::Error::Corrupt(_) | nanodb_pager::Error::NoVersion { .. }) => {
                return Ok(false);
            }
            Err(error) => return Err(error.into()),
        };
        Ok(for_each_document(&held, self.owner, self.hash_seed, |key, slot| {
            ids.insert(hash_of(key), Place { page: page.get(), slot });
        }))
    }
}

/// Calls `visit` with the key in the index and the slot of each document on a page; false if
/// some may be missing because of damage.
pub(crate) fn for_each_document(
    page: &impl AsPage,
    owner: Owner,
    hash_seed: u64,
    mut visit: impl FnMut(u32, u16),
) -> bool {
    if page.owner() != owner || page.kind() != SLOTTED {
        return false;
    }
    let Ok(slots) = PageRef::parse(page.body()) else { return false };
    let mut sound = true;
    for record in slots.records() {
        let Ok(record) = record else {
            sound = false;
            continue;
        };
        if record.kind == RecordKind::Fragment {
            continue;
        }
        match document_start(&record).and_then(record_key) {
            Some(key) => {
                let hash = with_hashed_key(key, |key| hash_id(hash_seed, key));
                visit(key_bits(hash), record.slot.get());
            }
            None => sound = false,
        }
    }
    sound
}

/// What stands for the hash of an id from here on: all that the index knows of it, twice. So
/// entries that the index can't tell apart are one and the same everywhere, and both halves are
/// spread as those of a hash.
#[inline]
pub(crate) fn hash_of(key: u32) -> u64 {
    u64::from(key) << u32::BITS | u64::from(key)
}

/// The bytes that a document's record has of the document: all, or the first.
#[inline]
pub(crate) fn document_start<'a>(record: &Record<'a>) -> Option<&'a [u8]> {
    match record.kind {
        RecordKind::Document => Some(record.bytes),
        RecordKind::Head => Some(Head::decode(record.bytes).ok()?.bytes),
        _ => None,
    }
}
