//! The documents on one page: their key hashes, where they lie, and where they begin.

use nanodb_index::{KeyHash, RecordId};
use nanodb_page::overflow::Head;
use nanodb_page::{PageRef, Record, RecordKind, SlotId};
use nanodb_pager::{Owner, PageId};

use crate::pages::source::StoredPage;
use nanodb_document::{record_key, with_hashed_key};

/// Where on its page a document's record lies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RecordSpan {
    slot: SlotId,
    start: u16,
    len: u16,
}

impl RecordSpan {
    #[inline]
    pub(crate) fn of(record: &Record<'_>) -> Self {
        // A body has less than 64 KiB.
        let len = u16::try_from(record.bytes.len()).unwrap_or(u16::MAX);
        Self { slot: record.slot, start: record.offset, len }
    }

    /// Returns which record of that page it is.
    #[inline]
    pub(crate) fn on(self, page: PageId) -> RecordId {
        RecordId { page: page.get(), slot: self.slot.get() }
    }

    /// Returns the record's bytes, from the body that it was found in.
    #[inline]
    pub(crate) fn bytes(self, body: &[u8]) -> &[u8] {
        let start = usize::from(self.start);
        body.get(start..start + usize::from(self.len)).unwrap_or_default()
    }
}

/// Calls `visit` with the key hash and the slot of each document on a page; false if
/// some may be missing because of damage.
pub(crate) fn for_each_document(
    page: &impl StoredPage,
    owner: Owner,
    hash_seed: u64,
    mut visit: impl FnMut(KeyHash, u16),
) -> bool {
    if !page.is_slotted_of(owner) {
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
                let hash = with_hashed_key(key, |key| KeyHash::of_id(hash_seed, key));
                visit(hash, record.slot.get());
            }
            None => sound = false,
        }
    }
    sound
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
