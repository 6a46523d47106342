//! From Rust's types to values, and comparing values with them.

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;
use std::time::SystemTime;

use super::Value;
use crate::document::Document;
use crate::id::{Id, IdRef};
use crate::{ObjectId, Timestamp, Uuid, ValueRef};

impl From<()> for Value {
    fn from((): ()) -> Self {
        Self::Null
    }
}

macro_rules! from_small_integers {
    ($($integer:ty)*) => {$(
        impl From<$integer> for Value {
            fn from(number: $integer) -> Self {
                Self::Int(i64::from(number))
            }
        }
    )*};
}
from_small_integers!(i8 i16 i32 i64 u8 u16 u32);

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        i64::try_from(number).map_or(Self::UInt(number), Self::Int)
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Self {
        // A usize has at most 64 bits on every platform Rust knows.
        Self::from(number as u64)
    }
}

impl From<isize> for Value {
    fn from(number: isize) -> Self {
        Self::Int(number as i64)
    }
}

macro_rules! from_types {
    ($($variant:ident($from:ty): |$value:ident| $into:expr;)*) => {$(
        impl From<$from> for Value {
            fn from($value: $from) -> Self {
                Self::$variant($into)
            }
        }
    )*};
}
from_types! {
    Bool(bool): |value| value;
    Float(f32): |value| f64::from(value);
    Float(f64): |value| value;
    String(&str): |value| value.to_owned();
    String(&String): |value| value.clone();
    String(String): |value| value;
    String(Box<str>): |value| value.into();
    String(Cow<'_, str>): |value| value.into_owned();
    String(Arc<str>): |value| (*value).to_owned();
    String(Rc<str>): |value| (*value).to_owned();
    String(char): |value| value.into();
    Document(Document): |value| value;
    Document(&Document): |value| value.clone();
    Timestamp(Timestamp): |value| value;
    ObjectId(ObjectId): |value| value;
    Uuid(Uuid): |value| value;
    Timestamp(SystemTime): |value| value.into();
}

impl From<&Value> for Value {
    fn from(value: &Value) -> Self {
        value.clone()
    }
}

macro_rules! from_references {
    ($($type:ty)*) => {$(
        impl From<&$type> for Value {
            fn from(value: &$type) -> Self {
                (*value).into()
            }
        }
    )*};
}
from_references! {
    i8 i16 i32 i64 isize u8 u16 u32 u64 usize f32 f64 bool char &str
    Timestamp SystemTime ObjectId Uuid
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl<T: Clone + Into<Value>> From<&Option<T>> for Value {
    fn from(value: &Option<T>) -> Self {
        value.clone().into()
    }
}

impl From<Id> for Value {
    fn from(id: Id) -> Self {
        match id {
            Id::Int(number) => Self::Int(number),
            Id::UInt(number) => Self::from(number),
            Id::String(text) => Self::String(text),
            Id::Binary(bytes) => Self::Binary(bytes),
            Id::ObjectId(id) => Self::ObjectId(id),
            Id::Uuid(id) => Self::Uuid(id),
        }
    }
}

impl From<&Id> for Value {
    fn from(id: &Id) -> Self {
        id.clone().into()
    }
}

impl From<IdRef<'_>> for Value {
    fn from(id: IdRef<'_>) -> Self {
        id.to_owned().into()
    }
}

/// Decodes a stored value, so that a field of a stored document can stand in `doc!` and in
/// conditions. What is damaged becomes a value that is refused wherever it is used.
impl From<ValueRef<'_>> for Value {
    fn from(value: ValueRef<'_>) -> Self {
        value.to_value().unwrap_or_else(Self::refused)
    }
}

impl From<&ValueRef<'_>> for Value {
    fn from(value: &ValueRef<'_>) -> Self {
        (*value).into()
    }
}

impl PartialEq<str> for Value {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == Some(other)
    }
}

impl PartialEq<&str> for Value {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == Some(*other)
    }
}

impl PartialEq<String> for Value {
    fn eq(&self, other: &String) -> bool {
        self.as_str() == Some(other)
    }
}

impl PartialEq<bool> for Value {
    fn eq(&self, other: &bool) -> bool {
        self.as_bool() == Some(*other)
    }
}

impl PartialEq<f64> for Value {
    fn eq(&self, other: &f64) -> bool {
        matches!(self, Self::Float(number) if number == other)
    }
}

macro_rules! eq_integers {
    ($($integer:ty)*) => {$(
        impl PartialEq<$integer> for Value {
            fn eq(&self, other: &$integer) -> bool {
                !matches!(self, Self::Float(_))
                    && IdRef::try_from(self).is_ok_and(|id| id == IdRef::from(*other))
            }
        }
    )*};
}
eq_integers!(i8 i16 i32 i64 isize u8 u16 u32 u64 usize);
