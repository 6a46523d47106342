//! Stored documents in serde's data model: as the decoded values, without decoding them first.
//!
//! Damaged bytes are an error. They may nest without bound, so every recursion here counts levels
//! and stops at [`DOCUMENT_DEPTH_MAX`].

use serde_core::ser::{Error as _, Serialize, SerializeMap, SerializeSeq, Serializer};

use super::{ArrayView, DocView, ValueRef};
use crate::ext::{Bytes, serialize_ext};
use crate::for_people::is_for_people;
use crate::forms::{Form, serialize_within};
use crate::value::refused::refusal;
use crate::{DOCUMENT_DEPTH_MAX, DocumentError};

/// Serialises as the decoded value would; damaged bytes are an error.
impl Serialize for ValueRef<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        ValueAt(*self, 0).serialize(serializer)
    }
}

/// Serialises as the decoded array would; damaged bytes are an error.
impl Serialize for ArrayView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        ValueAt(ValueRef::Array(*self), 0).serialize(serializer)
    }
}

/// Serialises as the decoded document would; damaged bytes are an error.
impl Serialize for DocView {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        DocumentAt(self, 0).serialize(serializer)
    }
}

/// A value, and the number of containers around it.
struct ValueAt<'a>(ValueRef<'a>, usize);

/// A document, and the number of containers around it.
struct DocumentAt<'a>(&'a DocView, usize);

impl Serialize for ValueAt<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(value, depth) = *self;
        if is_for_people::<S::Error>(serializer.is_human_readable())
            && let Some(form) = form(value)
        {
            return form.serialize(serializer);
        }
        match value {
            ValueRef::Null => serializer.serialize_unit(),
            ValueRef::Bool(value) => serializer.serialize_bool(value),
            ValueRef::Int(number) => serializer.serialize_i64(number),
            ValueRef::UInt(number) => serializer.serialize_u64(number),
            ValueRef::Float(number) => serializer.serialize_f64(number),
            ValueRef::String(text) => serializer.serialize_str(text),
            ValueRef::Binary(bytes) => Bytes(bytes).serialize(serializer),
            ValueRef::Array(array) => {
                let depth = deeper(depth)?;
                let mut seq = serializer.serialize_seq(Some(array.len()))?;
                for element in array {
                    seq.serialize_element(&Self(element.map_err(S::Error::custom)?, depth))?;
                }
                seq.end()
            }
            ValueRef::Document(document) => {
                let first = document.iter().next().transpose().map_err(S::Error::custom)?;
                let first = first.map(|(name, _)| name);
                serialize_within(serializer, first, &DocumentAt(document, depth))
            }
            ValueRef::ObjectId(id) => id.serialize(serializer),
            ValueRef::Uuid(id) => id.serialize(serializer),
            ValueRef::Timestamp(timestamp) => timestamp.serialize(serializer),
            ValueRef::Ext(tag, data) => match refusal(tag, data) {
                Some(reason) => Err(S::Error::custom(reason)),
                None => serialize_ext(serializer, tag, data),
            },
        }
    }
}

impl Serialize for DocumentAt<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(document, depth) = *self;
        let depth = deeper(depth)?;
        let mut map = serializer.serialize_map(Some(document.len()))?;
        for field in document {
            let (name, value) = field.map_err(S::Error::custom)?;
            map.serialize_entry(name, &ValueAt(value, depth))?;
        }
        map.end()
    }
}

fn deeper<E: serde_core::ser::Error>(depth: usize) -> Result<usize, E> {
    if depth < DOCUMENT_DEPTH_MAX {
        Ok(depth + 1)
    } else {
        Err(E::custom(DocumentError::too_deep()))
    }
}

/// Returns the form of a value that has one, except of a value that is refused.
fn form(value: ValueRef<'_>) -> Option<Form<'_>> {
    Some(match value {
        ValueRef::Float(number) => Form::Float(number),
        ValueRef::Binary(bytes) => Form::Binary(bytes),
        ValueRef::Timestamp(timestamp) => Form::Timestamp(timestamp),
        ValueRef::ObjectId(id) => Form::ObjectId(id),
        ValueRef::Uuid(id) => Form::Uuid(id),
        ValueRef::Ext(tag, data) if refusal(tag, data).is_none() => Form::Ext(tag, data),
        _ => return None,
    })
}
