//! Entries that fit nowhere else: a list that is empty in practice.
//!
//! Sixty-five ids with one and the same key have no room in a window of eight buckets,
//! however large the index grows, and a slot number above 1023 has none in an entry. Both
//! are kept here, so that no insert ever fails. A look-up that found nothing in its
//! group walks all of it.
//!
//! ```text
//! word    meaning
//! ------  -----------------------------------------------------------
//! 2*n     bit 32 set, the key below it; zero: the pair is free
//! 2*n+1   the page above bit 16, the slot below
//! ```
//!
//! # Invariants
//!
//! 1. The place is written before the key, so a pair whose key is seen has a place. It
//!    may be that of another entry by now, which its reader finds out on the page.
//! 2. A pair stays where it is until it is removed.
//! 3. Rows are filled from the first pair on, each row twice as long as the one before.

use crate::key::Key;
use crate::lines::{Line, Lines};
use crate::place::Place;
use crate::sync::{AtomicU64, OnceLock, Ordering};

const ROWS: usize = 30;
const USED: u64 = 1 << 32;

type Rows = [OnceLock<Lines>; ROWS];

#[derive(Debug, Default)]
pub(crate) struct Stash {
    rows: OnceLock<Box<Rows>>,
}

impl Stash {
    /// Calls `probe` for each place of `key` until it returns something.
    #[inline]
    pub(crate) fn find<R>(&self, key: Key, probe: impl FnMut(Place) -> Option<R>) -> Option<R> {
        if self.rows.get().is_none() { None } else { self.search(key, probe) }
    }

    #[cold]
    fn search<R>(&self, key: Key, mut probe: impl FnMut(Place) -> Option<R>) -> Option<R> {
        let wanted = USED | u64::from(key.bits());
        self.pairs().find_map(|(used, place)| {
            // Acquire twice, pairs with the Release stores in `insert` (invariant 1) and
            // in `remove`: a pair seen to be free implies what its remover did before.
            (used.load(Ordering::Acquire) == wanted)
                .then(|| unpack(place.load(Ordering::Acquire)))
                .and_then(&mut probe)
        })
    }

    pub(crate) fn insert(&self, key: Key, place: Place) {
        let rows = self.rows.get_or_init(Box::default);
        for (number, row) in rows.iter().enumerate() {
            let lines = row.get_or_init(|| Lines::zeroed(1 << number));
            let free =
                lines.iter().flat_map(pairs).find(|pair| pair.0.load(Ordering::Relaxed) == 0);
            if let Some((used, at)) = free {
                // Release, pairs with the loads in `search`.
                at.store(u64::from(place.page) << 16 | u64::from(place.slot), Ordering::Release);
                used.store(USED | u64::from(key.bits()), Ordering::Release);
                return;
            }
        }
    }

    pub(crate) fn remove(&self, key: Key, place: Place) -> bool {
        let wanted = USED | u64::from(key.bits());
        let mut pairs = self.pairs();
        let found = pairs.find(|(used, at)| {
            used.load(Ordering::Relaxed) == wanted && unpack(at.load(Ordering::Relaxed)) == place
        });
        // Release, pairs with the load in `search`.
        found.inspect(|(used, _)| used.store(0, Ordering::Release)).is_some()
    }

    pub(crate) fn clear(&self) {
        self.pairs().for_each(|(used, _)| used.store(0, Ordering::Release));
    }

    pub(crate) fn for_each(&self, mut visit: impl FnMut(Key, Place)) {
        for (used, place) in self.pairs() {
            let used = used.load(Ordering::Relaxed);
            if used != 0 {
                #[expect(clippy::cast_possible_truncation, reason = "the key is the lower half")]
                visit(Key::from_bits(used as u32), unpack(place.load(Ordering::Relaxed)));
            }
        }
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        let Some(rows) = self.rows.get() else { return 0 };
        let lines = rows.iter().filter_map(OnceLock::get).map(Lines::heap_bytes);
        size_of::<Rows>() + lines.sum::<usize>()
    }

    fn pairs(&self) -> impl Iterator<Item = (&AtomicU64, &AtomicU64)> {
        let rows = self.rows.get().into_iter().flat_map(|rows| rows.iter());
        rows.map_while(OnceLock::get).flat_map(Lines::iter).flat_map(pairs)
    }
}

fn pairs(line: &Line) -> impl Iterator<Item = (&AtomicU64, &AtomicU64)> {
    line.as_chunks::<2>().0.iter().map(|[used, place]| (used, place))
}

fn unpack(place: u64) -> Place {
    #[expect(clippy::cast_possible_truncation, reason = "the table above: 32 and 16 bits")]
    let (page, slot) = ((place >> 16) as u32, place as u16);
    Place { page, slot }
}
