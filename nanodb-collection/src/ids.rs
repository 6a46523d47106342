//! Numbers that collections give out, and the limits of them and of names. Limits of documents
//! are in `nanodb-document`.

use std::fmt;

use nanodb_pager::Owner;

/// The number of a collection, which no other collection of the file ever gets.
///
/// Its pages carry it as their [`Owner`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub(crate) struct CollectionId(u32);

impl CollectionId {
    /// The first collection of a file.
    pub(crate) const FIRST: Self = Self(1);

    /// Returns the id with this number: 1 and up; 0 would be the pager.
    pub(crate) const fn new(number: u32) -> Self {
        Self(number)
    }

    /// Returns the collection that owns pages.
    pub(crate) const fn of(owner: Owner) -> Self {
        Self(owner.get())
    }

    /// Returns the owner of the collection's pages.
    pub(crate) const fn owner(self) -> Owner {
        Owner::new(self.0)
    }

    /// Returns the number itself.
    pub(crate) const fn get(self) -> u32 {
        self.0
    }

    /// Returns the id after this one, if there is one.
    pub(crate) fn next(self) -> Option<Self> {
        self.0.checked_add(1).map(Self)
    }
}

impl fmt::Display for CollectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The most bytes that a collection's name takes.
pub const COLLECTION_NAME_BYTES_MAX: usize = 255;

/// The largest integer that is assigned as an id: the largest that a JavaScript number
/// counts up to without gaps.
pub const ASSIGNED_ID_MAX: i64 = (1 << 53) - 1;

/// The next id of a collection that has assigned them all.
pub(crate) const NEXT_ID_MAX: u64 = 1 << 53;
