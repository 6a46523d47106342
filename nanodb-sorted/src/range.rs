//! Ranges of keys.

use std::cmp::Ordering;
use std::ops::Bound;

use crate::leaf::Boundary;

/// The keys between two bounds.
///
/// ```
/// use std::ops::Bound;
///
/// use nanodb_sorted::KeyRange;
///
/// let range = KeyRange { start: Bound::Included(b"a"), end: Bound::Excluded(b"b") };
/// assert!(range.contains(b"apple") && !range.contains(b"b"));
/// assert!(KeyRange::ALL.contains(b""));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeyRange<'k> {
    /// Where it begins.
    pub start: Bound<&'k [u8]>,
    /// Where it ends.
    pub end: Bound<&'k [u8]>,
}

impl<'k> KeyRange<'k> {
    /// All keys.
    pub const ALL: Self = Self { start: Bound::Unbounded, end: Bound::Unbounded };

    /// Returns the range of one key.
    #[must_use]
    pub const fn one(key: &'k [u8]) -> Self {
        Self { start: Bound::Included(key), end: Bound::Included(key) }
    }

    /// Returns whether a key is in the range.
    #[inline]
    #[must_use]
    pub fn contains(&self, key: &[u8]) -> bool {
        self.is_from_start(key) && self.is_to_end(key)
    }

    /// Returns whether a key is not in front of the range: what a walk backward has to ask.
    #[inline]
    #[must_use]
    pub fn is_from_start(&self, key: &[u8]) -> bool {
        match self.start {
            Bound::Unbounded => true,
            Bound::Included(start) => key >= start,
            Bound::Excluded(start) => key > start,
        }
    }

    /// Returns whether a key is not behind the range: what a walk forward has to ask.
    #[inline]
    #[must_use]
    pub fn is_to_end(&self, key: &[u8]) -> bool {
        match self.end {
            Bound::Unbounded => true,
            Bound::Included(end) => key <= end,
            Bound::Excluded(end) => key < end,
        }
    }

    /// Returns whether no key can be in the range.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match (self.boundaries(), self.start, self.end) {
            ((Some(start), Some(end)), ..) => match start.key.cmp(end.key) {
                Ordering::Less => false,
                Ordering::Equal => start.is_after || !end.is_after,
                Ordering::Greater => true,
            },
            // Nothing is below the empty key.
            (_, _, Bound::Excluded(end)) => end.is_empty(),
            _ => false,
        }
    }

    /// The boundaries in front of the range and behind it.
    pub(crate) fn boundaries(&self) -> (Option<Boundary<'k>>, Option<Boundary<'k>>) {
        (start_boundary(self.start), end_boundary(self.end))
    }
}

/// The place where keys begin that are within a lower bound.
pub(crate) fn start_boundary(bound: Bound<&[u8]>) -> Option<Boundary<'_>> {
    match bound {
        Bound::Unbounded => None,
        Bound::Included(key) => Some(Boundary { key, is_after: false }),
        Bound::Excluded(key) => Some(Boundary { key, is_after: true }),
    }
}

/// The place where keys end that are within an upper bound.
pub(crate) fn end_boundary(bound: Bound<&[u8]>) -> Option<Boundary<'_>> {
    match bound {
        Bound::Unbounded => None,
        Bound::Included(key) => Some(Boundary { key, is_after: true }),
        Bound::Excluded(key) => Some(Boundary { key, is_after: false }),
    }
}
