//! Values of a stored document, read in place.

use std::str;

use super::{DocView, decode};
use crate::document_error::Damage;
use crate::path::array_index;
use crate::{DocumentError, Error, IdRef, ObjectId, Timestamp, Uuid, Value, ValueType};
use nanodb_msgpack::{Cursor, Token};

/// A value within a stored document: the same as [`Value`], borrowed.
///
/// ```
/// # extern crate nanodb_document as nanodb;
/// use nanodb::{DocView, Encode, ValueRef, doc};
///
/// # fn main() -> Result<(), nanodb::Error> {
/// let mut buffer = Vec::new();
/// let draft = doc! { "_id": 1, "tags": ["a", "b"] }.encode(None, &mut buffer)?;
/// let view = DocView::from_bytes(draft.record(&buffer));
/// assert_eq!(view.get_path("tags.1"), Some(ValueRef::String("b")));
/// let tags = view.get("tags").and_then(|tags| tags.as_array()).unwrap();
/// assert_eq!(tags.iter().count(), 2);
///
/// let whole = ValueRef::Document(view);
/// assert_eq!(whole.get("_id"), Some(ValueRef::Int(1)));
/// assert_eq!(whole.get_path("tags.0"), Some(ValueRef::String("a")));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy)]
pub enum ValueRef<'a> {
    /// Nothing.
    Null,
    /// True or false.
    Bool(bool),
    /// An integer from `i64::MIN` to `i64::MAX`.
    Int(i64),
    /// An integer above `i64::MAX`.
    UInt(u64),
    /// A float.
    Float(f64),
    /// Text.
    String(&'a str),
    /// Bytes.
    Binary(&'a [u8]),
    /// An ObjectId.
    ObjectId(ObjectId),
    /// A UUID.
    Uuid(Uuid),
    /// Values in order.
    Array(ArrayView<'a>),
    /// Named values in order.
    Document(&'a DocView),
    /// A point in time.
    Timestamp(Timestamp),
    /// A MessagePack extension: its type, its data.
    Ext(i8, &'a [u8]),
}

impl<'a> ValueRef<'a> {
    /// Returns the value that the bytes begin with, or `None` if they are wrong.
    #[must_use]
    pub fn from_bytes(bytes: &'a [u8]) -> Option<Self> {
        Self::read(&mut Cursor::new(bytes))
    }

    /// Reads the value at the cursor and steps over it; `None` if the bytes are wrong.
    pub(super) fn read(cursor: &mut Cursor<'a>) -> Option<Self> {
        let start = *cursor;
        Some(match cursor.read()? {
            Token::Null => Self::Null,
            Token::Bool(value) => Self::Bool(value),
            Token::Int(number) => Self::Int(number),
            Token::UInt(number) => Self::UInt(number),
            Token::Float(number) => Self::Float(number),
            Token::String(bytes) => Self::String(str::from_utf8(bytes).ok()?),
            Token::Binary(bytes) => Self::Binary(bytes),
            Token::Array(len) => {
                cursor.skip_many(u64::from(len))?;
                Self::Array(ArrayView { bytes: passed(start, *cursor)? })
            }
            Token::Map(len) => {
                cursor.skip_many(2 * u64::from(len))?;
                Self::Document(DocView::from_bytes(passed(start, *cursor)?))
            }
            token @ Token::Ext(tag, data) => {
                if let Some(time) = token.timestamp() {
                    Self::Timestamp(time.into())
                } else if let Some(id) = token.object_id() {
                    Self::ObjectId(ObjectId::from_bytes(id))
                } else if let Some(id) = token.uuid() {
                    Self::Uuid(Uuid::from_bytes(id))
                } else {
                    Self::Ext(tag, data)
                }
            }
        })
    }

    /// Returns the type of this value.
    #[must_use]
    pub fn value_type(&self) -> ValueType {
        match self {
            Self::Null => ValueType::Null,
            Self::Bool(_) => ValueType::Bool,
            Self::Int(_) | Self::UInt(_) => ValueType::Integer,
            Self::Float(_) => ValueType::Float,
            Self::String(_) => ValueType::String,
            Self::Binary(_) => ValueType::Binary,
            Self::ObjectId(_) => ValueType::ObjectId,
            Self::Uuid(_) => ValueType::Uuid,
            Self::Array(_) => ValueType::Array,
            Self::Document(_) => ValueType::Document,
            Self::Timestamp(_) => ValueType::Timestamp,
            Self::Ext(..) => ValueType::Extension,
        }
    }

    /// Returns whether this is null.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Returns the boolean, if this is one.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match *self {
            Self::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// Returns the number, if this is an integer that fits into an `i64`.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        match *self {
            Self::Int(number) => Some(number),
            Self::UInt(number) => i64::try_from(number).ok(),
            _ => None,
        }
    }

    /// Returns the number, if this is an integer that fits into a `u64`.
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        match *self {
            Self::Int(number) => u64::try_from(number).ok(),
            Self::UInt(number) => Some(number),
            _ => None,
        }
    }

    /// Returns the number, if this is one; integers beyond 2^53 are rounded.
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        match *self {
            Self::Int(number) => Some(number as f64),
            Self::UInt(number) => Some(number as f64),
            Self::Float(number) => Some(number),
            _ => None,
        }
    }

    /// Returns the text, if this is a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&'a str> {
        match *self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the bytes, if this is binary.
    #[must_use]
    pub fn as_bytes(&self) -> Option<&'a [u8]> {
        match *self {
            Self::Binary(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// Returns the elements, if this is an array.
    #[must_use]
    pub fn as_array(&self) -> Option<ArrayView<'a>> {
        match *self {
            Self::Array(array) => Some(array),
            _ => None,
        }
    }

    /// Returns the document, if this is one.
    #[must_use]
    pub fn as_document(&self) -> Option<&'a DocView> {
        match *self {
            Self::Document(document) => Some(document),
            _ => None,
        }
    }

    /// Returns the timestamp, if this is one.
    #[must_use]
    pub fn as_timestamp(&self) -> Option<Timestamp> {
        match *self {
            Self::Timestamp(timestamp) => Some(timestamp),
            _ => None,
        }
    }

    /// Returns the ObjectId, if this is one.
    #[must_use]
    pub fn as_object_id(&self) -> Option<ObjectId> {
        match *self {
            Self::ObjectId(id) => Some(id),
            _ => None,
        }
    }

    /// Returns the UUID, if this is one.
    #[must_use]
    pub fn as_uuid(&self) -> Option<Uuid> {
        match *self {
            Self::Uuid(id) => Some(id),
            _ => None,
        }
    }

    /// Returns the value of a field, if this is a document that has it; dots in `name` are part of
    /// the name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<ValueRef<'a>> {
        self.as_document()?.get(name)
    }

    /// Returns the value below this one that a dotted path leads to; see [`DocView::get_path`].
    #[must_use]
    pub fn get_path(&self, path: &str) -> Option<ValueRef<'a>> {
        path.split('.').try_fold(*self, |value, step| match value {
            Self::Document(document) => document.get(step),
            Self::Array(array) => array.get(usize::try_from(array_index(step)?).ok()?),
            _ => None,
        })
    }

    /// Returns the id that this value is, if it is of a type that ids can have.
    #[must_use]
    pub fn as_id(&self) -> Option<IdRef<'a>> {
        match *self {
            Self::Int(number) => Some(IdRef::Int(number)),
            Self::UInt(number) => Some(IdRef::UInt(number)),
            Self::String(text) => Some(IdRef::String(text)),
            Self::Binary(bytes) => Some(IdRef::Binary(bytes)),
            Self::ObjectId(id) => Some(IdRef::ObjectId(id)),
            Self::Uuid(id) => Some(IdRef::Uuid(id)),
            Self::Float(number) => IdRef::whole(number),
            _ => None,
        }
    }

    /// Decodes this value.
    ///
    /// # Errors
    ///
    /// Same as [`DocView::to_document`].
    pub fn to_value(&self) -> Result<Value, Error> {
        Ok(match *self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(value),
            Self::Int(number) => Value::Int(number),
            Self::UInt(number) => Value::UInt(number),
            Self::Float(number) => Value::Float(number),
            Self::String(text) => Value::String(text.to_owned()),
            Self::Binary(bytes) => Value::Binary(bytes.to_vec()),
            Self::ObjectId(id) => Value::ObjectId(id),
            Self::Uuid(id) => Value::Uuid(id),
            Self::Array(array) => decode::decode_value(array.bytes).map_err(Damage)?,
            Self::Document(document) => Value::Document(document.to_document()?),
            Self::Timestamp(timestamp) => Value::Timestamp(timestamp),
            Self::Ext(tag, data) => Value::Ext(tag, data.to_vec()),
        })
    }
}

/// Returns the bytes between two places of one cursor.
fn passed<'a>(start: Cursor<'a>, end: Cursor<'a>) -> Option<&'a [u8]> {
    let size = start.rest().len().checked_sub(end.rest().len())?;
    start.rest().get(..size)
}

/// An array within a stored document.
///
/// Elements differ in size, so reaching one costs a step over each one before it.
#[derive(Clone, Copy)]
pub struct ArrayView<'a> {
    /// Exactly one MessagePack array.
    bytes: &'a [u8],
}

impl<'a> ArrayView<'a> {
    /// Returns the number of elements.
    #[must_use]
    pub fn len(&self) -> usize {
        let len = Cursor::new(self.bytes).read_array_len().unwrap_or(0);
        usize::try_from(len).unwrap_or(usize::MAX)
    }

    /// Returns whether there are no elements.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the array's bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Returns the element at `index`.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<ValueRef<'a>> {
        let mut cursor = Cursor::new(self.bytes);
        step_into_array(&mut cursor, u64::try_from(index).ok()?)?;
        ValueRef::read(&mut cursor)
    }

    /// Returns an iterator over the elements, in order.
    #[must_use]
    pub fn iter(&self) -> Elements<'a> {
        let mut cursor = Cursor::new(self.bytes);
        let left = cursor.read_array_len().unwrap_or(0);
        Elements { size: self.bytes.len(), cursor, left }
    }
}

impl<'a> IntoIterator for ArrayView<'a> {
    type Item = Result<ValueRef<'a>, Error>;
    type IntoIter = Elements<'a>;

    fn into_iter(self) -> Elements<'a> {
        self.iter()
    }
}

/// An iterator over the elements of an [`ArrayView`]. Damaged bytes give an error, and end it.
#[derive(Clone, Debug)]
pub struct Elements<'a> {
    size: usize,
    cursor: Cursor<'a>,
    left: u32,
}

impl<'a> Iterator for Elements<'a> {
    type Item = Result<ValueRef<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let offset = self.size - self.cursor.rest().len();
        let element = ValueRef::read(&mut self.cursor);
        if element.is_none() {
            self.left = 0;
        }
        Some(element.ok_or_else(|| Damage(DocumentError::Malformed { offset }).into()))
    }
}

/// Moves a cursor from a value to what a step of a path leads to within it.
#[inline]
pub(super) fn step_into(cursor: &mut Cursor<'_>, step: &str) -> Option<()> {
    match cursor.peek()? {
        0x80..=0x8f | 0xde | 0xdf => step_into_map(cursor, step.as_bytes()),
        _ => step_into_array(cursor, array_index(step)?.into()),
    }
}

/// Moves a cursor from a map to the value of one of its fields.
#[inline]
pub(super) fn step_into_map(cursor: &mut Cursor<'_>, name: &[u8]) -> Option<()> {
    for _ in 0..cursor.read_map_len()? {
        if cursor.read_string_bytes()? == name {
            return Some(());
        }
        cursor.skip()?;
    }
    None
}

/// Moves a cursor from an array to one of its elements.
fn step_into_array(cursor: &mut Cursor<'_>, index: u64) -> Option<()> {
    if index >= u64::from(cursor.read_array_len()?) {
        return None;
    }
    cursor.skip_many(index)
}
