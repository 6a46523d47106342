//! Values and documents in serde's data model.
//!
//! ```text
//! value               serialised as                       in formats for people
//! ------------------  ----------------------------------  ------------------------
//! Null                unit                                the same
//! Bool, Int, UInt     bool, i64, u64                      the same
//! Float               f64                                 the same; NaN, infinities: form
//! String              str                                 the same
//! Binary              bytes                               form: see `forms`
//! Array, Document     seq, map                            the same
//! ObjectId, Uuid,
//! Timestamp, Ext      `_ExtStruct`: a newtype of          form: see `forms`
//!                     (type, bytes)
//! ```
//!
//! Both are read back unchanged. A map that names a field twice keeps the last value. A map with
//! keys that are not strings is refused.

use std::fmt;

use serde_core::de::{Deserialize, DeserializeOwned, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_core::ser::{Error as _, Serialize, SerializeMap, Serializer};

use super::Value;
use crate::encode::serde::{deserialize_document, deserialize_value, serialize_value};
use crate::error::ErrorParts;
use crate::ext::{Ext, FirstKey, serialize_ext};
use crate::for_people::{is_before_codec, is_for_people};
use crate::forms::{Form, is_form, read_named_form, serialize_within};
use crate::{Document, DocumentError, Error, Serialized};

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

/// Converts a value of a Rust type.
///
/// ```
/// # extern crate nanodb_document as nanodb;
/// use nanodb::{Value, from_value, to_value};
///
/// #[derive(serde::Serialize, serde::Deserialize, PartialEq, Debug)]
/// enum Priority { Low, High }
///
/// # fn main() -> nanodb::Result<()> {
/// let value = to_value(&Priority::High)?;
/// assert_eq!(value, "High");
/// assert_eq!(from_value::<Priority>(&value)?, Priority::High);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`Invalid`](crate::ErrorKind::Invalid), if `T` itself fails, or the value breaks a rule of
/// documents; the error has the [path](Error::path).
pub fn to_value<T: Serialize + ?Sized>(value: &T) -> Result<Value, Error> {
    serialize_value(value)
}

/// Converts a value to a Rust type.
///
/// ```
/// # extern crate nanodb_document as nanodb;
/// use nanodb::{array, from_value};
///
/// # fn main() -> nanodb::Result<()> {
/// assert_eq!(from_value::<(u8, String)>(&array![1, "a"].into())?, (1, "a".to_owned()));
/// let error = from_value::<Vec<u8>>(&array![1, 300].into()).unwrap_err();
/// assert_eq!(error.path(), Some("1"));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`WrongType`](crate::ErrorKind::WrongType), if the value does not have the shape of `T`;
/// [`Invalid`](crate::ErrorKind::Invalid), if it breaks a rule of documents.
pub fn from_value<T: DeserializeOwned>(value: &Value) -> Result<T, Error> {
    deserialize_value(value)
}

/// Returns the value of any type that derives `Serialize`, where a value is wanted: in
/// [`doc!`](crate::doc), in conditions and in updates.
///
/// Takes the value or a reference. What can't be serialised becomes a value that is refused with
/// the reason wherever it is used: by inserts, by searches, as JSON, as an id. To have the error
/// here, use [`to_value`].
///
/// ```
/// # extern crate nanodb_document as nanodb;
/// use nanodb::{Value, doc, ser};
///
/// #[derive(serde::Serialize)]
/// struct Point { x: f64, y: f64 }
///
/// let place = doc! { "name": "here", "at": ser(Point { x: 1.0, y: 2.0 }) };
/// assert_eq!(place["at"], Value::from(doc! { "x": 1.0, "y": 2.0 }));
///
/// let wrong = doc! { "n": ser(i128::MAX) };
/// let error = wrong.to_json().unwrap_err();
/// assert_eq!(error.path(), Some("n"));
/// assert!(error.to_string().contains("the integer 170141183460469231731687303715884105727"));
/// ```
pub fn ser<T: Serialize>(value: T) -> Value {
    to_value(&value).unwrap_or_else(|error| refused(&error))
}

/// Returns the refused value of an error. What refuses it says that it can't be stored, so the
/// reason is what serde said.
#[cold]
fn refused(error: &Error) -> Value {
    match error.internal().and_then(|cause| cause.downcast_ref()) {
        Some(DocumentError::Serialize(reason)) => Value::refused(reason),
        _ => Value::refused(error),
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if is_for_people::<S::Error>(serializer.is_human_readable())
            && let Some(form) = self.form()
        {
            return form.serialize(serializer);
        }
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Int(number) => serializer.serialize_i64(*number),
            Self::UInt(number) => serializer.serialize_u64(*number),
            Self::Float(number) => serializer.serialize_f64(*number),
            Self::String(text) => serializer.serialize_str(text),
            Self::Binary(bytes) => serializer.serialize_bytes(bytes),
            Self::Array(elements) => serializer.collect_seq(elements),
            Self::Document(document) => {
                serialize_within(serializer, document.keys().next(), document)
            }
            Self::ObjectId(id) => id.serialize(serializer),
            Self::Uuid(id) => id.serialize(serializer),
            Self::Timestamp(timestamp) => timestamp.serialize(serializer),
            Self::Ext(tag, data) => match self.refusal() {
                Some(reason) => Err(S::Error::custom(reason)),
                None => serialize_ext(serializer, *tag, data),
            },
        }
    }
}

impl Value {
    /// Returns the form of this value, if it has one; none of a value that is refused.
    fn form(&self) -> Option<Form<'_>> {
        Some(match self {
            Self::Float(number) => Form::Float(*number),
            Self::Binary(bytes) => Form::Binary(bytes),
            Self::Timestamp(timestamp) => Form::Timestamp(*timestamp),
            Self::ObjectId(id) => Form::ObjectId(*id),
            Self::Uuid(id) => Form::Uuid(*id),
            Self::Ext(tag, data) if self.refusal().is_none() => Form::Ext(*tag, data),
            _ => return None,
        })
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
        let is_human_readable = deserializer.is_human_readable();
        let maps = if is_before_codec::<D::Error>(is_human_readable) {
            Maps::MayBeExtensions
        } else if is_for_people::<D::Error>(is_human_readable) {
            Maps::MayBeForms
        } else {
            Maps::AreDocuments
        };
        deserializer.deserialize_any(ValueVisitor { maps })
    }
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(DocumentVisitor)
    }
}

struct ValueVisitor {
    maps: Maps,
}

/// What maps are, beside documents.
enum Maps {
    AreDocuments,
    MayBeForms,
    /// What serde's adapters kept of extensions.
    MayBeExtensions,
}

impl Maps {
    /// Reads the first key of a map.
    fn first_key<'de, A: MapAccess<'de>>(&self, map: &mut A) -> Result<Option<FirstKey>, A::Error> {
        match self {
            Self::MayBeExtensions => map.next_key(),
            Self::AreDocuments | Self::MayBeForms => Ok(map.next_key()?.map(FirstKey::Name)),
        }
    }
}

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

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let first = match self.maps.first_key(&mut map)? {
            Some(FirstKey::Name(name)) => name,
            Some(FirstKey::Tag(tag)) => {
                return Ext::from_map(tag, map).map(|Ext(tag, data)| Value::from_ext(tag, &data));
            }
            None => return Ok(Value::Document(Document::new())),
        };
        if matches!(self.maps, Maps::MayBeForms) && is_form(&first) {
            return read_named_form(first, map);
        }
        let value = map.next_value()?;
        read_fields(vec![(first, value)], map).map(Value::Document)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<Value, D::Error> {
        Ext::from_newtype(inner).map(|Ext(tag, data)| Value::from_ext(tag, &data))
    }
}

struct DocumentVisitor;

impl<'de> Visitor<'de> for DocumentVisitor {
    type Value = Document;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map with string keys")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Document, A::Error> {
        let hint = map.size_hint().unwrap_or(0).min(CAPACITY_HINT_MAX);
        read_fields(Vec::with_capacity(hint), map)
    }
}

/// Reads the rest of a map.
fn read_fields<'de, A: MapAccess<'de>>(
    mut fields: Vec<(String, Value)>,
    mut map: A,
) -> Result<Document, A::Error> {
    while let Some(field) = map.next_entry()? {
        fields.push(field);
    }
    Ok(Document::from_iter(fields))
}
