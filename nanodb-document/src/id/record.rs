//! The key of a stored record, without reading the rest.
//!
//! ```text
//! bytes           what
//! --------------  ------------------------------------
//! 1, 3 or 5       map header: the number of fields
//! a3 5f 69 64     the name "_id"
//! 1..=512         the key: the id in its shortest form
//! ...             the other fields
//! ```
//!
//! Only the beginning is looked at, so that the head of a spilled document will do.

use nanodb_msgpack::Cursor;

/// The name `_id` as a token.
pub(crate) const ID_NAME_TOKEN: [u8; 4] = [0xa3, b'_', b'i', b'd'];

/// The key of a record: the bytes of its `_id`, which is its first field. `None` if
/// the record does not begin as records do.
///
/// ```
/// # extern crate nanodb_document as nanodb;
/// use nanodb::record_key;
///
/// // {"_id": 300, "a": null}
/// let record = [0x82, 0xa3, b'_', b'i', b'd', 0xcd, 0x01, 0x2c, 0xa1, b'a', 0xc0];
/// assert_eq!(record_key(&record), Some(&[0xcd, 0x01, 0x2c][..]));
/// assert_eq!(record_key(&record[..6]), None);
/// ```
#[must_use]
#[inline]
pub fn record_key(record: &[u8]) -> Option<&[u8]> {
    let rest = after_id_name(record)?;
    // An id is a scalar: containers have no place here.
    if matches!(rest.first()?, 0x80..=0x9f | 0xdc..=0xdf) {
        return None;
    }
    Cursor::new(rest).take_value()
}

/// Whether `key` is the key of `record`. Cheaper than comparing with [`record_key`],
/// since no key is the beginning of another.
#[must_use]
#[inline]
pub fn record_has_key(record: &[u8], key: &[u8]) -> bool {
    !key.is_empty() && after_id_name(record).is_some_and(|rest| rest.starts_with(key))
}

#[inline]
fn after_id_name(record: &[u8]) -> Option<&[u8]> {
    // Nearly every document has at most 15 fields, a header of one byte.
    let rest = match record.first()? {
        0x81..=0x8f => record.get(1..)?,
        0xde => record.get(3..)?,
        0xdf => record.get(5..)?,
        _ => return None,
    };
    let (name, rest) = rest.split_first_chunk::<4>()?;
    (*name == ID_NAME_TOKEN).then_some(rest)
}
