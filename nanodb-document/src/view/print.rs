//! Comparing and printing stored documents without decoding them first.
//!
//! Damaged bytes may nest without bound, so every recursion here counts levels and stops at
//! [`DOCUMENT_DEPTH_MAX`].

use std::fmt::{self, Write};

use super::{ArrayView, DocView, ValueRef};
use crate::leaf_text::Text;
use crate::value::Value;
use crate::{DOCUMENT_DEPTH_MAX, IdRef};

/// A value and the number of containers around it.
#[derive(Clone, Copy)]
struct AtDepth<'a>(ValueRef<'a>, usize);

impl ValueRef<'_> {
    fn leaf(&self) -> Option<Text<'_>> {
        Some(match *self {
            Self::Null => Text::Null,
            Self::Float(number) => Text::Float(number),
            Self::String(text) => Text::String(text),
            Self::Binary(bytes) => Text::Binary(bytes),
            Self::ObjectId(id) => Text::ObjectId(id),
            Self::Uuid(id) => Text::Uuid(id),
            Self::Timestamp(timestamp) => Text::Timestamp(timestamp),
            Self::Ext(tag, data) => Text::Ext(tag, data),
            _ => return None,
        })
    }
}

/// What is printed for bytes that can't be read.
const DAMAGED: &str = "<damaged>";

impl fmt::Display for AtDepth<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(value, depth) = *self;
        let mut comma = "";
        match value {
            ValueRef::Array(_) | ValueRef::Document(_) if depth >= DOCUMENT_DEPTH_MAX => {
                f.write_str(DAMAGED)
            }
            ValueRef::Bool(value) => write!(f, "{value}"),
            ValueRef::Int(number) => write!(f, "{number}"),
            ValueRef::UInt(number) => write!(f, "{number}"),
            ValueRef::Array(array) => {
                f.write_char('[')?;
                for element in array {
                    match element {
                        Ok(element) => write!(f, "{comma}{}", AtDepth(element, depth + 1))?,
                        Err(_) => write!(f, "{comma}{DAMAGED}")?,
                    }
                    comma = ", ";
                }
                f.write_char(']')
            }
            ValueRef::Document(document) => {
                f.write_char('{')?;
                for field in document {
                    match field {
                        Ok((name, value)) => {
                            let name = Text::String(name);
                            write!(f, "{comma}{name}: {}", AtDepth(value, depth + 1))?;
                        }
                        Err(_) => write!(f, "{comma}{DAMAGED}")?,
                    }
                    comma = ", ";
                }
                f.write_char('}')
            }
            leaf => leaf.leaf().map_or(Ok(()), |text| fmt::Display::fmt(&text, f)),
        }
    }
}

impl fmt::Debug for AtDepth<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(value, depth) = *self;
        let damaged = format_args!("{DAMAGED}");
        match value {
            ValueRef::Array(array) if depth < DOCUMENT_DEPTH_MAX => {
                let mut list = f.debug_list();
                for element in array {
                    match element {
                        Ok(element) => list.entry(&AtDepth(element, depth + 1)),
                        Err(_) => list.entry(&damaged),
                    };
                }
                list.finish()
            }
            ValueRef::Document(document) if depth < DOCUMENT_DEPTH_MAX => {
                let mut map = f.debug_map();
                for field in document {
                    match field {
                        Ok((name, value)) => {
                            map.entry(&Text::String(name), &AtDepth(value, depth + 1))
                        }
                        Err(_) => map.entry(&damaged, &damaged),
                    };
                }
                map.finish()
            }
            _ => fmt::Display::fmt(self, f),
        }
    }
}

macro_rules! through_nested {
    ($($view:ty: |$value:ident| $into:expr;)*) => {$(
        impl fmt::Display for $view {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let $value = self;
                fmt::Display::fmt(&AtDepth($into, 0), f)
            }
        }

        impl fmt::Debug for $view {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let $value = self;
                fmt::Debug::fmt(&AtDepth($into, 0), f)
            }
        }
    )*};
}
through_nested! {
    ValueRef<'_>: |value| *value;
    ArrayView<'_>: |array| ValueRef::Array(*array);
    DocView: |document| ValueRef::Document(document);
}

/// Equality as of [`Value`]. Containers compare by their stored bytes, which for documents in
/// stored form is the same except that `0.0` differs from `-0.0`.
impl PartialEq for ValueRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Array(a), Self::Array(b)) => a == b,
            (Self::Document(a), Self::Document(b)) => a == b,
            (Self::Array(_) | Self::Document(_), _) | (_, Self::Array(_) | Self::Document(_)) => {
                false
            }
            (Self::String(a), Self::String(b)) => a == b,
            (Self::Binary(a), Self::Binary(b)) => a == b,
            (Self::ObjectId(a), Self::ObjectId(b)) => a == b,
            (Self::Uuid(a), Self::Uuid(b)) => a == b,
            (Self::Ext(a, x), Self::Ext(b, y)) => a == b && x == y,
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Timestamp(a), Self::Timestamp(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => a == b || (a.is_nan() && b.is_nan()),
            (Self::Int(_) | Self::UInt(_), Self::Int(_) | Self::UInt(_)) => {
                self.as_id() == other.as_id()
            }
            _ => false,
        }
    }
}

impl PartialEq for ArrayView<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl PartialEq for DocView {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl PartialEq<str> for ValueRef<'_> {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == Some(other)
    }
}

impl PartialEq<&str> for ValueRef<'_> {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == Some(*other)
    }
}

impl PartialEq<String> for ValueRef<'_> {
    fn eq(&self, other: &String) -> bool {
        self.as_str() == Some(other)
    }
}

/// As of [`Value`]: no integer equals a float.
impl PartialEq<f64> for ValueRef<'_> {
    fn eq(&self, other: &f64) -> bool {
        matches!(self, Self::Float(number) if number == other)
    }
}

macro_rules! eq_integers {
    ($($integer:ty)*) => {$(
        impl PartialEq<$integer> for ValueRef<'_> {
            fn eq(&self, other: &$integer) -> bool {
                match *self {
                    Self::Int(number) => IdRef::Int(number) == IdRef::from(*other),
                    Self::UInt(number) => IdRef::UInt(number) == IdRef::from(*other),
                    _ => false,
                }
            }
        }
    )*};
}
eq_integers!(i8 i16 i32 i64 isize u8 u16 u32 u64 usize);

impl PartialEq<bool> for ValueRef<'_> {
    fn eq(&self, other: &bool) -> bool {
        self.as_bool() == Some(*other)
    }
}

impl PartialEq<Value> for ValueRef<'_> {
    fn eq(&self, other: &Value) -> bool {
        self.to_value().is_ok_and(|value| value == *other)
    }
}
