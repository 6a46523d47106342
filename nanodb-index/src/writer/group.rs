//! Changes within one group: finding entries and room for them, and keeping the promise
//! that every bucket between an entry and its home is full.
//!
//! An entry that has to move is copied first; then the group's head changes, and only then
//! is the original overwritten. A reader that missed both sees another head.

use super::{IndexWriter, Spot};
use crate::cache_lines::{LINE_WORDS, Line};
use crate::group::{Group, GroupPosition, UPPER_LEVELS, VACANT, set_word};
use crate::key_hash::{Entry, KeyHash};
use crate::pool::SEGMENT_BUCKETS;
use crate::sync::Ordering;

impl<'a> IndexWriter<'a> {
    /// The first free word for a key.
    pub(super) fn vacancy(&self, at: &GroupPosition<'_>, key: KeyHash) -> Option<Spot> {
        let mut position = at.home(key);
        for _ in 0..at.head.window() {
            if let Some(word) = vacant_word(self.bucket(at, position)?) {
                return Some(Spot { position, word });
            }
            position = at.head.next(position);
        }
        None
    }

    /// Makes room for a key whose buckets are all full, by moving entries on to the first
    /// bucket that is not. The word it returns may still hold what was moved.
    #[cold]
    pub(super) fn make_vacancy(&mut self, at: &GroupPosition<'_>, key: KeyHash) -> Option<Spot> {
        let home = at.home(key);
        let mut free = self.vacancy_behind(at, home)?;
        while at.head.distance(home, free.position) >= at.head.window() {
            let Some((from, key, entry)) = self.movable(at, free.position) else {
                // What was moved already is in two words, and this is the first of them.
                self.vacate(at, free);
                return None;
            };
            self.put(at, free, key, entry);
            at.group.disturb();
            free = from;
        }
        Some(free)
    }

    /// Empties a word, or moves an entry there that was displaced past its bucket, and so
    /// on with the word that one leaves.
    pub(super) fn vacate(&mut self, at: &GroupPosition<'_>, mut spot: Spot) {
        while let Some((from, key, entry)) = self.displaced(at, spot.position) {
            self.put(at, spot, key, entry);
            at.group.disturb();
            spot = from;
        }
        self.set(at, spot, VACANT);
    }

    /// The word of an entry, if it is in the group.
    pub(super) fn spot_of(
        &self,
        at: &GroupPosition<'_>,
        key: KeyHash,
        entry: Entry,
    ) -> Option<Spot> {
        let mut position = at.home(key);
        for _ in 0..at.head.window() {
            let bucket = self.bucket(at, position)?;
            for (word, value) in values(bucket).enumerate() {
                let spot = Spot { position, word };
                // The same tag at the same place may still be another key's entry.
                if value == entry.word() && self.key(at, spot, entry) == key {
                    return Some(spot);
                }
            }
            if vacant_word(bucket).is_some() {
                return None;
            }
            position = at.head.next(position);
        }
        None
    }

    /// Calls `visit` for the entries of a group.
    pub(super) fn entries(&self, at: &GroupPosition<'_>, mut visit: impl FnMut(KeyHash, Entry)) {
        for position in 0..at.head.buckets() {
            self.bucket_entries(at, position, |_, key, entry| visit(key, entry));
        }
    }

    /// Puts an entry into a word, whatever that holds.
    pub(super) fn put(&mut self, at: &GroupPosition<'_>, spot: Spot, key: KeyHash, entry: Entry) {
        let level = self.state.levels.get_mut(at.depth as usize);
        let uppers = level.and_then(|level| level.uppers.get_mut(at.prefix as usize));
        if let Some(upper) = uppers.and_then(|uppers| uppers.get_mut(spot.index())) {
            *upper = key.upper();
        }
        self.set(at, spot, entry.word());
    }

    /// The farthest entry that lies behind a bucket because that was full.
    fn displaced(&self, at: &GroupPosition<'_>, position: u32) -> Option<(Spot, KeyHash, Entry)> {
        let mut found = None;
        let mut behind = position;
        for distance in 1..at.head.window() {
            if self.bucket(at, behind).and_then(vacant_word).is_some() {
                break;
            }
            behind = at.head.next(behind);
            self.bucket_entries(at, behind, |spot, key, entry| {
                if at.head.distance(at.home(key), behind) >= distance {
                    found = Some((spot, key, entry));
                }
            });
        }
        found
    }

    /// The farthest entry before a bucket that may lie in that bucket too.
    fn movable(&self, at: &GroupPosition<'_>, position: u32) -> Option<(Spot, KeyHash, Entry)> {
        (1..at.head.window()).rev().find_map(|distance| {
            // Going back by a distance is the distance to here from there.
            let before = at.head.distance(distance, position);
            let mut found = None;
            self.bucket_entries(at, before, |spot, key, entry| {
                if at.head.distance(at.home(key), position) < at.head.window() {
                    found = Some((spot, key, entry));
                }
            });
            found
        })
    }

    /// The first free word from `position` on, once round the group.
    fn vacancy_behind(&self, at: &GroupPosition<'_>, mut position: u32) -> Option<Spot> {
        for _ in 0..at.head.buckets() {
            if let Some(word) = vacant_word(self.bucket(at, position)?) {
                return Some(Spot { position, word });
            }
            position = at.head.next(position);
        }
        None
    }

    fn bucket_entries(
        &self,
        at: &GroupPosition<'_>,
        position: u32,
        mut visit: impl FnMut(Spot, KeyHash, Entry),
    ) {
        let Some(bucket) = self.bucket(at, position) else { return };
        for (word, value) in values(bucket).enumerate() {
            if let Some(entry) = Entry::from_word(value) {
                let spot = Spot { position, word };
                visit(spot, self.key(at, spot, entry), entry);
            }
        }
    }

    fn key(&self, at: &GroupPosition<'_>, spot: Spot, entry: Entry) -> KeyHash {
        if at.depth >= UPPER_LEVELS {
            return at.key_at(spot.position, entry);
        }
        let uppers = self.state.levels.get(at.depth as usize).map(|level| &level.uppers);
        let uppers = uppers.and_then(|uppers| uppers.get(at.prefix as usize));
        let upper = uppers.and_then(|uppers| uppers.get(spot.index())).copied();
        KeyHash::join(upper.unwrap_or_default(), entry.tag())
    }

    fn bucket(&self, at: &GroupPosition<'_>, position: u32) -> Option<&'a Line> {
        let segment = Group::segment(at.group, at.head, position);
        self.index.pool.bucket(segment, position % SEGMENT_BUCKETS)
    }

    fn set(&self, at: &GroupPosition<'_>, spot: Spot, value: u64) {
        if let Some(word) = self.bucket(at, spot.position).and_then(|line| line.get(spot.word)) {
            set_word(word, value);
        }
    }
}

impl Spot {
    /// The number of the word in its group.
    fn index(self) -> usize {
        self.position as usize * LINE_WORDS + self.word
    }
}

/// A bucket's words. Relaxed: nobody but the writer itself has written them.
fn values(bucket: &Line) -> impl Iterator<Item = u64> {
    bucket.iter().map(|word| word.load(Ordering::Relaxed))
}

fn vacant_word(bucket: &Line) -> Option<usize> {
    values(bucket).position(|value| value == VACANT)
}
