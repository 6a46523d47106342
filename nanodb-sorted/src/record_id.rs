//! Where a record is.

/// Where a record is: a page, and a slot on it.
///
/// Ordered by page, then by slot: the order in which records lie in the file.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct RecordId {
    /// The page's number.
    pub page: u32,
    /// The slot's number on that page.
    pub slot: u16,
}
