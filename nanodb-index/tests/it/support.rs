//! What several tests do to an index.

#![allow(clippy::unwrap_used, reason = "a test says so by panicking")]

use nanodb_index::{IdIndex, KeyHash, RecordId};

/// Looks a key up in an index all of which is there.
pub(crate) fn find<R>(
    index: &IdIndex,
    key: KeyHash,
    probe: impl FnMut(RecordId) -> Option<R>,
) -> Option<R> {
    index.look_up(key, probe).unwrap()
}

/// Moves a document: adds `to` and retires `from`; false, and no change, if `from` isn't there.
pub(crate) fn relocate(index: &IdIndex, key: KeyHash, from: RecordId, to: RecordId) -> bool {
    let mut writer = index.write();
    if find(index, key, |found| (found == from).then_some(())).is_none() {
        return false;
    }
    writer.insert(key, to);
    writer.retire(key, from)
}

/// All entries of an index all of which is there.
pub(crate) fn listed_entries(index: &IdIndex) -> Vec<(KeyHash, RecordId)> {
    let (mut all, mut next) = (Vec::new(), Some(0_u32));
    while let Some(first) = next {
        let (entries, last) = index.write().entries_at(KeyHash::from_bits(first)).unwrap();
        all.extend(entries);
        next = last.checked_add(1);
    }
    all
}
