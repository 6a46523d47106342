//! Handles: numbers that stand for what the library keeps.
//!
//! ```text
//! bits 49..=52   kind         a database, a collection, ...; never 0
//! bits 22..=48   generation   how often the slot has been given out, from 1
//! bits  0..=21   slot         where it is kept
//! ```
//!
//! A slot is given out again once its handle is freed, with the next generation. So a handle that
//! was freed is told from the one that has its slot now, however late it is used. After 2^27 times
//! a slot is given out no more.
//!
//! Looking up a handle locks nothing and writes to no memory that threads share: what is found is
//! held by an `arc-swap` guard, which keeps it alive if another thread frees the handle meanwhile.
//!
//! # Invariants
//!
//! 1. A slot holds the entry of the one handle that it was given out for, which the entry names. It
//!    is emptied by whoever takes the entry out, and only then given out again.
//! 2. A fork neither uses nor drops what its parent's handles stand for. It gives out slots of its
//!    own, of which no handle of the parent is one.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwapOption;
use parking_lot::{Mutex, MutexGuard};

use crate::process::{self, PerFork};

const SLOT_BITS: u32 = 22;
const GENERATION_BITS: u32 = 27;
const CHUNK_SLOTS: u32 = 1 << 11;
const CHUNKS: usize = 1 << (SLOT_BITS - 11);
const SLOTS_MAX: u32 = 1 << SLOT_BITS;
const GENERATION_MAX: u32 = (1 << GENERATION_BITS) - 1;

/// What handles stand for, by handle.
pub(crate) struct Table<T> {
    /// Made one after the other, as they are needed.
    chunks: [OnceLock<Box<[Slot<T>]>>; CHUNKS],
    free: PerFork<Mutex<Free>>,
    /// The first slot of the first chunk of which none was ever given out. A fork begins there: a
    /// chunk that its parent was making at the time is never made in it.
    untouched: AtomicU32,
}

struct Slot<T> {
    entry: ArcSwapOption<Entry<T>>,
    /// The generation that it was given out with last; 0 at first. It only tells a handle that was
    /// freed from one that never was: relaxed.
    generation: AtomicU32,
}

/// What a handle stands for.
pub(crate) struct Entry<T> {
    handle: u64,
    /// The process that has given it out.
    process: u64,
    pub(crate) object: T,
}

/// What a process can give out.
struct Free {
    /// Slots that were given back, each with its next generation.
    slots: Vec<(u32, u32)>,
    /// The first slot that was never given out.
    next: u32,
    /// How many are in use.
    live: usize,
}

/// Why a handle stands for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// It is zero.
    Null,
    /// It is of another kind, or none that was given out.
    Foreign,
    /// It was freed.
    Freed,
    /// It was given out by the process that this one was forked from.
    Inherited,
}

impl<T> Table<T> {
    pub(crate) const fn new() -> Self {
        Self {
            chunks: [const { OnceLock::new() }; CHUNKS],
            free: PerFork::new(),
            untouched: AtomicU32::new(0),
        }
    }

    fn free(&self) -> MutexGuard<'static, Free> {
        let all = || {
            let next = self.untouched.load(Ordering::Relaxed);
            Mutex::new(Free { slots: Vec::new(), next, live: 0 })
        };
        self.free.get(all).lock()
    }

    /// Gives out a handle of a kind, from 1 to 15; none if there are four million already.
    pub(crate) fn insert(&self, kind: u8, object: T) -> Option<u64> {
        let (number, generation) = {
            let mut free = self.free();
            let found = match free.slots.pop() {
                Some(found) => found,
                None if free.next < SLOTS_MAX => {
                    let number = free.next;
                    let chunks = number / CHUNK_SLOTS + 1;
                    self.untouched.store(chunks * CHUNK_SLOTS, Ordering::Relaxed);
                    free.next += 1;
                    (number, 1)
                }
                None => return None,
            };
            free.live += 1;
            found
        };
        let handle = u64::from(kind) << (SLOT_BITS + GENERATION_BITS)
            | u64::from(generation) << SLOT_BITS
            | u64::from(number);
        let (chunk, slot) = place(number);
        let chunk = self.chunks.get(chunk)?.get_or_init(|| {
            let empty = || Slot { entry: ArcSwapOption::const_empty(), generation: 0.into() };
            (0..CHUNK_SLOTS).map(|_| empty()).collect()
        });
        let slot = chunk.get(slot)?;
        slot.generation.store(generation, Ordering::Relaxed);
        let process = process::generation();
        slot.entry.store(Some(Arc::new(Entry { handle, process, object })));
        Some(handle)
    }

    /// Calls `read` with what a handle of that kind stands for.
    #[inline]
    pub(crate) fn with<R>(
        &self,
        kind: u8,
        handle: u64,
        read: impl FnOnce(&T) -> R,
    ) -> Result<R, Missing> {
        if let Some(slot) = self.slot(handle)
            && kind_of(handle) == u64::from(kind)
            && let Some(entry) = &*slot.entry.load()
            && entry.handle == handle
            && entry.process == process::generation()
        {
            return Ok(read(&entry.object));
        }
        Err(self.why_missing(kind, handle))
    }

    /// Frees a handle, and returns what it stood for. Calls that are under way keep that alive.
    pub(crate) fn remove(&self, kind: u8, handle: u64) -> Result<Arc<Entry<T>>, Missing> {
        let missing = || self.why_missing(kind, handle);
        if kind_of(handle) != u64::from(kind) {
            return Err(missing());
        }
        let slot = self.slot(handle).ok_or_else(missing)?;
        let is_it = |entry: &Arc<Entry<T>>| {
            (entry.handle, entry.process) == (handle, process::generation())
        };
        let entry = slot.entry.load_full().filter(is_it).ok_or_else(missing)?;
        // Of several threads that free it, the one does that takes it out.
        let before = slot.entry.compare_and_swap(&entry, None);
        if !before.as_ref().is_some_and(|before| Arc::ptr_eq(before, &entry)) {
            return Err(missing());
        }
        drop(before);
        let mut free = self.free();
        free.live = free.live.saturating_sub(1);
        let generation = generation_of(handle);
        if generation < u64::from(GENERATION_MAX) {
            let number = u32::try_from(handle & u64::from(SLOTS_MAX - 1)).unwrap_or_default();
            free.slots.push((number, u32::try_from(generation + 1).unwrap_or(GENERATION_MAX)));
        }
        drop(free);
        Ok(entry)
    }

    /// Returns how many handles are in use.
    pub(crate) fn live(&self) -> usize {
        self.free().live
    }

    #[inline]
    fn slot(&self, handle: u64) -> Option<&Slot<T>> {
        let (chunk, slot) = place(u32::try_from(handle & u64::from(SLOTS_MAX - 1)).ok()?);
        self.chunks.get(chunk)?.get()?.get(slot)
    }

    #[cold]
    fn why_missing(&self, kind: u8, handle: u64) -> Missing {
        if handle == 0 {
            return Missing::Null;
        }
        let slot = self.slot(handle);
        let inherited = slot.and_then(|slot| slot.entry.load_full());
        if inherited.is_some_and(|entry| {
            entry.handle == handle
                && entry.process != process::generation()
                && kind_of(handle) == u64::from(kind)
        }) {
            return Missing::Inherited;
        }
        let last = slot.map_or(0, |slot| slot.generation.load(Ordering::Relaxed));
        // Whatever its slot stands for now, that is another handle.
        let was_given_out = (1..=u64::from(last)).contains(&generation_of(handle));
        match kind_of(handle) == u64::from(kind) && was_given_out {
            true => Missing::Freed,
            false => Missing::Foreign,
        }
    }
}

fn kind_of(handle: u64) -> u64 {
    handle >> (SLOT_BITS + GENERATION_BITS)
}

fn generation_of(handle: u64) -> u64 {
    handle >> SLOT_BITS & u64::from(GENERATION_MAX)
}

/// The chunk of a slot, and its place there.
#[inline]
fn place(slot: u32) -> (usize, usize) {
    let index = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    (index(slot / CHUNK_SLOTS), index(slot % CHUNK_SLOTS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_that_was_freed_is_told_from_the_one_in_its_slot() {
        let table = Table::new();
        let first = table.insert(1, "first").unwrap();
        assert_eq!(table.with(1, first, |text| *text), Ok("first"));
        assert_eq!(table.remove(1, first).ok().map(|entry| entry.object), Some("first"));
        let second = table.insert(1, "second").unwrap();
        assert_eq!(first & u64::from(SLOTS_MAX - 1), second & u64::from(SLOTS_MAX - 1));
        assert_eq!(table.with(1, first, |text| *text), Err(Missing::Freed));
        assert_eq!(table.remove(1, first).err(), Some(Missing::Freed));
        assert_eq!(table.with(1, second, |text| *text), Ok("second"));
        assert_eq!(table.live(), 1);
    }

    #[test]
    fn numbers_that_were_never_given_out_stand_for_nothing() {
        let table = Table::new();
        let handle = table.insert(3, ()).unwrap();
        assert!(handle < 1 << 53);
        assert_eq!(table.with(3, 0, |_| ()), Err(Missing::Null));
        // Of another kind, of a later generation, in a slot that does not exist, out of range.
        for other in [
            handle ^ 1 << 49,
            handle + (1 << SLOT_BITS),
            handle + 1,
            handle | 1 << 21,
            handle | 1 << 60,
            u64::MAX,
        ] {
            assert_eq!(table.with(3, other, |_| ()), Err(Missing::Foreign), "{other:x}");
            assert_eq!(table.remove(3, other).err(), Some(Missing::Foreign), "{other:x}");
        }
        assert_eq!(table.with(2, handle, |_| ()), Err(Missing::Foreign));
        assert_eq!(table.with(3, handle, |_| ()), Ok(()));
    }

    #[test]
    fn of_threads_that_free_a_handle_one_does() {
        let table = Table::new();
        for _ in 0..200 {
            let handle = table.insert(1, ()).unwrap();
            let freed: usize = std::thread::scope(|scope| {
                let free = || usize::from(table.remove(1, handle).is_ok());
                let threads: Vec<_> = (0..4).map(|_| scope.spawn(free)).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).sum()
            });
            assert_eq!(freed, 1);
        }
        assert_eq!(table.live(), 0);
    }

    #[test]
    fn a_slot_is_given_out_no_more_when_its_generations_are_used_up() {
        let table = Table::new();
        let first = table.insert(1, ()).unwrap();
        table.remove(1, first).unwrap();
        table.free().slots = vec![(0, GENERATION_MAX)];
        let last = table.insert(1, ()).unwrap();
        assert!(last < 1 << 53);
        table.remove(1, last).unwrap();
        let other = table.insert(1, ()).unwrap();
        assert_eq!(other & u64::from(SLOTS_MAX - 1), 1);
        assert_eq!(table.with(1, last, |()| ()), Err(Missing::Freed));
    }
}
