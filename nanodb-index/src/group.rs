//! A group: the keys with one prefix, in up to seven segments.
//!
//! # Layout
//!
//! A group is described by one line of its level's array.
//!
//! ```text
//! word   bits    field     meaning
//! -----  ------  --------  ---------------------------------------------------------
//!     0   0..16  buckets   in the whole group; 0: the group is empty and has none
//!     0      16  set       which set of segment numbers is in force
//!     0      17  split     the group's keys are in its two halves, one level down
//!     0      18  absent    the group's entries are elsewhere; it has no buckets
//!     0  19..64  version   grows with every change of this word
//! 1..8           segments  two sets of seven 32-bit numbers, one after the other
//! ```
//!
//! A key's home is the bucket in proportion to the key's bits after the prefix
//! ([`Key::home`]). When it is full the entry goes to the next bucket that is not, the
//! first following the last, at most [`WINDOW`] in all.
//!
//! # Invariants
//!
//! 1. Between an entry's home and the bucket it lies in, every bucket is full. A look-up
//!    may therefore stop at the first bucket that is not.
//! 2. While the first word stays the same, an entry lies in one and the same word from
//!    the time it is added until it is removed.
//! 3. The set that is not in force is written before the first word is.
//! 4. From level [`UPPER_LEVELS`] on, a group has [`GROUP_BUCKETS_MIN`] buckets or more,
//!    a multiple of them for each value of the upper bits that the prefix leaves open: at
//!    least [`WINDOW`]. So an entry's bucket and tag determine its key. In shallower
//!    groups the writer keeps the upper bits beside.

use crate::cache_lines::{LINE_WORDS, Line};
use crate::key_hash::{Entry, KeyHash, TAG_BITS, UPPER_BITS};
use crate::pool::SEGMENT_BUCKETS;
use crate::sync::{AtomicU64, Ordering};

/// How many buckets an entry may lie in, its home among them.
pub(crate) const WINDOW: u32 = if cfg!(loom) { 2 } else { 8 };
/// Segments of a group that came from splitting another.
pub(crate) const SEGMENTS_MIN: u32 = if cfg!(loom) { 1 } else { 4 };
/// Segments of a group at most; at the next step it becomes two of [`SEGMENTS_MIN`].
pub(crate) const SEGMENTS_MAX: u32 = if cfg!(loom) { 1 } else { 7 };
/// Buckets of a group that came from splitting another.
pub(crate) const GROUP_BUCKETS_MIN: u32 = SEGMENTS_MIN * SEGMENT_BUCKETS;
/// The levels whose groups are too small for positions to imply all upper bits.
pub(crate) const UPPER_LEVELS: u32 = if cfg!(loom) { UPPER_BITS } else { 5 };

// Invariant 4.
const _: () = assert!(GROUP_BUCKETS_MIN >> (UPPER_BITS - UPPER_LEVELS) >= WINDOW);
const _: () = assert!(SEGMENT_BUCKETS.is_multiple_of(1 << (UPPER_BITS - UPPER_LEVELS)));
// Two sets of 32-bit numbers fill the line.
const _: () = assert!(1 + SEGMENTS_MAX as usize == LINE_WORDS);

const BUCKETS_MASK: u64 = 0xffff;
const SET: u64 = 1 << 16;
const SPLIT: u64 = 1 << 17;
const ABSENT: u64 = 1 << 18;
const VERSION_SHIFT: u32 = 19;

/// The first word of a group's line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Head(u64);

impl Head {
    #[inline]
    pub(crate) fn buckets(self) -> u32 {
        (self.0 & BUCKETS_MASK) as u32
    }

    #[inline]
    pub(crate) fn is_split(self) -> bool {
        self.0 & SPLIT != 0
    }

    #[inline]
    pub(crate) fn is_absent(self) -> bool {
        self.0 & ABSENT != 0
    }

    /// The buckets that a key's entries may lie in.
    #[inline]
    pub(crate) fn window(self) -> u32 {
        self.buckets().min(WINDOW)
    }

    /// The bucket after `position`.
    #[inline]
    pub(crate) fn next(self, position: u32) -> u32 {
        if position + 1 == self.buckets() { 0 } else { position + 1 }
    }

    /// How far `to` lies behind `from`, going round at the end.
    #[inline]
    pub(crate) fn distance(self, from: u32, to: u32) -> u32 {
        if to >= from { to - from } else { to + self.buckets() - from }
    }

    #[inline]
    fn set(self) -> u32 {
        u32::from(self.0 & SET != 0)
    }

    /// The same state under a version of its own.
    fn renewed(self) -> Self {
        Self(self.0.wrapping_add(1 << VERSION_SHIFT))
    }
}

/// A group's line, somewhere in a level.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Group<'a>(&'a Line);

impl<'a> Group<'a> {
    #[inline]
    pub(crate) fn new(line: &'a Line) -> Self {
        Self(line)
    }

    /// The group's state.
    ///
    /// Acquire, pairs with the Release store in [`Group::publish`]: whoever sees a head
    /// sees its segment numbers, all entries that were put there before, and, for a split
    /// one, both halves. As the second load of a look-up it must stay behind the loads of
    /// words and numbers, which is what makes those Acquire too.
    #[inline]
    pub(crate) fn head(self) -> Head {
        Head(self.0[0].load(Ordering::Acquire))
    }

    /// The number of the segment that holds the bucket at `position`. Any number at all
    /// when the group has changed since `head` was read.
    #[inline]
    pub(crate) fn segment(self, head: Head, position: u32) -> u32 {
        let (word, shift) = slot(head.set(), position / SEGMENT_BUCKETS);
        // Acquire, pairs with the Release store in `install`: a reader that sees a number
        // of a later state sees a later head when it looks again.
        let word = self.0.get(word).map_or(0, |word| word.load(Ordering::Acquire));
        #[expect(clippy::cast_possible_truncation, reason = "one of a word's two halves")]
        let segment = (word >> shift) as u32;
        segment
    }

    /// The segments in force.
    pub(crate) fn segments(self, head: Head) -> impl Iterator<Item = u32> + 'a {
        (0..head.buckets().div_ceil(SEGMENT_BUCKETS))
            .map(move |segment| self.segment(head, segment * SEGMENT_BUCKETS))
    }

    /// Puts other segments in force, at once for all readers. They hold all entries.
    pub(crate) fn install(self, buckets: u32, segments: &[u32]) {
        let head = self.head();
        let set = 1 - head.set();
        for (number, &segment) in (0..SEGMENTS_MAX).zip(segments) {
            let (word, shift) = slot(set, number);
            let Some(word) = self.0.get(word) else { continue };
            // The other half may be of the set in force and is written back as it was.
            let other = word.load(Ordering::Relaxed) & !(u64::from(u32::MAX) << shift);
            word.store(other | u64::from(segment) << shift, Ordering::Release);
        }
        let set = if set == 0 { 0 } else { SET };
        let kept = head.0 & !(BUCKETS_MASK | SET | SPLIT | ABSENT);
        self.publish(Head(kept | set | u64::from(buckets)));
    }

    /// Sends readers to the two halves, which are complete.
    pub(crate) fn mark_split(self) {
        let head = self.head();
        self.publish(Head(head.0 & !(BUCKETS_MASK | ABSENT) | SPLIT));
    }

    /// Takes the group's segments out of force: look-ups say that it is not loaded.
    pub(crate) fn mark_absent(self) {
        let head = self.head();
        self.publish(Head(head.0 & !(BUCKETS_MASK | SPLIT) | ABSENT));
    }

    /// Makes look-ups that are under way and find nothing look again.
    pub(crate) fn disturb(self) {
        self.publish(self.head());
    }

    /// Release, pairs with the Acquire load in [`Group::head`].
    fn publish(self, head: Head) {
        self.0[0].store(head.renewed().0, Ordering::Release);
    }
}

/// A group in its place among the others, and what it was like when it was looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GroupPosition<'a> {
    pub(crate) group: Group<'a>,
    pub(crate) head: Head,
    pub(crate) depth: u32,
    pub(crate) prefix: u32,
}

impl GroupPosition<'_> {
    #[inline]
    pub(crate) fn home(&self, key: KeyHash) -> u32 {
        key.home(self.depth, self.head.buckets())
    }

    /// The key of the entry in the bucket at `position`, by invariant 4; wrong above
    /// [`UPPER_LEVELS`].
    pub(crate) fn key_at(&self, position: u32, entry: Entry) -> KeyHash {
        let tag = entry.tag();
        if self.depth >= UPPER_BITS {
            let known = self.prefix.checked_shl(u32::BITS - self.depth).unwrap_or_default();
            return KeyHash::from_bits(known | tag & (u32::MAX >> self.depth));
        }
        // The buckets that share their upper bits, and where among those the home is.
        let open_bits = UPPER_BITS - self.depth;
        let span = (self.head.buckets() >> open_bits).max(1);
        let offset = (tag * span) >> TAG_BITS;
        let upper = self.head.distance(offset, position) / span;
        KeyHash::from_bits((self.prefix << open_bits | upper) << TAG_BITS | tag)
    }
}

/// The word and the bit at which a set's segment number is kept.
#[inline]
fn slot(set: u32, number: u32) -> (usize, u32) {
    let index = set * SEGMENTS_MAX + number;
    (1 + (index / 2) as usize, index % 2 * u32::BITS)
}

/// A word of a bucket that holds nothing.
pub(crate) const VACANT: u64 = 0;

/// Writes a word of a bucket.
///
/// Release, pairs with the Acquire loads of look-ups: a reader that sees an entry sees
/// what its writer did before (the page that it names among it), and one that sees a
/// recycled word sees the head of the group that gave it up.
pub(crate) fn set_word(word: &AtomicU64, value: u64) {
    word.store(value, Ordering::Release);
}

#[cfg(test)]
mod tests;
