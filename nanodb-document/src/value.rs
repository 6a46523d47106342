//! Values in memory: what a document's fields hold.
//!
//! ```text
//! variant    stored as (see `nanodb-msgpack`)                  made from
//! ---------  -------------------------------------------  --------------------------------
//! Null       null                                         (), None
//! Bool       true, false                                  bool
//! Int        integer, shortest form                       i8..i64, isize, u8..u32, u64
//! UInt       integer, shortest form                       u64 above i64::MAX
//! Float      float of eight bytes                         f32, f64
//! String     string                                       &str, String, char, Cow<str>, Arc<str>
//! Binary     binary                                       &[u8], &[u8; N], Id
//! ObjectId   extension 7                                  ObjectId, Id
//! Uuid       extension 4                                  Uuid, Id
//! Array      array                                        Vec<T>, [T; N], &[T], (A, B), array!
//! Document   map with string keys                         Document, doc!, HashMap, BTreeMap
//! Timestamp  extension -1, shortest of its three forms    Timestamp, SystemTime
//! Ext        extension                                    Value::Ext(type, bytes)
//! ```
//!
//! # Equality
//!
//! `==` on values is an equivalence (`Eq` holds) and compares structure:
//!
//! * Integers compare by value, so a hand-made `UInt(5)` equals `Int(5)`.
//! * An integer never equals a float: `5` and `5.0` are stored and shown differently, and a test
//!   that compares a stored value with the one it reads should notice. Ids and queries compare
//!   numbers by value.
//! * A UUID never equals the binary of its bytes, for the same reason. Ids and queries compare them
//!   by value.
//! * Floats compare as in IEEE 754, so `0.0 == -0.0`, except that NaN equals NaN: a document must
//!   equal its own copy.
//! * Documents are equal if they hold equal fields in the same order.

mod convert;
mod display;
mod index;
mod into_value;
mod lists;
mod macros;
mod maps;
pub(crate) mod refused;
#[cfg(feature = "rmpv")]
mod rmpv;
#[cfg(feature = "serde")]
pub(crate) mod serde_impl;
mod value_type;

pub use self::into_value::{__value, IntoValue};
pub use self::value_type::ValueType;
use crate::{ObjectId, Timestamp, Uuid};
use nanodb_msgpack::Token;

use crate::document::Document;

/// One value of a document.
///
/// ```
/// # extern crate nanodb_document as nanodb;
/// use nanodb::{Value, array, doc};
///
/// let value = Value::from(doc! { "name": "Alice", "tags": ["a", "b"] });
/// assert_eq!(value.get_path("tags.1"), Some(&Value::from("b")));
/// assert_eq!(value["name"], "Alice");
/// assert_eq!(Value::from(vec![1, 2]), Value::from(array![1, 2]));
///
/// // Each type is read by a method that returns `None` for values of another type.
/// assert_eq!(Value::from(5).as_i64(), Some(5));
/// assert_eq!(Value::from(5).as_str(), None);
/// assert_eq!(Value::from(0.5).as_f64(), Some(0.5));
/// assert_eq!(Value::from(true).as_bool(), Some(true));
/// assert_eq!(value["tags"].as_array().map(<[Value]>::len), Some(2));
/// assert_eq!(value.as_document().map(|document| document.len()), Some(2));
/// assert!(Value::Null.is_null());
///
/// // Or taken out, or changed in place.
/// let mut value = value;
/// value["tags"][1] = "c".into();
/// if let Some(tag) = value.get_path_mut("tags.0") {
///     assert_eq!(tag.take(), "a");
/// }
/// assert_eq!(value.get("tags"), Some(&array![null, "c"].into()));
/// assert_eq!(Value::from("a").into_string(), Ok("a".to_owned()));
/// assert_eq!(Value::from("a").into_array(), Err("a".into()));
/// assert_eq!(Value::from(b"a").into_bytes(), Ok(vec![b'a']));
/// assert!(value.into_document().is_ok());
/// ```
#[derive(Clone, Default)]
pub enum Value {
    /// Nothing.
    #[default]
    Null,
    /// True or false.
    Bool(bool),
    /// An integer from `i64::MIN` to `i64::MAX`.
    Int(i64),
    /// An integer above `i64::MAX`. Reading a document gives `Int` for smaller ones.
    UInt(u64),
    /// A float.
    Float(f64),
    /// Text.
    String(String),
    /// Bytes.
    Binary(Vec<u8>),
    /// An ObjectId.
    ObjectId(ObjectId),
    /// A UUID; to queries, and as an id, the same value as the binary of its bytes.
    Uuid(Uuid),
    /// Values in order.
    Array(Vec<Value>),
    /// Named values in order.
    Document(Document),
    /// A point in time.
    Timestamp(Timestamp),
    /// A MessagePack extension that has no meaning to the database: its type, its data.
    ///
    /// Some extensions are read back as another variant: type -1, MessagePack's own timestamp, as
    /// [`Timestamp`](Self::Timestamp), type 7 of 12 bytes as [`ObjectId`](Self::ObjectId), type 4
    /// of 16 bytes as [`Uuid`](Self::Uuid).
    Ext(i8, Vec<u8>),
}

impl Value {
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
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the bytes, if this is binary.
    #[must_use]
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Binary(bytes) => Some(bytes),
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

    /// Returns the value of an extension.
    pub(crate) fn from_ext(tag: i8, data: &[u8]) -> Self {
        let token = Token::Ext(tag, data);
        if let Some(time) = token.timestamp() {
            return Self::Timestamp(time.into());
        }
        match (token.object_id(), token.uuid()) {
            (Some(id), _) => Self::ObjectId(ObjectId::from_bytes(id)),
            (_, Some(id)) => Self::Uuid(Uuid::from_bytes(id)),
            _ => Self::Ext(tag, data.to_vec()),
        }
    }

    /// Returns the elements, if this is an array.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Value]> {
        match self {
            Self::Array(elements) => Some(elements),
            _ => None,
        }
    }

    /// Returns the elements, mutable, if this is an array.
    #[must_use]
    pub fn as_array_mut(&mut self) -> Option<&mut Vec<Value>> {
        match self {
            Self::Array(elements) => Some(elements),
            _ => None,
        }
    }

    /// Returns the document, if this is one.
    #[must_use]
    pub fn as_document(&self) -> Option<&Document> {
        match self {
            Self::Document(document) => Some(document),
            _ => None,
        }
    }

    /// Returns the document, mutable, if this is one.
    #[must_use]
    pub fn as_document_mut(&mut self) -> Option<&mut Document> {
        match self {
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

    /// Returns the value of a field, if this is a document that has it; dots in `name` are part of
    /// the name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.as_document()?.get(name)
    }

    /// Returns the text, if this is a string.
    ///
    /// # Errors
    ///
    /// The value, if it is of another type.
    pub fn into_string(self) -> Result<String, Self> {
        match self {
            Self::String(text) => Ok(text),
            other => Err(other),
        }
    }

    /// Returns the elements, if this is an array.
    ///
    /// # Errors
    ///
    /// The value, if it is of another type.
    pub fn into_array(self) -> Result<Vec<Value>, Self> {
        match self {
            Self::Array(elements) => Ok(elements),
            other => Err(other),
        }
    }

    /// Returns the document, if this is one.
    ///
    /// # Errors
    ///
    /// The value, if it is of another type.
    pub fn into_document(self) -> Result<Document, Self> {
        match self {
            Self::Document(document) => Ok(document),
            other => Err(other),
        }
    }

    /// Returns the bytes, if this is binary.
    ///
    /// # Errors
    ///
    /// The value, if it is of another type.
    pub fn into_bytes(self) -> Result<Vec<u8>, Self> {
        match self {
            Self::Binary(bytes) => Ok(bytes),
            other => Err(other),
        }
    }

    /// Returns this value, and leaves null in its place.
    #[must_use = "`= Value::Null` sets a value to null"]
    pub fn take(&mut self) -> Value {
        std::mem::take(self)
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::UInt(a), Self::UInt(b)) => a == b,
            (Self::Int(a), Self::UInt(b)) | (Self::UInt(b), Self::Int(a)) => {
                u64::try_from(*a) == Ok(*b)
            }
            (Self::Float(a), Self::Float(b)) => a == b || (a.is_nan() && b.is_nan()),
            (Self::String(a), Self::String(b)) => a == b,
            (Self::Binary(a), Self::Binary(b)) => a == b,
            (Self::ObjectId(a), Self::ObjectId(b)) => a == b,
            (Self::Uuid(a), Self::Uuid(b)) => a == b,
            (Self::Array(a), Self::Array(b)) => a == b,
            (Self::Document(a), Self::Document(b)) => a == b,
            (Self::Timestamp(a), Self::Timestamp(b)) => a == b,
            (Self::Ext(a, x), Self::Ext(b, y)) => a == b && x == y,
            _ => false,
        }
    }
}

impl Eq for Value {}
