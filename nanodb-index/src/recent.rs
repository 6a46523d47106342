//! What has changed lately: since what the caller keeps elsewhere of the index was written.
//!
//! A group that is absent is loaded from what was written and from this. Changes carry a number
//! that never decreases, so that those up to one of them can be forgotten when they were
//! written, too. They are kept by the upper bits of their keys, since a range of keys is what is
//! asked for; sixteen bytes each.

use crate::change::Change;
use crate::key_hash::KeyHash;
use crate::record_id::RecordId;

/// How many lists there are once there is more than a little.
const LISTS: usize = 256;
const LIST_SHIFT: u32 = u32::BITS - LISTS.ilog2();

/// Up to so many changes are in one list.
const FEW: usize = 2048;

const REMOVED: u64 = 1 << 16;
const NUMBER_SHIFT: u32 = 17;

/// A change and its number: key, page, and in one word number, removal, slot.
#[derive(Clone, Copy, Debug)]
struct NumberedChange {
    key: KeyHash,
    page: u32,
    rest: u64,
}

impl NumberedChange {
    #[inline]
    fn new(number: u64, change: Change) -> Self {
        let removed = if change.removed { REMOVED } else { 0 };
        let rest = number << NUMBER_SHIFT | removed | u64::from(change.record_id.slot);
        Self { key: change.key, page: change.record_id.page, rest }
    }

    fn number(self) -> u64 {
        self.rest >> NUMBER_SHIFT
    }

    fn change(self) -> Change {
        #[expect(clippy::cast_possible_truncation, reason = "the low 16 bits are the slot")]
        let slot = self.rest as u16;
        let record_id = RecordId { page: self.page, slot };
        Change { key: self.key, record_id, removed: self.rest & REMOVED != 0 }
    }
}

/// Changes, the oldest first within each list.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    /// None, one, or [`LISTS`].
    lists: Vec<Vec<NumberedChange>>,
    len: usize,
}

impl Recent {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(crate) fn push(&mut self, number: u64, change: Change) {
        if self.len >= FEW && self.lists.len() == 1 || self.lists.is_empty() {
            self.make_lists();
        }
        let at = self.list_of(change.key.bits());
        if let Some(list) = self.lists.get_mut(at) {
            list.push(NumberedChange::new(number, change));
            self.len += 1;
        }
    }

    #[cold]
    fn make_lists(&mut self) {
        let all = std::mem::take(&mut self.lists);
        self.lists.resize_with(if all.is_empty() { 1 } else { LISTS }, Vec::new);
        for change in all.into_iter().flatten() {
            let at = self.list_of(change.key.bits());
            if let Some(list) = self.lists.get_mut(at) {
                list.push(change);
            }
        }
    }

    fn list_of(&self, key: u32) -> usize {
        if self.lists.len() > 1 { (key >> LIST_SHIFT) as usize } else { 0 }
    }

    /// The changes of keys from `first` to `last`, in order of key and record id, the newest of
    /// each entry. Removals with numbers from `pending_from` on count as additions.
    pub(crate) fn range(&self, first: u32, last: u32, pending_from: u64) -> Vec<Change> {
        let lists = self.lists.get(self.list_of(first)..=self.list_of(last)).unwrap_or_default();
        let within = |numbered: &&NumberedChange| (first..=last).contains(&numbered.key.bits());
        let mut changes: Vec<Change> = lists
            .iter()
            .flatten()
            .filter(within)
            .map(|numbered| {
                let change = numbered.change();
                let removed = change.removed && numbered.number() < pending_from;
                Change { removed, ..change }
            })
            .collect();
        // Stable: the newest of an entry stays the last.
        changes.sort_by_key(Change::entry);
        changes.reverse();
        changes.dedup_by_key(|change| change.entry());
        changes.reverse();
        changes
    }

    /// Forgets the changes of one list with numbers up to `number`, and says whether there are
    /// more lists behind it. So that nobody waits for all of it.
    pub(crate) fn forget(&mut self, at: usize, number: u64) -> bool {
        if let Some(list) = self.lists.get_mut(at) {
            let count = list.partition_point(|numbered| numbered.number() <= number);
            list.drain(..count);
            self.len -= count;
            if list.capacity() > 4 * list.len() + 64 {
                list.shrink_to(2 * list.len());
            }
        }
        if self.len == 0 {
            self.lists = Vec::new();
        }
        at + 1 < self.lists.len()
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        let lists = self.lists.iter().map(|list| list.capacity() * size_of::<NumberedChange>());
        self.lists.capacity() * size_of::<Vec<NumberedChange>>() + lists.sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::cast_possible_truncation, reason = "the numbers are small")]

    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn change(key: u32, page: u32, removed: bool) -> Change {
        let key = KeyHash::from_bits(key);
        Change { key, record_id: RecordId { page, slot: 7 }, removed }
    }

    proptest! {
        #[test]
        fn a_range_has_the_newest_change_of_each_entry_that_was_not_forgotten(
            changes in prop::collection::vec((0..64_u32, 0..3_u32, any::<bool>()), 0..6000),
            forgotten in 0..6000_u64,
            pending_from in 0..8000_u64,
            (first, last) in (0..64_u32, 0..64_u32),
        ) {
            let mut recent = Recent::default();
            let mut model = BTreeMap::new();
            for (&(key, page, removed), number) in changes.iter().zip(0..) {
                let key = key << 26 | 5;
                recent.push(number, change(key, page, removed));
                if number > forgotten {
                    model.insert((key, page), removed && number < pending_from);
                }
            }
            let mut at = 0;
            while recent.forget(at, forgotten) {
                at += 1;
            }
            prop_assert_eq!(recent.len(), changes.len().saturating_sub(forgotten as usize + 1));
            let (first, last) = (first.min(last) << 26, last.max(first) << 26 | 5);
            let expected: Vec<Change> = model
                .range((first, 0)..=(last, u32::MAX))
                .map(|(&(key, page), &removed)| change(key, page, removed))
                .collect();
            prop_assert_eq!(recent.range(first, last, pending_from), expected);
        }
    }
}
