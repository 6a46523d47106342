//! Index entries that newer commits have made obsolete but older readers still follow.

use nanodb_index::{KeyHash, RecordId};
use nanodb_pager::Seq;

use super::entry_set::EntrySet;

/// Retired entries, in the order of the commits that retired them.
#[derive(Debug, Default)]
pub(crate) struct RetiredEntries {
    pub(crate) entries: Vec<Entry>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    /// The commit as of which the entry leads nowhere.
    pub(crate) since: Seq,
    pub(crate) hash: KeyHash,
    pub(crate) record_id: RecordId,
}

impl RetiredEntries {
    pub(crate) fn push(&mut self, since: Seq, hash: KeyHash, record_id: RecordId) {
        self.entries.push(Entry { since, hash, record_id });
    }

    /// Takes those back that are to be `added` again, because a new document of the same
    /// id has got the same record id; takes them out of `added`.
    pub(crate) fn revive(&mut self, added: &mut EntrySet) {
        if !self.entries.is_empty() && !added.is_empty() {
            self.entries.retain(|entry| !added.remove(entry.hash, entry.record_id));
        }
    }

    /// The commit that retired the first of them.
    #[inline]
    pub(crate) fn first(&self) -> Option<u64> {
        self.entries.first().map(|entry| entry.since.get())
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether an entry is among them. Goes through all.
    #[cold]
    pub(crate) fn contains(&self, hash: KeyHash, record_id: RecordId) -> bool {
        self.entries.iter().any(|entry| (entry.hash, entry.record_id) == (hash, record_id))
    }

    /// Which of some entries, given in order by hash and record id, are among them.
    pub(crate) fn among(&self, some: &[(KeyHash, RecordId)]) -> Vec<bool> {
        let mut found = vec![false; some.len()];
        for entry in &self.entries {
            if let Ok(at) = some.binary_search(&(entry.hash, entry.record_id))
                && let Some(found) = found.get_mut(at)
            {
                *found = true;
            }
        }
        found
    }
}
