//! The hash of an id: frozen, because files are written by it.

use twox_hash::XxHash3_64;

/// Hashes an id's stored bytes: XXH3-64 with the database's seed.
///
/// This function is part of the file format. Its values never change; a test holds it
/// to golden ones.
///
/// ```
/// assert_eq!(nanodb_index::hash_id(0, b""), 0x2d06_8005_38d3_94c2);
/// ```
#[inline]
#[must_use]
pub fn hash_id(seed: u64, key: &[u8]) -> u64 {
    XxHash3_64::oneshot_with_seed(seed, key)
}
