//! Reading a slotted page.

use crate::layout::{self, Header, RawSlot};
use crate::{PageError, RecordKind, SlotId};

mod verify;

/// One live record of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// The slot it is found by.
    pub slot: SlotId,
    /// What its bytes are.
    pub kind: RecordKind,
    /// Where in the body its bytes begin.
    pub offset: u16,
    /// Its bytes, at least one.
    pub bytes: &'a [u8],
}

/// A slotted page, for reading.
///
/// Borrows the body and copies nothing: making one is cheap enough to do for each
/// access.
#[derive(Clone, Copy, Debug)]
pub struct PageRef<'a> {
    body: &'a [u8],
    slots: &'a [RawSlot],
    header: Header,
}

impl<'a> PageRef<'a> {
    /// Reads the header of `body` and checks that its numbers make sense together.
    ///
    /// Costs the same for a full page as for an empty one; no record is looked at.
    ///
    /// # Errors
    ///
    /// [`PageError::BodyLen`] for a body of impossible length;
    /// [`PageError::Corrupt`] if the header breaks one of the invariants 1 to 4 of
    /// [`layout`]. Damage to slots and records is not found here.
    #[inline]
    pub fn parse(body: &'a [u8]) -> Result<Self, PageError> {
        let header = Header::load(body)?;
        Ok(Self { body, slots: layout::slots(body, &header), header })
    }

    /// A page whose header is known to be right.
    #[inline]
    pub(crate) fn from_parts(body: &'a [u8], header: Header) -> Self {
        Self { body, slots: layout::slots(body, &header), header }
    }

    /// Returns the number of slots, dead ones included. The slots of records are below it.
    #[inline]
    #[must_use]
    pub fn slot_count(&self) -> u16 {
        self.header.slot_count
    }

    /// Returns the number of live records of every kind. Costs nothing: it follows from the header.
    #[inline]
    #[must_use]
    pub fn record_count(&self) -> u16 {
        self.header.slot_count.saturating_sub(self.header.free_slots)
    }

    /// Whether the page holds no record.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.header.slot_count == 0
    }

    /// Returns the length of the longest record that an insert would take, compacting if need be; 0
    /// if not even a record of one byte fits.
    #[inline]
    #[must_use]
    pub fn free_bytes(&self) -> usize {
        self.header.free_bytes().into()
    }

    /// Returns the number of bytes that a compaction would add to the gap.
    #[inline]
    #[must_use]
    pub fn dead_bytes(&self) -> usize {
        self.header.dead_bytes.into()
    }

    /// Returns the bytes of all live records together.
    #[inline]
    #[must_use]
    pub fn live_bytes(&self) -> usize {
        (self.header.record_bytes() - self.header.dead_bytes).into()
    }

    /// Returns the record in `slot`; `None` if the slot is dead or beyond the directory.
    ///
    /// # Errors
    ///
    /// [`PageError::Corrupt`] if the slot is of an unknown kind or points outside of
    /// the page's records.
    #[inline]
    pub fn get(&self, slot: SlotId) -> Result<Option<Record<'a>>, PageError> {
        match self.slots.get(usize::from(slot.get())) {
            Some(raw) if !raw.is_dead() => self.record(slot, *raw).map(Some),
            _ => Ok(None),
        }
    }

    /// Iterates over all live records, in slot order.
    #[inline]
    #[must_use]
    pub fn records(&self) -> Records<'a> {
        self.records_from(SlotId::FIRST)
    }

    /// Iterates over the live records from `slot` on, in slot order. A scan that keeps only a slot
    /// can continue with this.
    #[inline]
    #[must_use]
    pub fn records_from(&self, slot: SlotId) -> Records<'a> {
        Records { page: *self, next: slot.get() }
    }

    #[inline]
    fn record(&self, slot: SlotId, raw: RawSlot) -> Result<Record<'a>, PageError> {
        let (kind, span) = raw.decode(slot, &self.header)?;
        // `decode` has put the span within the body; an empty answer cannot happen.
        let bytes = self.body.get(span.range()).unwrap_or_default();
        Ok(Record { slot, kind, offset: span.offset, bytes })
    }
}

/// Live records of a page in slot order; made by [`PageRef::records`].
///
/// A damaged slot yields its error, and the records after it are still found.
#[derive(Clone, Debug)]
pub struct Records<'a> {
    page: PageRef<'a>,
    next: u16,
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, PageError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let raw = *self.page.slots.get(usize::from(self.next))?;
            let slot = SlotId::new(self.next)?;
            self.next += 1;
            if !raw.is_dead() {
                return Some(self.page.record(slot, raw));
            }
        }
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.page.slots.len().saturating_sub(self.next.into())))
    }
}

impl core::iter::FusedIterator for Records<'_> {}
