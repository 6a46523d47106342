//! The key of a stored record, without reading the rest.
//!
//! ```text
//! bytes           what
//! --------------  ------------------------------------
//! 1, 3 or 5       map header: the number of fields
//! a3 5f 69 64     the name "_id"
//! 1..=512         the key: the id in its shortest form; a UUID as an extension of type 4,
//!                 where the key that is hashed is that of the binary of its bytes
//! ...             the other fields
//! ```
//!
//! Only the beginning is read, so the head of an overflow document is enough.

use nanodb_msgpack::Cursor;

/// The name `_id` as a token.
pub(crate) const ID_NAME_TOKEN: [u8; 4] = [0xa3, b'_', b'i', b'd'];

/// Returns the key of a record: the bytes of its `_id`, which is its first field. Returns `None` if
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
    // An id is a scalar, not a container.
    if matches!(rest.first()?, 0x80..=0x9f | 0xdc..=0xdf) {
        return None;
    }
    Cursor::new(rest).take_value()
}

/// Returns whether `key` is the key of `record`; that of a UUID is the key of its bytes.
///
/// Faster than a comparison with [`record_key`], since no key is the beginning of another.
#[must_use]
#[inline]
pub fn record_has_key(record: &[u8], key: &[u8]) -> bool {
    let Some(rest) = after_id_name(record) else { return false };
    !key.is_empty() && (rest.starts_with(key) || has_uuid_key(rest, key))
}

#[cold]
fn has_uuid_key(rest: &[u8], key: &[u8]) -> bool {
    rest.get(..UUID_SIZE).is_some_and(|stored| same_key(stored, key))
}

/// The first bytes of binary of 16 bytes.
const BINARY_HEAD: [u8; 2] = [0xc4, 0x10];

/// The first bytes of a stored UUID.
const UUID_HEAD: [u8; 2] = [0xd8, 0x04];

/// The bytes that either takes.
const UUID_SIZE: usize = 18;

/// Returns whether two keys, from records or made of ids, belong to the same id.
#[must_use]
#[inline]
pub fn same_key(a: &[u8], b: &[u8]) -> bool {
    a == b || a.len() == UUID_SIZE && with_hashed_key(a, |a| with_hashed_key(b, |b| a == b))
}

/// Calls `read` with the key that is hashed for a key in a record: for a UUID, that of the binary
/// of its bytes.
#[inline]
pub fn with_hashed_key<R>(key: &[u8], read: impl FnOnce(&[u8]) -> R) -> R {
    if !key.starts_with(&UUID_HEAD) {
        return read(key);
    }
    let mut same = [0; UUID_SIZE];
    let parts = BINARY_HEAD.iter().chain(key.iter().skip(UUID_HEAD.len()));
    same.iter_mut().zip(parts).for_each(|(to, from)| *to = *from);
    read(same.get(..key.len()).unwrap_or(key))
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
