//! A commit between being installed and being seen.

use std::sync::Arc;

use crate::error::Result;
use crate::ids::Seq;
use crate::pager::Shared;

/// A transaction that is installed: later ones build on it, readers do not see it yet.
///
/// Dropping it publishes it too, for it can no longer be undone, and later commits
/// wait for it.
#[must_use = "call publish to make the commit visible"]
pub struct Installed {
    shared: Arc<Shared>,
    seq: Seq,
    /// Whether there is anything to publish.
    undeclared: bool,
    /// Whether so much is dirty that a checkpoint is due.
    pub(crate) pressure: bool,
}

impl Installed {
    pub(crate) fn new(shared: Arc<Shared>, seq: Seq, undeclared: bool) -> Self {
        Self { shared, seq, undeclared, pressure: false }
    }

    /// The commit's number. For a transaction that changed nothing, the newest
    /// commit that it may have read.
    pub fn seq(&self) -> Seq {
        self.seq
    }

    /// Makes the commit visible to readers; returns when it is.
    ///
    /// # Errors
    ///
    /// As [`Pager::checkpoint`](crate::Pager::checkpoint), if the checkpoint that this
    /// commit made due failed. The commit is visible all the same, in this process.
    pub fn publish(mut self) -> Result<Seq> {
        self.declare();
        self.shared.publication.wait(self.seq);
        self.shared.prune();
        if self.pressure {
            self.shared.checkpoint_if_due()?;
        }
        Ok(self.seq)
    }

    fn declare(&mut self) {
        if std::mem::take(&mut self.undeclared) {
            self.shared.publication.declare(self.seq);
        }
    }
}

impl Drop for Installed {
    fn drop(&mut self) {
        self.declare();
    }
}

impl std::fmt::Debug for Installed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Installed").field("seq", &self.seq).finish_non_exhaustive()
    }
}
