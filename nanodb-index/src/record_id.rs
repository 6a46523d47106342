//! Where a record is.

/// Where a record is: a page, and a slot on it.
///
/// Any page number may be indexed. An entry with a slot below [`RecordId::SLOTS`] takes eight
/// bytes. Entries with higher slots are kept apart, by their keys, and take several hundred bytes
/// each.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct RecordId {
    /// The page's number.
    pub page: u32,
    /// The slot's number on that page.
    pub slot: u16,
}

impl RecordId {
    /// How many slots of a page an ordinary entry can name.
    pub const SLOTS: u16 = 1 << SLOT_BITS;
}

/// The bits of an entry that name the slot.
pub(crate) const SLOT_BITS: u32 = 10;
