//! Keys that are too long to be stored whole.
//!
//! A key of more than 1,024 bytes is stored as its first 1,016 bytes and the XXH3 of all of it, big
//! end first: a *cut* key. All keys that share 1,016 bytes are one *family*. Whole keys of
//! different families are in the order of their families, and so are stored ones; within a family
//! stored keys are in no order.
//!
//! A stored key of 1,024 bytes may be cut or whole: nothing depends on which.

use std::borrow::Cow;

use twox_hash::XxHash3_64;

/// The longest key that is stored, in bytes.
pub const STORED_KEY_BYTES_MAX: usize = 1_024;

/// How many bytes all keys of a family share.
pub const FAMILY_BYTES: usize = STORED_KEY_BYTES_MAX - size_of::<u64>();

/// Returns a key as it is stored: whole if it has at most [`STORED_KEY_BYTES_MAX`] bytes, else cut.
///
/// ```
/// use nanodb_query::stored_key;
///
/// assert_eq!(*stored_key(&[7; 1_024]), [7; 1_024]);
/// assert_eq!(stored_key(&[7; 1_025]).len(), 1_024);
/// assert_ne!(stored_key(&[7; 1_025]), stored_key(&[7; 1_026]));
/// ```
#[must_use]
pub fn stored_key(key: &[u8]) -> Cow<'_, [u8]> {
    if key.len() <= STORED_KEY_BYTES_MAX {
        return Cow::Borrowed(key);
    }
    let mut stored = Vec::with_capacity(STORED_KEY_BYTES_MAX);
    append(key, &mut stored);
    Cow::Owned(stored)
}

/// Appends a key as it is stored.
pub(super) fn append(key: &[u8], out: &mut Vec<u8>) {
    match key.get(..FAMILY_BYTES) {
        Some(family) if key.len() > STORED_KEY_BYTES_MAX => {
            out.extend_from_slice(family);
            out.extend_from_slice(&XxHash3_64::oneshot(key).to_be_bytes());
        }
        _ => out.extend_from_slice(key),
    }
}

/// Returns the least bytes above all stored keys whose whole keys are below `end`, if those are
/// others than `end`: a family that `end` lies in is within.
pub(crate) fn widened_end(end: &[u8]) -> Option<Vec<u8>> {
    match end.split_at_checked(FAMILY_BYTES) {
        Some((family, rest)) if !rest.is_empty() => Some(successor(family)),
        _ => None,
    }
}

/// Returns the least bytes above all that begin with these, of which one is not FF.
pub(crate) fn successor(bytes: &[u8]) -> Vec<u8> {
    let mut next = bytes.to_vec();
    while let Some(last) = next.pop() {
        if let Some(above) = last.checked_add(1) {
            next.push(above);
            break;
        }
    }
    next
}
