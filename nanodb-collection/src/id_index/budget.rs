//! How much memory the id indexes of a database may take together, and what goes when that is too
//! much.
//!
//! A hand goes round the groups that are in memory, collection by collection. Those that were
//! looked at since it came by last stay once more, and a few times more if they were looked at each
//! time before; the others go, whichever collection asks for room. So a collection that
//! nobody reads gives way to those that are read, and going through one once does not cost another
//! the part of its index that it always needs.
//!
//! Nobody waits here for long: a collection whose index is being written, or whose groups could not
//! be loaded again, is passed over.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use nanodb_index::{IndexWriter, KeyHash};
use parking_lot::Mutex;

use super::{CollectionIndex, LoadedBytes};
use crate::ids::CollectionId;

/// Rounds of the hand after which nothing can go. One of them is not whole, for the hand began amid
/// it; in so many more goes each group that nobody looks at; in the last one goes any.
const ROUNDS: usize = IndexWriter::PASSES_MAX + 2;

/// The budget of a database.
#[derive(Debug)]
pub(crate) struct Budget {
    bytes_max: usize,
    pub(crate) loaded: Arc<LoadedBytes>,
    ring: Mutex<Ring>,
}

/// The collections that have groups in memory, by number.
#[derive(Debug, Default)]
struct Ring {
    indexes: BTreeMap<CollectionId, Weak<CollectionIndex>>,
    /// Where the hand is.
    at: CollectionId,
}

impl Budget {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { bytes_max, loaded: Arc::default(), ring: Mutex::default() }
    }

    /// Whether there is a limit.
    pub(crate) fn is_limited(&self) -> bool {
        self.bytes_max < usize::MAX
    }

    fn is_exceeded(&self) -> bool {
        self.loaded.get() > self.bytes_max
    }

    /// Drops groups of any collections until they take no more than they may, but for the group of
    /// `hash` in the collection that asks.
    pub(crate) fn keep(&self, own: &Arc<CollectionIndex>, hash: KeyHash) {
        if !self.is_limited() {
            return;
        }
        let is_new = own.count_loaded() == 0;
        if !is_new && !self.is_exceeded() {
            return;
        }
        let mut ring = self.ring.lock();
        ring.indexes.entry(own.collection()).or_insert_with(|| Arc::downgrade(own));
        // How many collections the hand has passed since something went.
        let mut passed = 0;
        while self.is_exceeded() && passed < ROUNDS * ring.indexes.len() {
            let must_go = passed >= (ROUNDS - 1) * ring.indexes.len();
            let Some((number, id_index)) = ring.here() else { return };
            let Some(id_index) = id_index.upgrade() else {
                ring.indexes.remove(&number);
                continue;
            };
            let spared = (number == own.collection()).then_some(hash);
            let step = id_index.drop_unused(spared, must_go);
            if step.dropped {
                passed = 0;
            }
            if step.at_end {
                passed += 1;
                ring.at = number.next().unwrap_or_default();
                if id_index.loaded_bytes() == 0 {
                    ring.indexes.remove(&number);
                }
            }
        }
    }
}

impl Ring {
    /// The collection that the hand is at.
    fn here(&self) -> Option<(CollectionId, Weak<CollectionIndex>)> {
        let mut from_here = self.indexes.range(self.at..).chain(&self.indexes);
        from_here.next().map(|(&number, id_index)| (number, Weak::clone(id_index)))
    }
}
