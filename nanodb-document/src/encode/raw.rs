//! From MessagePack bytes of any origin to stored bytes.
//!
//! One walk checks every rule and copies. Bytes that are already in stored form are copied in one
//! piece. A token that is not (a long integer, a four-byte float, an `_id` that is not first) ends
//! the piece and is written again.

use std::str;

use super::draft::Draft;
use super::plain::{after_scalar, split_name};
use super::rules::{DOCUMENT_BYTES_MAX, FIELD_NAME_BYTES_MAX, check_depth, write_extension};
use crate::seen_names::SeenNames;
use crate::{DocumentError, ID_FIELD, IdRef, Timestamp, ValueType};
use nanodb_msgpack::{
    Cursor, Token, write_array_len, write_binary, write_float, write_int, write_map_len,
    write_string, write_uint,
};

/// Appends the document in `bytes`, checked and in stored form.
pub(crate) fn encode(
    bytes: &[u8],
    fallback: Option<IdRef<'_>>,
    out: &mut Vec<u8>,
) -> Result<Draft, DocumentError> {
    encode_with(bytes, fallback, NullId::IsRefused, out)
}

/// What an `_id` that is null is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum NullId {
    /// An id of a type that ids can't have.
    IsRefused,
    /// As if it were not there.
    #[cfg(feature = "serde")]
    IsNone,
}

/// Same as [`encode`], where the caller says what an `_id` that is null is.
pub(crate) fn encode_with(
    bytes: &[u8],
    fallback: Option<IdRef<'_>>,
    null_id: NullId,
    out: &mut Vec<u8>,
) -> Result<Draft, DocumentError> {
    let (cursor, len) = open(bytes)?;
    let found = find_id(cursor, len);
    let id = match found {
        Some(Token::Null) if null_id != NullId::IsRefused => None,
        found => found.map(to_id).transpose()?,
    };
    let count = usize::try_from(len).unwrap_or(usize::MAX);
    let count = count.saturating_sub(usize::from(found.is_some()));
    let skip_id = found.is_some();
    Draft::write(id.or(fallback), count, out, |out| {
        let mut walk = Walk { bytes, cursor, copied: bytes.len() - cursor.rest().len(), out };
        walk.fields(len, skip_id, 1)?;
        walk.finish()
    })
}

/// Checks every rule except those about `_id`.
pub(crate) fn validate(bytes: &[u8]) -> Result<(), DocumentError> {
    let (cursor, len) = open(bytes)?;
    if bytes.len() > DOCUMENT_BYTES_MAX {
        return Err(DocumentError::too_large(bytes.len()));
    }
    let mut walk = Walk { bytes, cursor, copied: 0, out: &mut Discard };
    walk.fields(len, false, 1)?;
    walk.finish()
}

/// Reads the header of the outermost map.
fn open(bytes: &[u8]) -> Result<(Cursor<'_>, u32), DocumentError> {
    let mut cursor = Cursor::new(bytes);
    match cursor.read() {
        // The bytes are too few for this length: reported as damage, not as a size.
        Some(Token::Map(len)) if !cursor.may_hold(2 * u64::from(len)) => {
            Err(DocumentError::Malformed { offset: bytes.len() })
        }
        Some(Token::Map(len)) => Ok((cursor, len)),
        Some(other) => Err(DocumentError::NotADocument { found: token_type(other) }),
        None => Err(DocumentError::Malformed { offset: 0 }),
    }
}

/// Returns the value of the first `_id`. Returns `None` also if the bytes are wrong, which the walk
/// then reports.
fn find_id(mut cursor: Cursor<'_>, len: u32) -> Option<Token<'_>> {
    for _ in 0..len {
        if cursor.read_string_bytes()? == ID_FIELD.as_bytes() {
            return cursor.read();
        }
        cursor.skip()?;
    }
    None
}

fn to_id(token: Token<'_>) -> Result<IdRef<'_>, DocumentError> {
    IdRef::from_token(token).ok_or_else(|| match token {
        Token::String(_) => DocumentError::not_utf8().at_field(ID_FIELD),
        other => DocumentError::IdType { found: token_type(other) },
    })
}

fn token_type(token: Token<'_>) -> ValueType {
    match token {
        Token::Null => ValueType::Null,
        Token::Bool(_) => ValueType::Bool,
        Token::Int(_) | Token::UInt(_) => ValueType::Integer,
        Token::Float(_) => ValueType::Float,
        Token::String(_) => ValueType::String,
        Token::Binary(_) => ValueType::Binary,
        Token::Array(_) => ValueType::Array,
        Token::Map(_) => ValueType::Document,
        Token::Ext(Timestamp::EXT_TYPE, _) => ValueType::Timestamp,
        Token::Ext(..) if token.object_id().is_some() => ValueType::ObjectId,
        Token::Ext(..) if token.uuid().is_some() => ValueType::Uuid,
        Token::Ext(..) => ValueType::Extension,
    }
}

/// The destination of a walk.
trait Output {
    fn copy(&mut self, bytes: &[u8]);
    fn rewrite(&mut self, token: Token<'_>) -> Result<(), DocumentError>;
}

impl Output for Vec<u8> {
    fn copy(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }

    #[cold]
    fn rewrite(&mut self, token: Token<'_>) -> Result<(), DocumentError> {
        // A length that was read from bytes fits into MessagePack.
        let _fits = match token {
            Token::Int(number) => {
                write_int(self, number);
                true
            }
            Token::UInt(number) => {
                write_uint(self, number);
                true
            }
            Token::Float(number) => {
                write_float(self, number);
                true
            }
            Token::String(bytes) => {
                write_string(self, str::from_utf8(bytes).map_err(|_| DocumentError::not_utf8())?)
            }
            Token::Binary(bytes) => write_binary(self, bytes),
            Token::Array(len) => {
                write_array_len(self, len);
                true
            }
            Token::Map(len) => {
                write_map_len(self, len);
                true
            }
            Token::Ext(tag, data) => return write_extension(tag, data, self),
            // These have only one form.
            Token::Null | Token::Bool(_) => true,
        };
        Ok(())
    }
}

/// A destination that drops everything, for checking without copying.
struct Discard;

impl Output for Discard {
    fn copy(&mut self, _: &[u8]) {}

    fn rewrite(&mut self, _: Token<'_>) -> Result<(), DocumentError> {
        Ok(())
    }
}

struct Walk<'a, 'o, O> {
    bytes: &'a [u8],
    cursor: Cursor<'a>,
    /// Everything before this offset has been copied, rewritten or left out.
    copied: usize,
    out: &'o mut O,
}

impl<'a, O: Output> Walk<'a, '_, O> {
    /// Walks the fields of a map at this depth, after its header.
    fn fields(&mut self, len: u32, mut skip_id: bool, depth: usize) -> Result<(), DocumentError> {
        let mut seen = SeenNames::new();
        for _ in 0..len {
            if skip_id && self.is_id_next() {
                skip_id = false;
                seen.insert(ID_FIELD.as_bytes());
                self.leave_out_field()?;
                continue;
            }
            let name = self.name()?;
            if !seen.insert(name) {
                return Err(DocumentError::duplicate_field(String::from_utf8_lossy(name)));
            }
            self.value(depth).map_err(|error| error.at_field(&String::from_utf8_lossy(name)))?;
        }
        Ok(())
    }

    fn is_id_next(&self) -> bool {
        let mut ahead = self.cursor;
        ahead.read_string_bytes() == Some(ID_FIELD.as_bytes())
    }

    /// Steps over the `_id`, a scalar, which has been written in front of everything.
    fn leave_out_field(&mut self) -> Result<(), DocumentError> {
        self.flush(self.offset());
        self.token()?;
        self.token()?;
        self.copied = self.offset();
        Ok(())
    }

    #[inline]
    fn value(&mut self, depth: usize) -> Result<(), DocumentError> {
        match after_scalar(self.cursor.rest()) {
            Some(rest) => {
                self.cursor = Cursor::new(rest);
                Ok(())
            }
            None => self.other_value(depth),
        }
    }

    fn other_value(&mut self, depth: usize) -> Result<(), DocumentError> {
        match self.checked_token()? {
            Token::Map(len) => {
                check_depth(depth + 1)?;
                self.fields(len, false, depth + 1)
            }
            Token::Array(len) => {
                check_depth(depth + 1)?;
                for index in 0..len {
                    self.value(depth + 1).map_err(|error| error.at_index(index))?;
                }
                Ok(())
            }
            Token::String(bytes) => check_utf8(bytes),
            Token::Null
            | Token::Bool(_)
            | Token::Int(_)
            | Token::UInt(_)
            | Token::Float(_)
            | Token::Binary(_)
            | Token::Ext(..) => Ok(()),
        }
    }

    #[inline]
    fn name(&mut self) -> Result<&'a [u8], DocumentError> {
        match split_name(self.cursor.rest()) {
            Some((name, rest)) => {
                self.cursor = Cursor::new(rest);
                Ok(name)
            }
            None => self.long_name(),
        }
    }

    fn long_name(&mut self) -> Result<&'a [u8], DocumentError> {
        let name = match self.checked_token()? {
            Token::String(bytes) => bytes,
            other => return Err(DocumentError::name_not_string(token_type(other))),
        };
        if name.len() > FIELD_NAME_BYTES_MAX {
            return Err(DocumentError::name_too_long(name.len()));
        }
        check_utf8(name)?;
        Ok(name)
    }

    /// Reads a token, and writes it again if it is not in stored form.
    #[inline]
    fn checked_token(&mut self) -> Result<Token<'a>, DocumentError> {
        let start = self.offset();
        let token = self.token()?;
        let end = self.offset();
        let raw = self.bytes.get(start..end).unwrap_or_default();
        let canonical = token.is_canonical(raw)
            && match token {
                Token::Ext(Timestamp::EXT_TYPE, data) => is_shortest_timestamp(data)?,
                _ => true,
            };
        if !canonical {
            self.flush(start);
            self.out.rewrite(token)?;
            self.copied = end;
        }
        Ok(token)
    }

    #[inline]
    fn token(&mut self) -> Result<Token<'a>, DocumentError> {
        let offset = self.offset();
        let Some(token) = self.cursor.read() else {
            return Err(DocumentError::Malformed { offset });
        };
        Ok(token)
    }

    #[inline]
    fn offset(&self) -> usize {
        self.bytes.len() - self.cursor.rest().len()
    }

    /// Copies everything up to `end` that has not been copied yet.
    fn flush(&mut self, end: usize) {
        self.out.copy(self.bytes.get(self.copied..end).unwrap_or_default());
        self.copied = end;
    }

    fn finish(&mut self) -> Result<(), DocumentError> {
        match self.cursor.rest().len() {
            0 => {
                self.flush(self.bytes.len());
                Ok(())
            }
            size => Err(DocumentError::TrailingBytes { size }),
        }
    }
}

fn check_utf8(bytes: &[u8]) -> Result<(), DocumentError> {
    str::from_utf8(bytes).map_err(|_| DocumentError::not_utf8())?;
    Ok(())
}

fn is_shortest_timestamp(data: &[u8]) -> Result<bool, DocumentError> {
    match Timestamp::from_ext(data) {
        Some(timestamp) => Ok(timestamp.with_ext(|shortest| shortest == data)),
        None => Err(DocumentError::bad_timestamp(data)),
    }
}
