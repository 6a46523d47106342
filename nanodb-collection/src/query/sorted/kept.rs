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

use crate::stored::StoredDoc;

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
