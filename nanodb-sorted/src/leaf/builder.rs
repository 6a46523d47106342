//! Packing as many entries as fit into a leaf.

use super::{GOES_ON, GROUP_KEYS, GROUP_SIZE, HAS_EFFECTS, HAS_LONG_KEYS, HEADER_SIZE};
use crate::BODY_LEN;
use crate::bytes::{common_prefix, common_suffix, leb_len, put_leb, zigzag};
use crate::error::Refused;
use crate::operation::{Effect, KEY_LEN_MAX, Posting};
use crate::record_id::RecordId;

/// Takes entries in rising order until the next one would not fit.
#[derive(Debug)]
pub(crate) struct LeafBuilder {
    keys: Vec<Key>,
    key_bytes: Vec<u8>,
    postings: Vec<Posting>,
    shape: Shape,
    /// The bytes that all keys share at the end, not counting what the prefix takes.
    suffix_max: usize,
    key_len_min: usize,
    /// The bytes of the page with all that it has.
    size: usize,
    goes_on: bool,
    out: Vec<u8>,
}

/// What the size of each key depends on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Shape {
    prefix_len: usize,
    suffix_len: usize,
    page_base: u32,
    has_effects: bool,
}

#[derive(Clone, Copy, Debug)]
struct Key {
    start: usize,
    len: usize,
    /// Bytes shared with the key before, and the length of that one.
    shared: usize,
    before_len: usize,
    postings_at: usize,
    count: usize,
    net: i64,
    first_page: u32,
    /// Bytes of the records, but for the first one's page: without effects, and with.
    plain_len: usize,
    marked_len: usize,
}

impl Key {
    /// How many bytes of the middle are shared, and how many follow.
    #[inline]
    fn middle(&self, shape: Shape, is_first: bool) -> (usize, usize) {
        let around = shape.prefix_len + shape.suffix_len;
        let len = self.len - around;
        let shared = if is_first {
            len.min(8)
        } else {
            (self.shared - shape.prefix_len).min(len).min(self.before_len - around)
        };
        (shared, len - shared)
    }

    #[inline]
    fn records_len(&self, shape: Shape) -> usize {
        let difference = u64::from(self.first_page - shape.page_base);
        if shape.has_effects {
            leb_len(difference << 2) + self.marked_len
        } else {
            leb_len(difference) + self.plain_len
        }
    }

    /// The bytes that the key takes.
    #[inline]
    fn size(&self, shape: Shape, is_first: bool) -> usize {
        let (shared, rest) = self.middle(shape, is_first);
        let records_len = self.records_len(shape);
        let mut size = leb_len(shared as u64) + leb_len(rest as u64) + rest;
        size += leb_len(self.count as u64) + records_len;
        if shape.has_effects {
            size += leb_len(zigzag(self.net));
        }
        if self.count > 1 {
            size += leb_len(records_len as u64);
        }
        size
    }
}

/// Whether an entry has been taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Pushed {
    /// It has, as the first one of its key on this page.
    NewKey,
    /// It has, under the key of the one before.
    SameKey,
    /// It does not fit; the page is as it was.
    Full,
}

impl LeafBuilder {
    pub(crate) fn new() -> Self {
        Self {
            keys: Vec::new(),
            key_bytes: Vec::new(),
            postings: Vec::new(),
            shape: Shape::default(),
            suffix_max: 0,
            key_len_min: 0,
            size: 0,
            goes_on: false,
            out: Vec::with_capacity(BODY_LEN),
        }
    }

    /// Forgets all entries. `goes_on` if the next one has the key of the last one so far.
    pub(crate) fn clear(&mut self, goes_on: bool) {
        self.keys.clear();
        self.key_bytes.clear();
        self.postings.clear();
        self.goes_on = goes_on;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    pub(crate) fn first_key(&self) -> &[u8] {
        self.keys.first().map_or(&[], |key| self.bytes_of(key))
    }

    pub(crate) fn last_key(&self) -> &[u8] {
        self.keys.last().map_or(&[], |key| self.bytes_of(key))
    }

    pub(crate) fn goes_on(&self) -> bool {
        self.goes_on
    }

    fn bytes_of(&self, key: &Key) -> &[u8] {
        self.key_bytes.get(key.start..key.start + key.len).unwrap_or(&[])
    }

    /// Takes an entry above all that are here, if it fits.
    #[inline]
    pub(crate) fn push(
        &mut self,
        key: &[u8],
        record: RecordId,
        effect: Effect,
    ) -> Result<Pushed, Refused> {
        let Some(last) = self.keys.last() else {
            return self.push_first(key, record, effect);
        };
        let last_bytes = self.bytes_of(last);
        let shared = common_prefix(last_bytes, key);
        if shared == last_bytes.len() && shared == key.len() {
            return self.push_record(record, effect);
        }
        if last_bytes.get(shared) >= key.get(shared) {
            return Err(Refused::OutOfOrder);
        }
        Ok(self.push_key(key, shared, record, effect))
    }

    fn push_first(
        &mut self,
        key: &[u8],
        record: RecordId,
        effect: Effect,
    ) -> Result<Pushed, Refused> {
        self.shape = Shape {
            prefix_len: key.len(),
            suffix_len: 0,
            page_base: record.page,
            has_effects: effect != Effect::Added,
        };
        self.suffix_max = key.len();
        self.key_len_min = key.len();
        self.add_key(key, 0, 0, record, effect);
        self.size = self.whole_size();
        Ok(Pushed::NewKey)
    }

    fn push_key(&mut self, key: &[u8], shared: usize, record: RecordId, effect: Effect) -> Pushed {
        let before = (self.shape, self.suffix_max, self.key_len_min, self.size);
        let before_len = self.keys.last().map_or(0, |key| key.len);
        let prefix_len = self.shape.prefix_len.min(shared);
        self.key_len_min = self.key_len_min.min(key.len());
        // All keys share this end with the first one, so one comparison does.
        let first = self.first_key();
        let suffix_max = if key.ends_with(tail(first, self.suffix_max)) {
            self.suffix_max
        } else {
            common_suffix(tail(first, self.suffix_max), key)
        };
        self.suffix_max = suffix_max;
        self.shape = Shape {
            prefix_len,
            suffix_len: suffix_max.min(self.key_len_min - prefix_len),
            page_base: self.shape.page_base.min(record.page),
            has_effects: self.shape.has_effects || effect != Effect::Added,
        };
        self.add_key(key, shared, before_len, record, effect);
        if self.shape == before.0 {
            let is_first = (self.keys.len() - 1).is_multiple_of(GROUP_KEYS);
            self.size += self.keys.last().map_or(0, |key| key.size(self.shape, is_first));
            self.size += if is_first { GROUP_SIZE } else { 0 };
        } else {
            self.size = self.whole_size();
        }
        if self.size <= BODY_LEN {
            return Pushed::NewKey;
        }
        if let Some(key) = self.keys.pop() {
            self.key_bytes.truncate(key.start);
            self.postings.truncate(key.postings_at);
        }
        (self.shape, self.suffix_max, self.key_len_min, self.size) = before;
        Pushed::Full
    }

    fn add_key(
        &mut self,
        bytes: &[u8],
        shared: usize,
        before_len: usize,
        record: RecordId,
        effect: Effect,
    ) {
        let slot_len = leb_len(record.slot.into());
        self.keys.push(Key {
            start: self.key_bytes.len(),
            len: bytes.len(),
            shared,
            before_len,
            postings_at: self.postings.len(),
            count: 1,
            net: effect.net().into(),
            first_page: record.page,
            plain_len: slot_len,
            marked_len: slot_len,
        });
        self.key_bytes.extend_from_slice(bytes);
        self.postings.push(Posting { record, effect });
    }

    #[inline]
    fn push_record(&mut self, record: RecordId, effect: Effect) -> Result<Pushed, Refused> {
        let is_first = (self.keys.len() - 1).is_multiple_of(GROUP_KEYS);
        let Some((key, last)) = self.keys.last_mut().zip(self.postings.last()) else {
            return Err(Refused::OutOfOrder);
        };
        if last.record >= record {
            return Err(Refused::OutOfOrder);
        }
        let before = (*key, self.shape, self.size);
        let difference = u64::from(record.page - last.record.page);
        let slot = if difference == 0 { record.slot - last.record.slot } else { record.slot };
        let slot_len = leb_len(slot.into());
        let old_size = key.size(self.shape, is_first);
        key.count += 1;
        key.net += i64::from(effect.net());
        key.plain_len += leb_len(difference) + slot_len;
        key.marked_len += leb_len(difference << 2) + slot_len;
        self.postings.push(Posting { record, effect });
        if effect == Effect::Added || self.shape.has_effects {
            self.size = self.size - old_size + key.size(self.shape, is_first);
        } else {
            self.shape.has_effects = true;
            self.size = self.whole_size();
        }
        if self.size <= BODY_LEN {
            return Ok(Pushed::SameKey);
        }
        self.postings.pop();
        if let Some(key) = self.keys.last_mut() {
            (*key, self.shape, self.size) = before;
        }
        Ok(Pushed::Full)
    }

    /// The bytes of the page, counted anew.
    fn whole_size(&self) -> usize {
        let keys = self.keys.iter().enumerate();
        let sizes = keys.map(|(at, key)| key.size(self.shape, at.is_multiple_of(GROUP_KEYS)));
        HEADER_SIZE
            + self.shape.prefix_len
            + self.shape.suffix_len
            + GROUP_SIZE * self.keys.len().div_ceil(GROUP_KEYS)
            + sizes.sum::<usize>()
    }

    /// The net of all entries.
    pub(crate) fn net(&self) -> i64 {
        self.keys.iter().map(|key| key.net).sum()
    }

    /// Writes the page into a body.
    pub(crate) fn encode(&mut self, index: u32, body: &mut [u8; BODY_LEN]) {
        let Shape { prefix_len, suffix_len, page_base, has_effects } = self.shape;
        let groups = self.keys.len().div_ceil(GROUP_KEYS);
        let mut out = std::mem::take(&mut self.out);
        out.clear();

        let is_long = self.keys.iter().any(|key| key.len == KEY_LEN_MAX);
        let flags = if has_effects { HAS_EFFECTS } else { 0 }
            | if is_long { HAS_LONG_KEYS } else { 0 }
            | if self.goes_on { GOES_ON } else { 0 };
        out.extend_from_slice(&index.to_le_bytes());
        for number in [self.keys.len(), groups, prefix_len, suffix_len] {
            out.extend_from_slice(&low_u16(number).to_le_bytes());
        }
        out.extend_from_slice(&page_base.to_le_bytes());
        // `end` is set below.
        out.extend_from_slice(&[flags, 0, 0, 0]);
        let first = self.first_key();
        out.extend_from_slice(first.get(..prefix_len).unwrap_or(&[]));
        out.extend_from_slice(tail(first, suffix_len));

        let heads_at = out.len();
        out.resize(heads_at + GROUP_SIZE * groups, 0);
        let (mut before, mut directory) = (0, (heads_at, heads_at + 8 * groups));
        for (number, key) in self.keys.iter().enumerate() {
            let bytes = self.bytes_of(key);
            let is_first = number.is_multiple_of(GROUP_KEYS);
            if is_first {
                let head = crate::bytes::head(bytes.get(prefix_len..).unwrap_or(&[]));
                let at = low_u16(out.len());
                put_at(&mut out, directory.0, head.to_be_bytes());
                put_at(&mut out, directory.1, at.to_le_bytes());
                put_at(&mut out, directory.1 + 2 * groups, low_u16_signed(before).to_le_bytes());
                directory = (directory.0 + 8, directory.1 + 2);
            }
            before += key.net;
            let (shared, rest) = key.middle(self.shape, is_first);
            put_leb(shared as u64, &mut out);
            put_leb(rest as u64, &mut out);
            let rest = bytes.get(prefix_len + shared..bytes.len() - suffix_len);
            out.extend_from_slice(rest.unwrap_or(&[]));
            put_leb(key.count as u64, &mut out);
            if has_effects {
                put_leb(zigzag(key.net), &mut out);
            }
            if key.count > 1 {
                put_leb(key.records_len(self.shape) as u64, &mut out);
            }
            self.encode_records(key, &mut out);
        }
        let end = low_u16(out.len());
        put_at(&mut out, 18, end.to_le_bytes());
        debug_assert_eq!(out.len(), self.size, "the size is what was counted");
        body.fill(0);
        for (to, from) in body.iter_mut().zip(&out) {
            *to = *from;
        }
        self.out = out;
    }

    fn encode_records(&self, key: &Key, out: &mut Vec<u8>) {
        let postings = self.postings.get(key.postings_at..key.postings_at + key.count);
        let mut before = RecordId { page: self.shape.page_base, slot: 0 };
        for (number, posting) in postings.unwrap_or(&[]).iter().enumerate() {
            let RecordId { page, slot } = posting.record;
            let difference = u64::from(page - before.page);
            if self.shape.has_effects {
                put_leb(difference << 2 | u64::from(posting.effect as u8), out);
            } else {
                put_leb(difference, out);
            }
            let is_same_page = number > 0 && difference == 0;
            put_leb((if is_same_page { slot - before.slot } else { slot }).into(), out);
            before = posting.record;
        }
    }
}

/// The last so many bytes.
#[inline]
fn tail(bytes: &[u8], len: usize) -> &[u8] {
    bytes.get(bytes.len() - len.min(bytes.len())..).unwrap_or(&[])
}

/// A number of a page, all of which are below 4,096.
fn low_u16(number: usize) -> u16 {
    u16::try_from(number).unwrap_or(u16::MAX)
}

fn low_u16_signed(number: i64) -> i16 {
    i16::try_from(number).unwrap_or(i16::MAX)
}

fn put_at<const N: usize>(out: &mut [u8], at: usize, bytes: [u8; N]) {
    if let Some(place) = out.get_mut(at..at + N) {
        place.copy_from_slice(&bytes);
    }
}
