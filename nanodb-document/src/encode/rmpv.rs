//! From `rmpv::Value` to stored bytes.

use super::Encode;
use super::draft::Draft;
use super::rules::{
    check_depth, container_len, write_bytes, write_extension, write_name, write_text,
};
use crate::seen_names::SeenNames;
use crate::{DocumentError, Error, ID_FIELD, IdRef, Timestamp, ValueType};
use nanodb_msgpack::{
    Token, write_array_len, write_bool, write_float, write_int, write_map_len, write_null,
    write_uint,
};

type Pair = (rmpv::Value, rmpv::Value);

impl Encode for rmpv::Value {
    fn encode(&self, fallback: Option<IdRef<'_>>, out: &mut Vec<u8>) -> Result<Draft, Error> {
        let Self::Map(pairs) = self else {
            return Err(DocumentError::NotADocument { found: rmpv_type(self) }.into());
        };
        let own = pairs.iter().find(|(name, _)| name.as_str() == Some(ID_FIELD));
        let id = own.map(|(_, id)| rmpv_id(id)).transpose()?;
        let count = pairs.len() - usize::from(id.is_some());
        let skipped = if id.is_some() { Some(ID_FIELD) } else { None };
        Ok(Draft::write(id.or(fallback), count, out, |out| write_pairs(pairs, skipped, out, 1))?)
    }
}

/// Returns the type of a value.
pub(crate) fn rmpv_type(value: &rmpv::Value) -> ValueType {
    match value {
        rmpv::Value::Nil => ValueType::Null,
        rmpv::Value::Boolean(_) => ValueType::Bool,
        rmpv::Value::Integer(_) => ValueType::Integer,
        rmpv::Value::F32(_) | rmpv::Value::F64(_) => ValueType::Float,
        rmpv::Value::String(_) => ValueType::String,
        rmpv::Value::Binary(_) => ValueType::Binary,
        rmpv::Value::Array(_) => ValueType::Array,
        rmpv::Value::Map(_) => ValueType::Document,
        rmpv::Value::Ext(Timestamp::EXT_TYPE, _) => ValueType::Timestamp,
        rmpv::Value::Ext(tag, data) => match IdRef::from_token(Token::Ext(*tag, data)) {
            Some(IdRef::ObjectId(_)) => ValueType::ObjectId,
            Some(_) => ValueType::Uuid,
            None => ValueType::Extension,
        },
    }
}

fn rmpv_id(value: &rmpv::Value) -> Result<IdRef<'_>, DocumentError> {
    match value {
        rmpv::Value::Integer(number) => Ok(match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => IdRef::Int(number),
            (None, number) => IdRef::UInt(number.unwrap_or_default()),
        }),
        rmpv::Value::String(text) => match text.as_str() {
            Some(text) => Ok(IdRef::String(text)),
            None => Err(DocumentError::not_utf8().at_field(ID_FIELD)),
        },
        rmpv::Value::Binary(bytes) => Ok(IdRef::Binary(bytes)),
        rmpv::Value::F64(number) => IdRef::whole(*number).ok_or(not_an_id(value)),
        rmpv::Value::F32(number) => IdRef::whole(f64::from(*number)).ok_or(not_an_id(value)),
        rmpv::Value::Ext(tag, data) => {
            IdRef::from_token(Token::Ext(*tag, data)).ok_or(not_an_id(value))
        }
        other => Err(not_an_id(other)),
    }
}

fn not_an_id(value: &rmpv::Value) -> DocumentError {
    DocumentError::IdType { found: rmpv_type(value) }
}

/// Appends the pairs, except the id with the name `skipped`, which has been written before.
fn write_pairs(
    pairs: &[Pair],
    skipped: Option<&str>,
    out: &mut Vec<u8>,
    depth: usize,
) -> Result<(), DocumentError> {
    let mut seen = SeenNames::new();
    for (name, value) in pairs {
        let name = match name {
            rmpv::Value::String(name) => name.as_str().ok_or_else(DocumentError::not_utf8)?,
            other => return Err(DocumentError::name_not_string(rmpv_type(other))),
        };
        if !seen.insert(name.as_bytes()) {
            return Err(DocumentError::duplicate_field(name));
        }
        if skipped == Some(name) {
            continue;
        }
        write_name(name, out)?;
        write_value(value, out, depth).map_err(|error| error.at_field(name))?;
    }
    Ok(())
}

/// Appends a value that lies in a container at this depth.
fn write_value(value: &rmpv::Value, out: &mut Vec<u8>, depth: usize) -> Result<(), DocumentError> {
    match value {
        rmpv::Value::Nil => write_null(out),
        rmpv::Value::Boolean(value) => write_bool(out, *value),
        rmpv::Value::Integer(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => write_int(out, number),
            (None, number) => write_uint(out, number.unwrap_or_default()),
        },
        rmpv::Value::F32(number) => write_float(out, f64::from(*number)),
        rmpv::Value::F64(number) => write_float(out, *number),
        rmpv::Value::String(text) => {
            write_text(text.as_str().ok_or_else(DocumentError::not_utf8)?, out)?;
        }
        rmpv::Value::Binary(bytes) => write_bytes(bytes, out)?,
        rmpv::Value::Array(elements) => {
            check_depth(depth + 1)?;
            write_array_len(out, container_len(elements.len())?);
            for (index, element) in elements.iter().enumerate() {
                write_value(element, out, depth + 1).map_err(|error| error.at_index(index))?;
            }
        }
        rmpv::Value::Map(pairs) => {
            check_depth(depth + 1)?;
            write_map_len(out, container_len(pairs.len())?);
            write_pairs(pairs, None, out, depth + 1)?;
        }
        rmpv::Value::Ext(tag, data) => write_extension(*tag, data, out)?,
    }
    Ok(())
}
