//! Going through a leaf, key by key, in both directions.

use super::key_buffer::KeyBuffer;
use super::{GROUP_KEYS, HEADER_SIZE, LeafHeader, RawKey, Records};
use crate::bytes::head;
use crate::error::Damage;

/// A key of a leaf, rebuilt, and what it takes to go on from it.
///
/// The cursor has no page: each call is given the body that [`LeafCursor::open`] was given.
#[derive(Debug, Default)]
pub(crate) struct LeafCursor {
    pub(super) header: LeafHeader,
    /// The number of the key on its page.
    pub(super) number: usize,
    /// The whole key: prefix, middle, suffix.
    pub(super) key: KeyBuffer,
    pub(super) records: Records,
    /// The key before, while a step goes from one group to the next.
    spare: KeyBuffer,
    /// The group that is unpacked for steps back.
    group: Option<usize>,
    unpacked: Vec<Unpacked>,
    middles: Vec<u8>,
}

/// A key of the unpacked group: where its middle begins and ends, and its records.
#[derive(Clone, Copy, Debug)]
struct Unpacked {
    middle: (usize, usize),
    records: Records,
}

impl LeafCursor {
    /// Begins with another page. The cursor is at no key then.
    #[inline]
    pub(crate) fn open(&mut self, body: &[u8], index: u32) -> Result<(), Damage> {
        self.header = LeafHeader::parse(body, index)?;
        self.group = None;
        Ok(())
    }

    #[inline]
    pub(crate) fn header(&self) -> &LeafHeader {
        &self.header
    }

    #[inline]
    pub(crate) fn key(&self) -> &[u8] {
        self.key.as_slice()
    }

    /// The net of the key's entries on this page.
    pub(crate) fn net(&self) -> i64 {
        self.records.net
    }

    /// Checks that a group that begins here says what the net of the keys before it is.
    pub(crate) fn check_before(&self, body: &[u8], net: i64) -> Result<(), Damage> {
        if !self.number.is_multiple_of(GROUP_KEYS) {
            return Ok(());
        }
        let before = self.header.before_group(body, self.number / GROUP_KEYS)?;
        if before == net { Ok(()) } else { Err(Damage::Count) }
    }

    /// The records of the key, to be unpacked.
    #[inline]
    pub(crate) fn records(&self) -> Records {
        self.records
    }

    /// Goes to the first key of the page.
    #[inline]
    pub(crate) fn enter_first_key(&mut self, body: &[u8]) -> Result<(), Damage> {
        self.enter_group(body, 0)?;
        self.close(body);
        self.check_head(body, 0)
    }

    /// Goes to the last key of the page.
    pub(crate) fn enter_last_key(&mut self, body: &[u8]) -> Result<(), Damage> {
        self.enter_unpacked(body, self.header.keys - 1)
    }

    /// Goes to the next key; false, and no step, if there is none.
    #[inline]
    pub(crate) fn step(&mut self, body: &[u8]) -> Result<bool, Damage> {
        let next = self.number + 1;
        if next >= self.header.keys {
            // Nothing lies between the last key and the end.
            return if self.records.end == self.header.end {
                Ok(false)
            } else {
                Err(Damage::Count)
            };
        }
        if next.is_multiple_of(GROUP_KEYS) {
            self.step_to_group(body, next / GROUP_KEYS)?;
            return Ok(true);
        }
        let raw = self.header.raw_key(body, self.records.end)?;
        self.check_order(body, &raw)?;
        self.key.truncate(self.key.len() - self.header.suffix_len);
        self.append(body, &raw)?;
        self.number = next;
        self.close(body);
        Ok(true)
    }

    /// Goes from the last key of a group to the first one of the next.
    fn step_to_group(&mut self, body: &[u8], group: usize) -> Result<(), Damage> {
        if self.header.group_at(body, group)? != self.records.end {
            return Err(Damage::Offset);
        }
        std::mem::swap(&mut self.key, &mut self.spare);
        self.enter_group(body, group)?;
        self.close(body);
        self.check_head(body, group)?;
        if self.key.as_slice() > self.spare.as_slice() { Ok(()) } else { Err(Damage::Order) }
    }

    /// Checks that a group's head is that of its first key, which the cursor is at.
    fn check_head(&self, body: &[u8], group: usize) -> Result<(), Damage> {
        let behind = self.middle();
        if head(behind) == self.header.head(body, group) { Ok(()) } else { Err(Damage::Order) }
    }

    /// Goes to the key before; false, and no step, if there is none.
    #[inline]
    pub(crate) fn step_back(&mut self, body: &[u8]) -> Result<bool, Damage> {
        let Some(before) = self.number.checked_sub(1) else { return Ok(false) };
        if !self.number.is_multiple_of(GROUP_KEYS) {
            self.enter_unpacked(body, before)?;
            return Ok(true);
        }
        // Within a group the order was checked when it was unpacked.
        std::mem::swap(&mut self.key, &mut self.spare);
        self.enter_unpacked(body, before)?;
        let is_below = self.key.as_slice() < self.spare.as_slice();
        if is_below { Ok(true) } else { Err(Damage::Order) }
    }

    /// Rebuilds the first key of a group, but for the suffix: [`close`](Self::close) must follow.
    #[inline]
    pub(super) fn enter_group(&mut self, body: &[u8], group: usize) -> Result<(), Damage> {
        let raw = self.header.raw_key(body, self.header.group_at(body, group)?)?;
        let head_bytes = self.header.head(body, group).to_be_bytes();
        let shared = head_bytes.get(..raw.shared).ok_or(Damage::Offset)?;
        self.start(body);
        self.key.extend(shared, 0, shared.len());
        self.key.extend(body, raw.rest_at, raw.rest.len());
        self.records = raw.records;
        self.number = group * GROUP_KEYS;
        Ok(())
    }

    /// Replaces the middle by that of the next key of the group. The key is without its suffix.
    #[inline]
    pub(super) fn append(&mut self, body: &[u8], raw: &RawKey<'_>) -> Result<(), Damage> {
        let end = self.header.prefix_len + raw.shared;
        if end > self.key.len() {
            return Err(Damage::Offset);
        }
        self.key.truncate(end);
        self.key.extend(body, raw.rest_at, raw.rest.len());
        self.records = raw.records;
        Ok(())
    }

    /// Puts the suffix behind the middle.
    #[inline]
    pub(super) fn close(&mut self, body: &[u8]) {
        self.key.extend(body, HEADER_SIZE + self.header.prefix_len, self.header.suffix_len);
    }

    /// Begins a key with the prefix.
    #[inline]
    fn start(&mut self, body: &[u8]) {
        self.key.truncate(0);
        self.key.extend(body, HEADER_SIZE, self.header.prefix_len);
    }

    /// The key without the prefix.
    #[inline]
    pub(super) fn middle(&self) -> &[u8] {
        self.key.as_slice().get(self.header.prefix_len..).unwrap_or(&[])
    }

    /// Checks that a key is above the one that the cursor is at.
    #[inline]
    fn check_order(&self, body: &[u8], raw: &RawKey<'_>) -> Result<(), Damage> {
        let at = self.header.prefix_len + raw.shared;
        let middle_end = self.key.len() - self.header.suffix_len;
        let key = self.key.as_slice();
        let is_above = match (raw.rest.first(), key.get(at)) {
            // As a rule the keys differ within both middles.
            (Some(new), Some(old)) if at < middle_end => new > old,
            _ => {
                let new = raw.rest.iter().chain(self.header.suffix(body));
                new.gt(key.get(at..).unwrap_or(&[]))
            }
        };
        if is_above { Ok(()) } else { Err(Damage::Order) }
    }

    /// Goes to a key by its number, from the unpacked group.
    fn enter_unpacked(&mut self, body: &[u8], number: usize) -> Result<(), Damage> {
        let group = number / GROUP_KEYS;
        if self.group != Some(group) {
            self.unpack(body, group)?;
        }
        let unpacked = self.unpacked.get(number % GROUP_KEYS).copied().ok_or(Damage::Count)?;
        let (start, end) = unpacked.middle;
        self.start(body);
        self.key.extend(&self.middles, start, end - start);
        self.records = unpacked.records;
        self.number = number;
        self.close(body);
        Ok(())
    }

    fn unpack(&mut self, body: &[u8], group: usize) -> Result<(), Damage> {
        self.group = None;
        self.unpacked.clear();
        self.middles.clear();
        self.enter_group(body, group)?;
        self.close(body);
        self.check_head(body, group)?;
        let count = (self.header.keys - group * GROUP_KEYS).min(GROUP_KEYS);
        for left in (0..count).rev() {
            let start = self.middles.len();
            let middle = self.key.len() - self.header.suffix_len;
            let key = self.key.as_slice();
            let middle = key.get(self.header.prefix_len..middle).unwrap_or(&[]);
            self.middles.extend_from_slice(middle);
            self.unpacked
                .push(Unpacked { middle: (start, self.middles.len()), records: self.records });
            if left > 0 && !self.step(body)? {
                return Err(Damage::Count);
            }
        }
        let next = group + 1;
        let end = if next == self.header.groups {
            self.header.end
        } else {
            self.header.group_at(body, next)?
        };
        if self.records.end != end {
            return Err(Damage::Offset);
        }
        self.group = Some(group);
        Ok(())
    }
}
