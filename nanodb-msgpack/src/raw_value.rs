//! Stored values, read in place.

use std::error::Error;
use std::fmt;

use crate::{Cursor, Token};
use crate::{Number, OBJECT_ID_EXT, TIMESTAMP_EXT, UUID_EXT, UnixTime};

/// How deep maps and arrays may nest, in values as in JSON text.
pub const DEPTH_MAX: usize = 100;

/// The error of bytes that are not well-formed MessagePack, or nest deeper than [`DEPTH_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not well-formed MessagePack")
    }
}

impl Error for Malformed {}

/// The type of a value, in the order in which values of different types sort.
///
/// Values are compared within a bracket: integers and floats are one, and so are binary and UUIDs.
/// MongoDB calls it so, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum TypeBracket {
    /// Nothing; a missing field counts as this.
    Null,
    /// An integer or a float.
    Number,
    /// Text.
    String,
    /// Named values in order.
    Document,
    /// Values in order.
    Array,
    /// Bytes, a UUID's among them.
    Binary,
    /// An ObjectId.
    ObjectId,
    /// True or false.
    Bool,
    /// A point in time.
    Timestamp,
    /// A MessagePack extension.
    Extension,
}

impl fmt::Display for TypeBracket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "null",
            Self::Number => "a number",
            Self::String => "a string",
            Self::Document => "a document",
            Self::Array => "an array",
            Self::Binary => "binary",
            Self::ObjectId => "an ObjectId",
            Self::Bool => "a boolean",
            Self::Timestamp => "a timestamp",
            Self::Extension => "an extension",
        })
    }
}

/// A value as MessagePack bytes, read in place.
///
/// It begins at the first byte, and other bytes may follow it: finding its end costs a walk over
/// it, and is rarely needed. Copying is cheap. Bytes are checked only when they are read; wrong
/// ones give [`Malformed`] then, never a panic.
///
/// ```
/// use nanodb_msgpack::{TypeBracket, RawValue};
///
/// # fn main() -> Result<(), nanodb_msgpack::Malformed> {
/// // {"a": [1, 2]}
/// let document = RawValue::new(&[0x81, 0xa1, b'a', 0x92, 1, 2]);
/// let array = document.field("a")?.unwrap();
/// assert_eq!(array.bracket()?, TypeBracket::Array);
/// assert_eq!(array.element(1)?.unwrap().bytes()?, [2]);
/// assert_eq!(document.field("b")?.is_none(), true);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct RawValue<'a> {
    tail: &'a [u8],
}

impl<'a> RawValue<'a> {
    /// Returns the value at the start of `bytes`.
    #[must_use]
    #[inline]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { tail: bytes }
    }

    /// Returns the bytes from here on, including those after the value.
    #[must_use]
    #[inline]
    pub const fn tail(self) -> &'a [u8] {
        self.tail
    }

    /// Returns exactly its bytes.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if the bytes end before the value does, or contain one that MessagePack does
    /// not use.
    pub fn bytes(self) -> Result<&'a [u8], Malformed> {
        Cursor::new(self.tail).take_value().ok_or(Malformed)
    }

    /// Returns the value, if it is a scalar; otherwise the number of its children.
    ///
    /// # Errors
    ///
    /// Same as [`bytes`](Self::bytes).
    #[inline]
    pub fn token(self) -> Result<Token<'a>, Malformed> {
        Cursor::new(self.tail).read().ok_or(Malformed)
    }

    /// Returns its type bracket.
    ///
    /// # Errors
    ///
    /// Same as [`bytes`](Self::bytes).
    pub fn bracket(self) -> Result<TypeBracket, Malformed> {
        self.token().map(|token| token.bracket())
    }

    /// Returns whether it is a map, from its first byte.
    #[must_use]
    #[inline]
    pub fn is_map(self) -> bool {
        matches!(self.tail.first(), Some(0x80..=0x8f | 0xde | 0xdf))
    }

    /// Returns whether it is an array, from its first byte.
    #[must_use]
    #[inline]
    pub fn is_array(self) -> bool {
        matches!(self.tail.first(), Some(0x90..=0x9f | 0xdc | 0xdd))
    }

    /// Returns its fields in order, if it is a document.
    #[must_use]
    #[inline]
    pub fn fields(self) -> Option<Fields<'a>> {
        let mut cursor = Cursor::new(self.tail);
        let left = cursor.read_map_len()?;
        Some(Fields { cursor, left })
    }

    /// Returns its elements in order, if it is an array.
    #[must_use]
    #[inline]
    pub fn elements(self) -> Option<Elements<'a>> {
        let mut cursor = Cursor::new(self.tail);
        let left = cursor.read_array_len()?;
        Some(Elements { cursor, left })
    }

    /// Returns the field with this name, if this is a document that contains it.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if the bytes before the field are wrong.
    pub fn field(self, name: &str) -> Result<Option<RawValue<'a>>, Malformed> {
        let Some(fields) = self.fields() else { return Ok(None) };
        for field in fields {
            let (found, value) = field?;
            if found == name.as_bytes() {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    /// Returns the element with this index, if this is an array that contains it.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if the bytes before the element are wrong.
    pub fn element(self, index: u32) -> Result<Option<RawValue<'a>>, Malformed> {
        let mut cursor = Cursor::new(self.tail);
        let Some(len) = cursor.read_array_len() else { return Ok(None) };
        if index >= len {
            return Ok(None);
        }
        cursor.skip_many(index.into()).ok_or(Malformed)?;
        Ok(Some(Self::new(cursor.rest())))
    }

    /// Checks the whole value: that it ends, nests no deeper than [`DEPTH_MAX`], and has UTF-8
    /// names and strings. Returns the number of values that it consists of.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if one of these does not hold.
    pub fn verify(self) -> Result<usize, Malformed> {
        let mut cursor = Cursor::new(self.tail);
        verify(&mut cursor, 0)
    }
}

fn verify(cursor: &mut Cursor<'_>, depth: usize) -> Result<usize, Malformed> {
    let mut values = 1;
    match cursor.read().ok_or(Malformed)? {
        Token::String(text) => {
            str::from_utf8(text).map_err(|_| Malformed)?;
        }
        Token::Array(len) => {
            let depth = deeper(depth)?;
            for _ in 0..len {
                values += verify(cursor, depth)?;
            }
        }
        Token::Map(len) => {
            let depth = deeper(depth)?;
            for _ in 0..len {
                let name = cursor.read_string_bytes().ok_or(Malformed)?;
                str::from_utf8(name).map_err(|_| Malformed)?;
                values += verify(cursor, depth)?;
            }
        }
        Token::Null
        | Token::Bool(_)
        | Token::Int(_)
        | Token::UInt(_)
        | Token::Float(_)
        | Token::Binary(_)
        | Token::Ext(..) => {}
    }
    Ok(values)
}

/// Returns the depth below `depth`.
///
/// # Errors
///
/// [`Malformed`] at [`DEPTH_MAX`].
#[inline]
pub fn deeper(depth: usize) -> Result<usize, Malformed> {
    if depth < DEPTH_MAX { Ok(depth + 1) } else { Err(Malformed) }
}

impl<'a> Token<'a> {
    /// Returns its type bracket.
    #[must_use]
    #[inline]
    pub fn bracket(self) -> TypeBracket {
        match self {
            Token::Null => TypeBracket::Null,
            Token::Bool(_) => TypeBracket::Bool,
            Token::Int(_) | Token::UInt(_) | Token::Float(_) => TypeBracket::Number,
            Token::String(_) => TypeBracket::String,
            Token::Binary(_) => TypeBracket::Binary,
            Token::Array(_) => TypeBracket::Array,
            Token::Map(_) => TypeBracket::Document,
            Token::Ext(..) if self.timestamp().is_some() => TypeBracket::Timestamp,
            Token::Ext(..) if self.object_id().is_some() => TypeBracket::ObjectId,
            Token::Ext(..) if self.uuid().is_some() => TypeBracket::Binary,
            Token::Ext(..) => TypeBracket::Extension,
        }
    }

    /// Returns the number, if it is one.
    #[must_use]
    #[inline]
    pub fn number(self) -> Option<Number> {
        match self {
            Token::Int(number) => Some(Number::Int(number)),
            Token::UInt(number) => Some(Number::UInt(number)),
            Token::Float(number) => Some(Number::Float(number)),
            _ => None,
        }
    }

    /// Returns the timestamp, if it is one.
    #[must_use]
    #[inline]
    pub fn timestamp(self) -> Option<UnixTime> {
        match self {
            Token::Ext(TIMESTAMP_EXT, data) => UnixTime::from_ext(data),
            _ => None,
        }
    }

    /// Returns the bytes of the ObjectId, if it is one.
    #[must_use]
    #[inline]
    pub fn object_id(self) -> Option<[u8; 12]> {
        match self {
            Token::Ext(OBJECT_ID_EXT, data) => data.try_into().ok(),
            _ => None,
        }
    }

    /// Returns the bytes of the UUID, if it is one.
    #[must_use]
    #[inline]
    pub fn uuid(self) -> Option<[u8; 16]> {
        match self {
            Token::Ext(UUID_EXT, data) => data.try_into().ok(),
            _ => None,
        }
    }

    /// Returns the bytes, if it is binary or a UUID, which is the same value.
    #[must_use]
    #[inline]
    pub fn binary(self) -> Option<&'a [u8]> {
        match self {
            Token::Binary(bytes) => Some(bytes),
            Token::Ext(UUID_EXT, data) if data.len() == 16 => Some(data),
            _ => None,
        }
    }

    /// Returns the text, if it is a string in UTF-8.
    #[must_use]
    pub fn text(self) -> Option<&'a str> {
        match self {
            Token::String(bytes) => str::from_utf8(bytes).ok(),
            _ => None,
        }
    }
}

/// An iterator over the fields of a stored document: the bytes of their names, and their values.
///
/// Each value that it returns has been stepped over: it ends within the bytes.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    cursor: Cursor<'a>,
    left: u32,
}

impl<'a> Fields<'a> {
    /// Returns the bytes from the next field on, including those after the last one.
    #[must_use]
    pub fn tail(&self) -> &'a [u8] {
        self.cursor.rest()
    }

    /// Returns how many fields are left.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.left
    }

    /// Returns whether no field is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.left == 0
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(&'a [u8], RawValue<'a>), Malformed>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let Some(name) = self.cursor.read_string_bytes() else {
            self.left = 0;
            return Some(Err(Malformed));
        };
        let value = RawValue::new(self.cursor.rest());
        if self.cursor.skip().is_none() {
            self.left = 0;
            return Some(Err(Malformed));
        }
        Some(Ok((name, value)))
    }
}

/// An iterator over the elements of a stored array.
#[derive(Clone, Debug)]
pub struct Elements<'a> {
    cursor: Cursor<'a>,
    left: u32,
}

impl<'a> Elements<'a> {
    /// Returns the bytes from the next element on, including those after the last one.
    #[must_use]
    pub fn tail(&self) -> &'a [u8] {
        self.cursor.rest()
    }

    /// Returns how many elements are left.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.left
    }

    /// Returns whether no element is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.left == 0
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Result<RawValue<'a>, Malformed>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let value = RawValue::new(self.cursor.rest());
        if self.cursor.skip().is_none() {
            self.left = 0;
            return Some(Err(Malformed));
        }
        Some(Ok(value))
    }
}
