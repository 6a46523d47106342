//! Writing the new document from left to right: what stays is copied from the old one in pieces as
//! large as possible.

use super::error::UpdateError;
use crate::DEPTH_MAX;
use nanodb_msgpack::{Cursor, Token, write_array_len, write_map_len};
use nanodb_msgpack::{Malformed, RawValue, deeper};

#[derive(Debug)]
pub(super) struct Writer<'a, 'o> {
    old: &'a [u8],
    /// How much of the old document has been copied or left out.
    done: usize,
    pub(super) out: &'o mut Vec<u8>,
    /// Where the new document begins.
    base: usize,
    bytes_max: usize,
    /// Whether the new document differs from the old one.
    pub(super) changed: bool,
}

/// The header of a map or an array, which is written again once its length is known.
#[derive(Debug)]
pub(super) struct Header {
    /// Where it is in the new document.
    at: usize,
    size: usize,
    len: u32,
    is_map: bool,
}

impl Header {
    /// Returns how many fields or elements there were.
    pub(super) fn len(&self) -> u32 {
        self.len
    }
}

/// A place to go back to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    done: usize,
    pub(super) written: usize,
    changed: bool,
}

impl<'a, 'o> Writer<'a, 'o> {
    pub(super) fn new(old: &'a [u8], out: &'o mut Vec<u8>, bytes_max: usize) -> Self {
        out.reserve(old.len() + 16);
        Self { old, done: 0, base: out.len(), out, bytes_max, changed: false }
    }

    /// Returns where the bytes that end the old document begin in it.
    pub(super) fn place(&self, tail: &[u8]) -> usize {
        self.old.len() - tail.len()
    }

    /// Copies the old document up to that place.
    pub(super) fn copy_to(&mut self, place: usize) {
        if let Some(bytes) = self.old.get(self.done..place) {
            self.out.extend_from_slice(bytes);
            self.done = place;
        }
    }

    /// Leaves out the bytes between two places, after copying all before them.
    pub(super) fn leave_out(&mut self, from: usize, to: usize) {
        self.copy_to(from);
        self.done = to;
        self.changed = true;
    }

    pub(super) fn mark(&self) -> Mark {
        Mark { done: self.done, written: self.out.len(), changed: self.changed }
    }

    /// Drops all that was written since.
    pub(super) fn go_back(&mut self, mark: Mark) {
        self.done = mark.done;
        self.out.truncate(mark.written);
        self.changed = mark.changed;
    }

    /// Writes a new value in place of an old one.
    pub(super) fn replace(
        &mut self,
        value: RawValue<'_>,
        write: impl FnOnce(&mut Self) -> Result<(), UpdateError>,
    ) -> Result<(), UpdateError> {
        let old = value.bytes()?;
        self.copy_to(self.place(value.tail()));
        let at = self.out.len();
        write(self)?;
        self.done += old.len();
        if self.out.get(at..) != Some(old) {
            self.changed = true;
        }
        self.check_size()
    }

    /// Copies the header of an old map or array.
    pub(super) fn header(&mut self, value: RawValue<'_>) -> Result<Header, Malformed> {
        let (len, is_map, rest) = match (value.fields(), value.elements()) {
            (Some(fields), _) => (fields.len(), true, fields.tail()),
            (_, Some(elements)) => (elements.len(), false, elements.tail()),
            _ => return Err(Malformed),
        };
        self.copy_to(self.place(value.tail()));
        let at = self.out.len();
        self.copy_to(self.place(rest));
        Ok(Header { at, size: self.out.len() - at, len, is_map })
    }

    /// Writes a header again if its length has changed.
    pub(super) fn set_len(&mut self, header: &Header, len: u32) {
        if len == header.len {
            return;
        }
        let mut bytes = Vec::new();
        if header.is_map {
            write_map_len(&mut bytes, len);
        } else {
            write_array_len(&mut bytes, len);
        }
        self.out.splice(header.at..header.at + header.size, bytes);
        self.changed = true;
    }

    /// Copies the rest of the old document.
    pub(super) fn finish(&mut self) -> Result<(), UpdateError> {
        self.copy_to(self.old.len());
        self.check_size()
    }

    pub(super) fn check_size(&self) -> Result<(), UpdateError> {
        let size = self.out.len() - self.base;
        if size > self.bytes_max { Err(self.too_large()) } else { Ok(()) }
    }

    pub(super) fn too_large(&self) -> UpdateError {
        UpdateError::TooLarge { bytes_max: self.bytes_max }
    }

    pub(super) fn bytes_max(&self) -> usize {
        self.bytes_max
    }
}

/// Refuses a value that would nest too deep within `depth` levels.
pub(super) fn check_depth(value: RawValue<'_>, depth: usize) -> Result<(), UpdateError> {
    // Most values are scalars.
    if value.is_map() || value.is_array() {
        check_next(&mut Cursor::new(value.tail()), depth)?;
    }
    Ok(())
}

fn check_next(cursor: &mut Cursor<'_>, depth: usize) -> Result<(), UpdateError> {
    let (len, is_map) = match cursor.read().ok_or(Malformed)? {
        Token::Array(len) => (len, false),
        Token::Map(len) => (len, true),
        Token::Null
        | Token::Bool(_)
        | Token::Int(_)
        | Token::UInt(_)
        | Token::Float(_)
        | Token::Binary(_)
        | Token::Ext(..)
        | Token::String(_) => return Ok(()),
    };
    let depth = one_deeper(depth)?;
    for _ in 0..len {
        if is_map {
            cursor.skip().ok_or(Malformed)?;
        }
        check_next(cursor, depth)?;
    }
    Ok(())
}

/// Returns the next depth, unless it exceeds the limit.
pub(super) fn one_deeper(depth: usize) -> Result<usize, UpdateError> {
    deeper(depth).map_err(|_| UpdateError::TooDeep { depth_max: DEPTH_MAX })
}
