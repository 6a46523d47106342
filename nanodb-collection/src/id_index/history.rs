//! Where documents were, for snapshots that show them there.
//!
//! An entry of the index goes once the commit that made it obsolete is published. If
//! it led to a document as of a snapshot that is open, it comes here first. Like a
//! version of a page, it is held for the latest snapshot that wants it; when that is
//! dropped it passes to the next earlier one, or goes.

use std::collections::BTreeMap;

use hashbrown::HashTable;
use nanodb_index::{KeyHash, RecordId};
use nanodb_pager::{Pager, Seq};
use smallvec::SmallVec;

/// An entry that the index has no more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct FormerEntry {
    pub(crate) hash: KeyHash,
    pub(crate) record_id: RecordId,
    /// The earliest open snapshot at which it was right.
    pub(crate) from: Seq,
    /// The commit as of which it leads nowhere.
    pub(crate) until: Seq,
}

/// The entries of one collection that only snapshots want.
#[derive(Debug, Default)]
pub(crate) struct History {
    by_hash: HashTable<FormerEntry>,
    by_snapshot: BTreeMap<Seq, Vec<FormerEntry>>,
}

impl History {
    /// Keeps an entry if a snapshot wants it; `open` are all of them, in order.
    pub(crate) fn keep(&mut self, former: FormerEntry, open: &[Seq]) {
        if self.hold(former, open) {
            self.by_hash
                .insert_unique(former.hash.table_hash(), former, |former| former.hash.table_hash());
        }
    }

    /// Where documents with that hash may have been as of the snapshot at `at`.
    pub(crate) fn find(&self, hash: KeyHash, at: Seq) -> SmallVec<[RecordId; 2]> {
        let same = self.by_hash.iter_hash(hash.table_hash());
        let right = |f: &&FormerEntry| f.hash == hash && f.from <= at && at < f.until;
        same.filter(right).map(|former| former.record_id).collect()
    }

    /// Whether an entry that led to this record as of the snapshot at `at` is here already.
    pub(crate) fn covers(&self, hash: KeyHash, record_id: RecordId, at: Seq) -> bool {
        let mut same = self.by_hash.iter_hash(hash.table_hash());
        same.any(|f| f.hash == hash && f.record_id == record_id && f.from <= at && at < f.until)
    }

    /// Drops what no snapshot wants; false if nothing is left.
    pub(crate) fn sweep(&mut self, pager: &Pager) -> bool {
        let Some(&last) = self.by_snapshot.keys().next_back() else { return false };
        let open = pager.snapshots_within(Seq::ZERO..Seq::new(last.get().saturating_add(1)));
        let gone: SmallVec<[Seq; 4]> = self
            .by_snapshot
            .keys()
            .copied()
            .filter(|holder| open.binary_search(holder).is_err())
            .collect();
        // The latest first: what it held may pass to another that is gone, too, but not
        // back.
        for holder in gone.into_iter().rev() {
            for former in self.by_snapshot.remove(&holder).unwrap_or_default() {
                if !self.hold(former, &open)
                    && let Ok(found) =
                        self.by_hash.find_entry(former.hash.table_hash(), |f| *f == former)
                {
                    found.remove();
                }
            }
        }
        if self.by_hash.is_empty() {
            *self = Self::default();
        }
        !self.by_hash.is_empty()
    }

    /// Gives an entry to the latest snapshot that wants it, if one does.
    fn hold(&mut self, former: FormerEntry, open: &[Seq]) -> bool {
        let before = open.partition_point(|&seq| seq < former.until);
        let latest = before.checked_sub(1).and_then(|at| open.get(at));
        match latest.filter(|&&seq| seq >= former.from) {
            Some(&seq) => {
                self.by_snapshot.entry(seq).or_default().push(former);
                true
            }
            None => false,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.by_hash.is_empty()
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.by_hash.len()
    }
}
