//! A set of index entries: key hashes and record ids.

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use nanodb_index::{KeyHash, RecordId};
use smallvec::SmallVec;

/// Up to so many are found by looking at each.
const LINEAR_MAX: usize = 8;

/// Index entries that a change adds or makes obsolete, each once.
#[derive(Debug, Default)]
pub(crate) struct EntrySet {
    entries: SmallVec<[(KeyHash, RecordId); 1]>,
    /// Positions in `entries` by hash; made when there are many and one is looked for.
    table: Option<HashTable<usize>>,
}

impl EntrySet {
    pub(crate) fn reserve(&mut self, additional: usize) {
        self.entries.reserve(additional);
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    #[inline]
    pub(crate) fn push(&mut self, hash: KeyHash, record_id: RecordId) {
        if let Some(table) = &mut self.table {
            let entries = &self.entries;
            table.insert_unique(hash.table_hash(), entries.len(), |&at| hash_at(entries, at));
        }
        self.entries.push((hash, record_id));
    }

    /// Takes an entry out; false if it is not there.
    pub(crate) fn remove(&mut self, hash: KeyHash, record_id: RecordId) -> bool {
        if self.entries.len() <= LINEAR_MAX && self.table.is_none() {
            let found = self.entries.iter().position(|&entry| entry == (hash, record_id));
            return found.map(|at| self.entries.swap_remove(at)).is_some();
        }
        self.make_table();
        let (entries, Some(table)) = (&mut self.entries, &mut self.table) else { return false };
        let same = |&at: &usize| entries.get(at) == Some(&(hash, record_id));
        let Ok(found) = table.find_entry(hash.table_hash(), same) else { return false };
        let (at, _) = found.remove();
        // The last entry comes to lie where this one was.
        let last = entries.len() - 1;
        if at != last {
            let last_hash = hash_at(entries, last);
            let rehash = |&at: &usize| hash_at(entries, at);
            if let Entry::Occupied(mut moved) = table.entry(last_hash, |&at| at == last, rehash) {
                *moved.get_mut() = at;
            }
        }
        entries.swap_remove(at);
        true
    }

    /// Calls `probe` with each record id of `hash` until it returns something.
    pub(crate) fn find<R>(
        &mut self,
        hash: KeyHash,
        mut probe: impl FnMut(RecordId) -> Option<R>,
    ) -> Option<R> {
        if self.entries.len() > LINEAR_MAX {
            self.make_table();
        }
        let Some(table) = &self.table else {
            let mut same = self.entries.iter().filter(|entry| entry.0 == hash);
            return same.find_map(|&(_, record_id)| probe(record_id));
        };
        let mut entries = table.iter_hash(hash.table_hash()).filter_map(|&at| self.entries.get(at));
        entries.find_map(|&(found, record_id)| if found == hash { probe(record_id) } else { None })
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = (KeyHash, RecordId)> + Clone {
        self.entries.iter().copied()
    }

    fn make_table(&mut self) {
        let entries = &self.entries;
        self.table.get_or_insert_with(|| {
            let mut table = HashTable::with_capacity(entries.capacity());
            for (at, &(hash, _)) in entries.iter().enumerate() {
                table.insert_unique(hash.table_hash(), at, |&at| hash_at(entries, at));
            }
            table
        });
    }
}

fn hash_at(entries: &[(KeyHash, RecordId)], at: usize) -> u64 {
    entries.get(at).map_or(0, |&(hash, _)| hash.table_hash())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use std::collections::HashSet;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_set(steps in prop::collection::vec((1..5_u32, 0..12_u32, 0..3), 0..200)) {
            let mut entries = EntrySet::default();
            let mut model: HashSet<(KeyHash, u32)> = HashSet::new();
            for (hash, page, step) in steps {
                let (hash, record_id) = (KeyHash::from_bits(hash), RecordId { page, slot: 1 });
                match step {
                    0 => prop_assert_eq!(
                        entries.remove(hash, record_id),
                        model.remove(&(hash, page))
                    ),
                    1 => {
                        let mut found = HashSet::new();
                        entries.find(hash, |record_id| {
                            found.insert((hash, record_id.page));
                            None::<()>
                        });
                        let wanted: HashSet<_> =
                            model.iter().copied().filter(|entry| entry.0 == hash).collect();
                        prop_assert_eq!(found, wanted);
                    }
                    _ => if model.insert((hash, page)) {
                        entries.push(hash, record_id);
                    }
                }
                prop_assert_eq!(entries.len(), model.len());
            }
            let all: HashSet<_> = entries.iter().map(|(hash, record_id)| (hash, record_id.page)).collect();
            prop_assert_eq!(all, model);
        }
    }
}
