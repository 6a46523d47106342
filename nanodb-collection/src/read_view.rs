//! What is published at one moment, of all collections, for as long as somebody looks at it.

use std::fmt;
use std::sync::Arc;

use nanodb_pager::{Seq, Snapshot};

use crate::catalog::binding::NameBinding;
use crate::engine::Engine;
use crate::opening::Opening;

/// A registered reader. When it goes, so does what was kept for it alone.
pub struct ReadView {
    // The fields go in this order: what the snapshot held is reclaimed once it is gone, and
    // both are gone before the database is.
    snapshot: Snapshot,
    reclaim: ReclaimOnDrop,
}

struct ReclaimOnDrop(Arc<Opening>);

impl ReadView {
    /// Makes a view of the published commit.
    pub fn new(opening: &Arc<Opening>) -> Self {
        Self::of(opening, opening.engine().pager.snapshot())
    }

    /// A view of what a snapshot shows.
    pub(crate) fn of(opening: &Arc<Opening>, snapshot: Snapshot) -> Self {
        Self { snapshot, reclaim: ReclaimOnDrop(Arc::clone(opening)) }
    }

    /// Returns the snapshot of the pages.
    #[inline]
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// Returns the commit that it shows.
    pub fn seq(&self) -> Seq {
        self.snapshot.seq()
    }

    /// Returns the engine.
    pub fn engine(&self) -> &Arc<Engine> {
        self.opening().engine()
    }

    /// Returns the opening whose reader it is.
    #[inline]
    pub fn opening(&self) -> &Arc<Opening> {
        &self.reclaim.0
    }

    /// Returns the collection that a name referred to.
    pub fn binding(&self, name: &str) -> Option<Arc<NameBinding>> {
        self.engine().catalog.names.at(name, self.seq())
    }

    /// Returns all collections of that commit, sorted by name.
    pub fn all(&self) -> Vec<Arc<NameBinding>> {
        self.engine().catalog.names.all_at(self.seq())
    }
}

impl Drop for ReclaimOnDrop {
    fn drop(&mut self) {
        self.0.engine().reclaimer.sweep();
    }
}

impl fmt::Debug for ReadView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadView").field("seq", &self.seq()).finish_non_exhaustive()
    }
}
