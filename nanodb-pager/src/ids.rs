//! The numbers a page file is made of, each with a type of its own.
//!
//! Pages, owners and commits are all counted in integers; handing one where
//! another belongs would damage a file without a word. So each has a newtype.

use std::fmt;

/// The size of a page in bytes, header included.
pub const PAGE_SIZE: usize = 4096;

/// The size of the header that every page begins with, in bytes.
pub const PAGE_HEADER_SIZE: usize = 32;

/// The bytes of a page that belong to the layer above.
pub const BODY_SIZE: usize = PAGE_SIZE - PAGE_HEADER_SIZE;

/// The number of a page: page `n` lies at byte `n * 4096` of the file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PageId(u32);

impl PageId {
    /// Returns the page with this number.
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// Returns the number itself.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// Returns where the page begins in the file, in bytes.
    pub(crate) const fn offset(self) -> u64 {
        self.0 as u64 * PAGE_SIZE as u64
    }
}

impl fmt::Display for PageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "page {}", self.0)
    }
}

/// A commit sequence number: the first commit of a file is 1, the next 2.
///
/// A snapshot is such a number, and a page version carries the one that wrote it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Seq(u64);

impl Seq {
    /// Before any commit.
    pub const ZERO: Self = Self(0);

    /// Returns the commit with this number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Returns the number itself.
    pub const fn get(self) -> u64 {
        self.0
    }

    pub(crate) const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "commit {}", self.0)
    }
}

/// Whose page it is: a number that the layer above gives out and never gives again.
///
/// A reader that followed an outdated reference to a page recognises by the
/// owner that the page has meanwhile gone to somebody else.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Owner(u32);

impl Owner {
    /// The pager itself: header and stream pages.
    pub const PAGER: Self = Self(0);

    /// Returns the owner with this number.
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// Returns the number itself.
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// What a page holds. Kinds below [`PageKind::FIRST_FREE`] are the pager's own.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct PageKind(u8);

impl PageKind {
    /// A copy of the file header.
    pub const HEADER: Self = Self(1);
    /// A part of the root or of the free map.
    pub const STREAM: Self = Self(2);
    /// The first kind that the layer above may use.
    pub const FIRST_FREE: Self = Self(16);

    /// Returns the kind with this number.
    pub const fn new(number: u8) -> Self {
        Self(number)
    }

    /// Returns the number itself.
    pub const fn get(self) -> u8 {
        self.0
    }
}

/// A run of pages that lie side by side.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Extent {
    /// The first page.
    pub start: PageId,
    /// How many pages, from the first on.
    pub pages: u32,
}

impl Extent {
    /// Returns the extent of `pages` pages from `start` on.
    pub const fn new(start: PageId, pages: u32) -> Self {
        Self { start, pages }
    }

    /// Returns the number of the first page behind the extent.
    ///
    /// Wide enough never to overflow, whatever bytes the extent was read from.
    pub const fn end(self) -> u64 {
        self.start.get() as u64 + self.pages as u64
    }

    /// Returns whether `page` lies in the extent.
    pub const fn contains(self, page: PageId) -> bool {
        page.get() >= self.start.get() && (page.get() as u64) < self.end()
    }

    /// Returns the page at `index` of the extent, if it has that many.
    pub fn page(self, index: u32) -> Option<PageId> {
        if index >= self.pages {
            return None;
        }
        self.start.get().checked_add(index).map(PageId)
    }
}
