//! A snapshot of the whole database, as everything inside holds it.

use std::sync::Arc;

use nanodb_pager::Snapshot;

use crate::database::Shared;

/// A registered reader. When it goes, so does what was kept for it alone.
pub(crate) struct View {
    // The fields go in this order: what the snapshot held is swept once it is gone, and
    // both are gone before the database is.
    snapshot: Snapshot,
    sweep: Sweep,
}

struct Sweep(Arc<Shared>);

impl View {
    /// A view of what is published now.
    pub(crate) fn new(db: &Arc<Shared>) -> Self {
        Self::of(db, db.pager.snapshot())
    }

    /// A view of what a snapshot shows.
    pub(crate) fn of(db: &Arc<Shared>, snapshot: Snapshot) -> Self {
        Self { snapshot, sweep: Sweep(Arc::clone(db)) }
    }

    #[inline]
    pub(crate) fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    pub(crate) fn db(&self) -> &Arc<Shared> {
        &self.sweep.0
    }
}

impl Drop for Sweep {
    fn drop(&mut self) {
        self.0.attic.sweep();
    }
}
