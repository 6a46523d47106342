//! The bytes of a slotted body.
//!
//! A body grows from both ends. Slots are added after the header; records are
//! packed against the end, the newest lowest. The gap between them is what an
//! insert may use without compacting first. All integers are little-endian.
//!
//! ```text
//! offset  size  field          meaning
//! ------  ----  -------------  ---------------------------------------------
//!      0     2  slot_count     slots in the directory, dead ones included
//!      2     2  records_start  where the gap ends and records begin
//!      4     2  dead_bytes     bytes a compaction would add to the gap
//!      6     2  free_slots     dead slots, which inserts use again
//!      8   4*n  slots[n]       one word each, see below
//!      .     .  (gap)          means nothing; may hold what records left behind
//!      .     .  records
//! ```
//!
//! A slot is one 32-bit word:
//!
//! ```text
//! bits    field   meaning
//! ------  ------  -------------------------------------------------------------
//!  0..13  offset  first byte of the record, counted from the start of the body
//! 13..26  len     its length
//! 26..32  kind    0 dead (the whole word is zero), 1 document,
//!                 2 head of an overflow document, 3 fragment of one
//! ```
//!
//! # Invariants
//!
//! 1. `slot_count <= 1023`, so that a slot's number fits in ten bits.
//! 2. `8 + 4 * slot_count <= records_start <= body length`.
//! 3. `dead_bytes <= body length - records_start`.
//! 4. The last slot is live: `free_slots < slot_count`, or both are 0.
//! 5. `free_slots` is the number of dead slots.
//! 6. A live slot's record has at least one byte, is of a known kind, and lies in
//!    `records_start..body length`.
//! 7. No two records share a byte.
//! 8. Live and dead bytes add up: the lengths of all records and `dead_bytes` make
//!    `body length - records_start`.
//!
//! Parsing checks 1 to 4, which costs the same for a full page as for an empty one.
//! Access to a record checks 6 for that record. The rest takes a walk over all
//! slots: [`PageRef::verify`](crate::PageRef::verify).

use bytemuck::{Pod, Zeroable};

use crate::bytes::{U16Le, U32Le};
use crate::{Corruption, PageError, RecordKind, SlotId};

/// Bytes of the header, in front of the slots.
pub const HEADER_SIZE: usize = size_of::<RawHeader>();

/// Bytes of one slot.
pub const SLOT_SIZE: usize = size_of::<RawSlot>();

/// The most slots a page can have.
pub const SLOT_COUNT_MAX: u16 = 1023;

/// The shortest body that is worth having.
pub const BODY_LEN_MIN: usize = 64;

/// The longest body whose every byte a slot can address.
pub const BODY_LEN_MAX: usize = 8191;

/// Returns the length of the longest record that fits in an otherwise empty body of `body_len`
/// bytes.
#[must_use]
pub const fn record_len_max(body_len: usize) -> usize {
    body_len.saturating_sub(HEADER_SIZE + SLOT_SIZE)
}

/// The first bytes of every slotted body, exactly as stored.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
struct RawHeader {
    slot_count: U16Le,
    records_start: U16Le,
    dead_bytes: U16Le,
    free_slots: U16Le,
}

// The tables above promise these numbers to every file already written.
const _: () = assert!(HEADER_SIZE == 8);
const _: () = assert!(align_of::<RawHeader>() == 1);
const _: () = assert!(core::mem::offset_of!(RawHeader, records_start) == 2);
const _: () = assert!(core::mem::offset_of!(RawHeader, dead_bytes) == 4);
const _: () = assert!(core::mem::offset_of!(RawHeader, free_slots) == 6);
const _: () = assert!(SLOT_SIZE == 4);
const _: () = assert!(align_of::<RawSlot>() == 1);
const _: () = assert!(BODY_LEN_MAX == FIELD_MASK as usize);

/// The header in the machine's integers. Whoever holds one may rely on invariants
/// 1 to 4: only [`Header::load`] and the mutators make one, and both check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) slot_count: u16,
    pub(crate) records_start: u16,
    pub(crate) dead_bytes: u16,
    pub(crate) free_slots: u16,
    /// Not stored: the length of the body this header was checked against.
    pub(crate) body_len: u16,
}

impl Header {
    /// The header of a page without records, for a body as long as `body`.
    pub(crate) fn empty(body: &[u8]) -> Result<Self, PageError> {
        let body_len = checked_body_len(body)?;
        Ok(Self { slot_count: 0, records_start: body_len, dead_bytes: 0, free_slots: 0, body_len })
    }

    /// Reads the header of `body` and checks invariants 1 to 4.
    #[inline]
    pub(crate) fn load(body: &[u8]) -> Result<Self, PageError> {
        let body_len = checked_body_len(body)?;
        let Some((head, _)) = body.split_first_chunk::<HEADER_SIZE>() else {
            return Err(PageError::BodyLen { len: body.len() });
        };
        // By reference: cast by value, the optimiser packs the fields into one register,
        // spills it, and reads it back across two stores, which stalls each access.
        let raw: &RawHeader = bytemuck::must_cast_ref(head);
        let header = Self {
            slot_count: raw.slot_count.get(),
            records_start: raw.records_start.get(),
            dead_bytes: raw.dead_bytes.get(),
            free_slots: raw.free_slots.get(),
            body_len,
        };
        header.check()?;
        Ok(header)
    }

    /// The header as stored.
    #[inline]
    pub(crate) fn to_bytes(self) -> [u8; HEADER_SIZE] {
        bytemuck::must_cast(RawHeader {
            slot_count: U16Le::new(self.slot_count),
            records_start: U16Le::new(self.records_start),
            dead_bytes: U16Le::new(self.dead_bytes),
            free_slots: U16Le::new(self.free_slots),
        })
    }

    /// Checks invariants 1 to 4.
    #[inline]
    pub(crate) fn check(&self) -> Result<(), Corruption> {
        let Self { slot_count, records_start, dead_bytes, free_slots, body_len } = *self;
        if slot_count > SLOT_COUNT_MAX {
            return Err(Corruption::SlotCount { slot_count });
        }
        let slots_end = self.slots_end();
        if records_start < slots_end || body_len < records_start {
            return Err(Corruption::RecordsStart { records_start, slots_end, body_len });
        }
        if dead_bytes > self.record_bytes() {
            return Err(Corruption::DeadBytes { dead_bytes, record_bytes: self.record_bytes() });
        }
        if free_slots != 0 && free_slots >= slot_count {
            return Err(Corruption::FreeSlots { free_slots, found: slot_count.saturating_sub(1) });
        }
        Ok(())
    }

    /// Where the slots end and the gap begins.
    #[inline]
    pub(crate) fn slots_end(&self) -> u16 {
        8 + 4 * self.slot_count
    }

    /// Bytes between slots and records.
    #[inline]
    pub(crate) fn gap(&self) -> u16 {
        self.records_start - self.slots_end()
    }

    /// Bytes between the start of the records and the end of the body.
    #[inline]
    pub(crate) fn record_bytes(&self) -> u16 {
        self.body_len - self.records_start
    }

    /// Bytes an insert would need for a slot; `None` if there can be no further one.
    #[inline]
    pub(crate) fn slot_cost(&self) -> Option<u16> {
        match self.free_slots {
            0 if self.slot_count == SLOT_COUNT_MAX => None,
            0 => Some(4),
            _ => Some(0),
        }
    }

    /// The longest record an insert can take, compaction included; 0 if none.
    #[inline]
    pub(crate) fn free_bytes(&self) -> u16 {
        match self.slot_cost() {
            Some(cost) => (self.gap() + self.dead_bytes).saturating_sub(cost),
            None => 0,
        }
    }

    /// The header after the bytes of the record at `span` were given up: to the gap
    /// when they border on it, to `dead_bytes` otherwise.
    #[inline]
    pub(crate) fn release(mut self, span: Span) -> Result<Self, Corruption> {
        if span.offset == self.records_start {
            self.records_start += span.len;
        } else {
            self.dead_bytes += span.len;
        }
        self.check()?;
        Ok(self)
    }
}

#[inline]
fn checked_body_len(body: &[u8]) -> Result<u16, PageError> {
    match u16::try_from(body.len()) {
        Ok(len) if (BODY_LEN_MIN..=BODY_LEN_MAX).contains(&body.len()) => Ok(len),
        _ => Err(PageError::BodyLen { len: body.len() }),
    }
}

/// Where a record's bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) offset: u16,
    pub(crate) len: u16,
}

impl Span {
    #[inline]
    pub(crate) fn range(self) -> core::ops::Range<usize> {
        usize::from(self.offset)..usize::from(self.offset) + usize::from(self.len)
    }
}

const FIELD_BITS: u32 = 13;
const FIELD_MASK: u32 = (1 << FIELD_BITS) - 1;

/// A slot exactly as stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(transparent)]
pub(crate) struct RawSlot(U32Le);

impl RawSlot {
    pub(crate) const DEAD: Self = Self(U32Le::new(0));

    /// A live slot. Both fields of `span` must be within a body, which makes them
    /// fit their bits.
    #[inline]
    pub(crate) fn new(kind: RecordKind, span: Span) -> Self {
        debug_assert!(u32::from(span.offset | span.len) <= FIELD_MASK);
        Self(U32Le::new(
            u32::from(span.offset)
                | u32::from(span.len) << FIELD_BITS
                | u32::from(kind.to_bits()) << (2 * FIELD_BITS),
        ))
    }

    #[inline]
    pub(crate) fn is_dead(self) -> bool {
        self == Self::DEAD
    }

    /// The kind and place of the record of `slot`, which must not be dead, after
    /// checking invariant 6.
    #[inline]
    pub(crate) fn decode(
        self,
        slot: SlotId,
        header: &Header,
    ) -> Result<(RecordKind, Span), Corruption> {
        let word = self.0.get();
        let offset = (word & FIELD_MASK) as u16;
        let len = (word >> FIELD_BITS & FIELD_MASK) as u16;
        let bits = (word >> (2 * FIELD_BITS)) as u8;
        let Some(kind) = RecordKind::from_bits(bits) else {
            return Err(Corruption::SlotKind { slot, kind: bits });
        };
        // Neither sum nor comparison can overflow: both fields have 13 bits.
        if offset < header.records_start || header.body_len < offset + len || len == 0 {
            return Err(Corruption::RecordBounds { slot, offset, len });
        }
        Ok((kind, Span { offset, len }))
    }
}

/// The slots of a body whose header was checked; none if it was not.
#[inline]
pub(crate) fn slots<'a>(body: &'a [u8], header: &Header) -> &'a [RawSlot] {
    let bytes = body.get(HEADER_SIZE..usize::from(header.slots_end())).unwrap_or_default();
    bytemuck::must_cast_slice(bytes.as_chunks::<SLOT_SIZE>().0)
}

/// The slots that hold records, by ascending number.
pub(crate) fn live_slots(slots: &[RawSlot]) -> impl Iterator<Item = (SlotId, RawSlot)> {
    slots
        .iter()
        .zip(0..)
        .filter(|(raw, _)| !raw.is_dead())
        .filter_map(|(raw, number)| Some((SlotId::new(number)?, *raw)))
}
