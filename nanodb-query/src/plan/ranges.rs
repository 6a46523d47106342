//! Sets of keys of one field: sorted ranges of bytes that do not touch.
//!
//! An end of a range is the key of a value, the beginning of keys, or the least bytes above all
//! that begin with one of these. Of such an end no key is a true beginning. So a key that others
//! follow, in a compound index, is within a range if and only if it is so alone.

use nanodb_msgpack::key_len;

use crate::keys::successor;

/// Above all keys, ascending or descending.
const ABOVE_ALL: u8 = 0xff;

/// The keys from `start` on that are below `end`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyRange {
    /// The least bytes within.
    pub start: Vec<u8>,
    /// The least bytes above.
    pub end: Vec<u8>,
}

impl KeyRange {
    pub(super) fn new(start: impl Into<Vec<u8>>, end: impl Into<Vec<u8>>) -> Self {
        Self { start: start.into(), end: end.into() }
    }

    /// Returns all that begins with these bytes.
    pub(super) fn of_prefix(prefix: Vec<u8>) -> Self {
        let end = successor(&prefix);
        Self { start: prefix, end }
    }

    /// Returns whether bytes are within.
    #[must_use]
    pub fn contains(&self, key: &[u8]) -> bool {
        *self.start <= *key && *key < *self.end
    }

    fn is_empty(&self) -> bool {
        self.start >= self.end
    }

    /// Returns whether this is one key, ascending.
    fn is_point(&self) -> bool {
        key_len(&self.start, false) == Some(self.start.len())
            && is_successor(&self.start, &self.end)
    }

    /// Returns the same keys with all bits flipped.
    fn flipped(&self) -> Self {
        let flip = |end: &[u8]| successor(&end.iter().map(|byte| !byte).collect::<Vec<_>>());
        Self {
            start: if *self.end == [ABOVE_ALL] { Vec::new() } else { flip(&self.end) },
            end: if self.start.is_empty() { vec![ABOVE_ALL] } else { flip(&self.start) },
        }
    }
}

/// Returns whether `end` is the [`successor`] of some bytes.
fn is_successor(bytes: &[u8], end: &[u8]) -> bool {
    let kept = bytes.iter().rposition(|&byte| byte != 0xff).map_or(0, |last| last + 1);
    match (bytes.get(..kept).and_then(<[u8]>::split_last), end.split_last()) {
        (Some((last, before)), Some((end_last, end_before))) => {
            before == end_before && last.checked_add(1) == Some(*end_last)
        }
        _ => false,
    }
}

/// A set of keys of one field.
///
/// ```
/// use nanodb_query::{Index, MultikeyPaths, field, plan};
///
/// let spec = Index::ascending("a").spec()?;
/// let filter = field("a").is_in([true, false]);
/// let bounds = plan::index_bounds(&filter, &spec, &MultikeyPaths::default()).unwrap();
/// let ranges = bounds[0].field(0).unwrap();
/// assert!(ranges.contains(&[0x40, 1]) && !ranges.contains(&[0x10]));
/// assert_eq!(ranges.points(), Some(2));
/// # Ok::<(), nanodb_query::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRanges(Vec<KeyRange>);

impl KeyRanges {
    /// Returns the set of all keys.
    pub(super) fn all() -> Self {
        Self(vec![KeyRange::new([], [ABOVE_ALL])])
    }

    /// Returns the set without a key.
    pub(super) fn none() -> Self {
        Self(Vec::new())
    }

    /// Returns a set of one range.
    pub(super) fn one(range: KeyRange) -> Self {
        if range.is_empty() { Self::none() } else { Self(vec![range]) }
    }

    /// Returns the set of one key.
    pub(super) fn point(key: Vec<u8>) -> Self {
        Self(vec![KeyRange::of_prefix(key)])
    }

    /// Returns the set of all keys of some ranges.
    pub(super) fn of(mut ranges: Vec<KeyRange>) -> Self {
        ranges.retain(|range| !range.is_empty());
        ranges.sort_unstable();
        ranges.dedup_by(|next, last| {
            // A key and the one next to it stay two points.
            let meet = next.start < last.end || next.start == last.end && !last.is_point();
            let meet = meet || next == last;
            if meet && next.end > last.end {
                last.end = std::mem::take(&mut next.end);
            }
            meet
        });
        Self(ranges)
    }

    /// Returns the ranges, in order.
    #[must_use]
    pub fn ranges(&self) -> &[KeyRange] {
        &self.0
    }

    /// Returns whether no key is within.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns whether every key is within.
    #[must_use]
    pub fn is_all(&self) -> bool {
        matches!(self.0.as_slice(), [only] if only.start.is_empty() && *only.end == [ABOVE_ALL])
    }

    /// Returns whether an ascending key is within.
    #[must_use]
    pub fn contains(&self, key: &[u8]) -> bool {
        let after = self.0.partition_point(|range| *range.start <= *key);
        after.checked_sub(1).and_then(|at| self.0.get(at)).is_some_and(|range| range.contains(key))
    }

    /// Returns how many keys are within, if each range is one key.
    #[must_use]
    pub fn points(&self) -> Option<usize> {
        self.0.iter().all(KeyRange::is_point).then_some(self.0.len())
    }

    pub(super) fn union(&self, other: &Self) -> Self {
        Self::of(self.0.iter().chain(&other.0).cloned().collect())
    }

    pub(super) fn intersection(&self, other: &Self) -> Self {
        let (mut both, mut a, mut b) = (Vec::new(), self.0.iter(), other.0.iter());
        let (mut x, mut y) = (a.next(), b.next());
        while let (Some(left), Some(right)) = (x, y) {
            let range = KeyRange::new(
                left.start.clone().max(right.start.clone()),
                left.end.clone().min(right.end.clone()),
            );
            if !range.is_empty() {
                both.push(range);
            }
            if left.end <= right.end {
                x = a.next();
            } else {
                y = b.next();
            }
        }
        Self(both)
    }

    pub(super) fn complement(&self) -> Self {
        let mut gaps = Vec::with_capacity(self.0.len() + 1);
        let mut start = Vec::new();
        for range in &self.0 {
            gaps.push(KeyRange::new(start, range.start.clone()));
            start = range.end.clone();
        }
        gaps.push(KeyRange::new(start, [ABOVE_ALL]));
        gaps.retain(|gap| !gap.is_empty());
        Self(gaps)
    }

    pub(super) fn is_subset(&self, other: &Self) -> bool {
        self.intersection(&other.complement()).is_empty()
    }

    /// Returns the ranges of keys with all bits flipped, in order, for a descending field.
    pub(super) fn flipped(&self) -> Vec<KeyRange> {
        self.0.iter().rev().map(KeyRange::flipped).collect()
    }
}
