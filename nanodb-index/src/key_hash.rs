//! What the index keeps of a hash, and how an entry packs it.
//!
//! An entry is one 64-bit word; zero means that nothing is there.
//!
//! ```text
//! bits    field  meaning
//! ------  -----  ------------------------------------------------
//!  0..10  slot   the slot on the page
//! 10..42  page   the page's number
//! 42..64  tag    the low 22 bits of the key, never zero
//! ```
//!
//! The key is the upper half of the hash. Its upper ten bits follow from where the entry
//! lies ([`crate::group`] says how), so that entries can be redistributed for ever
//! without asking anyone for the hash again. Two ids with equal keys are told apart by
//! the caller, on the page: among `n` entries that costs a look-up `n / 2^32` needless
//! candidates on average.

use crate::hash::hash_id;
use crate::record_id::{RecordId, SLOT_BITS};

/// The bits of a key that its entry holds.
pub(crate) const TAG_BITS: u32 = 22;
/// The bits of a key that its entry's position implies.
pub(crate) const UPPER_BITS: u32 = u32::BITS - TAG_BITS;

const PAGE_SHIFT: u32 = SLOT_BITS;
const TAG_SHIFT: u32 = SLOT_BITS + u32::BITS;
const TAG_MASK: u32 = (1 << TAG_BITS) - 1;

/// What the index knows of an id: 32 bits of its hash.
///
/// The upper half of the hash, plus one if the lower 22 bits of that are zero. Files keep it, so it
/// never changes. It is all that tells two entries of one record id apart.
///
/// ```
/// use nanodb_index::KeyHash;
///
/// assert_eq!(KeyHash::of(0x1234_5678_9abc_def0).bits(), 0x1234_5678);
/// assert_eq!(KeyHash::of(0xffc0_0000_0000_0000).bits(), 0xffc0_0001);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct KeyHash(u32);

impl KeyHash {
    /// Returns what the index knows of an id's [hash](crate::hash_id).
    #[inline]
    #[must_use]
    pub fn of(hash: u64) -> Self {
        Self::from_bits(upper_half(hash))
    }

    /// Returns what the index knows of the id with these stored bytes, hashed with a database's
    /// seed.
    #[inline]
    #[must_use]
    pub fn of_id(seed: u64, key: &[u8]) -> Self {
        Self::of(hash_id(seed, key))
    }

    /// Returns the key hash with these bits, or the next one if none has them.
    ///
    /// Tag 0 becomes tag 1, so no entry is ever a zero word, whatever page it names.
    #[inline]
    #[must_use]
    pub fn from_bits(bits: u32) -> Self {
        Self(bits | u32::from(bits & TAG_MASK == 0))
    }

    /// Returns the key hash that a file keeps as these bits; none if no key hash has them.
    #[inline]
    #[must_use]
    pub fn from_stored(bits: u32) -> Option<Self> {
        (bits & TAG_MASK != 0).then_some(Self(bits))
    }

    /// Returns the bits, as files keep them.
    #[inline]
    #[must_use]
    pub fn bits(self) -> u32 {
        self.0
    }

    /// Returns 64 bits for a hash table: the bits twice, so that both ends are spread.
    #[inline]
    #[must_use]
    pub fn table_hash(self) -> u64 {
        u64::from(self.0) << u32::BITS | u64::from(self.0)
    }

    /// The key of an entry whose upper bits were kept beside it.
    #[inline]
    pub(crate) fn join(upper: u16, tag: u32) -> Self {
        Self(u32::from(upper) << TAG_BITS | tag)
    }

    #[inline]
    pub(crate) fn tag(self) -> u32 {
        self.0 & TAG_MASK
    }

    /// The bits that an entry does not hold.
    #[inline]
    pub(crate) fn upper(self) -> u16 {
        (self.0 >> TAG_BITS) as u16
    }

    /// The first `depth` bits: the number of this key's group on that level.
    #[inline]
    pub(crate) fn prefix(self, depth: u32) -> u32 {
        // 64 bits wide, since depth 0 shifts by all 32.
        upper_half(u64::from(self.0) << depth)
    }

    /// The key's bucket in a group of that depth with `buckets` of them: in proportion
    /// to the bits after the prefix, so buckets are in the order of keys.
    #[inline]
    pub(crate) fn home(self, depth: u32, buckets: u32) -> u32 {
        let rest = u64::from(self.0 << depth);
        upper_half(rest * u64::from(buckets))
    }

    /// The entry for this key with that record id, unless the slot's number is too high for one.
    #[inline]
    pub(crate) fn entry(self, record_id: RecordId) -> Option<Entry> {
        (record_id.slot < RecordId::SLOTS).then(|| {
            let slot = u64::from(record_id.slot);
            let page = u64::from(record_id.page) << PAGE_SHIFT;
            Entry(slot | page | u64::from(self.tag()) << TAG_SHIFT)
        })
    }
}

/// A word that is not zero: tag, page and slot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Entry(u64);

impl Entry {
    /// What `word` says; `None` when it says that nothing is there.
    #[inline]
    pub(crate) fn from_word(word: u64) -> Option<Self> {
        (word != 0).then_some(Self(word))
    }

    #[inline]
    pub(crate) fn word(self) -> u64 {
        self.0
    }

    /// The low bits of the entry's key.
    #[inline]
    pub(crate) fn tag(self) -> u32 {
        tag_of(self.0)
    }

    #[inline]
    pub(crate) fn record_id(self) -> RecordId {
        #[expect(clippy::cast_possible_truncation, reason = "the table above: 32 and 10 bits")]
        let (page, slot) = ((self.0 >> PAGE_SHIFT) as u32, self.0 as u16 % RecordId::SLOTS);
        RecordId { page, slot }
    }
}

/// The tag of a word; 0, which no key has, when the word is zero.
#[inline]
pub(crate) fn tag_of(word: u64) -> u32 {
    (word >> TAG_SHIFT) as u32
}

#[inline]
fn upper_half(wide: u64) -> u32 {
    (wide >> u32::BITS) as u32
}
