//! The bounds of all fields of an index, as ranges of its entries.
//!
//! Fields with points come first: their combinations are the beginnings of ranges. The first field
//! without points ends them, and those behind it are asked of each key: [`IndexBounds::position`].
//!
//! # Invariants
//!
//! 1. A stored key whose whole key is within all fields is within a range of
//!    [`IndexBounds::scan_ranges`], and [`IndexBounds::position`] calls it inside.
//! 2. Of a family of cut keys nothing is left out: an end of a range that lies within one takes all
//!    of it, and what lies behind the cut counts as within.

use nanodb_msgpack::key_len;

use super::ranges::{KeyRange, KeyRanges};
use super::reason::NotUsed;
use crate::index_spec::{IndexField, IndexSpec};
use crate::keys::{FAMILY_BYTES, STORED_KEY_BYTES_MAX, stored_key, successor, widened_end};

/// Which entries of an index a search may need: a set of keys for each field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexBounds {
    fields: Vec<KeyRanges>,
    /// The ranges of each descending field as the index orders them.
    flipped: Vec<Option<Vec<KeyRange>>>,
    covers_filter: bool,
    not_narrowed: Option<NotUsed>,
}

/// Where a key lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyPosition {
    /// Within the bounds of all fields, or it can't be known.
    Inside,
    /// Outside, and nothing below the bytes that were written is within.
    Before,
    /// Outside, and nothing above it is within.
    After,
}

impl IndexBounds {
    pub(super) fn new(
        fields: Vec<KeyRanges>,
        spec: &IndexSpec,
        covers_filter: bool,
        not_narrowed: Option<NotUsed>,
    ) -> Self {
        let flip = |(field, ranges): (&IndexField, &KeyRanges)| {
            field.is_descending().then(|| ranges.flipped())
        };
        let flipped = spec.fields().iter().zip(&fields).map(flip).collect();
        Self { fields, flipped, covers_filter, not_narrowed }
    }

    /// Returns the keys of a field, as ascending ones.
    #[must_use]
    pub fn field(&self, field: usize) -> Option<&KeyRanges> {
        self.fields.get(field)
    }

    /// Returns whether no key is within: then no document matches.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fields.iter().any(KeyRanges::is_empty)
    }

    /// Returns whether the entries within are exactly those of the documents that match, one for
    /// each: then they can be counted instead of documents.
    ///
    /// Not if the index has [cut](crate::stored_key) keys, of which the caller knows.
    #[must_use]
    pub fn covers_filter(&self) -> bool {
        self.covers_filter
    }

    /// Returns why the first field is not narrowed, if it is not.
    #[must_use]
    pub fn why_not_narrowed(&self) -> Option<&NotUsed> {
        self.not_narrowed.as_ref()
    }

    /// Returns for each field its keys, their ranges as the index orders them, and whether it is
    /// descending.
    fn directed(&self) -> impl Iterator<Item = (&KeyRanges, &[KeyRange], bool)> {
        self.fields.iter().zip(&self.flipped).map(|(field, flipped)| match flipped {
            Some(ranges) => (field, ranges.as_slice(), true),
            None => (field, field.ranges(), false),
        })
    }

    /// Returns how many keys of a field are within, if its ranges are points.
    pub(super) fn points(&self, field: usize) -> Option<usize> {
        self.fields.get(field).and_then(KeyRanges::points)
    }

    /// What alternatives are sorted by: how far points go, then how many fields are narrowed.
    pub(super) fn breadth(&self) -> (usize, usize) {
        let points = self.fields.iter().take_while(|field| field.points().is_some()).count();
        let narrowed = self.fields.iter().filter(|field| !field.is_all()).count();
        (self.fields.len() - points, self.fields.len() - narrowed)
    }

    /// Returns the ranges of stored keys that hold all keys within, in the order of the index; none
    /// of them overlap.
    ///
    /// Each combination of points in the first fields makes a range, up to `ranges_max`; beyond it
    /// fewer fields are narrowed. So there are more ranges only if the first field alone has more.
    ///
    /// ```
    /// use nanodb_query::{Filter, Index, MultikeyPaths, plan};
    ///
    /// let spec = Index::ascending("a").then_ascending("b").spec()?;
    /// let filter = Filter::parse_json(r#"{"a": {"$in": [1, 2]}, "b": {"$in": [1, 2, 3]}}"#)?;
    /// let bounds = plan::index_bounds(&filter, &spec, &MultikeyPaths::default()).unwrap();
    /// assert_eq!(bounds[0].scan_ranges(64).len(), 6);
    /// assert_eq!(bounds[0].scan_ranges(5).len(), 2);
    /// # Ok::<(), nanodb_query::Error>(())
    /// ```
    #[must_use]
    pub fn scan_ranges(&self, ranges_max: usize) -> Vec<KeyRange> {
        if self.is_empty() {
            return Vec::new();
        }
        let mut ranges = vec![KeyRange::new([], [0xff])];
        for (position, (field, directed, _)) in self.directed().enumerate() {
            if field.is_all() || position > 0 && ranges.len() * directed.len() > ranges_max {
                break;
            }
            let below = ranges.iter().flat_map(|before| {
                directed.iter().map(|range| {
                    let behind = |end: &[u8]| [&before.start, end].concat();
                    KeyRange::new(behind(&range.start), behind(&range.end))
                })
            });
            ranges = below.collect();
            if field.points().is_none() {
                break;
            }
        }
        let mut stored: Vec<KeyRange> = Vec::with_capacity(ranges.len());
        for range in ranges.into_iter().map(|range| self.stored_range(range)) {
            match stored.last_mut() {
                // Both lie in one family.
                Some(last) if range.start < last.end => {
                    last.end = std::mem::take(&mut last.end).max(range.end);
                }
                _ => stored.push(range),
            }
        }
        stored
    }

    /// Widens a range of whole keys to one of stored keys.
    fn stored_range(&self, range: KeyRange) -> KeyRange {
        let is_point = self.fields.iter().all(|field| field.points().is_some());
        if is_point && range.start.len() > FAMILY_BYTES && self.is_whole(&range.start) {
            // One whole key has one stored form.
            let stored = stored_key(&range.start).into_owned();
            let mut end = stored.clone();
            end.push(0);
            return KeyRange::new(stored, end);
        }
        let KeyRange { mut start, end } = range;
        start.truncate(FAMILY_BYTES);
        let end = widened_end(&end).unwrap_or(end);
        KeyRange { start, end }
    }

    /// Returns whether bytes are a key of all fields.
    fn is_whole(&self, key: &[u8]) -> bool {
        let mut rest = key;
        for (_, _, descending) in self.directed() {
            let Some(len) = key_len(rest, descending) else { return false };
            rest = rest.get(len..).unwrap_or_default();
        }
        rest.is_empty()
    }

    /// Says whether a stored key is within the bounds of all fields. If it is not, `next` becomes
    /// the least bytes at which a key within may follow.
    ///
    /// Reading entries in order, one seeks to `next` instead of looking at what lies between.
    ///
    /// ```
    /// use nanodb_query::plan::{self, KeyPosition};
    /// use nanodb_query::{Index, MultikeyPaths, field};
    ///
    /// let spec = Index::ascending("a").then_ascending("b").spec()?;
    /// let filter = field("a").gt(false).and(field("b").eq(true));
    /// let bounds = plan::index_bounds(&filter, &spec, &MultikeyPaths::default()).unwrap();
    /// let mut next = Vec::new();
    /// // true, null
    /// assert_eq!(bounds[0].position(&[0x40, 1, 0x10], &mut next), KeyPosition::Before);
    /// assert_eq!(next, [0x40, 1, 0x40, 1]);
    /// # Ok::<(), nanodb_query::Error>(())
    /// ```
    pub fn position(&self, stored: &[u8], next: &mut Vec<u8>) -> KeyPosition {
        // A key of this length may be cut.
        let may_be_cut = stored.len() == STORED_KEY_BYTES_MAX;
        let known = if may_be_cut { stored.get(..FAMILY_BYTES) } else { Some(stored) };
        let (known, mut at) = (known.unwrap_or_default(), 0);
        for (_, directed, descending) in self.directed() {
            let rest = known.get(at..).unwrap_or_default();
            let whole = key_len(rest, descending).and_then(|len| rest.get(..len));
            // The part of a key, or what is left of it: then it lies anywhere behind these bytes.
            let key = whole.unwrap_or(rest);
            let after = directed.partition_point(|range| *range.end <= *key);
            let above = directed.get(after);
            let is_within = match whole {
                Some(key) => above.is_some_and(|range| *range.start <= *key),
                None if key.is_empty() => true,
                None => above.is_some_and(|range| *range.start < *successor(key)),
            };
            if is_within {
                if whole.is_none() {
                    return KeyPosition::Inside;
                }
                at += key.len();
                continue;
            }
            next.clear();
            if at + key.len() > FAMILY_BYTES {
                // Others of the family, with other bytes here, may lie above this one.
                next.extend_from_slice(stored);
                next.push(0);
                return KeyPosition::Before;
            }
            let before = known.get(..at).unwrap_or_default();
            match above {
                Some(range) => {
                    next.extend_from_slice(before);
                    next.extend_from_slice(&range.start);
                    next.truncate(FAMILY_BYTES);
                }
                None if at == 0 => return KeyPosition::After,
                None => *next = successor(before),
            }
            return KeyPosition::Before;
        }
        KeyPosition::Inside
    }
}
