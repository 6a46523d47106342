//! From values to stored bytes, in one pass.

pub(crate) mod draft;
mod plain;
pub(crate) mod raw;
#[cfg(feature = "rmpv")]
pub(crate) mod rmpv;
pub(crate) mod rules;
#[cfg(feature = "serde")]
pub(crate) mod serde;

use nanodb_msgpack::{
    write_array_len, write_bool, write_float, write_int, write_map_len, write_null, write_uint,
};

use self::draft::Draft;
use self::rules::{
    check_depth, container_len, write_bytes, write_extension, write_name, write_text,
    write_timestamp,
};
use crate::{DocView, Document, DocumentError, ID_FIELD, IdRef, ObjectId, Result, Uuid, Value};

/// A type that can be stored as a document.
///
/// | type | |
/// |---|---|
/// | [`Document`] | |
/// | [`DocView`] | MessagePack bytes of any origin; checked and brought into stored form |
/// | `StoredDoc` | what a read returned: it is copied as it is stored |
/// | [`Serialized`](super::Serialized) | what serialises to a map; with the feature `serde` |
/// | `rmpv::Value` | a map; with the feature `rmpv` |
/// | `serde_json::Value` | an object; with the feature `serde_json` |
/// | `bson::Document` | with the feature `bson` |
///
/// and references to them.
///
/// ```
/// # extern crate nanodb_document as nanodb;
/// use nanodb::{DocView, Encode, Serialized, doc};
///
/// #[derive(serde::Serialize)]
/// struct User { _id: u32, name: &'static str }
///
/// # fn main() -> Result<(), nanodb::Error> {
/// let mut buffer = Vec::new();
/// let draft = doc! { "name": "Alice", "_id": 5 }.encode(None, &mut buffer)?;
/// let again = Serialized(&User { _id: 5, name: "Alice" }).encode(None, &mut buffer)?;
/// assert_eq!(draft.record(&buffer), again.record(&buffer));
/// # Ok(())
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a document",
    label = "not a document",
    note = "write `doc! {{ .. }}`, or `Serialized(&value)` for a type that derives `Serialize`, \
            or use `db.typed::<T>(name)`"
)]
pub trait Encode {
    /// Appends this document in its stored form to `out`.
    ///
    /// `fallback` is the id for a document that has none. With `None` such a draft waits for
    /// [`Draft::assign_id`], and its size is checked as if it had the longest integer.
    ///
    /// # Errors
    ///
    /// [`Invalid`](crate::ErrorKind::Invalid), if the document breaks a rule; the error tells which
    /// one and [where](crate::Error::path). `out` is then as it was before.
    fn encode(&self, fallback: Option<IdRef<'_>>, out: &mut Vec<u8>) -> Result<Draft>;
}

impl<T: Encode + ?Sized> Encode for &T {
    #[inline]
    fn encode(&self, fallback: Option<IdRef<'_>>, out: &mut Vec<u8>) -> Result<Draft> {
        (**self).encode(fallback, out)
    }
}

impl Encode for Document {
    fn encode(&self, fallback: Option<IdRef<'_>>, out: &mut Vec<u8>) -> Result<Draft> {
        let Some(id_index) = self.position(ID_FIELD) else {
            return Ok(Draft::write(fallback, self.len(), out, |out| {
                write_fields(self.as_slice(), out, 1)
            })?);
        };
        let (before, rest) = self.as_slice().split_at_checked(id_index).unwrap_or_default();
        let Some(((_, id), after)) = rest.split_first() else {
            // `position` has found it.
            return Err(DocumentError::duplicate_field(ID_FIELD).into());
        };
        let id = IdRef::try_from(id)?;
        Ok(Draft::write(Some(id), self.len() - 1, out, |out| {
            write_fields(before, out, 1)?;
            write_fields(after, out, 1)
        })?)
    }
}

impl Encode for DocView {
    fn encode(&self, fallback: Option<IdRef<'_>>, out: &mut Vec<u8>) -> Result<Draft> {
        Ok(raw::encode(self.as_bytes(), fallback, out)?)
    }
}

/// Encodes a document as it is, with or without an id.
///
/// # Errors
///
/// [`Invalid`](crate::ErrorKind::Invalid), if the document breaks a rule.
pub fn to_bytes(document: &Document) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    write_document(document, &mut out, 1)?;
    Ok(out)
}

/// Appends a value as it is encoded within a document.
///
/// # Errors
///
/// [`Invalid`](crate::ErrorKind::Invalid), if the value breaks a rule; `out` then ends in a part of
/// it.
pub fn value_to_bytes(value: &Value, out: &mut Vec<u8>) -> Result<()> {
    Ok(write_value(value, out, 1)?)
}

/// Appends a document as it is: it gets no id, and its order stays.
pub(super) fn write_document(
    document: &Document,
    out: &mut Vec<u8>,
    depth: usize,
) -> Result<(), DocumentError> {
    check_depth(depth)?;
    write_map_len(out, container_len(document.len())?);
    write_fields(document.as_slice(), out, depth)
}

#[inline]
fn write_fields(
    fields: &[(String, Value)],
    out: &mut Vec<u8>,
    depth: usize,
) -> Result<(), DocumentError> {
    for (name, value) in fields {
        write_name(name, out)?;
        write_value(value, out, depth).map_err(|error| error.at_field(name))?;
    }
    Ok(())
}

/// Appends a value that lies in a container at this depth.
#[inline]
fn write_value(value: &Value, out: &mut Vec<u8>, depth: usize) -> Result<(), DocumentError> {
    match value {
        Value::Null => write_null(out),
        Value::Bool(value) => write_bool(out, *value),
        Value::Int(number) => write_int(out, *number),
        Value::UInt(number) => write_uint(out, *number),
        Value::Float(number) => write_float(out, *number),
        Value::String(text) => write_text(text, out)?,
        Value::Binary(bytes) => write_bytes(bytes, out)?,
        Value::ObjectId(id) => write_extension(ObjectId::EXT_TYPE, id.bytes(), out)?,
        Value::Uuid(id) => write_extension(Uuid::EXT_TYPE, id.bytes(), out)?,
        Value::Array(elements) => write_array(elements, out, depth + 1)?,
        Value::Document(document) => write_document(document, out, depth + 1)?,
        Value::Timestamp(timestamp) => write_timestamp(*timestamp, out),
        Value::Ext(tag, data) => write_extension(*tag, data, out)?,
    }
    Ok(())
}

fn write_array(elements: &[Value], out: &mut Vec<u8>, depth: usize) -> Result<(), DocumentError> {
    check_depth(depth)?;
    write_array_len(out, container_len(elements.len())?);
    for (index, element) in elements.iter().enumerate() {
        write_value(element, out, depth).map_err(|error| error.at_index(index))?;
    }
    Ok(())
}
