//! Encoded documents that may not have an id yet.
//!
//! A collection knows the id that it would assign only while it holds its lock, and must not run a
//! caller's code, such as a `Serialize`, there. So documents are encoded before, and those without
//! an `_id` leave a gap for one:
//!
//! ```text
//!  start                                   end
//!  |  gap, 18 bytes  |  the other fields  |     without an id
//!       | header _id 7 |  the other fields |    after assign_id(7): the prefix is
//!                                               written against the end of the gap
//!  | header _id key |  the other fields |       with an id from the first
//! ```

use std::ops::Range;

use super::rules::DOCUMENT_BYTES_MAX;
use crate::DocumentError;
use crate::id::{ID_BYTES_MAX, ID_NAME_TOKEN, IdRef, Key, record_key};
use nanodb_msgpack::{INTEGER_BYTES_MAX, MAP_HEADER_BYTES_MAX, write_map_len};

/// Space for a map's header, the name `_id` and any integer.
const GAP: usize = MAP_HEADER_BYTES_MAX + ID_NAME_TOKEN.len() + INTEGER_BYTES_MAX;

/// An encoded document within a buffer, which may not have its id yet.
///
/// To encode many documents, keep one buffer and a draft for each. The methods that take a buffer
/// need the one that was encoded into. With another buffer they return nothing or the wrong bytes,
/// and never panic.
///
/// ```
/// # extern crate nanodb_document as nanodb;
/// use nanodb::{DocView, Encode, doc};
///
/// # fn main() -> Result<(), nanodb::Error> {
/// let mut buffer = Vec::new();
/// let mut draft = doc! { "name": "Alice" }.encode(None, &mut buffer)?;
/// assert!(!draft.has_id());
/// draft.assign_id(7, &mut buffer);
/// let record = DocView::from_bytes(draft.record(&buffer));
/// assert_eq!(record.to_document()?, doc! { "_id": 7, "name": "Alice" });
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Draft {
    start: usize,
    end: usize,
    /// The number of fields without `_id`, while there is none.
    waiting: Option<u32>,
}

impl Draft {
    /// Encodes a document: the header and the id, then the `count` other fields by `write`. If that
    /// fails, `out` is as it was before.
    #[inline]
    pub(super) fn write(
        id: Option<IdRef<'_>>,
        count: usize,
        out: &mut Vec<u8>,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), DocumentError>,
    ) -> Result<Self, DocumentError> {
        let start = out.len();
        let result = Self::write_parts(id, count, out, write);
        if result.is_err() {
            out.truncate(start);
        }
        result
    }

    #[inline]
    fn write_parts(
        id: Option<IdRef<'_>>,
        count: usize,
        out: &mut Vec<u8>,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), DocumentError>,
    ) -> Result<Self, DocumentError> {
        let start = out.len();
        // Each field takes at least two bytes, so this limit is no stricter.
        if count >= DOCUMENT_BYTES_MAX {
            return Err(DocumentError::too_large(count));
        }
        let count = u32::try_from(count).map_err(|_| DocumentError::too_large(count))?;
        let waiting = if let Some(id) = id {
            write_map_len(out, count + 1);
            out.extend_from_slice(&ID_NAME_TOKEN);
            write_id(id, out)?;
            None
        } else {
            out.extend_from_slice(&[0; GAP]);
            Some(count)
        };
        write(out)?;
        let size = out.len() - start;
        if size > DOCUMENT_BYTES_MAX {
            return Err(DocumentError::too_large(size));
        }
        Ok(Self { start, end: out.len(), waiting })
    }

    /// Returns whether the document has an id: its own, one given when it was encoded, or one
    /// assigned since.
    #[must_use]
    #[inline]
    pub fn has_id(&self) -> bool {
        self.waiting.is_none()
    }

    /// Gives the document an id, if it has none. Costs a few nanoseconds, since the fields are not
    /// moved.
    #[inline]
    pub fn assign_id(&mut self, id: i64, buffer: &mut [u8]) {
        let Some(count) = self.waiting else { return };
        let key = Key::new(IdRef::Int(id));
        let header = map_header(count.saturating_add(1));
        let fields_start = self.start + GAP;
        let prefix_size = header.as_slice().len() + ID_NAME_TOKEN.len() + key.len();
        let Some(prefix) = buffer.get_mut(fields_start - prefix_size..fields_start) else {
            return;
        };
        let parts = [header.as_slice(), &ID_NAME_TOKEN, &key];
        for (to, from) in prefix.iter_mut().zip(parts.into_iter().flatten()) {
            *to = *from;
        }
        self.start = fields_start - prefix_size;
        self.waiting = None;
    }

    /// Returns the encoded document; empty while it has no id.
    #[must_use]
    #[inline]
    pub fn record<'b>(&self, buffer: &'b [u8]) -> &'b [u8] {
        buffer.get(self.range()).unwrap_or_default()
    }

    /// Returns where the encoded document is in the buffer; empty while it has no id.
    #[must_use]
    #[inline]
    pub fn range(&self) -> Range<usize> {
        if self.has_id() { self.start..self.end } else { self.end..self.end }
    }

    /// Returns the document's key, as [`record_key`] does, if it has an id.
    #[must_use]
    #[inline]
    pub fn key<'b>(&self, buffer: &'b [u8]) -> Option<&'b [u8]> {
        record_key(self.record(buffer))
    }
}

#[inline]
fn write_id(id: IdRef<'_>, out: &mut Vec<u8>) -> Result<(), DocumentError> {
    let payload = match id {
        IdRef::String(text) => text.len(),
        IdRef::Binary(bytes) => bytes.len(),
        IdRef::Int(_) | IdRef::UInt(_) | IdRef::ObjectId(_) | IdRef::Uuid(_) => 0,
    };
    // Checked first, so that a huge id is not copied only to be refused. Above this size the header
    // takes five bytes.
    if payload > usize::from(u16::MAX) {
        return Err(DocumentError::id_too_large(payload.saturating_add(5)));
    }
    let before = out.len();
    let fits = id.write_stored(out);
    let size = out.len() - before;
    if fits && size <= ID_BYTES_MAX { Ok(()) } else { Err(DocumentError::id_too_large(size)) }
}

fn map_header(count: u32) -> smallvec::SmallVec<[u8; 8]> {
    match (u8::try_from(count), u16::try_from(count)) {
        (Ok(count @ 0..=15), _) => smallvec::smallvec![0x80 | count],
        (_, Ok(count)) => {
            let [a, b] = count.to_be_bytes();
            smallvec::smallvec![0xde, a, b]
        }
        _ => {
            let [a, b, c, d] = count.to_be_bytes();
            smallvec::smallvec![0xdf, a, b, c, d]
        }
    }
}
