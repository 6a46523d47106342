//! Index entries that newer commits have made obsolete but older readers still follow.

use nanodb_index::Place;
use nanodb_pager::Seq;

use super::{Index, Store, Writer};

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

    /// Takes an entry back, because a new document of the same id has come to lie at the
    /// same place; false if it was not retired.
    pub(crate) fn revive(&mut self, hash: u64, place: Place) -> bool {
        let same = |entry: &Entry| entry.hash == hash && entry.place == place;
        match self.entries.iter().position(same) {
            Some(at) => {
                self.entries.remove(at);
                true
            }
            None => false,
        }
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl Store {
    /// Removes the retired entries that no reader of the published commit or a later one
    /// can want. Under the writer's lock.
    pub(crate) fn remove_retired(&self, index: &Index, writer: &mut Writer) {
        let retired = &mut writer.retired.entries;
        if retired.is_empty() {
            return;
        }
        let published = self.pager.published();
        let due = retired.partition_point(|entry| entry.since <= published);
        if due == 0 {
            return;
        }
        let mut ids = index.ids.write();
        for entry in retired.drain(..due) {
            ids.retire(entry.hash, entry.place);
        }
    }
}
