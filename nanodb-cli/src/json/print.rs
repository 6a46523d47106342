//! From a stored document to JSON, without decoding it first.

use std::io::Write;

use nanodb::{ArrayView, DocView, ValueRef};
use serde::ser::{Error, Serialize, SerializeMap, SerializeSeq, Serializer};

use super::forms;

/// A document that serialises as JSON, to any serializer of JSON.
#[derive(Clone, Copy)]
pub(crate) struct JsonDocument<'a>(pub(crate) &'a DocView);

/// Appends a document to `out` as JSON on one line, without a newline.
pub(crate) fn print_document(document: &DocView, out: &mut Vec<u8>) -> serde_json::Result<()> {
    serde_json::to_writer(out, &JsonDocument(document))
}

/// Appends a document to `out` as JSON on many lines, indented.
pub(crate) fn print_pretty(document: &DocView, out: &mut impl Write) -> serde_json::Result<()> {
    serde_json::to_writer_pretty(out, &JsonDocument(document))
}

/// Appends a value to `out` as JSON on one line.
pub(crate) fn print_value(value: ValueRef<'_>, out: &mut Vec<u8>) -> serde_json::Result<()> {
    serde_json::to_writer(out, &JsonValue(value))
}

impl Serialize for JsonDocument<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for field in self.0 {
            let (name, value) = field.map_err(S::Error::custom)?;
            map.serialize_entry(name, &JsonValue(value))?;
        }
        map.end()
    }
}

struct JsonValue<'a>(ValueRef<'a>);

impl Serialize for JsonValue<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            ValueRef::Null => serializer.serialize_unit(),
            ValueRef::Bool(value) => serializer.serialize_bool(value),
            ValueRef::Int(number) => serializer.serialize_i64(number),
            ValueRef::UInt(number) => serializer.serialize_u64(number),
            ValueRef::Float(number) => match forms::float_name(number) {
                None => serializer.serialize_f64(number),
                Some(name) => form(serializer, forms::FLOAT, name),
            },
            ValueRef::String(text) => serializer.serialize_str(text),
            ValueRef::Binary(bytes) => form(serializer, forms::BINARY, &forms::encode(bytes)),
            ValueRef::Array(array) => serialize_array(serializer, array),
            ValueRef::Document(document) => serialize_nested(serializer, document),
            ValueRef::Timestamp(timestamp) => form(serializer, forms::DATE, &timestamp.to_string()),
            ValueRef::Ext(tag, data) => form(serializer, forms::EXT, &Extension(tag, data)),
        }
    }
}

fn serialize_array<S: Serializer>(serializer: S, array: ArrayView<'_>) -> Result<S::Ok, S::Error> {
    let mut seq = serializer.serialize_seq(None)?;
    for element in array {
        seq.serialize_element(&JsonValue(element.map_err(S::Error::custom)?))?;
    }
    seq.end()
}

fn serialize_nested<S: Serializer>(serializer: S, document: &DocView) -> Result<S::Ok, S::Error> {
    let looks_like_form = match document.iter().next() {
        Some(Ok((name, _))) => forms::looks_like_form(name, document.len()),
        _ => false,
    };
    if looks_like_form {
        return form(serializer, forms::LITERAL, &JsonDocument(document));
    }
    JsonDocument(document).serialize(serializer)
}

fn form<S: Serializer, T: Serialize + ?Sized>(
    serializer: S,
    name: &str,
    value: &T,
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(1))?;
    map.serialize_entry(name, value)?;
    map.end()
}

struct Extension<'a>(i8, &'a [u8]);

impl Serialize for Extension<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("type", &self.0)?;
        map.serialize_entry("base64", &forms::encode(self.1))?;
        map.end()
    }
}
