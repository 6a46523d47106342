//! The writing side: one at a time, behind a lock.

mod absent;
mod group;
mod growth;
mod image;

use std::fmt;

pub use self::absent::Passed;

use crate::group::Located;
use crate::index::IdIndex;
use crate::key::{Entry, Key};
use crate::lines::{BUCKET_ENTRIES, Line};
use crate::place::Place;
use crate::pool::SEGMENT_BUCKETS;
use crate::recent::Recent;
use crate::sync::{MutexGuard, Ordering};

/// The right to change an [`IdIndex`]. Made by [`IdIndex::write`].
pub struct IndexWriter<'a> {
    index: &'a IdIndex,
    state: MutexGuard<'a, State>,
}

/// What only the writer knows.
#[derive(Debug)]
pub(crate) struct State {
    levels: Vec<Level>,
    /// How many segments the groups have.
    segments: usize,
    recent: Recent,
    /// Recorded removals from this number on have not been carried out.
    pending_from: u64,
    /// The key from which on a group to be dropped is looked for.
    hand: u32,
}

/// The writer's side of a level of groups.
#[derive(Debug, Default)]
struct Level {
    /// Entries in each group, without those in the stash.
    counts: Vec<u16>,
    /// Groups that are split.
    split: usize,
    /// For each word of each group the upper bits of the entry's key, where its position
    /// doesn't tell; empty from level [`UPPER_LEVELS`] on.
    uppers: Vec<Vec<u16>>,
    /// How often the hand has found each group looked at, less how often not; empty where marks
    /// are not kept.
    used: Vec<u8>,
}

/// What became of an entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Inserted {
    Done,
    /// There is no room however the index grows.
    NoRoom,
    /// Its group is absent.
    Elsewhere,
}

/// A word of a bucket: where in its group, and which.
#[derive(Clone, Copy, Debug)]
struct Spot {
    position: u32,
    word: usize,
}

impl Default for State {
    fn default() -> Self {
        Self {
            levels: Vec::new(),
            segments: 0,
            recent: Recent::default(),
            pending_from: u64::MAX,
            hand: 0,
        }
    }
}

impl<'a> IndexWriter<'a> {
    pub(crate) fn new(index: &'a IdIndex, state: MutexGuard<'a, State>) -> Self {
        Self { index, state }
    }

    /// Adds an entry, whatever is there already: the same hash with other places, even
    /// the same place.
    ///
    /// Now and then this redistributes a group, 3,136 entries at most.
    pub fn insert(&mut self, hash: u64, place: Place) {
        let key = Key::of(hash);
        let inserted = match key.entry(place) {
            Some(entry) => self.insert_entry(key, entry),
            None if self.is_absent(key) => Inserted::Elsewhere,
            None => Inserted::NoRoom,
        };
        match inserted {
            Inserted::Done => {}
            Inserted::NoRoom => self.index.stash.insert(key, place),
            Inserted::Elsewhere => return,
        }
        self.count_entries(1);
    }

    /// Removes one entry; false if it isn't there.
    ///
    /// For a document that was deleted. One that is somewhere else now is for
    /// [`IndexWriter::retire`].
    pub fn remove(&mut self, hash: u64, place: Place) -> bool {
        let key = Key::of(hash);
        let removed = self.remove_entry(key, place) || self.index.stash.remove(key, place);
        if removed {
            self.count_entries(-1);
        }
        removed
    }

    /// Removes one entry of a document that is found by another entry from now on; false
    /// if it isn't there.
    ///
    /// The second half of a move: insert the new place before the change is published,
    /// retire the old one after. [`IdIndex::moves`] changes, so that a reader which saw
    /// neither reads again.
    pub fn retire(&mut self, hash: u64, place: Place) -> bool {
        self.index.count_move();
        self.remove(hash, place)
    }

    /// Adds `to` and then retires `from`; false, and no change, if `from` isn't there.
    ///
    /// Only for places that are both good all the while. Where readers see one version
    /// or the other, insert before publishing and [`retire`](Self::retire) after.
    pub fn relocate(&mut self, hash: u64, from: Place, to: Place) -> bool {
        if self.index.find(hash, |place| (place == from).then_some(())).is_none() {
            return false;
        }
        self.insert(hash, to);
        self.retire(hash, from)
    }

    /// Calls `visit` with the [key bits](IdIndex::key_bits) and the place of every entry,
    /// in no order to rely on.
    pub fn for_each(&self, mut visit: impl FnMut(u32, Place)) {
        for at in self.index.directory.groups() {
            self.entries(&at, |key, entry| visit(key.bits(), entry.place()));
        }
        self.index.stash.for_each(|key, place| visit(key.bits(), place));
    }

    /// Removes all entries. The memory stays, for entries to come.
    ///
    /// Not at once for readers: one may find some entries gone and others not yet.
    pub fn clear(&mut self) {
        let index = self.index;
        index.directory.set_start(0);
        for at in index.directory.groups() {
            self.recycle(&at);
            at.group.install(0, &[]);
        }
        index.stash.clear();
        for level in &mut self.state.levels {
            level.counts.fill(0);
            level.split = 0;
            level.used.fill(0);
            level.uppers.fill(Vec::new());
        }
        index.own.len.store(0, Ordering::Relaxed);
        self.report_memory();
    }

    fn is_absent(&self, key: Key) -> bool {
        self.index.directory.locate(key).is_some_and(|at| at.head.is_absent())
    }

    /// Finds room for an entry.
    fn insert_entry(&mut self, key: Key, entry: Entry) -> Inserted {
        loop {
            let Some(at) = self.index.directory.locate(key) else {
                self.make_level(0);
                continue;
            };
            if at.head.is_absent() {
                return Inserted::Elsewhere;
            }
            let words = at.head.buckets() * BUCKET_ENTRIES;
            let count = self.count(&at);
            // Seven of eight words is where displaced entries begin to be many.
            if count >= words * 7 / 8 && self.grow(&at) {
                continue;
            }
            if let Some(spot) = self.vacancy(&at, key).or_else(|| self.make_vacancy(&at, key)) {
                self.put(&at, spot, key, entry);
                self.set_count(&at, count + 1);
                return Inserted::Done;
            }
            // A full window in a group half empty is no matter of space.
            if count < words / 2 || !self.grow(&at) {
                return Inserted::NoRoom;
            }
        }
    }

    fn remove_entry(&mut self, key: Key, place: Place) -> bool {
        let Some(entry) = key.entry(place) else { return false };
        let Some(at) = self.index.directory.locate(key) else { return false };
        let Some(spot) = self.spot_of(&at, key, entry) else { return false };
        self.vacate(&at, spot);
        self.set_count(&at, self.count(&at).saturating_sub(1));
        true
    }

    fn count(&self, at: &Located<'_>) -> u32 {
        let level = self.state.levels.get(at.depth as usize);
        let count = level.and_then(|level| level.counts.get(at.prefix as usize));
        count.copied().map_or(0, u32::from)
    }

    fn set_count(&mut self, at: &Located<'_>, count: u32) {
        let level = self.state.levels.get_mut(at.depth as usize);
        if let Some(stored) = level.and_then(|level| level.counts.get_mut(at.prefix as usize)) {
            // A group has 3,584 words.
            *stored = u16::try_from(count).unwrap_or(u16::MAX);
        }
    }

    fn count_entries(&self, change: isize) {
        // Relaxed, and no read-modify-write: one writer, and a figure by itself.
        let len = self.index.own.len.load(Ordering::Relaxed);
        self.index.own.len.store(len.saturating_add_signed(change), Ordering::Relaxed);
    }

    fn report_memory(&self) {
        let bytes = self.state.heap_bytes();
        self.index.own.heap_bytes.store(bytes, Ordering::Relaxed);
        let bytes = self.state.segments * SEGMENT_BUCKETS as usize * size_of::<Line>();
        self.index.own.used_bytes.store(bytes, Ordering::Relaxed);
    }
}

impl fmt::Debug for IndexWriter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("IndexWriter").field(self.index).finish()
    }
}

impl State {
    fn heap_bytes(&self) -> usize {
        let levels = self.levels.capacity() * size_of::<Level>();
        let within = self.levels.iter().map(|level| {
            let uppers = level.uppers.iter().map(|uppers| uppers.capacity() * size_of::<u16>());
            level.counts.capacity() * size_of::<u16>()
                + level.used.capacity()
                + level.uppers.capacity() * size_of::<Vec<u16>>()
                + uppers.sum::<usize>()
        });
        levels + within.sum::<usize>() + self.recent.heap_bytes()
    }
}
