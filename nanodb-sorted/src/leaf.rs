//! The leaf of a run (kind 19): keys in rising order, each with its records.
//!
//! ```text
//! offset  size  field       meaning
//! ------  ----  ----------  ---------------------------------------------------------------
//!      0     4  index       number of the index within its collection
//!      4     2  keys        keys on this page, at least 1
//!      6     2  groups      groups of keys: 16 keys each, the last one what is left
//!      8     2  prefix_len  bytes that all keys share at the front
//!     10     2  suffix_len  bytes that all keys share behind that at the end
//!     12     4  page_base   the lowest page number among the records
//!     16     1  flags       1: records have effects; 2: a key has 1,024 bytes and may be a
//!                           cut one; 4: the first key is the last one of the leaf before
//!     17     1  reserved    zero
//!     18     2  end         offset behind the last key
//!     20     .  prefix, suffix
//!      .   8*g  heads       of each group: the first 8 bytes of its first key behind the
//!                           prefix, zeros for those that are missing
//!      .   2*g  offsets     of each group: the offset of its first key
//!      .   2*g  befores     of each group: the net of the keys on this page before it, signed
//!      .     .  keys
//! ```
//!
//! A key's *middle* is what is left of it without the page's prefix and suffix. A key is, numbers
//! being LEB128 in their shortest form:
//!
//! ```text
//! shared   bytes that its middle shares with that of the key before in the group; of the first
//!          key: with the head
//! rest     how many bytes of the middle follow, and these
//! count    how many records follow, at least 1
//! net      if flag 1: the sum of the nets of their effects; as twice it, or twice its absolute
//!          value less one if it is negative. Without the flag it is `count`
//! len      if count is above 1: the bytes of the records
//! records  by rising page and slot: the page less that of the record before (of the first: less
//!          page_base), with flag 1 times four plus the effect; then the slot, of a record on
//!          the same page less that of the one before
//! ```
//!
//! Effects are 0 added, 1 removed, 2 restored, 3 vanished; their nets are 1, -1, 0 and 0. All that
//! is shared is as long as it can be. Behind `end` there are zeros.
//!
//! # Invariants
//!
//! 1. Keys rise, and the records of a key do. A key's records may go on in the next leaf, which
//!    then has flag 4, begins with the same key, and with a record above the last one.
//! 2. The effects of the page are all `added` if and only if flag 1 is not set.
//!
//! A page is looked at in pieces: its header when it is come upon, a key when it is passed. Each
//! piece is checked by whoever looks at it.

mod builder;
mod cursor;
mod key_buffer;
mod search;

pub(crate) use builder::{LeafBuilder, Pushed};
pub(crate) use cursor::LeafCursor;
pub(crate) use search::Boundary;

use crate::BODY_LEN;
use crate::bytes::{Reader, from_zigzag, head_at, u16_at, u32_at};
use crate::error::Damage;
use crate::operation::{Effect, KEY_LEN_MAX, Posting};
use crate::record_id::RecordId;

pub(crate) const HEADER_SIZE: usize = 20;
pub(crate) const GROUP_KEYS: usize = 16;
/// Bytes of a group besides its keys.
pub(crate) const GROUP_SIZE: usize = 12;

pub(crate) const HAS_EFFECTS: u8 = 1;
pub(crate) const HAS_LONG_KEYS: u8 = 2;
pub(crate) const GOES_ON: u8 = 4;

/// The header of a leaf, checked.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LeafHeader {
    pub(crate) keys: usize,
    pub(crate) groups: usize,
    pub(crate) prefix_len: usize,
    pub(crate) suffix_len: usize,
    pub(crate) page_base: u32,
    pub(crate) flags: u8,
    pub(crate) end: usize,
}

impl LeafHeader {
    /// Reads the header of a body and checks that its parts have room in it.
    ///
    /// Costs the same for a full page as for an empty one.
    #[inline]
    pub(crate) fn parse(body: &[u8], index: u32) -> Result<Self, Damage> {
        if body.len() != BODY_LEN {
            return Err(Damage::Length);
        }
        let u16_at = |at| u16_at(body, at).map(usize::from).ok_or(Damage::Length);
        let u32_at = |at| u32_at(body, at).ok_or(Damage::Length);
        if u32_at(0)? != index {
            return Err(Damage::Index);
        }
        let header = Self {
            keys: u16_at(4)?,
            groups: u16_at(6)?,
            prefix_len: u16_at(8)?,
            suffix_len: u16_at(10)?,
            page_base: u32_at(12)?,
            flags: body.get(16).copied().ok_or(Damage::Length)?,
            end: u16_at(18)?,
        };
        let is_sound = header.keys > 0
            && header.groups == header.keys.div_ceil(GROUP_KEYS)
            && header.prefix_len + header.suffix_len <= KEY_LEN_MAX
            && header.flags <= (HAS_EFFECTS | HAS_LONG_KEYS | GOES_ON)
            && body.get(17) == Some(&0)
            && header.keys_at() < header.end
            && header.end <= BODY_LEN;
        if is_sound { Ok(header) } else { Err(Damage::Header) }
    }

    #[inline]
    fn heads_at(&self) -> usize {
        HEADER_SIZE + self.prefix_len + self.suffix_len
    }

    /// Where the keys begin.
    #[inline]
    fn keys_at(&self) -> usize {
        self.heads_at() + GROUP_SIZE * self.groups
    }

    #[inline]
    pub(crate) fn prefix<'b>(&self, body: &'b [u8]) -> &'b [u8] {
        body.get(HEADER_SIZE..HEADER_SIZE + self.prefix_len).unwrap_or(&[])
    }

    #[inline]
    pub(crate) fn suffix<'b>(&self, body: &'b [u8]) -> &'b [u8] {
        body.get(HEADER_SIZE + self.prefix_len..self.heads_at()).unwrap_or(&[])
    }

    #[inline]
    fn head(&self, body: &[u8], group: usize) -> u64 {
        head_at(body, self.heads_at(), group)
    }

    /// Where a group's first key is.
    #[inline]
    fn group_at(&self, body: &[u8], group: usize) -> Result<usize, Damage> {
        let offsets = self.heads_at() + 8 * self.groups;
        let at = u16_at(body, offsets + 2 * group).map(usize::from).ok_or(Damage::Offset)?;
        let is_first = at == self.keys_at();
        if (group == 0) != is_first || at < self.keys_at() || at >= self.end {
            return Err(Damage::Offset);
        }
        Ok(at)
    }

    /// The net of all keys before a group.
    #[inline]
    fn before_group(&self, body: &[u8], group: usize) -> Result<i64, Damage> {
        let befores = self.heads_at() + 10 * self.groups;
        let before = u16_at(body, befores + 2 * group).ok_or(Damage::Offset)?;
        Ok(before.cast_signed().into())
    }

    #[inline]
    pub(crate) fn has_effects(&self) -> bool {
        self.flags & HAS_EFFECTS != 0
    }

    #[inline]
    pub(crate) fn goes_on(&self) -> bool {
        self.flags & GOES_ON != 0
    }

    /// Reads the key at an offset, but for its records.
    #[inline]
    fn raw_key<'b>(&self, body: &'b [u8], at: usize) -> Result<RawKey<'b>, Damage> {
        let raw = match self.short_key(body, at) {
            Some(raw) => raw,
            None => self.any_key(body, at)?,
        };
        let len = self.prefix_len + raw.shared + raw.rest.len() + self.suffix_len;
        if len > KEY_LEN_MAX || raw.records.end > self.end {
            return Err(Damage::Offset);
        }
        Ok(raw)
    }

    /// Reads a key of few bytes with one record: what a unique index is made of. Where its numbers
    /// end is seen from their top bits, eight bytes at once.
    #[inline]
    fn short_key<'b>(&self, body: &'b [u8], at: usize) -> Option<RawKey<'b>> {
        let &[shared, rest_len] = body.get(at..)?.first_chunk::<2>()?;
        let rest_at = at + 2;
        let count_at = rest_at + usize::from(rest_len);
        let &[count, ref numbers @ ..] = body.get(count_at..)?.first_chunk::<9>()?;
        if (shared | rest_len) & 0x80 != 0 || count != 1 || self.has_effects() {
            return None;
        }
        let ends = !u64::from_le_bytes(*numbers) & 0x8080_8080_8080_8080;
        let after_first = ends & ends.wrapping_sub(1);
        if after_first == 0 {
            return None;
        }
        let at = count_at + 1;
        let end = at + after_first.trailing_zeros() as usize / 8 + 1;
        let rest = body.get(rest_at..count_at)?;
        let records = Records { count: 1, net: 1, at, end };
        Some(RawKey { shared: shared.into(), rest, rest_at, records })
    }

    fn any_key<'b>(&self, body: &'b [u8], at: usize) -> Result<RawKey<'b>, Damage> {
        let mut reader = Reader::new(body, at, self.end)?;
        let shared = reader.len()?;
        let rest_len = reader.len()?;
        let rest_at = reader.at();
        let rest = reader.take(rest_len)?;
        let count = reader.len()?;
        let net = if self.has_effects() {
            from_zigzag(reader.leb()?)
        } else {
            i64::try_from(count).map_err(|_| Damage::Count)?
        };
        let records_at;
        if count == 1 {
            records_at = reader.at();
            reader.skip_leb()?;
            reader.skip_leb()?;
        } else {
            let len = reader.len()?;
            records_at = reader.at();
            reader.take(len)?;
            // Each record has two bytes or more: this bounds the count, and the work with it.
            if count == 0 || count > len / 2 {
                return Err(Damage::Count);
            }
        }
        let records = Records { count, net, at: records_at, end: reader.at() };
        if shared > KEY_LEN_MAX || net.unsigned_abs() > count as u64 {
            return Err(Damage::Count);
        }
        Ok(RawKey { shared, rest, rest_at, records })
    }

    /// Unpacks at most so many records of a key more, and appends them to `out`.
    #[inline]
    pub(crate) fn unpack(
        &self,
        body: &[u8],
        rest: &mut Records,
        count_max: usize,
        out: &mut Vec<Posting>,
    ) -> Result<(), Damage> {
        let count = rest.count.min(count_max);
        let mut reader = Reader::new(body, rest.at, rest.end)?;
        let shift = if self.has_effects() { 2 } else { 0 };
        let (mut page, mut slot, mut is_first) = match out.last() {
            Some(Posting { record, .. }) => (record.page, record.slot, false),
            None => (self.page_base, 0, true),
        };
        out.reserve(count);
        let mut net = 0;
        for _ in 0..count {
            let (word, low) = reader.pair()?;
            let difference = u32::try_from(word >> shift).map_err(|_| Damage::Number)?;
            let low = u16::try_from(low).map_err(|_| Damage::Number)?;
            let effect = if shift == 0 { Effect::Added } else { Effect::from_bits(word) };
            page = page.checked_add(difference).ok_or(Damage::Number)?;
            slot = if difference > 0 || is_first {
                low
            } else if low > 0 {
                slot.checked_add(low).ok_or(Damage::Number)?
            } else {
                return Err(Damage::Order);
            };
            is_first = false;
            net += i64::from(effect.net());
            out.push(Posting { record: RecordId { page, slot }, effect });
        }
        rest.net -= net;
        rest.count -= count;
        rest.at = reader.at();
        if rest.count > 0 || (rest.at == rest.end && rest.net == 0) {
            Ok(())
        } else {
            Err(Damage::Count)
        }
    }
}

/// A key as stored.
#[derive(Clone, Copy, Debug)]
struct RawKey<'b> {
    shared: usize,
    rest: &'b [u8],
    /// Where the rest is in the body.
    rest_at: usize,
    records: Records,
}

/// Where the records of a key are, or those of them that are not unpacked yet; and how many there
/// are, and their net.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Records {
    pub(crate) count: usize,
    net: i64,
    at: usize,
    end: usize,
}
