//! Building the id index by reading all pages.

use nanodb_index::{IdIndex, IndexWriter, Place, hash_id};
use nanodb_page::spill::Head;
use nanodb_page::{PageRef, Record, RecordKind};
use nanodb_pager::{PageId, WriteTx};

use super::{Index, Store};
use crate::error::Result;
use crate::id::record_key;
use crate::spill::SLOTTED;

impl Store {
    /// Reads the installed state of all pages. Under the writer's lock.
    pub(super) fn build_index(&self) -> Result<Index> {
        let layout = self.layout.read().clone();
        // Never installed: a transaction is what sees the newest installed pages.
        let tx = self.pager.begin();
        let mut unreadable = Vec::new();
        let ids = IdIndex::new();
        let mut ids_writer = ids.write();
        for page in layout.pages() {
            if !self.index_page(&tx, page, &mut ids_writer)? {
                unreadable.push(page);
            }
        }
        drop(ids_writer);
        Ok(Index { ids, unreadable })
    }

    /// Adds the documents on one page; false if some may be missing because of damage.
    fn index_page(&self, tx: &WriteTx, page: PageId, ids: &mut IndexWriter<'_>) -> Result<bool> {
        let held = match tx.page(page) {
            Ok(held) => held,
            Err(nanodb_pager::Error::Corrupt(_)) => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        if held.owner() != self.owner || held.kind() != SLOTTED {
            return Ok(false);
        }
        let Ok(slots) = PageRef::parse(held.body()) else { return Ok(false) };
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
                    let place = Place { page: page.get(), slot: record.slot.get() };
                    ids.insert(hash_id(self.hash_seed, key), place);
                }
                None => sound = false,
            }
        }
        Ok(sound)
    }
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
