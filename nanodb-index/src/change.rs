//! One entry that came or went.

use crate::place::Place;

/// An entry that was added to the index, or removed from it: what a run is made of.
///
/// Ordered by key and place. A set of entries is what is left when, of all changes with the
/// same key and place, the newest counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Change {
    /// The [bits of the hash](crate::key_bits) that the index knows.
    pub key: u32,
    /// Where the document is, or was.
    pub place: Place,
    /// Whether the entry went.
    pub removed: bool,
}

impl Change {
    /// What two changes of the same entry have in common.
    #[inline]
    pub(crate) fn entry(&self) -> (u32, Place) {
        (self.key, self.place)
    }
}
