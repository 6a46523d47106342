//! From values to stored bytes, in one pass.

use super::{
    DOCUMENT_DEPTH_MAX, DOCUMENT_SIZE_MAX, DocView, Document, DocumentError, Draft,
    FIELD_NAME_SIZE_MAX,
};
use crate::id::{ID_FIELD, IdRef};
use crate::value::{Timestamp, Value};
use nanodb_msgpack::{
    write_array_len, write_binary, write_bool, write_ext, write_float, write_int, write_map_len,
    write_null, write_string, write_uint,
};

/// Whatever can be stored as a document.
///
/// | type | |
/// |---|---|
/// | [`Document`] | |
/// | [`DocView`] | MessagePack bytes of any origin; checked and brought into stored form |
/// | [`Serialized`](super::Serialized) | anything that serialises to a map |
/// | `rmpv::Value` | a map |
///
/// and references to them.
///
/// ```
/// use nanodb_collection::{DocView, Encode, Serialized, doc};
///
/// #[derive(serde::Serialize)]
/// struct User { _id: u32, name: &'static str }
///
/// # fn main() -> Result<(), nanodb_collection::DocumentError> {
/// let mut buffer = Vec::new();
/// let draft = doc! { "name": "Alice", "_id": 5 }.encode(None, &mut buffer)?;
/// let again = Serialized(&User { _id: 5, name: "Alice" }).encode(None, &mut buffer)?;
/// assert_eq!(draft.record(&buffer), again.record(&buffer));
/// # Ok(())
/// # }
/// ```
pub trait Encode {
    /// Appends this document in its stored form to `out`.
    ///
    /// `fallback` is the id it gets if it has none; with `None` the draft waits for
    /// [`Draft::assign_id`]. A document without any id is measured as if it had the
    /// longest integer.
    ///
    /// # Errors
    ///
    /// Any [`DocumentError`] but [`Deserialize`](DocumentError::Deserialize); `out` is
    /// then as it was before.
    fn encode(
        &self,
        fallback: Option<IdRef<'_>>,
        out: &mut Vec<u8>,
    ) -> Result<Draft, DocumentError>;
}

impl<T: Encode + ?Sized> Encode for &T {
    #[inline]
    fn encode(
        &self,
        fallback: Option<IdRef<'_>>,
        out: &mut Vec<u8>,
    ) -> Result<Draft, DocumentError> {
        (**self).encode(fallback, out)
    }
}

impl Encode for Document {
    fn encode(
        &self,
        fallback: Option<IdRef<'_>>,
        out: &mut Vec<u8>,
    ) -> Result<Draft, DocumentError> {
        let Some(id_index) = self.position(ID_FIELD) else {
            return Draft::write(fallback, self.len(), out, |out| {
                write_fields(&self.fields, out, 1)
            });
        };
        let (before, rest) = self.fields.split_at_checked(id_index).unwrap_or_default();
        let Some(((_, id), after)) = rest.split_first() else {
            // `position` found it in there.
            return Err(DocumentError::duplicate_field(ID_FIELD));
        };
        let id = IdRef::try_from(id)?;
        Draft::write(Some(id), self.len() - 1, out, |out| {
            write_fields(before, out, 1)?;
            write_fields(after, out, 1)
        })
    }
}

impl Encode for DocView {
    fn encode(
        &self,
        fallback: Option<IdRef<'_>>,
        out: &mut Vec<u8>,
    ) -> Result<Draft, DocumentError> {
        super::encode_raw::encode(self.as_bytes(), fallback, out)
    }
}

/// A document as it is, with or without an id.
pub(crate) fn to_bytes(document: &Document) -> Result<Vec<u8>, DocumentError> {
    let mut out = Vec::new();
    write_document(document, &mut out, 1)?;
    Ok(out)
}

/// Appends a value that stands in a document.
pub(crate) fn value_to_bytes(value: &Value, out: &mut Vec<u8>) -> Result<(), DocumentError> {
    write_value(value, out, 1)
}

/// Appends a document as it is: no id, no order changed.
pub(super) fn write_document(
    document: &Document,
    out: &mut Vec<u8>,
    depth: usize,
) -> Result<(), DocumentError> {
    check_depth(depth)?;
    write_map_len(out, container_len(document.len())?);
    write_fields(&document.fields, out, depth)
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

/// Appends a value that stands in a container of this depth.
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

#[inline]
pub(super) fn check_depth(depth: usize) -> Result<(), DocumentError> {
    if depth > DOCUMENT_DEPTH_MAX { Err(DocumentError::too_deep()) } else { Ok(()) }
}

/// A length as a header holds it. Children take a byte each at least, so what is
/// refused here is above the limit on documents anyway.
#[inline]
pub(super) fn container_len(len: usize) -> Result<u32, DocumentError> {
    match u32::try_from(len) {
        Ok(count) if len <= DOCUMENT_SIZE_MAX => Ok(count),
        _ => Err(DocumentError::value_too_large(len)),
    }
}

#[inline]
pub(super) fn write_name(name: &str, out: &mut Vec<u8>) -> Result<(), DocumentError> {
    if name.len() <= FIELD_NAME_SIZE_MAX && write_string(out, name) {
        return Ok(());
    }
    Err(DocumentError::name_too_long(name.len()))
}

#[inline]
pub(super) fn write_text(text: &str, out: &mut Vec<u8>) -> Result<(), DocumentError> {
    // Tested before it is copied.
    if text.len() <= DOCUMENT_SIZE_MAX && write_string(out, text) {
        return Ok(());
    }
    Err(DocumentError::value_too_large(text.len()))
}

#[inline]
pub(super) fn write_bytes(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), DocumentError> {
    if bytes.len() <= DOCUMENT_SIZE_MAX && write_binary(out, bytes) {
        return Ok(());
    }
    Err(DocumentError::value_too_large(bytes.len()))
}

fn write_timestamp(timestamp: Timestamp, out: &mut Vec<u8>) {
    // At most twelve bytes always fit.
    let _fits = timestamp.with_ext(|data| write_ext(out, Timestamp::EXT_TYPE, data));
}

pub(super) fn write_extension(
    tag: i8,
    data: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), DocumentError> {
    if tag == Timestamp::EXT_TYPE {
        let timestamp =
            Timestamp::from_ext(data).ok_or_else(|| DocumentError::bad_timestamp(data))?;
        write_timestamp(timestamp, out);
        return Ok(());
    }
    if data.len() <= DOCUMENT_SIZE_MAX && write_ext(out, tag, data) {
        return Ok(());
    }
    Err(DocumentError::value_too_large(data.len()))
}
