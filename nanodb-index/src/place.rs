//! Where a document is.

/// Where a document is: a page and a slot on it.
///
/// Any page number may be indexed. Slots below [`Place::SLOTS`] take eight bytes and are
/// found in constant time. Higher ones are kept too, in a list that each look-up walks,
/// so an index holding many of them is slow.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Place {
    /// The page's number.
    pub page: u32,
    /// The slot's number on that page.
    pub slot: u16,
}

impl Place {
    /// How many slots of a page an ordinary entry can name.
    pub const SLOTS: u16 = 1 << SLOT_BITS;
}

/// The bits of an entry that name the slot.
pub(crate) const SLOT_BITS: u32 = 10;
