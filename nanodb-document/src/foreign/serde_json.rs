//! `serde_json`'s values, as Extended JSON: what their text would be to
//! [`Document::parse_json`](crate::Document::parse_json).
//!
//! Its objects sort their names, unless its feature `preserve_order` is on.

use ::serde_json as json;

use crate::encode::draft::Draft;
use crate::error::Result;
use crate::{Document, Encode, Error, ErrorBuilder, ErrorKind, IdRef, Value};

/// Fails with [`ErrorKind::Invalid`] if an object within it is a form that is wrong or unknown, or
/// it nests deeper than a document may.
impl TryFrom<json::Value> for Value {
    type Error = Error;

    fn try_from(value: json::Value) -> Result<Self> {
        (&value).try_into()
    }
}

/// As by value.
impl TryFrom<&json::Value> for Value {
    type Error = Error;

    fn try_from(value: &json::Value) -> Result<Self> {
        serde_core::Deserialize::deserialize(value).map_err(refused)
    }
}

/// Fails as the conversion to [`Value`] does, or if it is not an object. The document itself is
/// taken as it is; only objects within it are forms.
impl TryFrom<json::Value> for Document {
    type Error = Error;

    fn try_from(value: json::Value) -> Result<Self> {
        (&value).try_into()
    }
}

/// As by value.
impl TryFrom<&json::Value> for Document {
    type Error = Error;

    fn try_from(value: &json::Value) -> Result<Self> {
        serde_core::Deserialize::deserialize(value).map_err(refused)
    }
}

#[cold]
fn refused(error: json::Error) -> Error {
    ErrorBuilder::new(ErrorKind::Invalid, "the JSON is no document").because(error).into()
}

/// Values that JSON lacks become forms, as by [`Value::to_json`](crate::Value::to_json). Fails with
/// [`ErrorKind::Invalid`] for a value that has no form because it is no value.
impl TryFrom<Value> for json::Value {
    type Error = Error;

    fn try_from(value: Value) -> Result<Self> {
        json::to_value(value).map_err(refused)
    }
}

/// As from a [`Value`]; the document itself is never a form.
impl TryFrom<Document> for json::Value {
    type Error = Error;

    fn try_from(document: Document) -> Result<Self> {
        json::to_value(document).map_err(refused)
    }
}

impl Encode for json::Value {
    fn encode(&self, fallback: Option<IdRef<'_>>, out: &mut Vec<u8>) -> Result<Draft> {
        Document::try_from(self)?.encode(fallback, out)
    }
}
