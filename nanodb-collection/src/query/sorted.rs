//! Sorting what was found, in memory.
//!
//! Each document that passes is kept as its key and the fields that are wanted of it. With a limit only
//! as many are kept as can be handed out.

use std::collections::BinaryHeap;

use crate::error::{Error, Result};
use crate::stored::StoredDoc;

/// The most bytes that a sort keeps: 100 MiB.
pub const SORT_BYTES_MAX: usize = 100 << 20;

/// What each document kept costs besides its bytes.
const ENTRY_BYTES: usize = 64;

/// The documents that come first.
pub(super) struct Sorted {
    /// Of those kept, the last one is on top.
    heap: BinaryHeap<Entry>,
    kept_max: usize,
    kept_bytes: usize,
    /// How many were offered.
    number: u64,
}

/// Ordered by the key; of documents with equal ones the earlier comes first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    key: Vec<u8>,
    number: u64,
    document: Vec<u8>,
}

impl Entry {
    fn size(&self) -> usize {
        ENTRY_BYTES + self.key.len() + self.document.len()
    }
}

impl Sorted {
    /// Keeps so many at most.
    pub(super) fn new(kept_max: usize) -> Self {
        Self { heap: BinaryHeap::new(), kept_max, kept_bytes: 0, number: 0 }
    }

    /// Keeps a document with that key, made by `document`, if it is among the first ones.
    pub(super) fn offer(
        &mut self,
        key: &[u8],
        document: impl FnOnce() -> Result<Vec<u8>>,
    ) -> Result<()> {
        self.number += 1;
        if self.heap.len() >= self.kept_max {
            match self.heap.peek() {
                Some(last) if key < last.key.as_slice() => {}
                _ => return Ok(()),
            }
            self.kept_bytes -= self.heap.pop().map_or(0, |last| last.size());
        }
        let entry = Entry { key: key.to_vec(), number: self.number, document: document()? };
        self.kept_bytes += entry.size();
        if self.kept_bytes > SORT_BYTES_MAX {
            return Err(Error::SortTooLarge { bytes_max: SORT_BYTES_MAX });
        }
        self.heap.push(entry);
        Ok(())
    }

    /// The documents kept, in order.
    pub(super) fn into_documents(self) -> impl Iterator<Item = StoredDoc> {
        let entries = self.heap.into_sorted_vec();
        entries.into_iter().map(|entry| StoredDoc::assembled(entry.document))
    }
}
