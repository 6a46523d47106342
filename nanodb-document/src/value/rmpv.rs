//! From and to `rmpv::Value`, a general MessagePack value used by many crates.

use super::{ObjectId, Timestamp, Uuid, Value};
use crate::encode::rmpv::rmpv_type;
use crate::{DOCUMENT_DEPTH_MAX, Document, DocumentError, Error};

impl From<Value> for rmpv::Value {
    fn from(value: Value) -> Self {
        match value {
            Value::Null => Self::Nil,
            Value::Bool(value) => Self::Boolean(value),
            Value::Int(number) => Self::from(number),
            Value::UInt(number) => Self::from(number),
            Value::Float(number) => Self::F64(number),
            Value::String(text) => Self::from(text),
            Value::Binary(bytes) => Self::Binary(bytes),
            Value::Array(elements) => Self::Array(elements.into_iter().map(Into::into).collect()),
            Value::Document(document) => document.into(),
            Value::ObjectId(id) => Self::Ext(ObjectId::EXT_TYPE, id.bytes().to_vec()),
            Value::Uuid(id) => Self::Ext(Uuid::EXT_TYPE, id.bytes().to_vec()),
            Value::Timestamp(timestamp) => {
                timestamp.with_ext(|data| Self::Ext(Timestamp::EXT_TYPE, data.to_vec()))
            }
            Value::Ext(tag, data) => Self::Ext(tag, data),
        }
    }
}

impl From<Document> for rmpv::Value {
    fn from(document: Document) -> Self {
        Self::Map(document.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

/// Fails if a map's key is not a string or occurs twice, a string is not UTF-8, an extension of
/// type -1 is not a valid timestamp, or values nest deeper than a document may.
impl TryFrom<rmpv::Value> for Value {
    type Error = Error;

    fn try_from(value: rmpv::Value) -> Result<Self, Error> {
        Ok(convert(value, 1)?)
    }
}

/// Fails as the conversion to [`Value`] does, or if the value is not a map.
impl TryFrom<rmpv::Value> for Document {
    type Error = Error;

    fn try_from(value: rmpv::Value) -> Result<Self, Error> {
        match value {
            rmpv::Value::Map(pairs) => Ok(convert_map(pairs, 1)?),
            other => Err(DocumentError::NotADocument { found: rmpv_type(&other) }.into()),
        }
    }
}

fn convert(value: rmpv::Value, depth: usize) -> Result<Value, DocumentError> {
    Ok(match value {
        rmpv::Value::Nil => Value::Null,
        rmpv::Value::Boolean(value) => Value::Bool(value),
        rmpv::Value::Integer(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => Value::Int(number),
            (None, number) => Value::UInt(number.unwrap_or_default()),
        },
        rmpv::Value::F32(number) => Value::Float(f64::from(number)),
        rmpv::Value::F64(number) => Value::Float(number),
        rmpv::Value::String(text) => Value::String(into_string(text)?),
        rmpv::Value::Binary(bytes) => Value::Binary(bytes),
        rmpv::Value::Array(elements) => {
            if depth > DOCUMENT_DEPTH_MAX {
                return Err(DocumentError::too_deep());
            }
            let elements = elements.into_iter().enumerate().map(|(index, element)| {
                convert(element, depth + 1).map_err(|error| error.at_index(index))
            });
            Value::Array(elements.collect::<Result<_, _>>()?)
        }
        rmpv::Value::Map(pairs) => Value::Document(convert_map(pairs, depth)?),
        rmpv::Value::Ext(Timestamp::EXT_TYPE, data) => Value::Timestamp(
            Timestamp::from_ext(&data).ok_or_else(|| DocumentError::bad_timestamp(&data))?,
        ),
        rmpv::Value::Ext(tag, data) => Value::from_ext(tag, &data),
    })
}

fn convert_map(
    pairs: Vec<(rmpv::Value, rmpv::Value)>,
    depth: usize,
) -> Result<Document, DocumentError> {
    if depth > DOCUMENT_DEPTH_MAX {
        return Err(DocumentError::too_deep());
    }
    let count = pairs.len();
    let mut fields = Vec::with_capacity(count);
    for (name, value) in pairs {
        let name = match name {
            rmpv::Value::String(name) => into_string(name)?,
            other => return Err(DocumentError::name_not_string(rmpv_type(&other))),
        };
        let value = convert(value, depth + 1).map_err(|error| error.at_field(&name))?;
        fields.push((name, value));
    }
    Document::from_distinct(fields).map_err(DocumentError::duplicate_field)
}

fn into_string(text: rmpv::Utf8String) -> Result<String, DocumentError> {
    text.into_str().ok_or_else(DocumentError::not_utf8)
}
