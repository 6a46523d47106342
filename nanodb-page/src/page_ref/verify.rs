//! The full walk over a page: everything that parsing leaves unchecked.

use super::PageRef;
use crate::layout::{self, SLOT_COUNT_MAX};
use crate::{Corruption, PageError, SlotId};

/// A record's place with its slot; ordered by offset.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Taken {
    offset: u16,
    len: u16,
    slot: SlotId,
}

impl PageRef<'_> {
    /// Checks every invariant of [`layout`](crate::layout).
    ///
    /// Walks over all slots and sorts the records by their offsets; allocates nothing.
    ///
    /// # Errors
    ///
    /// [`PageError::Corrupt`] with the first contradiction found.
    pub fn verify(&self) -> Result<(), PageError> {
        self.header.check()?;
        let mut taken = [Taken { offset: 0, len: 0, slot: SlotId::FIRST }; SLOT_COUNT_MAX as usize];
        let mut record_count: u16 = 0;
        for ((slot, raw), entry) in layout::live_slots(self.slots).zip(&mut taken) {
            let (_, span) = raw.decode(slot, &self.header)?;
            *entry = Taken { offset: span.offset, len: span.len, slot };
            record_count += 1;
        }
        self.verify_directory(record_count)?;
        let taken = &mut taken[..usize::from(record_count)];
        taken.sort_unstable();
        self.verify_space(taken)?;
        Ok(())
    }

    /// Invariants 4 and 5.
    fn verify_directory(&self, record_count: u16) -> Result<(), Corruption> {
        let free_slots = self.header.free_slots;
        let found = self.header.slot_count - record_count;
        if found != free_slots {
            return Err(Corruption::FreeSlots { free_slots, found });
        }
        match (self.slots.last(), SlotId::new(self.header.slot_count.saturating_sub(1))) {
            (Some(last), Some(slot)) if last.is_dead() => Err(Corruption::DeadLastSlot { slot }),
            _ => Ok(()),
        }
    }

    /// Invariants 7 and 8, given all records by ascending offset.
    fn verify_space(&self, taken: &[Taken]) -> Result<(), Corruption> {
        for pair in taken.windows(2) {
            if let [lower, upper] = pair
                && lower.offset + lower.len > upper.offset
            {
                return Err(Corruption::Overlap { lower: lower.slot, upper: upper.slot });
            }
        }
        // Disjoint and within the body, so the sum is at most the body's length.
        let live: u16 = taken.iter().map(|record| record.len).sum();
        let (dead_bytes, record_bytes) = (self.header.dead_bytes, self.header.record_bytes());
        if live + dead_bytes != record_bytes {
            return Err(Corruption::Accounting { live, dead_bytes, record_bytes });
        }
        Ok(())
    }
}
