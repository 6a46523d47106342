//! Ids, by which documents are found.
//!
//! A document's id is its field `_id`: an integer, a string, binary, an ObjectId or a UUID. A float
//! that is a whole number is the integer. As stored bytes an id is a *key*: the shortest
//! MessagePack form of the value, so that equal ids are equal bytes.
//!
//! ```text
//! id                          key
//! --------------------------  -----------------------------------------
//! 0..=127                     one byte, the number
//! -32..=-1                    one byte, e0..ff
//! 128..=255                   cc, one byte
//! ..=65,535                   cd, two bytes
//! ..=4,294,967,295            ce, four bytes
//! ..=u64::MAX                 cf, eight bytes
//! -128.. -32,768.. and so on  d0 d1 d2 d3 and one, two, four, eight bytes
//! string up to 31 bytes       a0 + length, the bytes
//! string up to 255, 65,535    d9, da and the length; the bytes
//! binary up to 255, 65,535    c4, c5 and the length; the bytes
//! ObjectId                    c7 0c 07, the 12 bytes
//! UUID                        c4 10, the 16 bytes; in the record d8 04, the 16 bytes
//! ```
//!
//! Numbers are big-endian. Integers are equal by value, whatever type they came from. A string
//! never equals the binary of its bytes. A UUID does, and has its key; only its record tells the
//! two apart. Ids are ordered as numbers, strings, binary and ObjectIds, each by their bytes.

mod as_id;
mod convert;
mod key;
mod of_error;
mod record;
#[cfg(feature = "serde")]
mod serde_impl;

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

pub use self::as_id::AsId;
pub use self::key::Key;
pub use self::of_error::DamagedDocument;
pub(crate) use self::record::ID_NAME_TOKEN;
pub use self::record::{record_has_key, record_key, same_key, with_hashed_key};

use crate::leaf_text::Text;
use crate::{ObjectId, Uuid};
use nanodb_msgpack::{Cursor, Number, Token};

/// The name of the field that holds a document's id.
pub const ID_FIELD: &str = "_id";

/// The most bytes that an id takes as a key.
pub const ID_BYTES_MAX: usize = 512;

/// The id of a document, owned.
///
/// ```
/// # extern crate nanodb_document as nanodb;
/// use nanodb::{Id, ObjectId, Uuid};
///
/// assert_eq!(Id::from(5_u8), Id::from(5_i64));
/// assert_ne!(Id::from("5"), Id::from(5));
/// assert_eq!(Id::from("abc").to_string(), "\"abc\"");
/// assert_eq!(Id::from([1_u8, 255]).to_string(), "h'01ff'");
///
/// // Each type is read by a method that returns `None` for ids of another type.
/// let uuid = Uuid::from_bytes([1; 16]);
/// let object_id = ObjectId::new();
/// assert_eq!((Id::from(5).as_i64(), Id::from(-5).as_u64()), (Some(5), None));
/// assert_eq!((Id::from("abc").as_str(), Id::from("abc").as_i64()), (Some("abc"), None));
/// assert_eq!(Id::from(object_id).as_object_id(), Some(object_id));
/// // Equal ids read alike.
/// for id in [Id::from(uuid), Id::from([1_u8; 16])] {
///     assert_eq!((id.as_uuid(), id.as_bytes()), (Some(uuid), Some(&[1_u8; 16][..])));
/// }
/// ```
#[derive(Clone)]
pub enum Id {
    /// An integer from `i64::MIN` to `i64::MAX`.
    Int(i64),
    /// An integer above `i64::MAX`.
    UInt(u64),
    /// Text.
    String(String),
    /// Bytes.
    Binary(Vec<u8>),
    /// An ObjectId.
    ObjectId(ObjectId),
    /// A UUID: the same id as the binary of its bytes.
    Uuid(Uuid),
}

/// The id of a document, borrowed, for look-ups.
///
/// Functions that look up an id take [`impl AsId`](AsId), so that integers, strings, bytes and
/// [`Id`] all work, by value or by reference.
///
/// ```
/// # extern crate nanodb_document as nanodb;
/// use nanodb::{Id, IdRef};
///
/// assert_eq!(IdRef::from(5).to_string(), "5");
/// assert_eq!(IdRef::from("abc"), Id::from("abc").as_ref());
/// assert_eq!(IdRef::from(&[0_u8; 2]).to_string(), "h'0000'");
///
/// // It is read as an `Id` is.
/// let (number, text) = (IdRef::from(5), IdRef::from("abc"));
/// assert_eq!((number.as_i64(), number.as_u64(), text.as_i64()), (Some(5), Some(5), None));
/// assert_eq!((text.as_str(), text.as_bytes()), (Some("abc"), None));
/// assert_eq!((text.as_object_id(), text.as_uuid()), (None, None));
/// ```
#[derive(Clone, Copy)]
pub enum IdRef<'a> {
    /// An integer from `i64::MIN` to `i64::MAX`.
    Int(i64),
    /// An integer above `i64::MAX`.
    UInt(u64),
    /// Text.
    String(&'a str),
    /// Bytes.
    Binary(&'a [u8]),
    /// An ObjectId.
    ObjectId(ObjectId),
    /// A UUID: the same id as the binary of its bytes.
    Uuid(Uuid),
}

impl Id {
    /// Returns this id, borrowed.
    #[must_use]
    #[inline]
    pub fn as_ref(&self) -> IdRef<'_> {
        match self {
            Self::Int(number) => IdRef::Int(*number),
            Self::UInt(number) => IdRef::UInt(*number),
            Self::String(text) => IdRef::String(text),
            Self::Binary(bytes) => IdRef::Binary(bytes),
            Self::ObjectId(id) => IdRef::ObjectId(*id),
            Self::Uuid(id) => IdRef::Uuid(*id),
        }
    }

    /// Returns this id as the bytes that are stored and hashed.
    #[must_use]
    pub fn to_key(&self) -> Key {
        self.as_ref().to_key()
    }

    /// Returns the id with the key `key`, or `None` if that is not exactly one id.
    #[must_use]
    pub fn from_key(key: &[u8]) -> Option<Self> {
        IdRef::from_key(key).map(IdRef::to_owned)
    }

    /// Returns the number, if this is an integer that fits into an `i64`.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        self.as_ref().as_i64()
    }

    /// Returns the number, if this is an integer that fits into a `u64`.
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        self.as_ref().as_u64()
    }

    /// Returns the text, if this is a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        self.as_ref().as_str()
    }

    /// Returns the bytes, if this is binary or a UUID.
    #[must_use]
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Binary(bytes) => Some(bytes),
            Self::Uuid(id) => Some(id.bytes()),
            _ => None,
        }
    }

    /// Returns the ObjectId, if this is one.
    #[must_use]
    pub fn as_object_id(&self) -> Option<ObjectId> {
        self.as_ref().as_object_id()
    }

    /// Returns the UUID, if this is one, or binary of sixteen bytes, which is the same id.
    #[must_use]
    pub fn as_uuid(&self) -> Option<Uuid> {
        self.as_ref().as_uuid()
    }
}

impl<'a> IdRef<'a> {
    /// Returns a copy of this id that borrows nothing.
    #[must_use]
    pub fn to_owned(self) -> Id {
        match self {
            Self::Int(number) => Id::Int(number),
            Self::UInt(number) => Id::from(number),
            Self::String(text) => Id::String(text.to_owned()),
            Self::Binary(bytes) => Id::Binary(bytes.to_vec()),
            Self::ObjectId(id) => Id::ObjectId(id),
            Self::Uuid(id) => Id::Uuid(id),
        }
    }

    /// Returns this id as the bytes that are stored and hashed. Allocates only for strings and
    /// binary above [`Key::INLINE_BYTES_MAX`] bytes.
    #[must_use]
    #[inline]
    pub fn to_key(self) -> Key {
        Key::new(self)
    }

    /// Returns the id with the key `key`, or `None` if that is not exactly one id.
    #[must_use]
    pub fn from_key(key: &'a [u8]) -> Option<Self> {
        let mut cursor = Cursor::new(key);
        let id = Self::from_token(cursor.read()?)?;
        cursor.rest().is_empty().then_some(id)
    }

    /// Returns the id that a token is, or `None` for types that ids can't have.
    #[must_use]
    #[doc(hidden)]
    pub fn from_token(token: Token<'a>) -> Option<Self> {
        match token {
            Token::Int(number) => Some(Self::Int(number)),
            Token::UInt(number) => Some(Self::UInt(number)),
            Token::String(bytes) => std::str::from_utf8(bytes).ok().map(Self::String),
            Token::Binary(bytes) => Some(Self::Binary(bytes)),
            Token::Float(number) => Self::whole(number),
            Token::Ext(..) => {
                let uuid = || token.uuid().map(|id| Self::Uuid(Uuid::from_bytes(id)));
                let object_id = token.object_id();
                object_id.map(|id| Self::ObjectId(ObjectId::from_bytes(id))).or_else(uuid)
            }
            _ => None,
        }
    }

    /// Returns the integer that a float is, if it is one.
    pub(crate) fn whole(number: f64) -> Option<Self> {
        let whole = Number::Float(number).as_whole()?;
        let signed = i64::try_from(whole).map(Self::Int);
        signed.or_else(|_| u64::try_from(whole).map(Self::UInt)).ok()
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

    /// Returns the text, if this is a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&'a str> {
        match *self {
            Self::String(text) => Some(text),
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

    /// Returns the UUID, if this is one, or binary of sixteen bytes, which is the same id.
    #[must_use]
    pub fn as_uuid(&self) -> Option<Uuid> {
        match *self {
            Self::Uuid(id) => Some(id),
            Self::Binary(bytes) => bytes.try_into().ok().map(Uuid::from_bytes),
            _ => None,
        }
    }

    /// Returns the bytes, if this is binary or a UUID, which is the same id as its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Binary(bytes) => Some(bytes),
            Self::Uuid(id) => Some(id.bytes()),
            _ => None,
        }
    }

    /// Returns the rank of the type; ids are ordered by it first.
    fn class(&self) -> u8 {
        match self {
            Self::Int(_) | Self::UInt(_) => 0,
            Self::String(_) => 1,
            Self::Binary(_) | Self::Uuid(_) => 2,
            Self::ObjectId(_) => 3,
        }
    }

    /// Returns the number, wide enough for both integer variants; `None` for other ids.
    fn number(self) -> Option<i128> {
        match self {
            Self::Int(number) => Some(number.into()),
            Self::UInt(number) => Some(number.into()),
            _ => None,
        }
    }
}

impl Ord for IdRef<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::String(a), Self::String(b)) => a.cmp(b),
            (Self::ObjectId(a), Self::ObjectId(b)) => a.cmp(b),
            _ => self
                .class()
                .cmp(&other.class())
                .then_with(|| self.number().cmp(&other.number()))
                .then_with(|| self.as_bytes().cmp(&other.as_bytes())),
        }
    }
}

impl PartialOrd for IdRef<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for IdRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for IdRef<'_> {}

impl Hash for IdRef<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::String(text) => (1_u8, text).hash(state),
            // Same as binary, which it equals.
            Self::Binary(bytes) => (2_u8, *bytes).hash(state),
            Self::Uuid(id) => (2_u8, id.bytes().as_slice()).hash(state),
            Self::ObjectId(id) => (3_u8, id).hash(state),
            // By value, so that equal ids of different variants have the same hash.
            _ => (0_u8, self.number()).hash(state),
        }
    }
}

impl Ord for Id {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_ref().cmp(&other.as_ref())
    }
}

impl PartialOrd for Id {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Id {
    fn eq(&self, other: &Self) -> bool {
        self.as_ref() == other.as_ref()
    }
}

impl Eq for Id {}

impl Hash for Id {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_ref().hash(state);
    }
}

impl fmt::Display for IdRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Int(number) => write!(f, "{number}"),
            Self::UInt(number) => write!(f, "{number}"),
            Self::String(text) => write!(f, "{}", Text::String(text)),
            Self::Binary(bytes) => write!(f, "{}", Text::Binary(bytes)),
            Self::ObjectId(id) => write!(f, "{}", Text::ObjectId(id)),
            Self::Uuid(id) => write!(f, "{}", Text::Uuid(id)),
        }
    }
}

impl fmt::Debug for IdRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.as_ref(), f)
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.as_ref(), f)
    }
}
