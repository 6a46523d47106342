//! Which bytes of a page a transaction changed.
//!
//! The ranges are what a log needs to hold of the page. Few are kept: changes
//! close to each other become one range, for naming a range costs bytes too.

use std::ops::Range;

use smallvec::SmallVec;

use crate::ids::BODY_SIZE;

/// Ranges that lie closer than this become one.
const GAP_MAX: u16 = 8;

/// More ranges than this become one.
const RANGES_MAX: usize = 16;

/// The body's end, in the width that the ranges are kept in.
const BODY_END: u16 = 4064;
const _: () = assert!(BODY_END as usize == BODY_SIZE);

/// Byte ranges of a page's body, each within the body, sorted and apart.
#[derive(Clone, Debug, Default)]
pub struct DirtyRanges {
    ranges: SmallVec<[(u16, u16); 4]>,
}

impl DirtyRanges {
    /// Marks the bytes at `range` of the body as changed, or about to be changed.
    ///
    /// A caller that changes a page through [`PageMut::split`](crate::PageMut::split)
    /// marks every range it writes; what it leaves out may be missing after a crash.
    /// What lies behind the body's end is left out.
    #[inline]
    pub fn mark(&mut self, range: Range<usize>) {
        let clip = |at: usize| u16::try_from(at).map_or(BODY_END, |at| at.min(BODY_END));
        let (start, end) = (clip(range.start), clip(range.end));
        if start >= end {
            return;
        }
        // Marks come in bursts at the same places, or at the ends of those before.
        for at in 0..self.ranges.len() {
            let (from, to) = self.ranges[at];
            if from <= start && end <= to {
                return;
            }
            if start <= to + GAP_MAX && from <= end + GAP_MAX {
                let joined = (from.min(start), to.max(end));
                if self.ranges.get(at + 1).is_none_or(|next| joined.1 + GAP_MAX < next.0) {
                    self.ranges[at] = joined;
                    return;
                }
                break;
            }
        }
        self.insert(start, end);
    }

    fn insert(&mut self, mut start: u16, mut end: u16) {
        let first = self.ranges.partition_point(|&(_, to)| to + GAP_MAX < start);
        let last = self.ranges.partition_point(|&(from, _)| from <= end + GAP_MAX);
        for &(from, to) in &self.ranges[first..last] {
            start = start.min(from);
            end = end.max(to);
        }
        self.ranges.drain(first..last);
        self.ranges.insert(first, (start, end));
        if self.ranges.len() > RANGES_MAX {
            let whole = (self.ranges[0].0, self.ranges[self.ranges.len() - 1].1);
            self.ranges.clear();
            self.ranges.push(whole);
        }
    }

    /// Iterates over the ranges, in order.
    pub fn iter(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        self.ranges.iter().map(|&(start, end)| usize::from(start)..usize::from(end))
    }

    /// Returns how many bytes they cover.
    pub(crate) fn bytes(&self) -> usize {
        self.iter().map(|range| range.len()).sum()
    }

    /// Returns whether two bodies differ only within the ranges.
    pub(crate) fn cover(&self, before: &[u8], after: &[u8]) -> bool {
        let mut at = 0;
        for range in self.iter().chain(std::iter::once(BODY_SIZE..BODY_SIZE)) {
            if before.get(at..range.start) != after.get(at..range.start) {
                return false;
            }
            at = range.end;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn close_ranges_merge_and_far_ones_stay_apart() {
        let mut dirty = DirtyRanges::default();
        dirty.mark(0..8);
        dirty.mark(12..16);
        dirty.mark(4000..4064);
        dirty.mark(5000..6000);
        assert_eq!(dirty.iter().collect::<Vec<_>>(), [0..16, 4000..4064]);
    }

    proptest! {
        #[test]
        fn every_marked_byte_is_covered(marks in prop::collection::vec((0_usize..BODY_SIZE, 0_usize..300), 0..60)) {
            let mut dirty = DirtyRanges::default();
            let before = vec![0_u8; BODY_SIZE];
            let mut after = before.clone();
            for (start, len) in marks {
                dirty.mark(start..start + len);
                let end = (start + len).min(BODY_SIZE);
                after[start..end].fill(1);
            }
            prop_assert!(dirty.cover(&before, &after));
            let ranges: Vec<_> = dirty.iter().collect();
            prop_assert!(ranges.windows(2).all(|pair| pair[0].end < pair[1].start));
        }
    }
}
