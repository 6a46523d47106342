//! Replacing a document by a new one, which keeps the old `_id`.

use super::error::UpdateError;
use super::writer::check_depth;
use nanodb_msgpack::compare;
use nanodb_msgpack::{Malformed, RawValue};
use nanodb_msgpack::{write_map_len, write_string};

/// Appends the new document, with the old one's `_id` first.
pub(super) fn replace(
    old: RawValue<'_>,
    new: RawValue<'_>,
    bytes_max: usize,
    out: &mut Vec<u8>,
) -> Result<(), UpdateError> {
    let Some(id) = old.field("_id")? else { return write(new, bytes_max, out) };
    let named = new.field("_id")?;
    if let Some(named) = named
        && compare(named, id)?.is_ne()
    {
        return Err(UpdateError::ChangesId);
    }
    let start = out.len();
    let fields = new.fields().ok_or(Malformed)?;
    let len = fields.len().saturating_add(u32::from(named.is_none()));
    write_map_len(out, len);
    let _ = write_string(out, "_id");
    out.extend_from_slice(id.bytes()?);
    for field in fields {
        let (name, value) = field?;
        if name != b"_id" {
            let name = str::from_utf8(name).map_err(|_| Malformed)?;
            if !write_string(out, name) {
                return Err(Malformed.into());
            }
            out.extend_from_slice(value.bytes()?);
        }
    }
    check_size(out.len() - start, bytes_max)
}

fn write(new: RawValue<'_>, bytes_max: usize, out: &mut Vec<u8>) -> Result<(), UpdateError> {
    check_depth(new, 0)?;
    let bytes = new.bytes()?;
    out.extend_from_slice(bytes);
    check_size(bytes.len(), bytes_max)
}

fn check_size(size: usize, bytes_max: usize) -> Result<(), UpdateError> {
    if size > bytes_max { Err(UpdateError::TooLarge { bytes_max }) } else { Ok(()) }
}
