//! Groups that are not there: made so, loaded, dropped.
//!
//! An absent group is one whose head says so; it has no segments. Look-ups that come upon one
//! say [`NotLoaded`](crate::NotLoaded), and whoever keeps its entries elsewhere loads it. What
//! is inserted into one or removed from it does nothing here, but for what is
//! [recorded](IndexWriter::record).
//!
//! A group becomes absent by one store to its head, and present by one store, as it changes in
//! any other way: a reader that found nothing under the old head looks again.

use super::growth::buckets_for;
use super::{IndexWriter, State};
use crate::cache_lines::BUCKET_ENTRIES;
use crate::change::Change;
use crate::directory::DEPTH_MAX;
use crate::group::{GroupPosition, SEGMENTS_MAX};
use crate::index::IdIndex;
use crate::key_hash::{Entry, KeyHash};
use crate::pool::{IndexMemory, SEGMENT_BUCKETS, SMALL_BUCKETS};
use crate::record_id::RecordId;

/// The most entries of a group that is loaded as one: leaves it a step from splitting.
const LOADED_MAX: usize =
    (SEGMENTS_MAX * SEGMENT_BUCKETS * BUCKET_ENTRIES) as usize * 7 / 8 - BUCKET_ENTRIES as usize;

/// So many entries a group has at most, on average, when an index is made without any of them:
/// by chance some have a few hundred more.
const LOADED_USUAL: u64 = LOADED_MAX as u64 / 16 * 15;

/// A group that the hand has found looked at so often is passed over that many times, less one,
/// when it is not looked at any more.
const USED_MAX: u8 = 4;

/// The result of [`IndexWriter::drop_unused`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PassResult {
    /// Whether a group was made absent.
    pub dropped: bool,
    /// Whether all groups are passed, and it begins anew.
    pub at_end: bool,
}

impl IdIndex {
    /// Makes an index of about `entries` entries, all of whose groups are absent.
    #[must_use]
    pub fn absent(entries: u64) -> Self {
        Self::absent_within(&IndexMemory::default(), entries)
    }

    /// Same as [`absent`](Self::absent), in memory that it may share with others.
    #[must_use]
    pub fn absent_within(memory: &IndexMemory, entries: u64) -> Self {
        let index = Self::within(memory);
        let mut depth = 0;
        while depth < DEPTH_MAX && entries >> depth > LOADED_USUAL {
            depth += 1;
        }
        let mut writer = index.write();
        writer.make_level(depth);
        for prefix in 0..1 << depth {
            if let Some(group) = index.directory.group(depth, prefix) {
                group.mark_absent();
            }
        }
        for (level, above) in (0..depth).zip(&mut writer.state.levels) {
            above.split = 1 << level;
        }
        index.directory.set_start(depth);
        writer.report_memory();
        drop(writer);
        index
    }

    /// Whether an absent group of these keys should be [split](IndexWriter::split_absent) before
    /// it is loaded, if the whole index has `entries`.
    #[must_use]
    pub fn is_too_wide(range: (u32, u32), entries: u64) -> bool {
        let keys = u64::from(range.1 - range.0) + 1;
        (u128::from(entries) * u128::from(keys)) >> u32::BITS > u128::from(LOADED_USUAL)
    }

    /// Returns the first and the last key of the group that a key belongs to, if the group is
    /// absent.
    #[must_use]
    pub fn absent_range(&self, key: KeyHash) -> Option<(u32, u32)> {
        let at = self.directory.locate(key)?;
        at.head.is_absent().then(|| at.range())
    }
}

impl IndexWriter<'_> {
    /// After so many passes of [`drop_unused`](Self::drop_unused) over all groups each is dropped
    /// that nobody looks at meanwhile, whatever it has earned.
    pub const PASSES_MAX: usize = USED_MAX as usize + 1;

    /// Makes two absent groups of the one that a hash belongs to; false if it is not absent or
    /// can't be split.
    pub fn split_absent(&mut self, key: KeyHash) -> bool {
        let Some(at) = self.index.directory.locate(key) else { return false };
        if !at.head.is_absent() || at.depth >= DEPTH_MAX {
            return false;
        }
        let depth = at.depth + 1;
        self.make_level(depth);
        for prefix in [at.prefix << 1, at.prefix << 1 | 1] {
            if let Some(group) = self.index.directory.group(depth, prefix) {
                group.mark_absent();
            }
        }
        at.group.mark_split();
        self.note_split(&at);
        true
    }

    /// Makes the absent group of those keys present, with the entries that `entries` adds, each
    /// of which is in the range and comes once. False, and no change, if there is no such group.
    pub fn load(&mut self, range: (u32, u32), entries: &[Change]) -> bool {
        let index = self.index;
        let Some(at) = index.directory.locate(KeyHash::from_bits(range.0)) else { return false };
        if !at.head.is_absent() || at.range() != range {
            return false;
        }
        let mut packed = Vec::with_capacity(entries.len());
        for change in entries.iter().filter(|change| !change.removed) {
            let key = change.key;
            match key.entry(change.record_id) {
                Some(entry) => packed.push((key, entry)),
                None => index.stash.insert(key, change.record_id),
            }
        }
        let added = entries.iter().filter(|change| !change.removed).count();
        self.load_group(at.depth, at.prefix, packed);
        self.count_entries(added.cast_signed());
        self.report_memory();
        true
    }

    fn load_group(&mut self, depth: u32, prefix: u32, entries: Vec<(KeyHash, Entry)>) {
        if entries.len() > LOADED_MAX && depth < DEPTH_MAX {
            let halves = |&(key, _): &(KeyHash, Entry)| key.prefix(depth + 1) == prefix << 1;
            let low = entries.iter().filter(|&entry| halves(entry)).count();
            // Many entries with one key are no matter of space.
            if low.max(entries.len() - low) <= entries.len() / 8 * 7 {
                self.make_level(depth + 1);
                let (low, high): (Vec<_>, Vec<_>) = entries.into_iter().partition(halves);
                self.load_group(depth + 1, prefix << 1, low);
                self.load_group(depth + 1, prefix << 1 | 1, high);
                if let Some(at) = self.index.directory.at(depth, prefix) {
                    at.group.mark_split();
                    self.note_split(&at);
                }
                return;
            }
        }
        let words = |buckets: u32| (buckets * BUCKET_ENTRIES) as usize * 7 / 8;
        let small = SMALL_BUCKETS.into_iter().find(|&small| entries.len() <= words(small));
        let buckets = match small {
            Some(small) if depth == 0 => small,
            _ => buckets_for(entries.len()),
        };
        if let Some(segments) = self.take_segments(buckets) {
            self.lay_out_new(depth, prefix, buckets, segments, entries);
        } else if let Some(group) = self.index.directory.group(depth, prefix) {
            // The pool is full: billions of entries.
            for (key, entry) in entries {
                self.index.stash.insert(key, entry.record_id());
            }
            group.install(0, &[]);
        }
    }

    /// Makes some group absent that is not, in turn; false if there is none that has segments.
    /// Those of `key` are passed over.
    pub fn drop_one(&mut self, key: KeyHash) -> bool {
        // From where the hand is to the end of the keys, and then all of them.
        (0..2).any(|_| {
            loop {
                match self.drop_unused(Some(key), true) {
                    PassResult { dropped: true, .. } => break true,
                    PassResult { at_end: true, .. } => break false,
                    PassResult { .. } => {}
                }
            }
        })
    }

    /// Goes on over the groups, in the order of their keys, until it has made one absent or comes
    /// to the end; the next call begins with the first. A group that was looked at since the hand
    /// passed it last is passed over once more, unless it `must` go; that of `spared` always is.
    ///
    /// One that was looked at between any two passes has earned to be passed over a few times more.
    /// Otherwise a group that is always needed would be as soon gone as others that were loaded a
    /// moment ago and looked at once, whenever the hand finds them all marked and comes round
    /// again. Being loaded, which nobody does without looking, earns nothing.
    ///
    /// For memory [with marks](crate::IndexMemory::with_marks): without, no group counts as looked
    /// at.
    pub fn drop_unused(&mut self, spared: Option<KeyHash>, must: bool) -> PassResult {
        let index = self.index;
        let spared = spared.and_then(|key| index.directory.locate(key));
        let spared = spared.map(|at| (at.depth, at.prefix));
        let may_go = |at: &GroupPosition<'_>| {
            at.head.buckets() > 0 && !at.head.is_split() && Some((at.depth, at.prefix)) != spared
        };
        while let Some(at) = index.directory.locate(KeyHash::from_bits(self.state.hand)) {
            let (_, last) = at.range();
            self.state.hand = last.wrapping_add(1);
            let at_end = last == u32::MAX;
            if may_go(&at) && (!self.stays(&at) || must) {
                self.make_absent(&at);
                return PassResult { dropped: true, at_end };
            }
            if at_end {
                break;
            }
        }
        PassResult { dropped: false, at_end: true }
    }

    /// Whether the hand passes over a group, by its mark or by what it has earned, which this
    /// takes.
    fn stays(&mut self, at: &GroupPosition<'_>) -> bool {
        let is_marked = self.index.directory.unmark(at);
        let level = self.state.levels.get_mut(at.depth as usize);
        let Some(used) = level.and_then(|level| level.used.get_mut(at.prefix as usize)) else {
            return is_marked;
        };
        match (is_marked, *used) {
            (true, before) => *used = (before + 1).min(USED_MAX),
            (false, 0..=1) => return false,
            (false, before) => *used = before - 1,
        }
        true
    }

    fn make_absent(&mut self, at: &GroupPosition<'_>) {
        let index = self.index;
        let mut gone = self.count(at);
        self.recycle(at);
        at.group.mark_absent();
        self.set_count(at, 0);
        if let Some(level) = self.state.levels.get_mut(at.depth as usize) {
            if let Some(uppers) = level.uppers.get_mut(at.prefix as usize) {
                *uppers = Vec::new();
            }
            if let Some(used) = level.used.get_mut(at.prefix as usize) {
                *used = 0;
            }
        }
        let mut stashed = Vec::new();
        index.stash.for_each_in(at.range(), |key, record_id| stashed.push((key, record_id)));
        for (key, record_id) in stashed {
            index.stash.remove(key, record_id);
            gone += 1;
        }
        self.count_entries(-(gone as isize));
        self.report_memory();
    }

    /// Returns how many entries the group of a key has, and the last of its keys; `None` if it is
    /// absent. Entries that have no room in their groups are left out.
    #[must_use]
    pub fn len_at(&self, key: KeyHash) -> Option<(usize, u32)> {
        match self.index.directory.locate(key) {
            Some(at) if at.head.is_absent() => None,
            Some(at) => Some((self.count(&at) as usize, at.range().1)),
            None => Some((0, u32::MAX)),
        }
    }

    /// Returns the entries of the group of a key, in order, and the last of its keys; `None` if it
    /// is absent.
    #[must_use]
    pub fn entries_at(&self, key: KeyHash) -> Option<(Vec<(KeyHash, RecordId)>, u32)> {
        let Some(at) = self.index.directory.locate(key) else {
            return Some((Vec::new(), u32::MAX));
        };
        if at.head.is_absent() {
            return None;
        }
        let (first, last) = at.range();
        let mut entries = Vec::with_capacity(self.count(&at) as usize);
        self.entries(&at, |key, entry| entries.push((key, entry.record_id())));
        let stash = &self.index.stash;
        stash.for_each_in((first, last), |key, record_id| entries.push((key, record_id)));
        entries.sort_unstable();
        Some((entries, last))
    }

    /// Keeps a change for groups that are loaded later, until it is [forgotten](Self::forget).
    /// `number` is not below that of the changes before; it has 47 bits.
    #[inline]
    pub fn record(&mut self, number: u64, change: Change) {
        self.state.recent.push(number, change);
    }

    /// Removals from this number on were recorded and have not been carried out yet: groups that
    /// are loaded get what they remove.
    #[inline]
    pub fn set_pending(&mut self, from: Option<u64>) {
        self.state.pending_from = from.unwrap_or(u64::MAX);
    }

    /// Returns the recorded changes of these keys, in order, the newest of each entry.
    #[must_use]
    pub fn recorded(&self, range: (u32, u32)) -> Vec<Change> {
        let State { recent, pending_from, .. } = &*self.state;
        recent.range(range.0, range.1, *pending_from)
    }

    /// Returns how many changes are recorded.
    #[must_use]
    pub fn recorded_len(&self) -> usize {
        self.state.recent.len()
    }

    /// Forgets part `at` of what was recorded up to `number`, as far as it is carried out, and
    /// says whether there are more parts.
    pub fn forget(&mut self, at: usize, number: u64) -> bool {
        let number = number.min(self.state.pending_from.saturating_sub(1));
        let more = self.state.recent.forget(at, number);
        if !more {
            self.report_memory();
        }
        more
    }
}

impl GroupPosition<'_> {
    /// The keys of the group, from the first to the last.
    pub(crate) fn range(&self) -> (u32, u32) {
        let first = self.prefix.checked_shl(u32::BITS - self.depth).unwrap_or(0);
        (first, first | u32::MAX.checked_shr(self.depth).unwrap_or(0))
    }
}
