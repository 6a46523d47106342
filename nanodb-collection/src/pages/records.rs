//! The documents on one page: their keys in the index, and where they begin.

use nanodb_index::{hash_id, key_bits};
use nanodb_page::spill::Head;
use nanodb_page::{PageRef, Record, RecordKind};
use nanodb_pager::Owner;

use crate::pages::overflow::{AsPage, SLOTTED};
use nanodb_document::{record_key, with_hashed_key};

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
