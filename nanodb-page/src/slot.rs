//! What a slot is called and what its record holds.

use core::fmt;

use crate::layout::SLOT_COUNT_MAX;

/// The number of a slot within its page: the part of a record's address that
/// survives compaction.
///
/// Always below [`SLOT_COUNT_MAX`]; a page may have fewer slots than that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlotId(u16);

impl SlotId {
    /// The first slot of every page.
    pub const FIRST: Self = Self(0);

    /// Returns the slot with this number; `None` from [`SLOT_COUNT_MAX`] on, where no page
    /// has slots.
    #[inline]
    #[must_use]
    pub const fn new(number: u16) -> Option<Self> {
        if number < SLOT_COUNT_MAX { Some(Self(number)) } else { None }
    }

    /// Returns the slot's number.
    #[inline]
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }

    /// Returns the slot after this one; `None` after the last that any page can have.
    #[inline]
    #[must_use]
    pub const fn next(self) -> Option<Self> {
        Self::new(self.0 + 1)
    }
}

impl fmt::Display for SlotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What the bytes of a record are. The page stores this and does not look at the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RecordKind {
    /// A whole document.
    Document,
    /// The first part of a document that continues elsewhere; see
    /// [`overflow::Head`](crate::overflow::Head).
    Head,
    /// A later part of such a document; see [`overflow::Piece`](crate::overflow::Piece).
    /// Nobody's first byte, so scans pass over it.
    Fragment,
}

impl RecordKind {
    /// The kind as a slot stores it; 0 is taken by dead slots.
    #[inline]
    pub(crate) const fn to_bits(self) -> u8 {
        match self {
            Self::Document => 1,
            Self::Head => 2,
            Self::Fragment => 3,
        }
    }

    #[inline]
    pub(crate) const fn from_bits(bits: u8) -> Option<Self> {
        match bits {
            1 => Some(Self::Document),
            2 => Some(Self::Head),
            3 => Some(Self::Fragment),
            _ => None,
        }
    }
}
