//! From and to `rmpv::Value`, a general MessagePack value used by many crates.

use super::Value;
use crate::encode::rmpv::rmpv_type;
use crate::{DOCUMENT_DEPTH_MAX, Document, DocumentError, Error};
use crate::{ObjectId, Timestamp, Uuid};

/// Fails with [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) for a value that
/// [`ser`](crate::ser) could not serialise.
impl TryFrom<Value> for rmpv::Value {
    type Error = Error;

    fn try_from(value: Value) -> Result<Self, Error> {
        Ok(general(value)?)
    }
}

/// Fails as the conversion of a [`Value`] does.
impl TryFrom<Document> for rmpv::Value {
    type Error = Error;

    fn try_from(document: Document) -> Result<Self, Error> {
        Ok(general_map(document)?)
    }
}

fn general(value: Value) -> Result<rmpv::Value, DocumentError> {
    if let Some(reason) = value.refusal() {
        return Err(DocumentError::refused(reason));
    }
    Ok(match value {
        Value::Null => rmpv::Value::Nil,
        Value::Bool(value) => rmpv::Value::Boolean(value),
        Value::Int(number) => rmpv::Value::from(number),
        Value::UInt(number) => rmpv::Value::from(number),
        Value::Float(number) => rmpv::Value::F64(number),
        Value::String(text) => rmpv::Value::from(text),
        Value::Binary(bytes) => rmpv::Value::Binary(bytes),
        Value::Array(elements) => {
            let elements = elements
                .into_iter()
                .enumerate()
                .map(|(index, element)| general(element).map_err(|error| error.at_index(index)));
            rmpv::Value::Array(elements.collect::<Result<_, _>>()?)
        }
        Value::Document(document) => general_map(document)?,
        Value::ObjectId(id) => rmpv::Value::Ext(ObjectId::EXT_TYPE, id.bytes().to_vec()),
        Value::Uuid(id) => rmpv::Value::Ext(Uuid::EXT_TYPE, id.bytes().to_vec()),
        Value::Timestamp(timestamp) => {
            timestamp.with_ext(|data| rmpv::Value::Ext(Timestamp::EXT_TYPE, data.to_vec()))
        }
        Value::Ext(tag, data) => rmpv::Value::Ext(tag, data),
    })
}

fn general_map(document: Document) -> Result<rmpv::Value, DocumentError> {
    let pairs = document.into_iter().map(|(name, value)| {
        let value = general(value).map_err(|error| error.at_field(&name))?;
        Ok((name.into(), value))
    });
    Ok(rmpv::Value::Map(pairs.collect::<Result<_, DocumentError>>()?))
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
