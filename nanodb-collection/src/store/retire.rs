//! Index entries that newer commits have made obsolete but older readers still follow.

use std::sync::Arc;

use nanodb_index::Place;
use nanodb_pager::Seq;

use super::history::Former;
use super::{Index, Store, Writer};
use crate::places::Places;

/// Retired entries, in the order of the commits that retired them.
#[derive(Debug, Default)]
pub(crate) struct Retired {
    entries: Vec<Entry>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    /// The commit as of which the entry leads nowhere.
    since: Seq,
    hash: u64,
    place: Place,
}

impl Retired {
    pub(crate) fn push(&mut self, since: Seq, hash: u64, place: Place) {
        self.entries.push(Entry { since, hash, place });
    }

    /// Takes those back that are to be `added` again, because a new document of the same
    /// id has come to lie at the same place; takes them out of `added`.
    pub(crate) fn revive(&mut self, added: &mut Places) {
        if !self.entries.is_empty() && !added.is_empty() {
            self.entries.retain(|entry| !added.remove(entry.hash, entry.place));
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
    pub(crate) fn contains(&self, hash: u64, place: Place) -> bool {
        self.entries.iter().any(|entry| (entry.hash, entry.place) == (hash, place))
    }

    /// Which of some entries, given in order by hash and place, are among them.
    pub(crate) fn among(&self, some: &[(u64, Place)]) -> Vec<bool> {
        let mut found = vec![false; some.len()];
        for entry in &self.entries {
            if let Ok(at) = some.binary_search(&(entry.hash, entry.place))
                && let Some(found) = found.get_mut(at)
            {
                *found = true;
            }
        }
        found
    }
}

impl Store {
    /// Removes the retired entries that no reader of the published commit or a later one
    /// can want, keeping those that snapshots want. Under the writers' lock.
    pub(crate) fn remove_retired(self: &Arc<Self>, index: &Index, writer: &mut Writer) {
        let retired = &mut writer.retired.entries;
        if retired.is_empty() {
            return;
        }
        // Before the snapshots are looked at: one made later wants nothing of these.
        let published = self.pager.published();
        let due = retired.partition_point(|entry| entry.since <= published);
        if due == 0 {
            return;
        }
        self.keep_for_snapshots(retired.get(..due).unwrap_or_default(), published);
        let mut ids = index.ids.write();
        for entry in retired.drain(..due) {
            ids.retire(entry.hash, entry.place);
        }
        ids.set_pending(writer.retired.first());
    }

    fn keep_for_snapshots(self: &Arc<Self>, retired: &[Entry], published: Seq) {
        let open = self.pager.snapshots_within(Seq::ZERO..published);
        if open.is_empty() {
            return;
        }
        for &Entry { since: until, hash, place } in retired {
            // The index does not say since when an entry was right; the pages do. It may
            // be an entry that went and came back: then it is here for the first part of
            // its life already.
            let mut before = open.iter().copied().take_while(|&seq| seq < until);
            let from = before.find(|&seq| {
                !self.history.lock().covers(hash, place, seq) && self.was_at(hash, place, seq)
            });
            if let Some(from) = from {
                self.history.lock().keep(Former { hash, place, from, until }, &open);
            }
        }
        if !self.history.lock().is_empty() {
            self.list();
        }
    }
}
