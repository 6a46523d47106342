use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::thread;

use nanodb_index::{IdIndex, KeyHash, RecordId};

use super::support::{find, relocate};

/// Documents that are always there, on the move.
const MOVERS: u32 = 3_000;

fn steps() -> u32 {
    if std::env::var_os("NANODB_TEST_LONG").is_some() { 20_000_000 } else { 600_000 }
}

/// Pages with one document each, and the index that leads to them.
struct Store {
    index: IdIndex,
    /// What each page holds: an id plus one, or nothing.
    pages: Vec<AtomicU32>,
    /// All ids from [`MOVERS`] up to this one are there.
    settled_end: AtomicU32,
    done: AtomicBool,
}

impl Store {
    fn new(pages: usize) -> Self {
        Self {
            index: IdIndex::new(),
            pages: (0..pages).map(|_| AtomicU32::new(0)).collect(),
            settled_end: AtomicU32::new(MOVERS),
            done: AtomicBool::new(false),
        }
    }

    fn hash(id: u32) -> KeyHash {
        KeyHash::of_id(3, &id.to_le_bytes())
    }

    fn put(&self, id: u32, page: u32) -> RecordId {
        self.pages[page as usize].store(id + 1, Ordering::Release);
        RecordId { page, slot: 5 }
    }

    fn contains(&self, id: u32) -> bool {
        let probe = |record_id: RecordId| {
            let stored = self.pages[record_id.page as usize].load(Ordering::Acquire);
            (stored == id + 1).then_some(())
        };
        // Those that stay where they are need no second look, whatever the index does.
        if id >= MOVERS {
            return find(&self.index, Self::hash(id), probe).is_some();
        }
        loop {
            let moves = self.index.moves();
            if find(&self.index, Self::hash(id), probe).is_some() {
                return true;
            }
            if self.index.moves() == moves {
                return false;
            }
        }
    }

    /// Settles new ids, which makes the index grow, moves others to and fro, and adds and
    /// removes some, which moves entries about within their groups.
    fn write(&self, steps: u32) {
        let mut random = fastrand::Rng::with_seed(4);
        let mut record_ids: Vec<RecordId> = (0..MOVERS).map(|id| self.put(id, id)).collect();
        let mut free: Vec<u32> = (MOVERS..2 * MOVERS).collect();
        let mut transient = Vec::new();
        for step in 0..steps {
            let mover = random.u32(0..MOVERS);
            let page = free.swap_remove(random.usize(..free.len()));
            let (from, to) = (record_ids[mover as usize], self.put(mover, page));
            assert!(relocate(&self.index, Self::hash(mover), from, to));
            self.pages[from.page as usize].store(0, Ordering::Release);
            free.push(from.page);
            record_ids[mover as usize] = to;

            let end = self.settled_end.load(Ordering::Relaxed);
            if step % 4 == 0 && ((end + MOVERS) as usize) < self.pages.len() {
                self.index.write().insert(Self::hash(end), self.put(end, end + MOVERS));
                self.settled_end.store(end + 1, Ordering::Release);
            }

            let visitor = Self::hash(step | 1 << 31);
            self.index.write().insert(visitor, RecordId { page: 0, slot: 9 });
            transient.push(visitor);
            if transient.len() > 20_000 {
                for visitor in transient.drain(..) {
                    assert!(self.index.write().remove(visitor, RecordId { page: 0, slot: 9 }));
                }
            }
        }
        self.done.store(true, Ordering::Release);
    }

    fn read(&self, seed: u64) -> u64 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut reads = 0;
        while !self.done.load(Ordering::Acquire) {
            let id = random.u32(..self.settled_end.load(Ordering::Acquire));
            assert!(self.contains(id), "{id} is there and was not found");
            reads += 1;
        }
        reads
    }
}

#[test]
fn readers_find_what_is_there_while_it_moves_and_the_index_grows() {
    let store = Store::new(150_000);
    for id in 0..MOVERS {
        let record_id = store.put(id, id);
        store.index.write().insert(Store::hash(id), record_id);
    }
    let reads = AtomicU64::new(0);
    thread::scope(|scope| {
        for seed in 0..3 {
            let (store, reads) = (&store, &reads);
            scope.spawn(move || reads.fetch_add(store.read(seed), Ordering::Relaxed));
        }
        store.write(steps());
    });
    assert!(reads.into_inner() > 1000);
    assert!((0..store.settled_end.into_inner()).len() > 100_000);
}
