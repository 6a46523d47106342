//! Values that serde's formats for people have no type for, as *forms*: `{"$date": ...}`.
//!
//! They are those of [`nanodb_msgpack::json`], and a document in `serde_json` is the same text as
//! by [`Document::to_json`], but for spaces and for the digits of floats.
//!
//! | value | in a format for people | in others |
//! |---|---|---|
//! | NaN, infinities | `{"$numberDouble": "NaN"}` | float |
//! | binary | `{"$binary": {"base64": ..., "subType": "00"}}` | bytes |
//! | time, ObjectId, UUID | `{"$date": ...}`, `{"$oid": ...}`, `{"$uuid": ...}` | extension |
//! | extension | `{"$ext": {"type": ..., "base64": ...}}` | extension |
//! | document whose first name begins with `$` | `{"$literal": ...}` | map |
//!
//! A document itself is never a form, only values within it are.

use nanodb_msgpack::json::form_to_msgpack;
use nanodb_msgpack::{RawValue, base64};
use serde_core::de::{Error as _, MapAccess};
use serde_core::ser::{Serialize, SerializeMap, Serializer};

use crate::for_people::is_for_people;
use crate::view::ValueRef;
use crate::{Document, ObjectId, Timestamp, Uuid, Value, to_bytes};

/// The name of the form of a document whose first name begins with a dollar.
const LITERAL: &str = "$literal";

/// Returns whether an object with this first name, within a value, is a form.
pub(crate) fn is_form(first_name: &str) -> bool {
    first_name.starts_with('$') && first_name != "$ref"
}

/// Reads a form, whose name is the first key.
pub(crate) fn read_form<'de, A: MapAccess<'de>>(mut map: A) -> Result<Value, A::Error> {
    read_form_of(map.next_key()?.unwrap_or_default(), map)
}

/// Reads the rest of a form, if that is what an object with this first key is.
pub(crate) fn read_form_of<'de, A: MapAccess<'de>>(
    name: String,
    map: A,
) -> Result<Value, A::Error> {
    if is_form(&name) {
        return read_named_form(name, map);
    }
    Err(A::Error::custom("an object that is not a form like {\"$date\": ...}"))
}

/// Reads the rest of a form, after its name.
pub(crate) fn read_named_form<'de, A: MapAccess<'de>>(
    name: String,
    mut map: A,
) -> Result<Value, A::Error> {
    if name == LITERAL {
        let document: Document = map.next_value()?;
        return match map.next_key::<String>()? {
            None => Ok(Value::Document(document)),
            Some(_) => Err(A::Error::custom("`$literal` must be the only field of its object")),
        };
    }
    let mut fields = vec![(name, map.next_value::<Value>()?)];
    while let Some(field) = map.next_entry::<String, Value>()? {
        fields.push(field);
    }
    let bytes = to_bytes(&Document::from_iter(fields)).map_err(A::Error::custom)?;
    let value = form_to_msgpack(RawValue::new(&bytes)).map_err(A::Error::custom)?;
    let value = ValueRef::from_bytes(&value).ok_or_else(|| A::Error::custom("a form of no value"));
    value?.to_value().map_err(A::Error::custom)
}

/// A value that is written as a form, or may be.
pub(crate) enum Form<'a> {
    Float(f64),
    Binary(&'a [u8]),
    Timestamp(Timestamp),
    ObjectId(ObjectId),
    Uuid(Uuid),
    Ext(i8, &'a [u8]),
}

impl Serialize for Form<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Self::Float(number) if number.is_nan() => single(serializer, "$numberDouble", "NaN"),
            Self::Float(number) if number.is_infinite() => {
                let name = if number > 0.0 { "Infinity" } else { "-Infinity" };
                single(serializer, "$numberDouble", name)
            }
            Self::Float(number) => serializer.serialize_f64(number),
            Self::Binary(bytes) => {
                let parts = Base64 { bytes, other: ("subType", Other::Text("00")), first: true };
                single(serializer, "$binary", &parts)
            }
            Self::Timestamp(time) => single(serializer, "$date", &time.to_string()),
            Self::ObjectId(id) => single(serializer, "$oid", &id.to_string()),
            Self::Uuid(id) => single(serializer, "$uuid", &id.to_string()),
            Self::Ext(tag, bytes) => {
                let parts = Base64 { bytes, other: ("type", Other::Number(tag)), first: false };
                single(serializer, "$ext", &parts)
            }
        }
    }
}

fn single<S: Serializer, T: Serialize + ?Sized>(
    serializer: S,
    name: &str,
    value: &T,
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(1))?;
    map.serialize_entry(name, value)?;
    map.end()
}

/// An object of base64 and one other field.
struct Base64<'a> {
    bytes: &'a [u8],
    other: (&'static str, Other),
    /// Whether the base64 is the first of the two.
    first: bool,
}

enum Other {
    Text(&'static str),
    Number(i8),
}

impl Serialize for Other {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Number(number) => serializer.serialize_i8(number),
        }
    }
}

impl Serialize for Base64<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        let text = base64::encode(self.bytes);
        if self.first {
            map.serialize_entry("base64", &text)?;
        }
        map.serialize_entry(self.other.0, &self.other.1)?;
        if !self.first {
            map.serialize_entry("base64", &text)?;
        }
        map.end()
    }
}

/// Serialises a document within another value, which might be taken for a form.
pub(crate) fn serialize_within<S: Serializer, T: Serialize>(
    serializer: S,
    first_name: Option<&str>,
    document: &T,
) -> Result<S::Ok, S::Error> {
    match first_name {
        Some(name)
            if is_form(name) && is_for_people::<S::Error>(serializer.is_human_readable()) =>
        {
            single(serializer, LITERAL, document)
        }
        _ => document.serialize(serializer),
    }
}
