//! What happens to an entry.

use crate::record_id::RecordId;

/// The most bytes of a key.
///
/// A longer one is cut by the caller to exactly so many. So a key of this length may be a cut one,
/// and shorter ones are whole.
pub const KEY_LEN_MAX: usize = 1024;

/// An entry that comes or goes: a key, and the record that has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Operation<'k> {
    /// The bytes by which entries are ordered.
    pub key: &'k [u8],
    /// The record that has the key.
    pub record: RecordId,
    /// Whether the entry goes.
    pub removed: bool,
}

/// What all operations on one entry within a run come to.
///
/// An entry is added only if it is not there, and removed only if it is. So the first operation
/// says whether older runs have the entry, and the last one whether it is there now. Both are
/// kept: with them the entries of a range can be counted without looking at any of them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Effect {
    /// It was not there, and is now.
    Added = 0,
    /// It was there, and is not now.
    Removed = 1,
    /// It was there, went and came back.
    Restored = 2,
    /// It was not there, came and went.
    Vanished = 3,
}

impl Effect {
    /// Returns the effect of a single operation.
    #[inline]
    #[must_use]
    pub const fn of(removed: bool) -> Self {
        if removed { Self::Removed } else { Self::Added }
    }

    /// Returns the effect of this one and a newer one after it.
    ///
    /// ```
    /// use nanodb_sorted::Effect;
    ///
    /// assert_eq!(Effect::Removed.then(Effect::Added), Effect::Restored);
    /// assert_eq!(Effect::Added.then(Effect::Removed), Effect::Vanished);
    /// ```
    #[inline]
    #[must_use]
    pub const fn then(self, newer: Self) -> Self {
        match (self.was_there(), newer.is_there()) {
            (false, true) => Self::Added,
            (true, false) => Self::Removed,
            (true, true) => Self::Restored,
            (false, false) => Self::Vanished,
        }
    }

    /// Returns whether the entry is there after it.
    #[inline]
    #[must_use]
    pub const fn is_there(self) -> bool {
        matches!(self, Self::Added | Self::Restored)
    }

    /// Returns whether the entry was there before it.
    #[inline]
    #[must_use]
    pub const fn was_there(self) -> bool {
        matches!(self, Self::Removed | Self::Restored)
    }

    /// Returns by how many entries it makes an index larger: 1, 0 or -1.
    #[inline]
    #[must_use]
    pub const fn net(self) -> i32 {
        self.is_there() as i32 - self.was_there() as i32
    }

    /// Returns the effect with the lowest two bits of a stored number.
    #[inline]
    pub(crate) const fn from_bits(bits: u64) -> Self {
        match bits & 3 {
            0 => Self::Added,
            1 => Self::Removed,
            2 => Self::Restored,
            _ => Self::Vanished,
        }
    }
}

/// A record in the list of a key, and what happened to this entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Posting {
    pub(crate) record: RecordId,
    pub(crate) effect: Effect,
}
