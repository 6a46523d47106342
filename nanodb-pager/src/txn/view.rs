//! What a transaction saw at one moment.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use crate::cache::guard::PageGuard;
use crate::error::Result;
use crate::file::page::Frame;
use crate::handle::PagerHandle;
use crate::hash::RandomState;
use crate::ids::PageId;

/// Pages as a transaction saw them when it was asked; made by
/// [`WriteTx::view`](crate::WriteTx::view).
///
/// What the transaction had not changed by then is read as it is installed: the
/// caller makes sure that nobody else installs changes to these pages while it keeps a view.
pub struct TxView {
    shared: Arc<PagerHandle>,
    changed: HashMap<PageId, ViewPage, RandomState>,
    /// Tells the transaction that there is a view.
    _viewed: Arc<()>,
}

/// What a view has of a page that the transaction had changed.
pub(super) enum ViewPage {
    InMemory(Arc<Frame>),
    /// In the file, with this checksum.
    Written(u64),
}

impl TxView {
    pub(super) fn new(
        shared: Arc<PagerHandle>,
        changed: HashMap<PageId, ViewPage, RandomState>,
        viewed: Arc<()>,
    ) -> Self {
        Self { shared, changed, _viewed: viewed }
    }

    /// Returns the page as the transaction saw it.
    ///
    /// # Errors
    ///
    /// [`Error::Corrupt`](crate::Error::Corrupt), [`Error::Io`](crate::Error::Io).
    pub fn page(&self, page: PageId) -> Result<PageGuard> {
        let frame = match self.changed.get(&page) {
            Some(ViewPage::InMemory(frame)) => Arc::clone(frame),
            Some(&ViewPage::Written(checksum)) => self.shared.read_back(page, checksum)?,
            None => self.shared.newest(page)?,
        };
        Ok(PageGuard::owned(frame))
    }
}

impl fmt::Debug for TxView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TxView").field("changed", &self.changed.len()).finish_non_exhaustive()
    }
}
