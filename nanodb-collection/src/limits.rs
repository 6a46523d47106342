//! Limits of collections; those of documents are in `nanodb-document`.

/// The most bytes that a collection's name takes.
pub const COLLECTION_NAME_BYTES_MAX: usize = 255;

/// The largest integer that is assigned as an id: the largest that a JavaScript number
/// counts up to without gaps.
pub const ASSIGNED_ID_MAX: i64 = (1 << 53) - 1;

/// The next id of a collection that has assigned them all.
pub(crate) const NEXT_ID_MAX: u64 = 1 << 53;
