//! What can be wrong: the request, or the bytes.

use std::fmt;

use crate::SlotId;
use crate::layout::{BODY_LEN_MAX, BODY_LEN_MIN};

/// Why a page did not do what it was asked.
///
/// [`Corrupt`](Self::Corrupt) says that stored bytes contradict themselves; all
/// others say that the request made no sense. Either way the body is unchanged.
/// A record that does not fit is neither: mutators answer that in their `Ok`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PageError {
    /// A body outside of the lengths that offsets can address.
    BodyLen {
        /// Its length.
        len: usize,
    },
    /// A record must have at least one byte.
    EmptyRecord,
    /// A record was to be replaced in a slot that holds none.
    NoRecord {
        /// The slot asked for.
        slot: SlotId,
    },
    /// A piece of a document without bytes, or with more than an overflow page takes.
    PieceLen {
        /// The piece's length.
        len: usize,
        /// The most that fits.
        len_max: usize,
    },
    /// The bytes of the page are damaged.
    Corrupt(Corruption),
}

impl fmt::Display for PageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BodyLen { len } => {
                write!(f, "a body of {len} bytes is outside of {BODY_LEN_MIN}..={BODY_LEN_MAX}")
            }
            Self::EmptyRecord => f.write_str("a record without bytes"),
            Self::NoRecord { slot } => write!(f, "slot {slot} holds no record"),
            Self::PieceLen { len, len_max } => {
                write!(f, "a piece of {len} bytes is outside of 1..={len_max}")
            }
            Self::Corrupt(_) => f.write_str("the page is corrupt"),
        }
    }
}

impl std::error::Error for PageError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Corrupt(cause) => Some(cause),
            _ => None,
        }
    }
}

impl From<Corruption> for PageError {
    fn from(cause: Corruption) -> Self {
        Self::Corrupt(cause)
    }
}

/// How stored bytes contradict themselves or the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Corruption {
    /// More slots than the format allows.
    SlotCount {
        /// Slots according to the header.
        slot_count: u16,
    },
    /// The header leaves no room for the slots, or puts records beyond the body.
    RecordsStart {
        /// Where the header says that records start.
        records_start: u16,
        /// Where the slots end.
        slots_end: u16,
        /// The length of the body.
        body_len: u16,
    },
    /// More dead bytes than there are bytes for records.
    DeadBytes {
        /// Dead bytes according to the header.
        dead_bytes: u16,
        /// Bytes between the start of the records and the end of the body.
        record_bytes: u16,
    },
    /// The header counts dead slots wrongly.
    FreeSlots {
        /// Free slots according to the header.
        free_slots: u16,
        /// Dead slots seen, or the most there can be.
        found: u16,
    },
    /// The last slot is dead; a page drops such slots.
    DeadLastSlot {
        /// The slot.
        slot: SlotId,
    },
    /// A slot of a kind this version does not know, or a dead one that is not all zero.
    SlotKind {
        /// The slot.
        slot: SlotId,
        /// The bits found.
        kind: u8,
    },
    /// A record that is empty or reaches out of the page's record area.
    RecordBounds {
        /// The slot.
        slot: SlotId,
        /// Where its record is said to start.
        offset: u16,
        /// How long it is said to be.
        len: u16,
    },
    /// Two records share bytes.
    Overlap {
        /// The slot whose record starts lower.
        lower: SlotId,
        /// The slot whose record starts higher.
        upper: SlotId,
    },
    /// Live and dead bytes do not add up to the bytes taken.
    Accounting {
        /// Bytes of live records.
        live: u16,
        /// Dead bytes according to the header.
        dead_bytes: u16,
        /// Bytes between the start of the records and the end of the body.
        record_bytes: u16,
    },
    /// A record or body too short for what it is said to be.
    Short {
        /// Bytes found.
        len: u32,
        /// The least that makes sense.
        len_min: u32,
    },
    /// A reference to the rest of a document that names no possible place.
    Next {
        /// The page named.
        page: u32,
        /// The slot named, as stored.
        slot: u16,
    },
    /// The head of an overflow document holds as much as the whole, or more.
    HeadLen {
        /// Bytes of the document in the head.
        len: u32,
        /// Bytes of the document, according to the head.
        total_len: u32,
    },
    /// An overflow page that says to hold nothing, or more than it can.
    OverflowLen {
        /// Bytes according to the page.
        len: u16,
        /// The most that fits.
        len_max: u32,
    },
}

impl fmt::Display for Corruption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SlotCount { slot_count } => {
                write!(f, "{slot_count} slots are more than a page can have")
            }
            Self::RecordsStart { records_start, slots_end, body_len } => write!(
                f,
                "records start at {records_start}, outside of {slots_end}..={body_len}, between \
                 the slots and the end of the body"
            ),
            Self::DeadBytes { dead_bytes, record_bytes } => {
                write!(f, "{dead_bytes} dead bytes among {record_bytes} bytes of records")
            }
            Self::FreeSlots { free_slots, found } => {
                write!(f, "{free_slots} free slots expected, {found} found")
            }
            Self::DeadLastSlot { slot } => write!(f, "the last slot, {slot}, is dead"),
            Self::SlotKind { slot, kind } => write!(f, "slot {slot} is of unknown kind {kind}"),
            Self::RecordBounds { slot, offset, len } => write!(
                f,
                "slot {slot} points at {len} bytes at offset {offset}, outside of the records"
            ),
            Self::Overlap { lower, upper } => {
                write!(f, "the records of slots {lower} and {upper} overlap")
            }
            Self::Accounting { live, dead_bytes, record_bytes } => write!(
                f,
                "{live} live and {dead_bytes} dead bytes in {record_bytes} bytes of records"
            ),
            Self::Short { len, len_min } => {
                write!(f, "{len} bytes where at least {len_min} belong")
            }
            Self::Next { page, slot } => {
                write!(f, "page {page}, slot {slot} is no place where a document can go on")
            }
            Self::HeadLen { len, total_len } => {
                write!(f, "a head of {len} bytes for a document of {total_len}")
            }
            Self::OverflowLen { len, len_max } => {
                write!(f, "{len} bytes in an overflow page that takes 1..={len_max}")
            }
        }
    }
}

impl std::error::Error for Corruption {}
