//! One entry that came or went.

use crate::key_hash::KeyHash;
use crate::record_id::RecordId;

/// An entry that was added to the index, or removed from it: what a run is made of.
///
/// Ordered by key and record id. A set of entries is what is left when, of all changes with the
/// same key and record id, the newest counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Change {
    /// The hash of the document's id.
    pub key: KeyHash,
    /// Where the document's record is, or was.
    pub record_id: RecordId,
    /// Whether the entry went.
    pub removed: bool,
}

impl Change {
    /// What two changes of the same entry have in common.
    #[inline]
    pub(crate) fn entry(&self) -> (KeyHash, RecordId) {
        (self.key, self.record_id)
    }
}
