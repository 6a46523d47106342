//! From Rust's types to ids.

use super::{Id, IdRef};
use nanodb_msgpack::Token;

use crate::{DocumentError, Error, ID_FIELD, ObjectId, Uuid, Value};

macro_rules! from_integers {
    ($($integer:ty)*) => {$(
        impl From<$integer> for IdRef<'_> {
            #[inline]
            fn from(number: $integer) -> Self {
                Self::Int(i64::from(number))
            }
        }

        impl From<$integer> for Id {
            fn from(number: $integer) -> Self {
                IdRef::from(number).to_owned()
            }
        }
    )*};
}
from_integers!(i8 i16 i32 i64 u8 u16 u32);

impl From<u64> for IdRef<'_> {
    #[inline]
    fn from(number: u64) -> Self {
        i64::try_from(number).map_or(Self::UInt(number), Self::Int)
    }
}

impl From<u64> for Id {
    fn from(number: u64) -> Self {
        i64::try_from(number).map_or(Self::UInt(number), Self::Int)
    }
}

// A usize or isize has at most 64 bits on every platform Rust knows.
impl From<usize> for IdRef<'_> {
    #[inline]
    fn from(number: usize) -> Self {
        Self::from(number as u64)
    }
}

impl From<usize> for Id {
    fn from(number: usize) -> Self {
        Self::from(number as u64)
    }
}

impl From<isize> for IdRef<'_> {
    #[inline]
    fn from(number: isize) -> Self {
        Self::Int(number as i64)
    }
}

impl From<isize> for Id {
    fn from(number: isize) -> Self {
        Self::Int(number as i64)
    }
}

impl<'a> From<&'a str> for IdRef<'a> {
    #[inline]
    fn from(text: &'a str) -> Self {
        Self::String(text)
    }
}

impl<'a> From<&'a String> for IdRef<'a> {
    #[inline]
    fn from(text: &'a String) -> Self {
        Self::String(text)
    }
}

impl<'a> From<&'a [u8]> for IdRef<'a> {
    #[inline]
    fn from(bytes: &'a [u8]) -> Self {
        Self::Binary(bytes)
    }
}

impl<'a> From<&'a Vec<u8>> for IdRef<'a> {
    #[inline]
    fn from(bytes: &'a Vec<u8>) -> Self {
        Self::Binary(bytes)
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for IdRef<'a> {
    #[inline]
    fn from(bytes: &'a [u8; N]) -> Self {
        Self::Binary(bytes)
    }
}

impl<'a> From<&'a Id> for IdRef<'a> {
    #[inline]
    fn from(id: &'a Id) -> Self {
        id.as_ref()
    }
}

impl<'a> From<&IdRef<'a>> for IdRef<'a> {
    #[inline]
    fn from(id: &IdRef<'a>) -> Self {
        *id
    }
}

impl From<IdRef<'_>> for Id {
    fn from(id: IdRef<'_>) -> Self {
        id.to_owned()
    }
}

impl From<&Id> for Id {
    fn from(id: &Id) -> Self {
        id.clone()
    }
}

impl From<&str> for Id {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for Id {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<&String> for Id {
    fn from(text: &String) -> Self {
        Self::String(text.clone())
    }
}

impl From<&[u8]> for Id {
    fn from(bytes: &[u8]) -> Self {
        Self::Binary(bytes.to_vec())
    }
}

impl From<Vec<u8>> for Id {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Binary(bytes)
    }
}

impl<const N: usize> From<[u8; N]> for Id {
    fn from(bytes: [u8; N]) -> Self {
        Self::Binary(bytes.to_vec())
    }
}

impl<const N: usize> From<&[u8; N]> for Id {
    fn from(bytes: &[u8; N]) -> Self {
        Self::Binary(bytes.to_vec())
    }
}

impl From<ObjectId> for IdRef<'_> {
    fn from(id: ObjectId) -> Self {
        Self::ObjectId(id)
    }
}

impl From<ObjectId> for Id {
    fn from(id: ObjectId) -> Self {
        Self::ObjectId(id)
    }
}

impl From<Uuid> for IdRef<'_> {
    fn from(id: Uuid) -> Self {
        Self::Uuid(id)
    }
}

impl From<Uuid> for Id {
    fn from(id: Uuid) -> Self {
        Self::Uuid(id)
    }
}

impl<'a> TryFrom<&'a Value> for IdRef<'a> {
    type Error = Error;

    fn try_from(value: &'a Value) -> Result<Self, Error> {
        let not_an_id = || match value.refusal() {
            Some(reason) => DocumentError::refused(reason).at_field(ID_FIELD).into(),
            None => DocumentError::IdType { found: value.value_type() }.into(),
        };
        match value {
            Value::Int(number) => Ok(Self::Int(*number)),
            Value::UInt(number) => Ok(Self::from(*number)),
            Value::String(text) => Ok(Self::String(text)),
            Value::Binary(bytes) => Ok(Self::Binary(bytes)),
            Value::ObjectId(id) => Ok(Self::ObjectId(*id)),
            Value::Uuid(id) => Ok(Self::Uuid(*id)),
            Value::Float(number) => Self::whole(*number).ok_or_else(not_an_id),
            Value::Ext(tag, data) => Self::from_token(Token::Ext(*tag, data)).ok_or_else(not_an_id),
            _ => Err(not_an_id()),
        }
    }
}

impl TryFrom<Value> for Id {
    type Error = Error;

    fn try_from(value: Value) -> Result<Self, Error> {
        IdRef::try_from(&value).map(IdRef::to_owned)
    }
}
