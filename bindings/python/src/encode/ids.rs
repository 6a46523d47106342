//! Ids, from Python's objects.

use nanodb::{Id, ObjectId, Uuid};
use nanodb_msgpack::{Cursor, Number, Token};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyString};

use super::foreign::described;
use super::{ID, Result, Syntax, twice};
use crate::failure::About;
use crate::refusal::Refusal;

/// Returns the id that an object is, or an error that says what ids are.
pub(crate) fn id_of(value: &Bound<'_, PyAny>, what: &str) -> PyResult<Id> {
    match find_id(value) {
        Ok(Some(id)) => Ok(id),
        Ok(None) => Err(Refusal::new(format!(
            "`_id` must be an int, a str, bytes, an ObjectId or a uuid.UUID, not {}",
            described(value)
        ))
        .at_field(ID)
        .raise(value.py(), what, About::Document)),
        Err(refusal) => Err(refusal.at_field(ID).raise(value.py(), what, About::Document)),
    }
}

/// Returns the id that an object is; none if ids can't be of its class.
pub(crate) fn find_id(value: &Bound<'_, PyAny>) -> Result<Option<Id>> {
    if let Ok(text) = value.cast::<PyString>() {
        let text = text.to_str();
        let text = text.map_err(|_| Refusal::new("a str with a lone surrogate has no UTF-8"))?;
        return Ok(Some(Id::String(text.to_owned())));
    }
    if value.is_instance_of::<PyBool>() {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    // As a value within a document: one way for all classes.
    twice(value.py(), Syntax::Document, &mut bytes, |walk| walk.value(value, 1))?;
    Ok(stored_id(&bytes))
}

/// Returns the id that a value in MessagePack is.
fn stored_id(bytes: &[u8]) -> Option<Id> {
    let token = Cursor::new(bytes).read()?;
    Some(match token {
        Token::Int(number) => Id::Int(number),
        Token::UInt(number) => Id::UInt(number),
        Token::String(text) => Id::String(str::from_utf8(text).ok()?.to_owned()),
        Token::Binary(bytes) => Id::Binary(bytes.to_vec()),
        // One that is whole is the integer.
        Token::Float(number) => {
            let whole = Number::Float(number).as_whole()?;
            match i64::try_from(whole) {
                Ok(whole) => Id::Int(whole),
                Err(_) => Id::UInt(u64::try_from(whole).ok()?),
            }
        }
        Token::Ext(..) => match (token.object_id(), token.uuid()) {
            (Some(id), _) => Id::ObjectId(ObjectId::from_bytes(id)),
            (_, Some(id)) => Id::Uuid(Uuid::from_bytes(id)),
            _ => return None,
        },
        Token::Null | Token::Bool(_) | Token::Array(_) | Token::Map(_) => return None,
    })
}
