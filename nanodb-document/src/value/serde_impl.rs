//! Values and documents in serde's data model.
//!
//! ```text
//! value               serialised as                       read back from JSON as
//! ------------------  ----------------------------------  ------------------------
//! Null                unit                                Null
//! Bool, Int, UInt     bool, i64, u64                      the same
//! Float               f64                                 Float (NaN: Null)
//! String              str                                 String
//! Binary              bytes                               Array of integers
//! Array, Document     seq, map                            the same
//! ObjectId, Uuid,
//! Timestamp, Ext      MessagePack's `_ExtStruct`: a       Array of type and data
//!                     newtype of (type, bytes)
//! ```
//!
//! The codec of this crate reads every value back unchanged, and so does `rmp-serde`. JSON has no
//! binary and no extensions; to keep those, use the JSON functions of this crate. A map that names
//! a field twice keeps the last value. A map with keys that are not strings is refused.

use std::fmt;

use nanodb_msgpack::{Ext, serialize_ext};
use serde::de::{Deserialize, DeserializeOwned, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::Value;
use crate::encode::serde::deserialize_document;
use crate::{Document, Error, Serialized};

/// The most elements or fields that space is reserved for before they are seen: a length may be
/// wrong.
const CAPACITY_HINT_MAX: usize = 64;

/// Converts a value that serialises to a map, such as a struct, to a document.
///
/// ```
/// # extern crate nanodb_document as nanodb;
/// use nanodb::{doc, to_document};
///
/// #[derive(serde::Serialize)]
/// struct City { name: String, people: u32, mayor: Option<String> }
///
/// # fn main() -> Result<(), nanodb::Error> {
/// let bern = City { name: "Bern".into(), people: 134_794, mayor: None };
/// assert_eq!(to_document(&bern)?, doc! { "name": "Bern", "people": 134_794, "mayor": null });
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`Invalid`](crate::ErrorKind::Invalid), if `T` itself fails, is not a map, or breaks a rule of
/// documents.
pub fn to_document<T: Serialize + ?Sized>(value: &T) -> Result<Document, Error> {
    Serialized(value).to_document()
}

/// Converts a document to a Rust type.
///
/// ```
/// # extern crate nanodb_document as nanodb;
/// use nanodb::{doc, from_document};
///
/// #[derive(serde::Deserialize)]
/// struct City { name: String, people: u32 }
///
/// # fn main() -> Result<(), nanodb::Error> {
/// let city: City = from_document(&doc! { "name": "Bern", "people": 134_794 })?;
/// assert_eq!((city.name.as_str(), city.people), ("Bern", 134_794));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`WrongType`](crate::ErrorKind::WrongType), if the document does not have the shape of `T`;
/// [`Invalid`](crate::ErrorKind::Invalid), if it breaks a rule of documents.
pub fn from_document<T: DeserializeOwned>(document: &Document) -> Result<T, Error> {
    Ok(deserialize_document(document)?)
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Int(number) => serializer.serialize_i64(*number),
            Self::UInt(number) => serializer.serialize_u64(*number),
            Self::Float(number) => serializer.serialize_f64(*number),
            Self::String(text) => serializer.serialize_str(text),
            Self::Binary(bytes) => serializer.serialize_bytes(bytes),
            Self::Array(elements) => serializer.collect_seq(elements),
            Self::Document(document) => document.serialize(serializer),
            Self::ObjectId(id) => id.serialize(serializer),
            Self::Uuid(id) => id.serialize(serializer),
            Self::Timestamp(timestamp) => timestamp.serialize(serializer),
            Self::Ext(tag, data) => serialize_ext(serializer, *tag, data),
        }
    }
}

impl Serialize for Document {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.len()))?;
        for (name, value) in self {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(DocumentVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value that a document can hold")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Value, E> {
        Ok(Value::Binary(bytes.to_vec()))
    }

    fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Value, E> {
        Ok(Value::Binary(bytes))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let hint = seq.size_hint().unwrap_or(0).min(CAPACITY_HINT_MAX);
        let mut elements = Vec::with_capacity(hint);
        while let Some(element) = seq.next_element()? {
            elements.push(element);
        }
        Ok(Value::Array(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Value, A::Error> {
        DocumentVisitor.visit_map(map).map(Value::Document)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<Value, D::Error> {
        Ext::from_newtype(inner).map(from_ext)
    }
}

struct DocumentVisitor;

impl<'de> Visitor<'de> for DocumentVisitor {
    type Value = Document;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map with string keys")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Document, A::Error> {
        let hint = map.size_hint().unwrap_or(0).min(CAPACITY_HINT_MAX);
        let mut fields = Vec::with_capacity(hint);
        while let Some(field) = map.next_entry::<String, Value>()? {
            fields.push(field);
        }
        Ok(Document::from_iter(fields))
    }
}

/// Returns the value of an extension.
fn from_ext(Ext(tag, data): Ext) -> Value {
    Value::from_ext(tag, &data)
}
