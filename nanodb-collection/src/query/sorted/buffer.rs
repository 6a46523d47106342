//! Keys, and what is kept of their documents, in memory.
//!
//! All bytes lie one after the other as they came; what is sorted are small entries that say where. An entry
//! has the first bytes of its key with it, so that most comparisons look no further.

use std::cmp::Ordering;

use super::kept::Kept;

/// Keys with what goes with them.
pub(super) struct Buffer {
    /// Of each entry the key, then what is kept.
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    bytes_max: usize,
}

/// One key.
#[derive(Clone, Copy)]
struct Entry {
    /// The key's first bytes, or all of them and zeros.
    prefix: [u64; 2],
    start: usize,
    key_len: u32,
    kept_len: u32,
}

const PREFIX_BYTES: usize = 16;

const ENTRY_BYTES: usize = size_of::<Entry>();

/// When less than one part in so many of the budget is left, none is.
const REST_SHARE: usize = 16;

impl Buffer {
    /// May take so many bytes.
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { bytes: Vec::new(), entries: Vec::new(), bytes_max }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// How many bytes are in use.
    pub(super) fn used_bytes(&self) -> usize {
        self.bytes.len() + self.entries.len() * ENTRY_BYTES
    }

    /// Makes room for an entry of so many bytes; false if the budget does not allow it. The first
    /// one has room however large it is.
    pub(super) fn has_room(&mut self, len: usize) -> bool {
        let fits = self.bytes.capacity() - self.bytes.len() >= len
            && self.entries.len() < self.entries.capacity();
        fits || self.entries.is_empty() || self.grow(len)
    }

    /// Vectors that double would take up to twice the budget.
    #[cold]
    fn grow(&mut self, len: usize) -> bool {
        let taken = self.bytes.capacity() + self.entries.capacity() * ENTRY_BYTES;
        let left = self.bytes_max.saturating_sub(taken);
        let missing = (self.bytes.len() + len).saturating_sub(self.bytes.capacity());
        if missing + ENTRY_BYTES > left || left < self.bytes_max / REST_SHARE {
            return false;
        }
        if missing > 0 {
            // Not all that is left: the entries want to grow, too.
            let more = self.bytes.capacity().min(left / 2).max(missing);
            let spare = self.bytes.capacity() - self.bytes.len();
            if self.bytes.try_reserve_exact(spare + more).is_err() {
                return false;
            }
        }
        if self.entries.len() == self.entries.capacity() {
            let left = left.saturating_sub(self.bytes.capacity().saturating_sub(taken));
            let more = self.entries.capacity().min(left / 2 / ENTRY_BYTES).max(1);
            return self.entries.try_reserve_exact(more).is_ok();
        }
        true
    }

    /// Puts an entry behind the others. Key and document have less than 4 GiB each.
    pub(super) fn push(&mut self, key: &[u8], kept: Kept<'_>) {
        let mut prefix = [0; PREFIX_BYTES];
        for (to, from) in prefix.iter_mut().zip(key) {
            *to = *from;
        }
        let (high, low) = prefix.split_at(PREFIX_BYTES / 2);
        let number = |half: &[u8]| half.try_into().map_or(0, u64::from_be_bytes);
        let entry = Entry {
            prefix: [number(high), number(low)],
            start: self.bytes.len(),
            key_len: u32::try_from(key.len()).unwrap_or(u32::MAX),
            kept_len: u32::try_from(kept.len()).unwrap_or(u32::MAX),
        };
        self.bytes.extend_from_slice(key);
        kept.pack(&mut self.bytes);
        self.entries.push(entry);
    }

    /// Puts the entries in order.
    pub(super) fn sort(&mut self) {
        let Self { bytes, entries, .. } = self;
        entries.sort_unstable_by(|one, other| compare(bytes, one, other));
    }

    /// The key of an entry, and what is kept, packed.
    pub(super) fn get(&self, at: usize) -> (&[u8], &[u8]) {
        let Some(entry) = self.entries.get(at) else { return (&[], &[]) };
        let of_entry = self.bytes.get(entry.start..entry.end()).unwrap_or_default();
        of_entry.split_at_checked(entry.key_len as usize).unwrap_or_default()
    }

    /// Keeps the first `count` in order, if there are more, and returns the last key among them.
    pub(super) fn truncate(&mut self, count: usize) -> Option<&[u8]> {
        let last = count.checked_sub(1)?;
        if self.entries.len() <= count {
            return None;
        }
        let Self { bytes, entries, .. } = self;
        entries.select_nth_unstable_by(last, |one, other| compare(bytes, one, other));
        entries.truncate(count);
        let last = entries.last()?.start;
        // Moved together as they came, which is what equal keys go by.
        entries.sort_unstable_by_key(|entry| entry.start);
        let (mut end, mut last_at) = (0, 0);
        for (at, entry) in entries.iter_mut().enumerate() {
            if entry.start == last {
                last_at = at;
            }
            bytes.copy_within(entry.start..entry.end(), end);
            let len = entry.end() - entry.start;
            entry.start = end;
            end += len;
        }
        bytes.truncate(end);
        Some(self.get(last_at).0)
    }

    /// Drops all entries; their memory stays.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.entries.clear();
        // A single document may have taken more than the budget.
        self.bytes.shrink_to(self.bytes_max);
    }
}

impl Entry {
    fn end(&self) -> usize {
        self.start + self.key_len as usize + self.kept_len as usize
    }
}

#[inline]
fn compare(bytes: &[u8], one: &Entry, other: &Entry) -> Ordering {
    one.prefix.cmp(&other.prefix).then_with(|| compare_rest(bytes, one, other))
}

fn compare_rest(bytes: &[u8], one: &Entry, other: &Entry) -> Ordering {
    let is_whole = |entry: &Entry| entry.key_len as usize <= PREFIX_BYTES;
    let by_key = if is_whole(one) && is_whole(other) {
        // One is the other with zeros behind.
        one.key_len.cmp(&other.key_len)
    } else {
        let rest = |entry: &Entry| {
            let start = entry.start + PREFIX_BYTES.min(entry.key_len as usize);
            bytes.get(start..entry.start + entry.key_len as usize).unwrap_or_default()
        };
        rest(one).cmp(rest(other))
    };
    by_key.then_with(|| one.start.cmp(&other.start))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn keys(buffer: &Buffer) -> Vec<(Vec<u8>, Vec<u8>)> {
        (0..buffer.len()).map(|at| buffer.get(at)).map(|(k, v)| (k.to_vec(), v.to_vec())).collect()
    }

    proptest! {
        #[test]
        fn entries_come_in_the_order_of_their_keys_and_then_as_they_were_put(
            keys_in in prop::collection::vec(
                prop::collection::vec(prop::sample::select(vec![0_u8, 1, 255]), 0..40), 0..60),
            count in 1_usize..70,
        ) {
            let mut buffer = Buffer::new(1 << 20);
            for (number, key) in (0_u8..).zip(&keys_in) {
                assert!(buffer.has_room(key.len() + 2));
                buffer.push(key, Kept::Bytes(&[number]));
            }
            let mut expected: Vec<(Vec<u8>, Vec<u8>)> =
                (0_u8..).zip(keys_in).map(|(number, key)| (key, vec![0, number])).collect();
            expected.sort_by(|one, other| one.0.cmp(&other.0));
            let last = buffer.truncate(count).map(<[u8]>::to_vec);
            prop_assert_eq!(last.is_some(), expected.len() > count);
            expected.truncate(count);
            if let Some(last) = last {
                prop_assert_eq!(Some(last), expected.last().map(|(key, _)| key.clone()));
            }
            buffer.sort();
            prop_assert_eq!(keys(&buffer), expected);
        }
    }

    #[test]
    fn the_budget_holds_and_most_of_it_is_used() {
        for (bytes_max, len) in [(100_000, 10), (100_000, 200), (1 << 20, 5), (5000, 900)] {
            let mut buffer = Buffer::new(bytes_max);
            let document = vec![7; len];
            while buffer.has_room(len + 4) {
                buffer.push(b"key", Kept::Bytes(&document));
            }
            let taken = buffer.bytes.capacity() + buffer.entries.capacity() * ENTRY_BYTES;
            assert!(taken <= bytes_max, "{taken} of {bytes_max}");
            assert!(
                buffer.used_bytes() * 3 > bytes_max * 2,
                "{} of {bytes_max}",
                buffer.used_bytes()
            );
        }
        let mut none = Buffer::new(0);
        assert!(none.has_room(1000));
        none.push(&[1; 1000], Kept::Bytes(&[]));
        assert!(!none.has_room(1));
    }
}
