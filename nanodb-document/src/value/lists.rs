//! Arrays made of Rust's lists, and binary made of its slices of bytes.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::Arc;
use std::time::SystemTime;

use super::Value;
use crate::document::Document;
use crate::id::{Id, IdRef};
use crate::{ObjectId, Timestamp, Uuid};

/// A type whose slices become arrays. It is not implemented for `u8`, whose slices are binary.
#[doc(hidden)]
pub trait Element {}

macro_rules! elements {
    ($($type:ty)*) => {$(
        impl Element for $type {}
    )*};
}
elements! {
    () bool i8 i16 i32 i64 isize u16 u32 u64 usize f32 f64 char str String SystemTime
    Value Document Timestamp ObjectId Uuid Id IdRef<'_> Cow<'_, str>
}

impl<T: Element + ?Sized> Element for &T {}
impl<T: ?Sized> Element for Arc<T> {}
impl<T: ?Sized> Element for Rc<T> {}
impl<T: ?Sized> Element for Box<T> {}
impl<T> Element for Option<T> {}
impl<T> Element for Vec<T> {}
impl<T> Element for [T] {}
impl<T, const N: usize> Element for [T; N] {}
impl<K, V> Element for BTreeMap<K, V> {}
impl<K, V, S> Element for HashMap<K, V, S> {}

/// Makes an array, of integers if `T` is `u8`; for binary use `&bytes[..]`.
impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(elements: Vec<T>) -> Self {
        Self::Array(elements.into_iter().map(Into::into).collect())
    }
}

/// Makes an array, of integers if `T` is `u8`; for binary use `&bytes[..]`.
impl<T: Clone + Into<Value>> From<&Vec<T>> for Value {
    fn from(elements: &Vec<T>) -> Self {
        array_of(elements)
    }
}

/// Makes an array, of integers if `T` is `u8`; for binary use `&bytes[..]`.
impl<T: Into<Value>, const N: usize> From<[T; N]> for Value {
    fn from(elements: [T; N]) -> Self {
        Self::Array(elements.into_iter().map(Into::into).collect())
    }
}

impl<T: Element + Clone + Into<Value>, const N: usize> From<&[T; N]> for Value {
    fn from(elements: &[T; N]) -> Self {
        array_of(elements)
    }
}

impl<T: Element + Clone + Into<Value>> From<&[T]> for Value {
    fn from(elements: &[T]) -> Self {
        array_of(elements)
    }
}

/// Makes binary, as [`Id::from`](crate::Id) does.
impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Binary(bytes.to_vec())
    }
}

/// Makes binary, as [`Id::from`](crate::Id) does.
impl<const N: usize> From<&[u8; N]> for Value {
    fn from(bytes: &[u8; N]) -> Self {
        Self::Binary(bytes.to_vec())
    }
}

impl<T: Into<Value>> FromIterator<T> for Value {
    fn from_iter<I: IntoIterator<Item = T>>(elements: I) -> Self {
        Self::Array(elements.into_iter().map(Into::into).collect())
    }
}

macro_rules! from_tuples {
    ($(($($type:ident)*))*) => {$(
        impl<$($type: Into<Value>),*> From<($($type,)*)> for Value {
            #[expect(non_snake_case, reason = "each binding is named as its type")]
            fn from(($($type,)*): ($($type,)*)) -> Self {
                Self::Array(vec![$($type.into()),*])
            }
        }

        impl<$($type),*> Element for ($($type,)*) {}
    )*};
}
from_tuples! { (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) }

fn array_of<T: Clone + Into<Value>>(elements: &[T]) -> Value {
    Value::Array(elements.iter().cloned().map(Into::into).collect())
}
