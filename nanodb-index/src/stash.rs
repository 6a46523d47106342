//! Entries that fit nowhere else: a tree that is empty in practice.
//!
//! Sixty-five ids with one and the same key have no room in a window of eight buckets,
//! however large the index grows, and a slot number above 1023 has none in an entry. Both
//! are kept here, so that no insert ever fails. A look-up that found nothing in its
//! group comes here, too, and meets the entries of its own key alone: who knows the seed can make
//! up any number of ids with one key, and no look-up of another key may pay for them.
//!
//! The bits of a key lead down the tree, four at each fork, the highest first. So the keys of a
//! range lie side by side, and a group that goes takes its own from here without looking at others.
//! At the end of the path is a list of words:
//!
//! ```text
//! bits    meaning
//! ------  -------------------------------------
//!  0..16  the slot
//! 16..48  the page
//! 48      set; a word that is zero is free
//! ```
//!
//! # Invariants
//!
//! 1. An entry is one word. It stays where it is until it is removed.
//! 2. Forks and lists are never taken away, and what hangs on them is never changed for another.
//!    They are few: for each key that ever had too many entries at once.
//! 3. Each part of a list is twice as long as the one before.

use crate::cache_lines::Lines;
use crate::key_hash::KeyHash;
use crate::record_id::RecordId;
use crate::sync::{AtomicU64, AtomicUsize, OnceLock, Ordering};

/// The bits of a key that one fork is for.
const FORK_BITS: u32 = 4;
const FORK_WAYS: usize = 1 << FORK_BITS;
/// The forks on the way to a list.
const FORKS: u32 = u32::BITS / FORK_BITS;

const USED: u64 = 1 << 48;

type Branch = OnceLock<Box<Node>>;

#[derive(Debug, Default)]
pub(crate) struct Stash {
    root: Branch,
    /// Of all nodes and lists. Relaxed: a figure by itself.
    heap_bytes: AtomicUsize,
}

#[expect(clippy::large_enum_variant, reason = "there are more forks than lists")]
#[derive(Debug)]
enum Node {
    Fork([Branch; FORK_WAYS]),
    List(List),
}

#[derive(Debug)]
struct List {
    lines: Lines,
    more: OnceLock<Box<List>>,
}

impl Stash {
    /// Calls `probe` for each record id of `key` until it returns something.
    #[inline]
    pub(crate) fn find<R>(
        &self,
        key: KeyHash,
        probe: impl FnMut(RecordId) -> Option<R>,
    ) -> Option<R> {
        if self.root.get().is_none() { None } else { self.search(key, probe) }
    }

    #[cold]
    fn search<R>(&self, key: KeyHash, mut probe: impl FnMut(RecordId) -> Option<R>) -> Option<R> {
        // Acquire, pairs with the Release stores in `insert` and in `remove`: a word seen to be
        // free implies what its remover did before.
        let mut words = self.list(key)?.words().map(|word| word.load(Ordering::Acquire));
        words.find_map(|word| unpack(word).and_then(&mut probe))
    }

    /// The list of a key, if it ever had one.
    fn list(&self, key: KeyHash) -> Option<&List> {
        let mut branch = &self.root;
        for depth in 0.. {
            match &**branch.get()? {
                Node::Fork(ways) => branch = ways.get(way(key, depth))?,
                Node::List(list) => return Some(list),
            }
        }
        None
    }

    fn list_or_new(&self, key: KeyHash) -> Option<&List> {
        let mut branch = &self.root;
        for depth in 0..=FORKS {
            let node = branch.get();
            match &**node.unwrap_or_else(|| branch.get_or_init(|| self.new_node(depth))) {
                Node::Fork(ways) => branch = ways.get(way(key, depth))?,
                Node::List(list) => return Some(list),
            }
        }
        None
    }

    fn new_node(&self, depth: u32) -> Box<Node> {
        self.heap_bytes.fetch_add(size_of::<Node>(), Ordering::Relaxed);
        Box::new(match depth {
            FORKS => Node::List(self.new_list(1)),
            _ => Node::Fork(Default::default()),
        })
    }

    fn new_list(&self, lines: usize) -> List {
        let lines = Lines::zeroed(lines);
        self.heap_bytes.fetch_add(lines.heap_bytes(), Ordering::Relaxed);
        List { lines, more: OnceLock::default() }
    }

    pub(crate) fn insert(&self, key: KeyHash, record_id: RecordId) {
        let mut list = self.list_or_new(key);
        let mut lines = 1;
        while let Some(part) = list {
            let mut words = part.lines.iter().flatten();
            if let Some(free) = words.find(|word| word.load(Ordering::Relaxed) == 0) {
                // Release, pairs with the load in `search`.
                free.store(pack(record_id), Ordering::Release);
                return;
            }
            lines *= 2;
            let more = part.more.get();
            list = Some(more.unwrap_or_else(|| {
                part.more.get_or_init(|| {
                    self.heap_bytes.fetch_add(size_of::<List>(), Ordering::Relaxed);
                    Box::new(self.new_list(lines))
                })
            }));
        }
    }

    pub(crate) fn remove(&self, key: KeyHash, record_id: RecordId) -> bool {
        let mut words = self.list(key).into_iter().flat_map(List::words);
        let found = words.find(|word| word.load(Ordering::Relaxed) == pack(record_id));
        // Release, pairs with the load in `search`.
        found.inspect(|word| word.store(0, Ordering::Release)).is_some()
    }

    /// Calls `visit` for each entry of these keys, the first and the last among them. Others cost
    /// nothing.
    pub(crate) fn for_each_in(&self, keys: (u32, u32), mut visit: impl FnMut(KeyHash, RecordId)) {
        self.visit(keys, &mut |key, word| {
            if let Some(record_id) = unpack(word.load(Ordering::Relaxed)) {
                visit(key, record_id);
            }
        });
    }

    fn visit(&self, keys: (u32, u32), visit: &mut impl FnMut(KeyHash, &AtomicU64)) {
        if let Some(root) = self.root.get() {
            root.visit(0, 0, keys, visit);
        }
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.heap_bytes.load(Ordering::Relaxed)
    }
}

impl Node {
    /// Visits the words of `keys`, as far as they are below this node, whose keys begin with
    /// `first`.
    fn visit(
        &self,
        depth: u32,
        first: u32,
        keys: (u32, u32),
        visit: &mut impl FnMut(KeyHash, &AtomicU64),
    ) {
        let last = first | u32::MAX.checked_shr(depth * FORK_BITS).unwrap_or(0);
        if last < keys.0 || first > keys.1 {
            return;
        }
        match self {
            Self::List(list) => {
                list.words().for_each(|word| visit(KeyHash::from_bits(first), word))
            }
            Self::Fork(ways) => {
                for (way, node) in (0..).zip(ways) {
                    if let Some(node) = node.get() {
                        node.visit(depth + 1, first | way << shift(depth), keys, visit);
                    }
                }
            }
        }
    }
}

impl List {
    fn words(&self) -> impl Iterator<Item = &AtomicU64> {
        let parts = std::iter::successors(Some(self), |part| part.more.get().map(|more| &**more));
        parts.flat_map(|part| part.lines.iter().flatten())
    }
}

/// Where the bits lie that the fork of this depth is for.
fn shift(depth: u32) -> u32 {
    (FORKS - 1).saturating_sub(depth) * FORK_BITS
}

fn way(key: KeyHash, depth: u32) -> usize {
    (key.bits() >> shift(depth)) as usize % FORK_WAYS
}

fn pack(record_id: RecordId) -> u64 {
    USED | u64::from(record_id.page) << 16 | u64::from(record_id.slot)
}

fn unpack(word: u64) -> Option<RecordId> {
    #[expect(clippy::cast_possible_truncation, reason = "the table above: 32 and 16 bits")]
    let (page, slot) = ((word >> 16) as u32, word as u16);
    (word != 0).then_some(RecordId { page, slot })
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn record_id(number: u32) -> RecordId {
        RecordId { page: number, slot: 2000 }
    }

    /// How many forks a look-up passes, and how many words it looks at.
    fn steps(stash: &Stash, key: KeyHash) -> (u32, usize) {
        let (mut branch, mut forks) = (&stash.root, 0);
        while let Some(Node::Fork(ways)) = branch.get().map(|node| &**node) {
            branch = &ways[way(key, forks)];
            forks += 1;
        }
        (forks, stash.list(key).map_or(0, |list| list.words().count()))
    }

    #[test]
    fn a_look_up_pays_for_entries_of_its_own_key_alone() {
        let stash = Stash::default();
        let wanted = KeyHash::from_bits(0x8765_4321);
        // All keys that differ from it in one bit, and so are as near to it as can be.
        let others = (0..32).map(|bit| KeyHash::from_bits(wanted.bits() ^ 1 << bit));
        for key in others.clone() {
            (0..100).for_each(|number| stash.insert(key, record_id(number)));
        }
        assert_eq!(steps(&stash, wanted).1, 0);
        assert!(stash.list(wanted).is_none());
        (0..3).for_each(|number| stash.insert(wanted, record_id(number)));
        assert_eq!(steps(&stash, wanted), (FORKS, crate::cache_lines::LINE_WORDS));
        assert!(others.clone().all(|key| steps(&stash, key).1 < 400));
        let mut met = Vec::new();
        let _: Option<()> = stash.find(wanted, |record_id| {
            met.push(record_id);
            None
        });
        assert_eq!(met, [record_id(0), record_id(1), record_id(2)]);
    }

    #[test]
    fn entries_come_in_the_order_of_their_keys_and_by_ranges() {
        let stash = Stash::default();
        let keys = [1, 2, 15, 16, 0xffff, 0x1_0000, 0x8000_0001, u32::MAX - 1, u32::MAX];
        for (number, key) in (0..).zip(keys.into_iter().rev()) {
            stash.insert(KeyHash::from_bits(key), record_id(number));
        }
        for first in [0].into_iter().chain(keys) {
            for last in [0].into_iter().chain(keys) {
                let mut met = Vec::new();
                stash.for_each_in((first, last), |key, _| met.push(key.bits()));
                let wanted = keys.into_iter().filter(|key| (first..=last).contains(key));
                assert!(wanted.eq(met), "{first:x} to {last:x}");
            }
        }
    }

    #[test]
    fn room_that_is_given_up_is_used_again() {
        let stash = Stash::default();
        let key = KeyHash::from_bits(7);
        (0..100).for_each(|number| stash.insert(key, record_id(number)));
        let bytes = stash.heap_bytes();
        for number in 0..1000 {
            assert!(stash.remove(key, record_id(number)) && !stash.remove(key, record_id(number)));
            stash.insert(key, record_id(number + 100));
        }
        assert_eq!(stash.heap_bytes(), bytes);
        assert!((1000..1100).all(|number| stash.remove(key, record_id(number))));
        let mut left = 0;
        stash.for_each_in((0, u32::MAX), |_, _| left += 1);
        assert_eq!((left, stash.heap_bytes()), (0, bytes));
    }
}
