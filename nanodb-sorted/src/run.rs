//! A run: immutable entries in order, packed into a tree of full pages.

mod builder;
mod cursor;
mod rank;
mod verify;

pub use builder::RunBuilder;
pub use cursor::RunCursor;
pub(crate) use rank::net_before;
pub use verify::verify_run;

use crate::error::DamagedPage;
use crate::filter::{FilterHash, page_may_contain};
use crate::pages::{PageKind, Pages};

/// The highest tree that a reader follows. One of so many levels, each with at least three
/// children, is far beyond what 32-bit page numbers can have.
pub(crate) const HEIGHT_MAX: u8 = 24;

/// Adjacent pages.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Extent {
    /// The number of the first one.
    pub start: u32,
    /// How many there are.
    pub pages: u32,
}

/// Where the filter of a run is.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct RunFilter {
    /// Its blocks of 64 bytes, 63 of which are on a page.
    pub blocks: u32,
    /// Its pages, in order.
    pub extents: Vec<Extent>,
}

/// What a reader needs to know of a run to read it, and what it can say without reading it.
///
/// The caller keeps this, along with the pages to be freed when the run goes.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub struct Run {
    /// The page at the top of its tree.
    pub root: u32,
    /// Levels of the tree; 1 if the root is a leaf.
    pub height: u8,
    /// How many entries it has something to say of.
    pub entries: u64,
    /// How many of these are not there any more.
    pub removed: u64,
    /// By how many entries it makes the index larger.
    pub net: i64,
    /// How many keys it has.
    pub distinct: u64,
    /// How often an entry's record is on another page than that of the entry before, the first
    /// one counted: from 1 page a run to one an entry. Says how scattered records are by key.
    pub switches: u64,
    /// Its pages, those of the filter included.
    pub pages: u64,
    /// Whether a key has [`KEY_LEN_MAX`](crate::KEY_LEN_MAX) bytes, so that it may be a cut one.
    pub has_long_keys: bool,
    /// Says quickly that a key is not there; only runs of 4,096 entries and more have it.
    pub filter: Option<RunFilter>,
}

impl Run {
    /// Puts together what was kept of a run: [`root`](Self::root), [`height`](Self::height),
    /// and nothing else. The caller sets the other fields.
    #[must_use]
    pub const fn new(root: u32, height: u8) -> Self {
        Self {
            root,
            height,
            entries: 0,
            removed: 0,
            net: 0,
            distinct: 0,
            switches: 0,
            pages: 0,
            has_long_keys: false,
            filter: None,
        }
    }

    /// Returns whether the run may have a key, as far as its filter says: at most one page is read.
    ///
    /// # Errors
    ///
    /// If the page of the filter can't be read, or is not the one that it should be.
    pub fn may_contain<P: Pages>(
        &self,
        pages: &P,
        index: u32,
        key: &[u8],
    ) -> Result<bool, P::Error> {
        self.may_contain_hash(pages, index, FilterHash::of(key))
    }

    #[inline]
    pub(crate) fn may_contain_hash<P: Pages>(
        &self,
        pages: &P,
        index: u32,
        hash: FilterHash,
    ) -> Result<bool, P::Error> {
        let Some(filter) = &self.filter else { return Ok(true) };
        let (number, block) = hash.place(filter.blocks);
        // A filter without this page says nothing. That it lacks one is for a check to find.
        let Some(page) = filter.page(number) else { return Ok(true) };
        let body = pages.page(page, PageKind::Filter)?;
        page_may_contain(body.as_ref(), index, number, block, hash)
            .map_err(|damage| DamagedPage { page, damage }.into())
    }
}

impl RunFilter {
    /// The page with a number within the filter.
    #[inline]
    pub(crate) fn page(&self, number: u32) -> Option<u32> {
        let mut left = number;
        for extent in &self.extents {
            if left < extent.pages {
                return extent.start.checked_add(left);
            }
            left -= extent.pages;
        }
        None
    }

    pub(crate) fn push(&mut self, page: u32) {
        match self.extents.last_mut() {
            Some(last) if last.start.checked_add(last.pages) == Some(page) => last.pages += 1,
            _ => self.extents.push(Extent { start: page, pages: 1 }),
        }
    }
}
