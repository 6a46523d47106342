//! What a sort keeps of a document besides its key.
//!
//! ```text
//! kind   what follows, packed
//! -----  --------------------------------------------------------------------
//!    0   what is wanted of the document
//!    1   its record id: page, 4 bytes, and slot, 2 bytes
//! ```
//!
//! Never stored beyond the search.

use crate::error::{Result, sort_key_too_large};
use nanodb_collection::RecordId;

/// What is kept of a document.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum SortEntry<'a> {
    /// What is wanted of it.
    Bytes(&'a [u8]),
    /// Which record it is, of a page of a version that does not change.
    Record(RecordId),
}

const RECORD_ID_BYTES: usize = 6;

impl<'a> SortEntry<'a> {
    /// How many bytes it takes, packed.
    pub(super) fn len(&self) -> usize {
        1 + match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Record(_) => RECORD_ID_BYTES,
        }
    }

    pub(super) fn pack(&self, out: &mut Vec<u8>) {
        match self {
            Self::Bytes(bytes) => {
                out.push(0);
                out.extend_from_slice(bytes);
            }
            Self::Record(record_id) => {
                out.push(1);
                out.extend_from_slice(&record_id.page.to_le_bytes());
                out.extend_from_slice(&record_id.slot.to_le_bytes());
            }
        }
    }

    /// What [`pack`](Self::pack) made.
    pub(super) fn unpack(packed: &'a [u8]) -> Self {
        match packed.split_first() {
            Some((1, &[p0, p1, p2, p3, s0, s1])) => Self::Record(RecordId {
                page: u32::from_le_bytes([p0, p1, p2, p3]),
                slot: u16::from_le_bytes([s0, s1]),
            }),
            Some((_, bytes)) => Self::Bytes(bytes),
            None => Self::Bytes(&[]),
        }
    }
}

/// Keys, and what is kept with them, on their way to a sort.
#[derive(Debug, Default)]
pub(crate) struct SortEntries {
    bytes: Vec<u8>,
    /// How long each key is, and what is kept with it.
    lens: Vec<(u32, u32)>,
}

impl SortEntries {
    pub(crate) fn push(&mut self, key: &[u8], kept: SortEntry<'_>) -> Result<()> {
        let key_len = check_key(key)?;
        self.bytes.extend_from_slice(key);
        kept.pack(&mut self.bytes);
        self.lens.push((key_len, u32::try_from(kept.len()).unwrap_or(u32::MAX)));
        Ok(())
    }

    /// As they came.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&[u8], SortEntry<'_>)> {
        let mut rest = self.bytes.as_slice();
        self.lens.iter().map_while(move |&(key_len, kept_len)| {
            let (key, behind) = rest.split_at_checked(key_len as usize)?;
            let (kept, behind) = behind.split_at_checked(kept_len as usize)?;
            rest = behind;
            Some((key, SortEntry::unpack(kept)))
        })
    }
}

/// How long a key is, if it is not too long.
pub(super) fn check_key(key: &[u8]) -> Result<u32> {
    u32::try_from(key.len()).map_err(|_| sort_key_too_large(key.len(), u32::MAX))
}
