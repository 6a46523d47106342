//! One MessagePack token: a whole scalar, or the header of an array or a map.

/// The result of [`Cursor::read`](crate::Cursor::read): a scalar, or how many children follow.
///
/// ```
/// use nanodb_msgpack::{Cursor, Token};
///
/// let mut cursor = Cursor::new(&[0x92, 0x01, 0xa1, b'x']);
/// assert_eq!(cursor.read(), Some(Token::Array(2)));
/// assert_eq!(cursor.read(), Some(Token::Int(1)));
/// assert_eq!(cursor.read(), Some(Token::String(b"x")));
/// assert_eq!(cursor.read(), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Token<'a> {
    /// Null.
    Null,
    /// True or false.
    Bool(bool),
    /// An integer that fits into an `i64`, in whatever form it was written.
    Int(i64),
    /// An integer above `i64::MAX`.
    UInt(u64),
    /// A float; four-byte ones are widened.
    Float(f64),
    /// A string's bytes, not checked to be UTF-8.
    String(&'a [u8]),
    /// Binary data.
    Binary(&'a [u8]),
    /// An array with this many elements, which follow.
    Array(u32),
    /// A map with this many pairs, which follow.
    Map(u32),
    /// An extension: its type and its data.
    Ext(i8, &'a [u8]),
}

impl Token<'_> {
    /// Returns whether `raw`, the bytes that this token was read from, is what `write_*` writes for
    /// it.
    #[must_use]
    #[inline]
    pub fn is_canonical(&self, raw: &[u8]) -> bool {
        use crate::marker::{INT8, INT64};
        match *self {
            Token::Null | Token::Bool(_) => true,
            // A positive number in a signed form may be as long as in the unsigned one.
            Token::Int(number) => {
                let signed = raw.first().is_some_and(|first| (INT8..=INT64).contains(first));
                raw.len() == int_size(number) && (number < 0 || !signed)
            }
            Token::UInt(_) | Token::Float(_) => raw.len() == 9,
            Token::String(bytes) => {
                let header = match bytes.len() {
                    0..=31 => 1,
                    32..=0xff => 2,
                    0x100..=0xffff => 3,
                    _ => 5,
                };
                raw.len() == header + bytes.len()
            }
            Token::Binary(bytes) => {
                let header = match bytes.len() {
                    0..=0xff => 2,
                    0x100..=0xffff => 3,
                    _ => 5,
                };
                raw.len() == header + bytes.len()
            }
            Token::Ext(_, data) => {
                let header = match data.len() {
                    1 | 2 | 4 | 8 | 16 => 2,
                    0..=0xff => 3,
                    0x100..=0xffff => 4,
                    _ => 6,
                };
                raw.len() == header + data.len()
            }
            Token::Array(len) | Token::Map(len) => {
                let header = match len {
                    0..=15 => 1,
                    16..=0xffff => 3,
                    _ => 5,
                };
                raw.len() == header
            }
        }
    }
}

/// Returns the number of bytes of the shortest form of `number`.
const fn int_size(number: i64) -> usize {
    match number {
        -32..=127 => 1,
        -0x80..=0xff => 2,
        -0x8000..=0xffff => 3,
        -0x8000_0000..=0xffff_ffff => 5,
        _ => 9,
    }
}
