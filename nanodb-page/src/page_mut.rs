//! Changing a slotted page.

use core::ops::Range;

use crate::layout::{self, HEADER_SIZE, Header, RawSlot, SLOT_SIZE, Span};
use crate::{Corruption, PageError, PageRef, RecordKind, SlotId};

mod compact;
mod record;

/// A slotted page that is changed.
///
/// `report` is called with each range of the body that a change wrote to. Bytes
/// outside of the reported ranges keep their values; bytes inside may, too. A
/// change that answers `false`, `None` or an error reports nothing, because it
/// changes nothing.
///
/// A record is given in parts, which are stored one after the other, so that a
/// prefix need not be copied in front of its data first.
#[derive(Debug)]
pub struct PageMut<'a, F> {
    body: &'a mut [u8],
    header: Header,
    report: F,
}

impl<'a, F: FnMut(Range<usize>)> PageMut<'a, F> {
    /// Makes `body` a page without records, whatever it was before.
    ///
    /// Writes the header alone.
    ///
    /// # Errors
    ///
    /// [`PageError::BodyLen`] for a body of impossible length.
    pub fn format(body: &'a mut [u8], report: F) -> Result<Self, PageError> {
        let header = Header::empty(body)?;
        let mut page = Self { body, header, report };
        page.store_header(header);
        Ok(page)
    }

    /// Opens the page in `body` for changes, with the same checks as [`PageRef::parse`].
    ///
    /// # Errors
    ///
    /// Those of [`PageRef::parse`].
    #[inline]
    pub fn parse(body: &'a mut [u8], report: F) -> Result<Self, PageError> {
        let header = Header::load(body)?;
        Ok(Self { body, header, report })
    }

    /// Returns the page as it is now, for reading.
    #[inline]
    #[must_use]
    pub fn view(&self) -> PageRef<'_> {
        PageRef::from_parts(self.body, self.header)
    }

    /// Stores a record and returns its slot; `None`, and no change, if it does not
    /// fit even after compaction or if the page has all the slots it can have.
    ///
    /// Takes the lowest dead slot if there is one, else a new slot at the end. As
    /// long as the gap suffices, only the header, the slot and the record are
    /// written, and nothing is searched unless there are dead slots.
    ///
    /// # Errors
    ///
    /// [`PageError::EmptyRecord`] if there are no bytes in `parts`;
    /// [`PageError::Corrupt`] if dead slots or a compaction were needed and the page
    /// turned out to be damaged.
    #[inline]
    pub fn insert(
        &mut self,
        kind: RecordKind,
        parts: &[&[u8]],
    ) -> Result<Option<SlotId>, PageError> {
        let Some(len) = record::len(parts)? else { return Ok(None) };
        let Some(slot_cost) = self.header.slot_cost() else { return Ok(None) };
        let need = usize::from(len) + usize::from(slot_cost);
        let fits_in_gap = need <= usize::from(self.header.gap());
        if !fits_in_gap && usize::from(len) > usize::from(self.header.free_bytes()) {
            return Ok(None);
        }
        let slot = if slot_cost == 0 { self.dead_slot()? } else { self.new_slot()? };
        if !fits_in_gap {
            self.compact_except(None)?;
        }

        let mut header = self.header;
        if slot_cost == 0 {
            header.free_slots -= 1;
        } else {
            header.slot_count += 1;
        }
        self.place(header, slot, kind, len, parts);
        Ok(Some(slot))
    }

    /// Replaces the record in `slot`, which keeps its number; returns `false`,
    /// and no change, if the page cannot take it.
    ///
    /// A record that did not grow stays where it is, and only bytes that differ are
    /// written. One that grew moves into the gap, after a compaction if need be.
    ///
    /// # Errors
    ///
    /// [`PageError::NoRecord`] if the slot is dead or beyond the directory;
    /// [`PageError::EmptyRecord`] if there are no bytes in `parts`;
    /// [`PageError::Corrupt`] if the page turned out to be damaged.
    pub fn replace(
        &mut self,
        slot: SlotId,
        kind: RecordKind,
        parts: &[&[u8]],
    ) -> Result<bool, PageError> {
        let Some((old_kind, old)) = self.find(slot)? else {
            return Err(PageError::NoRecord { slot });
        };
        let Some(len) = record::len(parts)? else { return Ok(false) };
        if len <= old.len {
            self.overwrite(slot, (old_kind, old), (kind, len), parts)?;
            return Ok(true);
        }

        let mut released = self.header.release(old)?;
        if released.gap() < len {
            if released.gap() + released.dead_bytes < len {
                return Ok(false);
            }
            self.compact_except(Some((slot, released)))?;
            released = self.header;
        }
        self.place(released, slot, kind, len, parts);
        Ok(true)
    }

    /// Removes the record in `slot`; `false` if there is none.
    ///
    /// Its bytes stay where they are until something else is stored there. Dead slots
    /// at the end of the directory leave it.
    ///
    /// # Errors
    ///
    /// [`PageError::Corrupt`] if the page turned out to be damaged.
    pub fn remove(&mut self, slot: SlotId) -> Result<bool, PageError> {
        let Some((_, old)) = self.find(slot)? else { return Ok(false) };
        let mut header = self.header.release(old)?;
        header.free_slots += 1;
        if slot.get() + 1 == header.slot_count {
            header = self.without_dead_tail(header)?;
        }
        header.check()?;
        self.store_slot(slot, RawSlot::DEAD);
        self.store_header(header);
        Ok(true)
    }

    /// Packs all records against the end of the body, the first slot's highest, so that
    /// all free bytes are in the gap. Slots keep their numbers.
    ///
    /// Does nothing if there are no dead bytes. Never needed for an insert to succeed:
    /// mutators compact by themselves.
    ///
    /// # Errors
    ///
    /// [`PageError::Corrupt`] if the page turned out to be damaged.
    pub fn compact(&mut self) -> Result<(), PageError> {
        if self.header.dead_bytes == 0 { Ok(()) } else { self.compact_except(None) }
    }

    /// The live record in `slot`, if there is one.
    fn find(&self, slot: SlotId) -> Result<Option<(RecordKind, Span)>, Corruption> {
        match layout::slots(self.body, &self.header).get(usize::from(slot.get())) {
            Some(raw) if !raw.is_dead() => raw.decode(slot, &self.header).map(Some),
            _ => Ok(None),
        }
    }

    /// The lowest dead slot, on a page whose header promises one.
    fn dead_slot(&self) -> Result<SlotId, Corruption> {
        layout::slots(self.body, &self.header)
            .iter()
            .position(|raw| raw.is_dead())
            .and_then(|index| SlotId::new(u16::try_from(index).ok()?))
            .ok_or(Corruption::FreeSlots { free_slots: self.header.free_slots, found: 0 })
    }

    /// The slot after the last, on a page that may have one more.
    #[inline]
    fn new_slot(&self) -> Result<SlotId, Corruption> {
        let slot_count = self.header.slot_count;
        SlotId::new(slot_count).ok_or(Corruption::SlotCount { slot_count })
    }

    /// `header` after its last slot died and left, with the dead slots before it.
    fn without_dead_tail(&self, mut header: Header) -> Result<Header, Corruption> {
        let before = usize::from(header.slot_count) - 1;
        let slots = layout::slots(self.body, &self.header);
        let dead_before = slots.iter().take(before).rev().take_while(|raw| raw.is_dead()).count();
        let dropped = u16::try_from(dead_before).unwrap_or(u16::MAX).saturating_add(1);
        let Some(free_slots) = header.free_slots.checked_sub(dropped) else {
            return Err(Corruption::FreeSlots { free_slots: header.free_slots, found: dropped });
        };
        header.free_slots = free_slots;
        header.slot_count -= dropped;
        if header.slot_count == 0 {
            let (dead_bytes, record_bytes) = (header.dead_bytes, header.record_bytes());
            if dead_bytes != record_bytes {
                return Err(Corruption::Accounting { live: 0, dead_bytes, record_bytes });
            }
            header.records_start = header.body_len;
            header.dead_bytes = 0;
        }
        Ok(header)
    }

    /// Stores a record at the lower end of the records, which `header` has room for,
    /// and with it `header` itself.
    #[inline]
    fn place(
        &mut self,
        mut header: Header,
        slot: SlotId,
        kind: RecordKind,
        len: u16,
        parts: &[&[u8]],
    ) {
        header.records_start -= len;
        let span = Span { offset: header.records_start, len };
        record::copy(&mut self.body[span.range()], parts);
        (self.report)(span.range());
        self.store_slot(slot, RawSlot::new(kind, span));
        self.store_header(header);
    }

    /// Stores a record over one that is at least as long.
    fn overwrite(
        &mut self,
        slot: SlotId,
        (old_kind, old): (RecordKind, Span),
        (kind, len): (RecordKind, u16),
        parts: &[&[u8]],
    ) -> Result<(), Corruption> {
        let mut header = self.header;
        header.dead_bytes += old.len - len;
        header.check()?;
        let span = Span { offset: old.offset, len };
        let Self { body, report, .. } = self;
        record::copy_changed(&mut body[span.range()], parts, |changed| {
            report(changed.start + span.range().start..changed.end + span.range().start);
        });
        if (kind, len) != (old_kind, old.len) {
            self.store_slot(slot, RawSlot::new(kind, span));
        }
        if header != self.header {
            self.store_header(header);
        }
        Ok(())
    }

    /// Compacts the page, and takes out a record on the way if one is named together
    /// with the header that follows from its release.
    fn compact_except(&mut self, released: Option<(SlotId, Header)>) -> Result<(), PageError> {
        let (except, header) = match released {
            Some((slot, header)) => (Some(slot), header),
            None => (None, self.header),
        };
        let header = compact::compact(self.body, &header, except)?;
        (self.report)(HEADER_SIZE..header.slots_end().into());
        (self.report)(header.records_start.into()..header.body_len.into());
        self.store_header(header);
        Ok(())
    }

    // The two stores index the body: a header that passed its checks keeps the slots
    // within it.

    #[inline]
    fn store_slot(&mut self, slot: SlotId, raw: RawSlot) {
        let start = HEADER_SIZE + SLOT_SIZE * usize::from(slot.get());
        self.body[start..start + SLOT_SIZE].copy_from_slice(bytemuck::bytes_of(&raw));
        (self.report)(start..start + SLOT_SIZE);
    }

    #[inline]
    fn store_header(&mut self, header: Header) {
        self.body[..HEADER_SIZE].copy_from_slice(&header.to_bytes());
        (self.report)(0..HEADER_SIZE);
        self.header = header;
    }
}
