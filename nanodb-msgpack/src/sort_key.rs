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
