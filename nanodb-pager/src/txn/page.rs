//! Pages as a transaction sees and changes them.

use std::fmt;
use std::sync::Arc;

use crate::cache::guard::PageGuard;
use crate::file::page::Frame;
use crate::ids::{Owner, PageId, PageKind};
use crate::txn::dirty_ranges::DirtyRanges;

/// A page as a transaction reads it: its own copy, or the newest installed version.
pub struct TxPage<'tx>(PageSource<'tx>);

enum PageSource<'tx> {
    Private(&'tx Frame),
    InstalledCommit(PageGuard),
}

impl<'tx> TxPage<'tx> {
    pub(super) fn private(frame: &'tx Frame) -> Self {
        Self(PageSource::Private(frame))
    }

    pub(super) fn installed(frame: Arc<Frame>) -> Self {
        Self(PageSource::InstalledCommit(PageGuard::owned(frame)))
    }

    /// Returns the page's owner.
    #[inline]
    pub fn owner(&self) -> Owner {
        match &self.0 {
            PageSource::Private(frame) => frame.owner(),
            PageSource::InstalledCommit(guard) => guard.owner(),
        }
    }

    /// Returns what kind of page it is.
    #[inline]
    pub fn kind(&self) -> PageKind {
        match &self.0 {
            PageSource::Private(frame) => frame.kind(),
            PageSource::InstalledCommit(guard) => guard.kind(),
        }
    }

    /// Returns the page without its header: [`BODY_SIZE`](crate::BODY_SIZE) bytes.
    #[inline]
    pub fn body(&self) -> &[u8] {
        match &self.0 {
            PageSource::Private(frame) => frame.body(),
            PageSource::InstalledCommit(guard) => guard.body(),
        }
    }
}

impl fmt::Debug for TxPage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TxPage")
            .field("owner", &self.owner())
            .field("kind", &self.kind())
            .finish_non_exhaustive()
    }
}

/// A transaction's private copy of a page, to be changed.
pub struct PageMut<'tx> {
    frame: &'tx mut Frame,
    dirty: &'tx mut DirtyRanges,
}

impl<'tx> PageMut<'tx> {
    pub(super) fn new(frame: &'tx mut Frame, dirty: &'tx mut DirtyRanges) -> Self {
        Self { frame, dirty }
    }

    /// Returns the page's number.
    pub fn id(&self) -> PageId {
        self.frame.id()
    }

    /// Returns the page's owner.
    pub fn owner(&self) -> Owner {
        self.frame.owner()
    }

    /// Returns what kind of page it is.
    pub fn kind(&self) -> PageKind {
        self.frame.kind()
    }

    /// Returns the page without its header: [`BODY_SIZE`](crate::BODY_SIZE) bytes.
    pub fn body(&self) -> &[u8] {
        self.frame.body()
    }

    /// Returns the body to change, and the set in which to mark the ranges that were changed.
    ///
    /// Every byte that is changed must be marked. Debug builds check it at commit.
    #[inline]
    pub fn split(&mut self) -> (&mut [u8], &mut DirtyRanges) {
        (self.frame.body_mut(), self.dirty)
    }

    /// Overwrites `bytes.len()` bytes of the body from `offset` on, and marks them.
    ///
    /// Returns `false`, and changes nothing, if they reach behind the body's end.
    #[must_use = "bytes that do not fit are not written"]
    pub fn write(&mut self, offset: usize, bytes: &[u8]) -> bool {
        let end = offset.saturating_add(bytes.len());
        let Some(target) = self.frame.body_mut().get_mut(offset..end) else { return false };
        target.copy_from_slice(bytes);
        self.dirty.mark(offset..end);
        true
    }
}

impl fmt::Debug for PageMut<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PageMut")
            .field("id", &self.id())
            .field("owner", &self.owner())
            .field("kind", &self.kind())
            .finish_non_exhaustive()
    }
}
