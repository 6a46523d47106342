//! The grammar of dotted paths, shared by documents in memory, stored ones and queries.
//!
//! A path consists of steps with dots between them. In a document a step is a field's name. In an
//! array it is an index: decimal digits without a leading zero.

/// Returns the array index that a step of a dotted path is, or `None` for any other name.
///
/// ```
/// use nanodb_document::array_index;
///
/// assert_eq!(array_index("10"), Some(10));
/// assert_eq!(array_index("0"), Some(0));
/// assert_eq!(array_index("010"), None);
/// assert_eq!(array_index("+1"), None);
/// ```
#[must_use]
#[inline]
pub fn array_index(step: &str) -> Option<u32> {
    match step.as_bytes() {
        [b'0'] => Some(0),
        [b'1'..=b'9', ..] => step.parse().ok(),
        _ => None,
    }
}
