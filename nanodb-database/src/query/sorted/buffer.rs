//! Keys, and what is kept of their documents, in memory.
//!
//! All bytes lie one after the other as they came; what is sorted are small entries that say where.
//! An entry has the first bytes of its key with it, so that most comparisons look no further. Those
//! for which that does not do are then sorted by the bytes that come next, which they get all at
//! once: each key is looked at a few times, however often it is compared.

use std::cmp::Ordering;

use super::entry::SortEntry;

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
    /// The key's first bytes, or all of them and zeros. While entries are sorted, and after
    /// that, bytes further behind.
    prefix: [u64; 2],
    start: usize,
    key_len: u32,
    kept_len: u32,
}

const PREFIX_BYTES: usize = 16;

/// From here on keys are compared where they lie.
const DEPTH_MAX: usize = 4 * PREFIX_BYTES;

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
        if self.entries.is_empty() {
            self.bytes.reserve_exact(len);
            return true;
        }
        let fits = self.bytes.capacity() - self.bytes.len() >= len
            && self.entries.len() < self.entries.capacity();
        fits || self.grow(len)
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
    pub(super) fn push(&mut self, key: &[u8], kept: SortEntry<'_>) {
        let entry = Entry {
            prefix: prefix(key),
            start: self.bytes.len(),
            key_len: u32::try_from(key.len()).unwrap_or(u32::MAX),
            kept_len: u32::try_from(kept.len()).unwrap_or(u32::MAX),
        };
        self.bytes.extend_from_slice(key);
        kept.pack(&mut self.bytes);
        self.entries.push(entry);
    }

    /// Puts the entries in order. None may come after that before all are [cleared](Self::clear).
    pub(super) fn sort(&mut self) {
        sort_from(&self.bytes, &mut self.entries, 0);
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
    /// The key without its first `depth` bytes.
    #[inline]
    fn key_from<'b>(&self, bytes: &'b [u8], depth: usize) -> &'b [u8] {
        let end = self.start + self.key_len as usize;
        bytes.get((self.start + depth).min(end)..end).unwrap_or_default()
    }

    fn end(&self) -> usize {
        self.start + self.key_len as usize + self.kept_len as usize
    }
}

/// The first bytes of a key, as numbers that compare like them.
#[inline]
fn prefix(key: &[u8]) -> [u64; 2] {
    let mut first = [0; PREFIX_BYTES];
    for (to, from) in first.iter_mut().zip(key) {
        *to = *from;
    }
    let (high, low) = first.split_at(PREFIX_BYTES / 2);
    let number = |half: &[u8]| half.try_into().map_or(0, u64::from_be_bytes);
    [number(high), number(low)]
}

/// Sorts entries whose keys are the same up to `depth`, and whose prefixes are what comes there.
fn sort_from(bytes: &[u8], entries: &mut [Entry], depth: usize) {
    let is_whole = |entry: &Entry| entry.key_len as usize <= depth + PREFIX_BYTES;
    entries.sort_unstable_by(|one, other| {
        one.prefix.cmp(&other.prefix).then_with(|| match (is_whole(one), is_whole(other)) {
            // One is the other with zeros behind.
            (true, true) => (one.key_len, one.start).cmp(&(other.key_len, other.start)),
            // So is a key that ends here.
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => Ordering::Equal,
        })
    });
    let next = depth + PREFIX_BYTES;
    let alike = |one: &Entry, other: &Entry| one.prefix == other.prefix && !is_whole(one);
    for group in entries.chunk_by_mut(|one, other| alike(one, other)) {
        let [first, _, ..] = group else { continue };
        if is_whole(first) {
            continue;
        }
        if next >= DEPTH_MAX {
            group.sort_unstable_by(|one, other| {
                let (one_key, other_key) = (one.key_from(bytes, next), other.key_from(bytes, next));
                one_key.cmp(other_key).then_with(|| one.start.cmp(&other.start))
            });
            continue;
        }
        for entry in &mut *group {
            entry.prefix = prefix(entry.key_from(bytes, next));
        }
        sort_from(bytes, group, next);
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
        one.key_from(bytes, PREFIX_BYTES).cmp(other.key_from(bytes, PREFIX_BYTES))
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

    /// Of few bytes, and of equal ones for long: all depths are reached.
    fn key() -> impl Strategy<Value = Vec<u8>> {
        let bytes = prop::collection::vec(prop::sample::select(vec![0_u8, 1, 255]), 0..20);
        (prop::sample::select(vec![0, 10, 16, 30, 63, 70]), bytes).prop_map(|(alike, bytes)| {
            let mut key = vec![0; alike];
            key.extend(bytes);
            key
        })
    }

    proptest! {
        #[test]
        fn entries_come_in_the_order_of_their_keys_and_then_as_they_were_put(
            keys_in in prop::collection::vec(
                key(), 0..60),
            count in 1_usize..70,
        ) {
            let mut buffer = Buffer::new(1 << 20);
            for (number, key) in (0_u8..).zip(&keys_in) {
                assert!(buffer.has_room(key.len() + 2));
                buffer.push(key, SortEntry::Bytes(&[number]));
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
                buffer.push(b"key", SortEntry::Bytes(&document));
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
        assert!(none.has_room(1001));
        none.push(&[1; 1000], SortEntry::Bytes(&[]));
        assert!(!none.has_room(1));
    }
}
