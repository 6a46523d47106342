//! The pages of one collection: where they are read from, and how one is known to be its own.
//!
//! A page number comes from an extent, from the id index or from a piece of a document, and each of
//! them may be damaged, or older than the page. The page itself says whose it is and what it holds.
//! Only here is that compared with what is wanted: a page that is another's, or of another
//! kind, is never read as a collection's own.

use nanodb_page::PageRef;
use nanodb_page::overflow::Next;
use nanodb_pager::{
    Owner, PageGuard, PageId, PageKind, PageMut, Salvage, Snapshot, TxPage, WriteTx,
};

use crate::error::{EngineError, Result};

/// Pages of slots and records.
pub(crate) const SLOTTED: PageKind = PageKind::new(16);

/// Pages filled by one piece of one document.
pub(crate) const OVERFLOW: PageKind = PageKind::new(17);

/// What pages are read from: a snapshot, a commit, a transaction, or a file that does not open.
pub(crate) trait PageSource {
    /// A page, kept as it is as long as it is held.
    type Page: StoredPage;

    /// Reads a page, whoever's it is.
    fn page(&self, id: PageId) -> Result<Self::Page>;

    /// Reads a slotted page of a collection.
    #[inline]
    fn slotted(&self, owner: Owner, id: PageId) -> Result<Self::Page> {
        let page = self.page(id)?;
        if page.is_slotted_of(owner) { Ok(page) } else { Err(EngineError::damaged(id)) }
    }

    /// Reads the page that a piece of a collection's document is on.
    fn with_piece(&self, owner: Owner, piece: Next) -> Result<Self::Page> {
        let id = page_of(piece);
        let page = self.page(id)?;
        let is_it = match piece {
            Next::Overflow { .. } => page.is_overflow_of(owner),
            Next::Fragment { .. } => page.is_slotted_of(owner),
        };
        if is_it { Ok(page) } else { Err(EngineError::damaged(id)) }
    }
}

/// A page that was read.
pub(crate) trait StoredPage {
    fn owner(&self) -> Owner;
    fn kind(&self) -> PageKind;
    fn body(&self) -> &[u8];

    /// Whether it is a slotted page of that collection.
    #[inline]
    fn is_slotted_of(&self, owner: Owner) -> bool {
        self.owner() == owner && self.kind() == SLOTTED
    }

    /// Whether it is an overflow page of that collection.
    #[inline]
    fn is_overflow_of(&self, owner: Owner) -> bool {
        self.owner() == owner && self.kind() == OVERFLOW
    }

    /// Returns the records of a slotted page, which `id` is.
    #[inline]
    fn slots(&self, id: PageId) -> Result<PageRef<'_>> {
        PageRef::parse(self.body()).map_err(|error| EngineError::damaged_by(id, error))
    }
}

/// Returns a slotted page of a collection, to be changed.
#[inline]
pub(crate) fn slotted_mut(tx: &mut WriteTx, owner: Owner, id: PageId) -> Result<PageMut<'_>> {
    let page = tx.page_mut(id)?;
    if page.is_slotted_of(owner) { Ok(page) } else { Err(EngineError::damaged(id)) }
}

impl PageSource for Snapshot {
    type Page = PageGuard;

    #[inline]
    fn page(&self, id: PageId) -> Result<PageGuard> {
        match self.page(id) {
            // It belongs to the collection, and was never written: that cannot be.
            Err(nanodb_pager::Error::NoVersion { page, .. }) => Err(EngineError::damaged(page)),
            page => Ok(page?),
        }
    }
}

impl<'tx> PageSource for &'tx WriteTx {
    type Page = TxPage<'tx>;

    #[inline]
    fn page(&self, id: PageId) -> Result<TxPage<'tx>> {
        Ok(WriteTx::page(self, id)?)
    }
}

impl PageSource for Salvage {
    type Page = PageGuard;

    fn page(&self, id: PageId) -> Result<PageGuard> {
        Ok(self.page(id)?)
    }
}

/// The page that a piece is on.
pub(crate) fn page_of(piece: Next) -> PageId {
    match piece {
        Next::Overflow { page } | Next::Fragment { page, .. } => PageId::new(page.get()),
    }
}

impl StoredPage for PageGuard {
    #[inline]
    fn owner(&self) -> Owner {
        self.owner()
    }

    #[inline]
    fn kind(&self) -> PageKind {
        self.kind()
    }

    #[inline]
    fn body(&self) -> &[u8] {
        self.body()
    }
}

impl StoredPage for TxPage<'_> {
    #[inline]
    fn owner(&self) -> Owner {
        self.owner()
    }

    #[inline]
    fn kind(&self) -> PageKind {
        self.kind()
    }

    #[inline]
    fn body(&self) -> &[u8] {
        self.body()
    }
}

impl StoredPage for PageMut<'_> {
    #[inline]
    fn owner(&self) -> Owner {
        self.owner()
    }

    #[inline]
    fn kind(&self) -> PageKind {
        self.kind()
    }

    #[inline]
    fn body(&self) -> &[u8] {
        self.body()
    }
}
