//! Documents too large for one record: their first part and the rest.
//!
//! Such a document is a chain. Its *head* is a record of kind
//! [`Head`](crate::RecordKind::Head) and names the first *piece*; each piece names the
//! next. A piece is either a record of kind
//! [`Fragment`](crate::RecordKind::Fragment) on a slotted page, or fills the body of an
//! *overflow page* of its own. Last pieces, which rarely fill a page, thus share
//! pages. Pages are read and written elsewhere; this module knows their bytes.
//!
//! A head:
//!
//! ```text
//! offset  size  field      meaning
//! ------  ----  ---------  --------------------------------------------------
//!      0     4  total_len  bytes of the whole document
//!      4     4  next_page  page of the first piece, never 0
//!      8     2  next_slot  its slot, or 0xFFFF for an overflow page
//!     10     .  bytes      the first bytes of the document
//! ```
//!
//! A fragment:
//!
//! ```text
//! offset  size  field      meaning
//! ------  ----  ---------  --------------------------------------------------
//!      0     4  next_page  page of the next piece, 0 after the last
//!      4     2  next_slot  its slot, or 0xFFFF for an overflow page; 0 after the last
//!      6     .  bytes      the next bytes of the document
//! ```
//!
//! The body of an overflow page:
//!
//! ```text
//! offset  size  field      meaning
//! ------  ----  ---------  --------------------------------------------------
//!      0     4  next_page  as in a fragment
//!      4     2  next_slot  as in a fragment
//!      6     2  len        bytes of the document on this page
//!      8   len  bytes      the next bytes of the document
//!      .     .  (rest)     means nothing
//! ```
//!
//! # Invariants
//!
//! 1. A next slot is 0xFFFF or below [`SLOT_COUNT_MAX`](crate::layout::SLOT_COUNT_MAX).
//! 2. A head holds less than the whole document; it may hold none of it. (The layer
//!    above makes sure that its heads hold the whole `_id`.)
//! 3. A piece holds at least one byte.
//! 4. The head and all pieces hold `total_len` bytes together.
//!
//! Decoding checks 1 to 3. The fourth shows only while following the chain: whoever
//! does so must stop when `total_len` bytes are exceeded, and by 3 no chain, not even
//! one that bites its tail, can keep it busy for longer. `total_len` itself comes from
//! the disk: compare it with a limit before reserving memory for it.

use core::num::NonZeroU32;
use core::ops::Range;

use bytemuck::{Pod, Zeroable};

use crate::bytes::{U16Le, U32Le};
use crate::{Corruption, PageError, SlotId};

/// Bytes of a head in front of the document's.
pub const HEAD_HEADER_SIZE: usize = size_of::<RawHead>();

/// Bytes of a fragment in front of the document's.
pub const FRAGMENT_HEADER_SIZE: usize = size_of::<RawNext>();

/// Bytes of an overflow page's body in front of the document's.
pub const OVERFLOW_HEADER_SIZE: usize = size_of::<RawOverflow>();

/// Returns how many bytes of a document fit on an overflow page with a body of `body_len` bytes.
#[must_use]
pub const fn overflow_len_max(body_len: usize) -> usize {
    let len = body_len.saturating_sub(OVERFLOW_HEADER_SIZE);
    if len > u16::MAX as usize { u16::MAX as usize } else { len }
}

/// Where the next part of a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Next {
    /// In the body of this overflow page.
    Overflow {
        /// The page; 0 is never one.
        page: NonZeroU32,
    },
    /// In a fragment on this slotted page.
    Fragment {
        /// The page; 0 is never one.
        page: NonZeroU32,
        /// The fragment's slot.
        slot: SlotId,
    },
}

/// The first part of an overflow document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head<'a> {
    /// Bytes of the whole document.
    pub total_len: u32,
    /// Where it goes on.
    pub next: Next,
    /// Its first bytes.
    pub bytes: &'a [u8],
}

impl<'a> Head<'a> {
    /// Decodes a record of kind [`Head`](crate::RecordKind::Head).
    ///
    /// # Errors
    ///
    /// [`PageError::Corrupt`] if the record is too short, leads nowhere, or holds as
    /// many bytes as the document is said to have.
    pub fn decode(record: &'a [u8]) -> Result<Self, PageError> {
        let (head, bytes) = split::<HEAD_HEADER_SIZE>(record)?;
        let raw: RawHead = bytemuck::must_cast(head);
        let total_len = raw.total_len.get();
        let len = saturating_u32(bytes.len());
        if total_len <= len {
            return Err(Corruption::HeadLen { len, total_len }.into());
        }
        let Some(next) = raw.next.decode()? else { return Err(raw.next.corrupt().into()) };
        Ok(Self { total_len, next, bytes })
    }

    /// Returns the bytes that precede [`bytes`](Self::bytes) in the record.
    #[must_use]
    pub fn header(&self) -> [u8; HEAD_HEADER_SIZE] {
        bytemuck::must_cast(RawHead {
            total_len: U32Le::new(self.total_len),
            next: RawNext::encode(Some(self.next)),
        })
    }
}

/// A later part of an overflow document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece<'a> {
    /// Where the document goes on; `None` if this is its end.
    pub next: Option<Next>,
    /// The bytes of this part, at least one.
    pub bytes: &'a [u8],
}

impl<'a> Piece<'a> {
    /// Decodes a record of kind [`Fragment`](crate::RecordKind::Fragment).
    ///
    /// # Errors
    ///
    /// [`PageError::Corrupt`] if the record is too short or names an impossible place.
    pub fn decode_fragment(record: &'a [u8]) -> Result<Self, PageError> {
        let (head, bytes) = split::<FRAGMENT_HEADER_SIZE>(record)?;
        if bytes.is_empty() {
            return Err(short(record, FRAGMENT_HEADER_SIZE + 1).into());
        }
        let raw: RawNext = bytemuck::must_cast(head);
        Ok(Self { next: raw.decode()?, bytes })
    }

    /// Returns the bytes that precede [`bytes`](Self::bytes) in a fragment.
    #[must_use]
    pub fn fragment_header(&self) -> [u8; FRAGMENT_HEADER_SIZE] {
        bytemuck::must_cast(RawNext::encode(self.next))
    }

    /// Decodes the body of an overflow page.
    ///
    /// # Errors
    ///
    /// [`PageError::Corrupt`] if the body is too short, says to hold more than it can
    /// or nothing, or names an impossible place.
    pub fn decode_overflow(body: &'a [u8]) -> Result<Self, PageError> {
        let (head, rest) = split::<OVERFLOW_HEADER_SIZE>(body)?;
        let raw: RawOverflow = bytemuck::must_cast(head);
        let len = raw.len.get();
        match rest.get(..usize::from(len)) {
            Some(bytes) if len > 0 => Ok(Self { next: raw.next.decode()?, bytes }),
            _ => Err(Corruption::OverflowLen { len, len_max: saturating_u32(rest.len()) }.into()),
        }
    }

    /// Writes the piece into the body of an overflow page and returns the range
    /// written to; what lies behind it keeps its bytes.
    ///
    /// # Errors
    ///
    /// [`PageError::PieceLen`] if the piece is empty or longer than
    /// [`overflow_len_max`].
    pub fn encode_overflow(&self, body: &mut [u8]) -> Result<Range<usize>, PageError> {
        let (len, len_max) = (self.bytes.len(), overflow_len_max(body.len()));
        let refused = PageError::PieceLen { len, len_max };
        let raw_len = match u16::try_from(len) {
            Ok(raw_len) if (1..=len_max).contains(&len) => raw_len,
            _ => return Err(refused),
        };
        let end = OVERFLOW_HEADER_SIZE + len;
        let Some((head, bytes)) = body
            .get_mut(..end)
            .and_then(|written| written.split_first_chunk_mut::<OVERFLOW_HEADER_SIZE>())
        else {
            return Err(refused);
        };
        let next = RawNext::encode(self.next);
        *head = bytemuck::must_cast(RawOverflow { next, len: U16Le::new(raw_len) });
        bytes.copy_from_slice(self.bytes);
        Ok(0..end)
    }
}

/// A next slot that means a whole overflow page.
const OVERFLOW_SLOT: u16 = 0xFFFF;

/// A reference to a piece, exactly as stored; also all that a fragment has in front.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
struct RawNext {
    page: U32Le,
    slot: U16Le,
}

#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
struct RawHead {
    total_len: U32Le,
    next: RawNext,
}

#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
struct RawOverflow {
    next: RawNext,
    len: U16Le,
}

// The tables above promise these numbers to every file already written.
const _: () = assert!(HEAD_HEADER_SIZE == 10);
const _: () = assert!(FRAGMENT_HEADER_SIZE == 6);
const _: () = assert!(OVERFLOW_HEADER_SIZE == 8);
const _: () = assert!(core::mem::offset_of!(RawHead, next) == 4);
const _: () = assert!(core::mem::offset_of!(RawNext, slot) == 4);
const _: () = assert!(core::mem::offset_of!(RawOverflow, len) == 6);

impl RawNext {
    fn encode(next: Option<Next>) -> Self {
        let (page, slot) = match next {
            None => (0, 0),
            Some(Next::Overflow { page }) => (page.get(), OVERFLOW_SLOT),
            Some(Next::Fragment { page, slot }) => (page.get(), slot.get()),
        };
        Self { page: U32Le::new(page), slot: U16Le::new(slot) }
    }

    fn decode(self) -> Result<Option<Next>, Corruption> {
        match (NonZeroU32::new(self.page.get()), self.slot.get()) {
            (None, 0) => Ok(None),
            (None, _) => Err(self.corrupt()),
            (Some(page), OVERFLOW_SLOT) => Ok(Some(Next::Overflow { page })),
            (Some(page), slot) => match SlotId::new(slot) {
                Some(slot) => Ok(Some(Next::Fragment { page, slot })),
                None => Err(self.corrupt()),
            },
        }
    }

    fn corrupt(self) -> Corruption {
        Corruption::Next { page: self.page.get(), slot: self.slot.get() }
    }
}

/// Splits off what stands in front of a document's bytes.
fn split<const N: usize>(bytes: &[u8]) -> Result<([u8; N], &[u8]), Corruption> {
    match bytes.split_first_chunk::<N>() {
        Some((head, rest)) => Ok((*head, rest)),
        None => Err(short(bytes, N)),
    }
}

fn short(bytes: &[u8], len_min: usize) -> Corruption {
    Corruption::Short { len: saturating_u32(bytes.len()), len_min: saturating_u32(len_min) }
}

fn saturating_u32(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}
