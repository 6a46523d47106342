//! What is said of a collection without looking into it.

/// A collection's name and size, as [`Database::collections`](crate::Database::collections) lists
/// them.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct CollectionInfo {
    /// Its name.
    pub name: String,
    /// How many documents it has.
    pub count: u64,
}
