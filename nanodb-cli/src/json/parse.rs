//! From the text of one JSON object to a document.

use std::fmt;

use nanodb::{Document, Value};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::forms::{LITERAL, interpret};
use super::{JsonError, Position};

/// Reads the object that `text` is, which stands at `at`; errors say where they are.
pub(crate) fn parse_document(text: &[u8], at: Position) -> Result<Document, JsonError> {
    let mut json = serde_json::Deserializer::from_slice(text);
    let document = json.deserialize_map(DocumentVisitor { literal: true }).and_then(|document| {
        json.end()?;
        Ok(document)
    });
    document.map_err(|error| locate(&error, at))
}

/// What is wrong with the part of an object that `text` is, apart from its being a part.
pub(super) fn find_error(text: &[u8], at: Position) -> Option<JsonError> {
    let error = serde_json::from_slice::<serde::de::IgnoredAny>(text).err()?;
    if error.is_eof() { None } else { Some(locate(&error, at)) }
}

fn locate(error: &serde_json::Error, at: Position) -> JsonError {
    let mut message = error.to_string();
    // The place is given once, as one in the whole input.
    let place = format!(" at line {} column {}", error.line(), error.column());
    if let Some(bare) = message.strip_suffix(&place) {
        message.truncate(bare.len());
    }
    JsonError::syntax(at.within(error.line(), error.column()), message)
}

struct DocumentVisitor {
    /// The object is taken as it is, whatever it looks like.
    literal: bool,
}

impl<'de> Visitor<'de> for DocumentVisitor {
    type Value = Document;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a document")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Document, A::Error> {
        let mut fields: Vec<(String, Value)> = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            let literal = !self.literal && fields.is_empty() && name == LITERAL;
            let value = map.next_value_seed(ValueSeed { literal })?;
            fields.push((name, value));
        }
        Ok(Document::from_iter(fields))
    }
}

#[derive(Clone, Copy)]
struct ValueSeed {
    /// Within `$literal`: if it is an object, it is taken as it is.
    literal: bool,
}

impl<'de> DeserializeSeed<'de> for ValueSeed {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueSeed {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Int(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::from(number))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Float(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = seq.next_element_seed(Self { literal: false })? {
            elements.push(element);
        }
        Ok(Value::Array(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Value, A::Error> {
        let document = DocumentVisitor { literal: self.literal }.visit_map(map)?;
        if self.literal {
            return Ok(Value::Document(document));
        }
        interpret(document).map_err(A::Error::custom)
    }
}
