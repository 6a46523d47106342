//! Whether what a transaction has seen is still so when it commits.

use std::sync::atomic::Ordering;

use super::write_tx::{WriteTx, extents};
use crate::error::{Error, Result};
use crate::ids::Extent;

impl WriteTx {
    /// Under the commit lock: whether all that was read for changing is still the newest.
    pub(super) fn check_conflicts(&self) -> Result<()> {
        for page in self.pages.iter() {
            if let Some(base) = &page.base
                && self.shared.newest_seq(page.id)? > base.seq()
            {
                return Err(Error::WriteConflict { page: page.id });
            }
            debug_assert!(page.is_marked(), "{} was changed outside the ranges marked", page.id);
        }
        // Under the commit lock: nobody frees meanwhile. Each page was in use when it was touched.
        let frees = self.shared.space.frees.load(Ordering::Relaxed);
        if frees == self.frees && self.freed.is_empty() && self.unlogged.is_empty() {
            return self.check_fresh();
        }
        let allocator = self.shared.space.allocator.lock();
        for page in self.pages.iter() {
            if !allocator.in_use(Extent::new(page.id, 1)) {
                return Err(Error::WriteConflict { page: page.id });
            }
        }
        for extent in extents(&self.freed) {
            if !allocator.in_use(extent) {
                return Err(Error::NotAllocated { page: extent.start, doing: "free" });
            }
        }
        for &page in self.unlogged.keys() {
            if !allocator.in_use(Extent::new(page, 1)) {
                return Err(Error::WriteConflict { page });
            }
        }
        drop(allocator);
        self.check_fresh()
    }

    /// Under the commit lock: whether nobody else writes the pages directly that this transaction
    /// has made anew or gives back.
    fn check_fresh(&self) -> Result<()> {
        let fresh = || self.pages.iter().filter(|page| page.fresh).map(|page| page.id);
        if fresh().next().is_none() && self.freed.is_empty() {
            return Ok(());
        }
        let is_own = |page| self.unlogged.contains_key(&page);
        let checked = self.shared.space.unlogged.check(fresh(), extents(&self.freed), is_own);
        checked.map_err(|page| Error::WriteConflict { page })
    }
}
