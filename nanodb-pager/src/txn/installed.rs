//! A commit between being installed and being seen.

use std::sync::Arc;

use crate::checkpoint::state::CheckpointUrgency;
use crate::durability::Durability;
use crate::error::Result;
use crate::handle::PagerHandle;
use crate::ids::Seq;
use crate::wal::Lsn;

/// A transaction that is installed: later ones build on it, readers do not see it yet.
///
/// Dropping it publishes it too, for it can no longer be undone, and later commits
/// wait for it.
#[must_use = "call publish to make the commit visible"]
pub struct InstalledCommit {
    shared: Arc<PagerHandle>,
    seq: Seq,
    /// What must be durable before anybody sees it; nothing if it is declared.
    undeclared: Option<(Durability, Lsn)>,
    /// How much a checkpoint is needed.
    checkpoint: CheckpointUrgency,
}

impl InstalledCommit {
    pub(crate) fn new(
        shared: Arc<PagerHandle>,
        seq: Seq,
        durability: Durability,
        logged: Lsn,
        checkpoint: CheckpointUrgency,
    ) -> Self {
        Self { shared, seq, undeclared: Some((durability, logged)), checkpoint }
    }

    /// Of a transaction that changed nothing.
    pub(crate) fn nothing(shared: Arc<PagerHandle>, seq: Seq) -> Self {
        Self { shared, seq, undeclared: None, checkpoint: CheckpointUrgency::None }
    }

    /// Returns the commit's number. For a transaction that changed nothing, the newest
    /// commit that it may have read.
    pub fn seq(&self) -> Seq {
        self.seq
    }

    /// Makes the commit as durable as the transaction asked, and then visible; returns when it is.
    ///
    /// # Errors
    ///
    /// [`Error::Poisoned`](crate::Error::Poisoned) if a write or sync failed, of this
    /// commit or of one before it. Nobody in this process will see the commit then;
    /// whether it survived shows when the file is opened again.
    pub fn publish(mut self) -> Result<Seq> {
        self.declare()?;
        if !self.shared.publication.wait(self.seq) {
            return Err(self.shared.poisoned());
        }
        if self.shared.cache.snapshots.is_due() || self.shared.cache.clock.excess() > 0 {
            self.shared.prune();
        }
        self.shared.keep_budget();
        self.shared.request_checkpoint(self.checkpoint);
        Ok(self.seq)
    }

    fn declare(&mut self) -> Result<()> {
        let Some((durability, logged)) = self.undeclared.take() else { return Ok(()) };
        if durability == Durability::Immediate {
            self.shared.sync_log(logged)?;
        }
        self.shared.publication.declare(self.seq);
        Ok(())
    }
}

impl Drop for InstalledCommit {
    fn drop(&mut self) {
        // Whoever drops it does not ask; the next writer is told.
        let _ = self.declare();
    }
}

impl std::fmt::Debug for InstalledCommit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InstalledCommit").field("seq", &self.seq).finish_non_exhaustive()
    }
}
