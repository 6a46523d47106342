//! The writing side: one at a time, behind a lock.

mod absent;
mod group;
mod growth;
mod image;

use std::fmt;

pub use self::absent::PassResult;

use crate::cache_lines::{BUCKET_ENTRIES, Line};
use crate::group::GroupPosition;
use crate::index::IdIndex;
use crate::key_hash::{Entry, KeyHash};
use crate::pool::SEGMENT_BUCKETS;
use crate::recent::Recent;
use crate::record_id::RecordId;
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
enum InsertOutcome {
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

    /// Adds an entry, whatever is there already: the same key with other record ids, even
    /// with the same one.
    ///
    /// Now and then this redistributes a group, 3,136 entries at most.
    pub fn insert(&mut self, key: KeyHash, record_id: RecordId) {
        let inserted = match key.entry(record_id) {
            Some(entry) => self.insert_entry(key, entry),
            None if self.is_absent(key) => InsertOutcome::Elsewhere,
            None => InsertOutcome::NoRoom,
        };
        match inserted {
            InsertOutcome::Done => {}
            InsertOutcome::NoRoom => self.index.stash.insert(key, record_id),
            InsertOutcome::Elsewhere => return,
        }
        self.count_entries(1);
    }

    /// Removes one entry; false if it isn't there.
    ///
    /// For a document that was deleted. One that is somewhere else now is for
    /// [`IndexWriter::retire`].
    pub fn remove(&mut self, key: KeyHash, record_id: RecordId) -> bool {
        let removed = self.remove_entry(key, record_id) || self.index.stash.remove(key, record_id);
        if removed {
            self.count_entries(-1);
        }
        removed
    }

    /// Removes one entry of a document that is found by another entry from now on; false
    /// if it isn't there.
    ///
    /// The second half of a move: insert the new record id before the change is published,
    /// retire the old one after. [`IdIndex::moves`] changes, so that a reader which saw
    /// neither reads again.
    pub fn retire(&mut self, key: KeyHash, record_id: RecordId) -> bool {
        self.index.count_move();
        self.remove(key, record_id)
    }

    fn is_absent(&self, key: KeyHash) -> bool {
        self.index.directory.locate(key).is_some_and(|at| at.head.is_absent())
    }

    /// Finds room for an entry.
    fn insert_entry(&mut self, key: KeyHash, entry: Entry) -> InsertOutcome {
        loop {
            let Some(at) = self.index.directory.locate(key) else {
                self.make_level(0);
                continue;
            };
            if at.head.is_absent() {
                return InsertOutcome::Elsewhere;
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
                return InsertOutcome::Done;
            }
            // A full window in a group half empty is no matter of space.
            if count < words / 2 || !self.grow(&at) {
                return InsertOutcome::NoRoom;
            }
        }
    }

    fn remove_entry(&mut self, key: KeyHash, record_id: RecordId) -> bool {
        let Some(entry) = key.entry(record_id) else { return false };
        let Some(at) = self.index.directory.locate(key) else { return false };
        let Some(spot) = self.spot_of(&at, key, entry) else { return false };
        self.vacate(&at, spot);
        self.set_count(&at, self.count(&at).saturating_sub(1));
        true
    }

    fn count(&self, at: &GroupPosition<'_>) -> u32 {
        let level = self.state.levels.get(at.depth as usize);
        let count = level.and_then(|level| level.counts.get(at.prefix as usize));
        count.copied().map_or(0, u32::from)
    }

    fn set_count(&mut self, at: &GroupPosition<'_>, count: u32) {
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
