//! A consistent view of all pages.

use std::ops::Range;
use std::sync::Arc;

use crate::cache::guard::PageGuard;
use crate::error::Result;
use crate::ids::{PageId, Seq};
use crate::pager::Pager;
use crate::shared::Shared;

/// A view of the file as of one commit, which stays the same however much is
/// written meanwhile.
///
/// Costs only the page versions that no other reader needs. They are in memory as
/// long as the cache's budget allows, then in a temporary file, and go when it is dropped.
/// Nobody waits for a snapshot.
#[derive(Debug)]
#[must_use]
pub struct Snapshot {
    pager: Pager,
    seq: Seq,
}

impl Pager {
    /// Returns a view of everything published up to now.
    pub fn snapshot(&self) -> Snapshot {
        let shared = &self.shared;
        let seq = shared.cache.snapshots.register(|| shared.publication.published());
        Snapshot { pager: Pager { shared: Arc::clone(shared) }, seq }
    }

    /// Returns the commits in `range` that snapshots are open at, in order.
    ///
    /// For a layer above that keeps something of its own for them. What ends at a commit
    /// that [`published`](Self::published) had reached before the call, no snapshot made
    /// later can want.
    pub fn snapshots_within(&self, range: Range<Seq>) -> Vec<Seq> {
        self.shared.cache.snapshots.within(range)
    }
}

impl Snapshot {
    /// Of a commit that was registered for it.
    pub(crate) fn registered(pager: Pager, seq: Seq) -> Self {
        Self { pager, seq }
    }

    /// Returns the commit that the view shows.
    #[inline]
    pub fn seq(&self) -> Seq {
        self.seq
    }

    /// Returns the pager that the view is of.
    pub fn pager(&self) -> &Pager {
        &self.pager
    }

    /// Returns the page as of the snapshot.
    ///
    /// # Errors
    ///
    /// [`Error::NoVersion`](crate::Error::NoVersion) if the page was first written
    /// later; [`Error::Corrupt`](crate::Error::Corrupt), [`Error::Io`](crate::Error::Io),
    /// also of the temporary file.
    #[inline]
    pub fn page(&self, page: PageId) -> Result<PageGuard> {
        self.pager.page(page, self.seq)
    }
}

impl Clone for Snapshot {
    fn clone(&self) -> Self {
        let seq = self.pager.shared.cache.snapshots.register(|| self.seq);
        Self { pager: self.pager.clone(), seq }
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        let shared: &Shared = &self.pager.shared;
        shared.cache.unregister(self.seq);
        shared.prune();
    }
}
