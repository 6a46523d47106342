//! What a sort keeps of a document besides its key.
//!
//! ```text
//! kind   what follows, packed
//! -----  --------------------------------------------------------------------
//!    0   what is wanted of the document
//!    1   page, start and length, 4 bytes each: where on a page the document is
//! ```
//!
//! Never stored beyond the search.

use std::ops::Range;

use nanodb_pager::PageId;

use crate::error::{Error, Result};
use nanodb_collection::StoredDoc;

/// What is kept of a document.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kept<'a> {
    /// What is wanted of it.
    Bytes(&'a [u8]),
    /// Where it is.
    Place(DocPlace),
}

/// Where a document lies in the body of a page, of a version that does not change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct DocPlace {
    pub(crate) page: PageId,
    pub(crate) start: u32,
    pub(crate) len: u32,
}

const PLACE_BYTES: usize = 12;

impl DocPlace {
    /// Where the document is, if that is on one page.
    pub(crate) fn of(document: &StoredDoc) -> Option<Self> {
        let (page, range) = document.place()?;
        let start = u32::try_from(range.start).ok()?;
        Some(Self { page, start, len: u32::try_from(range.len()).ok()? })
    }

    pub(crate) fn range(self) -> Range<usize> {
        let start = self.start as usize;
        start..start + self.len as usize
    }
}

impl<'a> Kept<'a> {
    /// How many bytes it takes, packed.
    pub(super) fn len(&self) -> usize {
        1 + match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Place(_) => PLACE_BYTES,
        }
    }

    pub(super) fn pack(&self, out: &mut Vec<u8>) {
        match self {
            Self::Bytes(bytes) => {
                out.push(0);
                out.extend_from_slice(bytes);
            }
            Self::Place(place) => {
                out.push(1);
                for part in [place.page.get(), place.start, place.len] {
                    out.extend_from_slice(&part.to_le_bytes());
                }
            }
        }
    }

    /// What [`pack`](Self::pack) made.
    pub(super) fn unpack(packed: &'a [u8]) -> Self {
        match packed.split_first() {
            Some((1, place)) => {
                let (parts, _) = place.as_chunks::<4>();
                let part = |at: usize| parts.get(at).map_or(0, |part| u32::from_le_bytes(*part));
                Self::Place(DocPlace { page: PageId::new(part(0)), start: part(1), len: part(2) })
            }
            Some((_, bytes)) => Self::Bytes(bytes),
            None => Self::Bytes(&[]),
        }
    }
}

/// Keys, and what is kept with them, on their way to a sort.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    bytes: Vec<u8>,
    /// How long each key is, and what is kept with it.
    lens: Vec<(u32, u32)>,
}

impl Gathered {
    pub(crate) fn push(&mut self, key: &[u8], kept: Kept<'_>) -> Result<()> {
        let key_len = check_key(key)?;
        self.bytes.extend_from_slice(key);
        kept.pack(&mut self.bytes);
        self.lens.push((key_len, u32::try_from(kept.len()).unwrap_or(u32::MAX)));
        Ok(())
    }

    /// As they came.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&[u8], Kept<'_>)> {
        let mut rest = self.bytes.as_slice();
        self.lens.iter().map_while(move |&(key_len, kept_len)| {
            let (key, behind) = rest.split_at_checked(key_len as usize)?;
            let (kept, behind) = behind.split_at_checked(kept_len as usize)?;
            rest = behind;
            Some((key, Kept::unpack(kept)))
        })
    }
}

/// How long a key is, if it is not too long.
pub(super) fn check_key(key: &[u8]) -> Result<u32> {
    u32::try_from(key.len())
        .map_err(|_| Error::SortKeyTooLarge { bytes: key.len(), bytes_max: u32::MAX })
}
