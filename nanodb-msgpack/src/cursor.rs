//! Stepping over MessagePack bytes, decoding only what is asked for.

use crate::Token;
use crate::marker::{
    ARRAY16, ARRAY32, BIN8, BIN16, BIN32, EXT8, EXT16, EXT32, FALSE, FIX_ARRAY, FIX_EXT1, FIX_EXT2,
    FIX_EXT4, FIX_EXT8, FIX_EXT16, FIX_MAP, FIX_STRING, FLOAT32, FLOAT64, INT8, INT16, INT32,
    INT64, MAP16, MAP32, NULL, STRING8, STRING16, STRING32, TOKEN_SIZE, TRUE, UINT8, UINT16,
    UINT32, UINT64,
};

/// A place in MessagePack bytes.
///
/// Copying a cursor is cheap, and remembers a place. A call that returns `None` found bytes that
/// end too early, or something else than it was to read; the cursor then has not moved.
///
/// ```
/// use nanodb_msgpack::{Cursor, Token};
///
/// // {"a": [1, 2], "b": true}
/// let bytes = [0x82, 0xa1, b'a', 0x92, 1, 2, 0xa1, b'b', 0xc3];
/// let mut cursor = Cursor::new(&bytes);
/// assert_eq!(cursor.read_map_len(), Some(2));
/// assert_eq!(cursor.read_string_bytes(), Some(&b"a"[..]));
/// assert_eq!(cursor.skip(), Some(()));
/// assert_eq!(cursor.read_string_bytes(), Some(&b"b"[..]));
/// assert_eq!(cursor.read(), Some(Token::Bool(true)));
/// assert!(cursor.rest().is_empty());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    /// Returns a cursor at the start of `bytes`.
    #[must_use]
    #[inline]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Returns the bytes after the cursor.
    #[must_use]
    #[inline]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Returns the first byte of the next token, without moving.
    #[must_use]
    #[inline]
    pub fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// Returns whether `values` more values may follow: each takes at least a byte.
    #[must_use]
    #[inline]
    pub fn may_hold(&self, values: u64) -> bool {
        u64::try_from(self.rest.len()).is_ok_and(|size| values <= size)
    }

    /// Reads one token: a whole scalar, or the header of an array or a map.
    #[inline]
    pub fn read(&mut self) -> Option<Token<'a>> {
        let (&marker, rest) = self.rest.split_first()?;
        let (token, rest) = match marker {
            0x00..=0x7f => (Token::Int(i64::from(marker)), rest),
            0xe0..=0xff => (Token::Int(i64::from(marker.cast_signed())), rest),
            FIX_STRING..=0xbf => {
                let (bytes, rest) = rest.split_at_checked(usize::from(marker & 0x1f))?;
                (Token::String(bytes), rest)
            }
            FIX_MAP..=0x8f => (Token::Map(u32::from(marker & 0x0f)), rest),
            FIX_ARRAY..=0x9f => (Token::Array(u32::from(marker & 0x0f)), rest),
            _ => read_long(marker, rest)?,
        };
        self.rest = rest;
        Some(token)
    }

    /// Reads a map's header and returns the number of its pairs.
    #[inline]
    pub fn read_map_len(&mut self) -> Option<u32> {
        let (&marker, rest) = self.rest.split_first()?;
        let (len, rest) = match marker {
            FIX_MAP..=0x8f => (u32::from(marker & 0x0f), rest),
            MAP16 => take_u16(rest).map(|(len, rest)| (u32::from(len), rest))?,
            MAP32 => take_u32(rest)?,
            _ => return None,
        };
        self.rest = rest;
        Some(len)
    }

    /// Reads an array's header and returns the number of its elements.
    #[inline]
    pub fn read_array_len(&mut self) -> Option<u32> {
        let (&marker, rest) = self.rest.split_first()?;
        let (len, rest) = match marker {
            FIX_ARRAY..=0x9f => (u32::from(marker & 0x0f), rest),
            ARRAY16 => take_u16(rest).map(|(len, rest)| (u32::from(len), rest))?,
            ARRAY32 => take_u32(rest)?,
            _ => return None,
        };
        self.rest = rest;
        Some(len)
    }

    /// Reads the bytes of a string, without checking that they are UTF-8; comparing a field's name
    /// needs no such check.
    #[inline]
    pub fn read_string_bytes(&mut self) -> Option<&'a [u8]> {
        let (&marker, rest) = self.rest.split_first()?;
        let (bytes, rest) = if matches!(marker, FIX_STRING..=0xbf) {
            rest.split_at_checked(usize::from(marker & 0x1f))?
        } else {
            let (len, rest) = match marker {
                STRING8 => take_len8(rest)?,
                STRING16 => take_len16(rest)?,
                STRING32 => take_len32(rest)?,
                _ => return None,
            };
            rest.split_at_checked(len)?
        };
        self.rest = rest;
        Some(bytes)
    }

    /// Steps over one value with all its children, however deep they nest.
    #[inline]
    pub fn skip(&mut self) -> Option<()> {
        let size = TOKEN_SIZE[usize::from(self.peek()?)];
        if size == 0 {
            return self.skip_many(1);
        }
        self.rest = self.rest.get(usize::from(size)..)?;
        Some(())
    }

    /// Steps over one value and returns its bytes.
    #[inline]
    pub fn take_value(&mut self) -> Option<&'a [u8]> {
        let start = self.rest;
        self.skip()?;
        start.get(..start.len() - self.rest.len())
    }

    /// Steps over `count` values that follow each other.
    pub fn skip_many(&mut self, count: u64) -> Option<()> {
        let mut rest = self.rest;
        // The number of values still to step over. Saturates rather than overflows: bytes that
        // claim so many children end long before.
        let mut pending = count;
        while pending > 0 {
            pending -= 1;
            let marker = *rest.first()?;
            let size = TOKEN_SIZE[usize::from(marker)];
            if size != 0 {
                rest = rest.get(usize::from(size)..)?;
            } else {
                let children;
                (children, rest) = skip_header(marker, rest.get(1..)?)?;
                pending = pending.saturating_add(children);
            }
        }
        self.rest = rest;
        Some(())
    }
}

/// Steps over a token that [`TOKEN_SIZE`] has no size for; `rest` follows its first byte. Returns
/// the number of its children.
#[inline]
fn skip_header(marker: u8, rest: &[u8]) -> Option<(u64, &[u8])> {
    let (payload, rest) = match marker {
        FIX_MAP..=0x8f => return Some((2 * u64::from(marker & 0x0f), rest)),
        FIX_ARRAY..=0x9f => return Some((u64::from(marker & 0x0f), rest)),
        MAP16 => return take_u16(rest).map(|(len, rest)| (2 * u64::from(len), rest)),
        MAP32 => return take_u32(rest).map(|(len, rest)| (2 * u64::from(len), rest)),
        ARRAY16 => return take_u16(rest).map(|(len, rest)| (u64::from(len), rest)),
        ARRAY32 => return take_u32(rest).map(|(len, rest)| (u64::from(len), rest)),
        STRING8 | BIN8 => take_len8(rest)?,
        STRING16 | BIN16 => take_len16(rest)?,
        STRING32 | BIN32 => take_len32(rest)?,
        EXT8 => take_len8(rest).map(|(len, rest)| (len + 1, rest))?,
        EXT16 => take_len16(rest).map(|(len, rest)| (len + 1, rest))?,
        EXT32 => take_len32(rest).and_then(|(len, rest)| Some((len.checked_add(1)?, rest)))?,
        _ => return None,
    };
    Some((0, rest.get(payload..)?))
}

/// Reads a token whose first byte does not hold its value or length.
fn read_long(marker: u8, rest: &[u8]) -> Option<(Token<'_>, &[u8])> {
    Some(match marker {
        NULL => (Token::Null, rest),
        FALSE => (Token::Bool(false), rest),
        TRUE => (Token::Bool(true), rest),
        STRING8 => string(take_len8(rest)?)?,
        STRING16 => string(take_len16(rest)?)?,
        STRING32 => string(take_len32(rest)?)?,
        UINT8 => number(rest, |[byte]: [u8; 1]| Token::Int(i64::from(byte)))?,
        UINT16 => number(rest, |bytes| Token::Int(i64::from(u16::from_be_bytes(bytes))))?,
        UINT32 => number(rest, |bytes| Token::Int(i64::from(u32::from_be_bytes(bytes))))?,
        UINT64 => number(rest, |bytes| {
            let number = u64::from_be_bytes(bytes);
            i64::try_from(number).map_or(Token::UInt(number), Token::Int)
        })?,
        INT8 => number(rest, |bytes| Token::Int(i64::from(i8::from_be_bytes(bytes))))?,
        INT16 => number(rest, |bytes| Token::Int(i64::from(i16::from_be_bytes(bytes))))?,
        INT32 => number(rest, |bytes| Token::Int(i64::from(i32::from_be_bytes(bytes))))?,
        INT64 => number(rest, |bytes| Token::Int(i64::from_be_bytes(bytes)))?,
        FLOAT32 => number(rest, |bytes| Token::Float(f64::from(f32::from_be_bytes(bytes))))?,
        FLOAT64 => number(rest, |bytes| Token::Float(f64::from_be_bytes(bytes)))?,
        ARRAY16 => take_u16(rest).map(|(len, rest)| (Token::Array(u32::from(len)), rest))?,
        ARRAY32 => take_u32(rest).map(|(len, rest)| (Token::Array(len), rest))?,
        MAP16 => take_u16(rest).map(|(len, rest)| (Token::Map(u32::from(len)), rest))?,
        MAP32 => take_u32(rest).map(|(len, rest)| (Token::Map(len), rest))?,
        BIN8 => binary(take_len8(rest)?)?,
        BIN16 => binary(take_len16(rest)?)?,
        BIN32 => binary(take_len32(rest)?)?,
        FIX_EXT1 => ext((1, rest))?,
        FIX_EXT2 => ext((2, rest))?,
        FIX_EXT4 => ext((4, rest))?,
        FIX_EXT8 => ext((8, rest))?,
        FIX_EXT16 => ext((16, rest))?,
        EXT8 => ext(take_len8(rest)?)?,
        EXT16 => ext(take_len16(rest)?)?,
        EXT32 => ext(take_len32(rest)?)?,
        _ => return None,
    })
}

#[inline]
fn number<'a, const N: usize>(
    rest: &'a [u8],
    decode: impl FnOnce([u8; N]) -> Token<'a>,
) -> Option<(Token<'a>, &'a [u8])> {
    let (bytes, rest) = rest.split_first_chunk()?;
    Some((decode(*bytes), rest))
}

#[inline]
fn string((len, rest): (usize, &[u8])) -> Option<(Token<'_>, &[u8])> {
    let (bytes, rest) = rest.split_at_checked(len)?;
    Some((Token::String(bytes), rest))
}

#[inline]
fn binary((len, rest): (usize, &[u8])) -> Option<(Token<'_>, &[u8])> {
    let (bytes, rest) = rest.split_at_checked(len)?;
    Some((Token::Binary(bytes), rest))
}

#[inline]
fn ext((len, rest): (usize, &[u8])) -> Option<(Token<'_>, &[u8])> {
    let (tag, rest) = rest.split_first()?;
    let (data, rest) = rest.split_at_checked(len)?;
    Some((Token::Ext(tag.cast_signed(), data), rest))
}

#[inline]
fn take_u16(rest: &[u8]) -> Option<(u16, &[u8])> {
    let (bytes, rest) = rest.split_first_chunk()?;
    Some((u16::from_be_bytes(*bytes), rest))
}

#[inline]
fn take_u32(rest: &[u8]) -> Option<(u32, &[u8])> {
    let (bytes, rest) = rest.split_first_chunk()?;
    Some((u32::from_be_bytes(*bytes), rest))
}

#[inline]
fn take_len8(rest: &[u8]) -> Option<(usize, &[u8])> {
    let (len, rest) = rest.split_first()?;
    Some((usize::from(*len), rest))
}

#[inline]
fn take_len16(rest: &[u8]) -> Option<(usize, &[u8])> {
    let (len, rest) = take_u16(rest)?;
    Some((usize::from(len), rest))
}

#[inline]
fn take_len32(rest: &[u8]) -> Option<(usize, &[u8])> {
    let (len, rest) = take_u32(rest)?;
    Some((usize::try_from(len).ok()?, rest))
}
