//! The limits of documents, which every encoder checks.

use nanodb_msgpack::{DEPTH_MAX, write_binary, write_ext, write_string};

use crate::value::refused::refusal;
use crate::{DocumentError, Timestamp};

/// The most bytes of an encoded document: 16 MiB.
pub const DOCUMENT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// How deep maps and arrays may nest: 100 levels, of which the document itself is the first.
pub const DOCUMENT_DEPTH_MAX: usize = DEPTH_MAX;

/// The most bytes of a field's name.
pub const FIELD_NAME_BYTES_MAX: usize = 1024;

#[inline]
pub(crate) fn check_depth(depth: usize) -> Result<(), DocumentError> {
    if depth > DOCUMENT_DEPTH_MAX { Err(DocumentError::too_deep()) } else { Ok(()) }
}

/// Returns a length as a header stores it. Each child takes at least a byte, so a length that is
/// refused here exceeds the limit on documents anyway.
#[inline]
pub(super) fn container_len(len: usize) -> Result<u32, DocumentError> {
    match u32::try_from(len) {
        Ok(count) if len <= DOCUMENT_BYTES_MAX => Ok(count),
        _ => Err(DocumentError::value_too_large(len)),
    }
}

#[inline]
pub(super) fn write_name(name: &str, out: &mut Vec<u8>) -> Result<(), DocumentError> {
    if name.len() <= FIELD_NAME_BYTES_MAX && write_string(out, name) {
        return Ok(());
    }
    Err(DocumentError::name_too_long(name.len()))
}

#[inline]
pub(super) fn write_text(text: &str, out: &mut Vec<u8>) -> Result<(), DocumentError> {
    // Checked before it is copied.
    if text.len() <= DOCUMENT_BYTES_MAX && write_string(out, text) {
        return Ok(());
    }
    Err(DocumentError::value_too_large(text.len()))
}

#[inline]
pub(super) fn write_bytes(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), DocumentError> {
    if bytes.len() <= DOCUMENT_BYTES_MAX && write_binary(out, bytes) {
        return Ok(());
    }
    Err(DocumentError::value_too_large(bytes.len()))
}

pub(super) fn write_timestamp(timestamp: Timestamp, out: &mut Vec<u8>) {
    // At most twelve bytes always fit.
    let _fits = timestamp.with_ext(|data| write_ext(out, Timestamp::EXT_TYPE, data));
}

pub(super) fn write_extension(
    tag: i8,
    data: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), DocumentError> {
    if tag == Timestamp::EXT_TYPE {
        let timestamp = Timestamp::from_ext(data).ok_or_else(|| no_timestamp(tag, data))?;
        write_timestamp(timestamp, out);
        return Ok(());
    }
    if data.len() <= DOCUMENT_BYTES_MAX && write_ext(out, tag, data) {
        return Ok(());
    }
    Err(DocumentError::value_too_large(data.len()))
}

/// Returns the error of an extension that is not the timestamp that its type says.
#[cold]
fn no_timestamp(tag: i8, data: &[u8]) -> DocumentError {
    match refusal(tag, data) {
        Some(reason) => DocumentError::refused(reason),
        None => DocumentError::bad_timestamp(data),
    }
}
