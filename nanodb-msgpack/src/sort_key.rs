//! Values as bytes that sort like the values, for sorts and indexes.
//!
//! ```text
//! value              tag  what follows
//! -----------------  ---  ----------------------------------------------------------------
//! empty array, as    08   nothing
//!   a sort key
//! null, missing      10   nothing
//! number             18   the float below or equal, 8 bytes: all bits flipped if negative,
//!                         else the first, so that they sort; zeros for NaN. Then 2 bytes:
//!                         what is missing to the integer
//! string             20   the bytes, 00 as 00 FF; then 00 00
//! document           28   for each field the value's tag, the name like a string, the value;
//!                         then 00
//! array              30   the elements; then 00
//! binary, UUID       38   length in 4 bytes, the bytes
//! ObjectId           3c   the 12 bytes
//! boolean            40   00 or 01
//! timestamp          48   seconds, 8 bytes, first bit flipped; nanoseconds, 4 bytes
//! extension          50   type, first bit flipped; length in 4 bytes; the bytes
//! ```
//!
//! Numbers are big-endian. No key is the beginning of another one, so a compound key is several
//! keys one after the other, and a key with all bits flipped sorts in the opposite direction.

use crate::raw_value::{Malformed, RawValue, TypeBracket, deeper};
use crate::{Cursor, Token};

const EMPTY_ARRAY: u8 = 0x08;
const NULL: u8 = 0x10;

/// Appends the key of a value; a missing value has the key of null.
///
/// Keys, compared as bytes, are in the [order over all values](crate::compare). Equal values, such
/// as `5` and `5.0`, have equal keys.
///
/// # Errors
///
/// [`Malformed`] if the value is; `out` then ends in a part of a key.
pub fn encode_key(value: Option<RawValue<'_>>, out: &mut Vec<u8>) -> Result<(), Malformed> {
    match value {
        None => {
            out.push(NULL);
            Ok(())
        }
        Some(value) => encode_next(&mut Cursor::new(value.tail()), 0, out),
    }
}

/// Appends the key that sorts before null: that of an empty array in a sort or an index.
pub fn encode_empty_array_key(out: &mut Vec<u8>) {
    out.push(EMPTY_ARRAY);
}

const fn tag(bracket: TypeBracket) -> u8 {
    match bracket {
        TypeBracket::Null => NULL,
        TypeBracket::Number => 0x18,
        TypeBracket::String => 0x20,
        TypeBracket::Document => 0x28,
        TypeBracket::Array => 0x30,
        TypeBracket::Binary => 0x38,
        TypeBracket::ObjectId => 0x3c,
        TypeBracket::Bool => 0x40,
        TypeBracket::Timestamp => 0x48,
        TypeBracket::Extension => 0x50,
    }
}

/// Returns the first byte of all keys of a type bracket, and the least first byte above them.
///
/// The key of an empty array at the end of a path is in no bracket.
///
/// ```
/// use nanodb_msgpack::{TypeBracket, key_bracket};
///
/// assert_eq!(key_bracket(TypeBracket::String), [0x20, 0x28]);
/// ```
#[must_use]
pub const fn key_bracket(bracket: TypeBracket) -> [u8; 2] {
    let end = match bracket {
        // All nulls have one key.
        TypeBracket::Null => NULL + 1,
        TypeBracket::Number => tag(TypeBracket::String),
        TypeBracket::String => tag(TypeBracket::Document),
        TypeBracket::Document => tag(TypeBracket::Array),
        TypeBracket::Array => tag(TypeBracket::Binary),
        TypeBracket::Binary => tag(TypeBracket::ObjectId),
        TypeBracket::ObjectId => tag(TypeBracket::Bool),
        TypeBracket::Bool => tag(TypeBracket::Timestamp),
        TypeBracket::Timestamp => tag(TypeBracket::Extension),
        TypeBracket::Extension => tag(TypeBracket::Extension) + 1,
    };
    [tag(bracket), end]
}

/// Returns the length of the key that `bytes` begin with; with `flipped`, of a key of which all
/// bits are flipped. Returns `None` if the bytes end before the key does, or are none.
///
/// ```
/// use nanodb_msgpack::key_len;
///
/// // "a", followed by null
/// assert_eq!(key_len(&[0x20, b'a', 0, 0, 0x10], false), Some(4));
/// assert_eq!(key_len(&[0x20, b'a', 0], false), None);
/// assert_eq!(key_len(&[!0x10], true), Some(1));
/// ```
#[must_use]
pub fn key_len(bytes: &[u8], flipped: bool) -> Option<usize> {
    let mut keys = Keys { bytes, at: 0, mask: if flipped { 0xff } else { 0 } };
    keys.skip(0)?;
    Some(keys.at)
}

/// A place in the bytes of keys.
struct Keys<'a> {
    bytes: &'a [u8],
    at: usize,
    /// What the bytes are combined with, to be those of ascending keys.
    mask: u8,
}

impl Keys<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).map(|byte| byte ^ self.mask)
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn skip_bytes(&mut self, len: usize) -> Option<()> {
        self.at = self.at.checked_add(len).filter(|&at| at <= self.bytes.len())?;
        Some(())
    }

    fn skip_text(&mut self) -> Option<()> {
        loop {
            if self.next()? == 0 && self.next()? == 0 {
                return Some(());
            }
        }
    }

    fn skip_sized(&mut self) -> Option<()> {
        let mut len = 0;
        for _ in 0..4 {
            len = len << 8 | u32::from(self.next()?);
        }
        self.skip_bytes(usize::try_from(len).ok()?)
    }

    /// Steps over a key.
    fn skip(&mut self, depth: usize) -> Option<()> {
        match self.next()? {
            EMPTY_ARRAY | NULL => Some(()),
            0x18 => self.skip_bytes(10),
            0x20 => self.skip_text(),
            0x28 => {
                let depth = deeper(depth).ok()?;
                while self.next()? != 0 {
                    self.skip_text()?;
                    self.skip(depth)?;
                }
                Some(())
            }
            0x30 => {
                let depth = deeper(depth).ok()?;
                while self.peek()? != 0 {
                    self.skip(depth)?;
                }
                self.skip_bytes(1)
            }
            0x38 => self.skip_sized(),
            0x3c | 0x48 => self.skip_bytes(12),
            0x40 => self.skip_bytes(1),
            0x50 => {
                self.skip_bytes(1)?;
                self.skip_sized()
            }
            _ => None,
        }
    }
}

fn encode_next(cursor: &mut Cursor<'_>, depth: usize, out: &mut Vec<u8>) -> Result<(), Malformed> {
    let token = cursor.read().ok_or(Malformed)?;
    out.push(tag(token.bracket()));
    match token {
        Token::Null => {}
        Token::Bool(value) => out.push(value.into()),
        Token::String(text) => encode_text(text, out),
        Token::Binary(bytes) => encode_sized(bytes, out),
        Token::Array(len) => {
            let depth = deeper(depth)?;
            for _ in 0..len {
                encode_next(cursor, depth, out)?;
            }
            out.push(0);
        }
        Token::Map(len) => {
            let depth = deeper(depth)?;
            for _ in 0..len {
                let name = cursor.read_string_bytes().ok_or(Malformed)?;
                out.push(tag(RawValue::new(cursor.rest()).bracket()?));
                encode_text(name, out);
                encode_next(cursor, depth, out)?;
            }
            out.push(0);
        }
        Token::Ext(ext_type, data) => match token.timestamp() {
            _ if token.object_id().is_some() => out.extend_from_slice(data),
            _ if token.uuid().is_some() => encode_sized(data, out),
            Some(time) => {
                out.extend_from_slice(&(time.secs().cast_unsigned() ^ (1 << 63)).to_be_bytes());
                out.extend_from_slice(&time.nanos().to_be_bytes());
            }
            None => {
                out.push(ext_type.cast_unsigned() ^ 0x80);
                encode_sized(data, out);
            }
        },
        Token::Int(_) | Token::UInt(_) | Token::Float(_) => {
            if let Some(number) = token.number() {
                let (float, missing) = number.floor_float();
                out.extend_from_slice(&sortable(float).to_be_bytes());
                out.extend_from_slice(&missing.to_be_bytes());
            }
        }
    }
    Ok(())
}

/// Returns the bits of a float, transformed so that they sort as numbers do.
fn sortable(float: f64) -> u64 {
    if float.is_nan() {
        return 0;
    }
    // Adding zero turns -0.0 into 0.0.
    let bits = (float + 0.0).to_bits();
    if bits >> 63 == 0 { bits ^ (1 << 63) } else { !bits }
}

fn encode_text(text: &[u8], out: &mut Vec<u8>) {
    for &byte in text {
        out.push(byte);
        if byte == 0 {
            out.push(0xff);
        }
    }
    out.extend_from_slice(&[0, 0]);
}

fn encode_sized(bytes: &[u8], out: &mut Vec<u8>) {
    // MessagePack has no longer ones.
    let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&len.to_be_bytes());
    out.extend_from_slice(bytes);
}
