//! Removing index entries that no reader follows any more.

use std::sync::Arc;

use nanodb_pager::Seq;

use super::{CollectionState, Store};
use crate::id_index::LoadedIndex;
use crate::id_index::history::FormerEntry;
use crate::id_index::retired::Entry;
use crate::lock::owner::LockOwner;

impl Store {
    /// Removes the retired entries that no reader of the published commit or a later one
    /// can want, keeping those that snapshots want. Under the writers' lock.
    pub(crate) fn remove_retired(
        self: &Arc<Self>,
        index: &LoadedIndex,
        writer: &mut CollectionState,
    ) {
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
            ids.retire(entry.hash, entry.record_id);
        }
        ids.set_pending(writer.retired.first());
    }

    /// Removes retired entries after a commit is published. If another writer is at it, it
    /// is for that one, or the next, to do so.
    pub(crate) fn clean_up(self: &Arc<Self>) {
        if let Some(index) = self.built_index()
            && let Some(mut writer) = self.state.try_lock(LockOwner::current())
        {
            self.remove_retired(index, &mut writer);
        }
    }

    fn keep_for_snapshots(self: &Arc<Self>, retired: &[Entry], published: Seq) {
        let open = self.pager.snapshots_within(Seq::ZERO..published);
        if open.is_empty() {
            return;
        }
        for &Entry { since: until, hash, record_id } in retired {
            // The index does not say since when an entry was right; the pages do. It may
            // be an entry that went and came back: then it is here for the first part of
            // its life already.
            let mut before = open.iter().copied().take_while(|&seq| seq < until);
            let from = before.find(|&seq| {
                // Not under the lock: it reads a page. Nobody adds to the history meanwhile, but
                // who has the writers' lock.
                let covered = self.history.lock().covers(hash, record_id, seq);
                !covered && self.was_at(hash, record_id, seq)
            });
            if let Some(from) = from {
                self.history.lock().keep(FormerEntry { hash, record_id, from, until }, &open);
            }
        }
        if !self.history.lock().is_empty() {
            self.list();
        }
    }
}
