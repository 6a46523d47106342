//! A set of index entries: hashes and places.

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use nanodb_index::{Place, key_bits};
use smallvec::SmallVec;

/// Up to so many are found by looking at each.
const LINEAR_MAX: usize = 8;

/// Index entries that a change adds or makes obsolete, each once.
#[derive(Debug, Default)]
pub(crate) struct EntrySet {
    entries: SmallVec<[(u64, Place); 1]>,
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
    pub(crate) fn push(&mut self, hash: u64, place: Place) {
        if let Some(table) = &mut self.table {
            let entries = &self.entries;
            table.insert_unique(hash, entries.len(), |&at| hash_at(entries, at));
        }
        self.entries.push((hash, place));
    }

    /// Takes an entry out; false if it is not there.
    pub(crate) fn remove(&mut self, hash: u64, place: Place) -> bool {
        if self.entries.len() <= LINEAR_MAX && self.table.is_none() {
            let found = self.entries.iter().position(|&entry| entry == (hash, place));
            return found.map(|at| self.entries.swap_remove(at)).is_some();
        }
        self.make_table();
        let (entries, Some(table)) = (&mut self.entries, &mut self.table) else { return false };
        let same = |&at: &usize| entries.get(at) == Some(&(hash, place));
        let Ok(found) = table.find_entry(hash, same) else { return false };
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

    /// Calls `probe` with each place of `hash` until it returns something.
    pub(crate) fn find<R>(
        &mut self,
        hash: u64,
        mut probe: impl FnMut(Place) -> Option<R>,
    ) -> Option<R> {
        if self.entries.len() > LINEAR_MAX {
            self.make_table();
        }
        let Some(table) = &self.table else {
            let mut same = self.entries.iter().filter(|entry| entry.0 == hash);
            return same.find_map(|&(_, place)| probe(place));
        };
        let mut entries = table.iter_hash(hash).filter_map(|&at| self.entries.get(at));
        entries.find_map(|&(found, place)| if found == hash { probe(place) } else { None })
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, Place)> {
        self.entries.iter().copied()
    }

    /// The entries by the bits of the hash that the index knows.
    pub(crate) fn keys(&self) -> impl ExactSizeIterator<Item = (u32, Place)> + Clone {
        self.entries.iter().map(|&(hash, place)| (key_bits(hash), place))
    }

    fn make_table(&mut self) {
        let entries = &self.entries;
        self.table.get_or_insert_with(|| {
            let mut table = HashTable::with_capacity(entries.capacity());
            for (at, &(hash, _)) in entries.iter().enumerate() {
                table.insert_unique(hash, at, |&at| hash_at(entries, at));
            }
            table
        });
    }
}

fn hash_at(entries: &[(u64, Place)], at: usize) -> u64 {
    entries.get(at).map_or(0, |&(hash, _)| hash)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use std::collections::HashSet;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_set(steps in prop::collection::vec((0..4_u64, 0..12_u32, 0..3), 0..200)) {
            let mut places = EntrySet::default();
            let mut model: HashSet<(u64, u32)> = HashSet::new();
            for (hash, page, step) in steps {
                let place = Place { page, slot: 1 };
                match step {
                    0 => prop_assert_eq!(
                        places.remove(hash, place),
                        model.remove(&(hash, page))
                    ),
                    1 => {
                        let mut found = HashSet::new();
                        places.find(hash, |place| {
                            found.insert((hash, place.page));
                            None::<()>
                        });
                        let wanted: HashSet<_> =
                            model.iter().copied().filter(|entry| entry.0 == hash).collect();
                        prop_assert_eq!(found, wanted);
                    }
                    _ => if model.insert((hash, page)) {
                        places.push(hash, place);
                    }
                }
                prop_assert_eq!(places.len(), model.len());
            }
            let all: HashSet<_> = places.iter().map(|(hash, place)| (hash, place.page)).collect();
            prop_assert_eq!(all, model);
        }
    }
}
