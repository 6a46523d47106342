//! What the layer above keeps besides pages, and its part in a checkpoint.
//!
//! Some things change with every commit but are too small and too often changed to
//! have a page of their own: counters, where the next record goes, which extents
//! belong to whom. The layer above says with each commit what changed, in the commit's *metadata*;
//! the pager keeps it in commit order and never looks inside. A checkpoint applies
//! it to the *metadata root*, the root for short: bytes that are saved with the pages and handed
//! back when the file is opened. What is too much for a root that is written anew each time goes
//! to [checkpoint pages](CheckpointPageWriter), which the root refers to.

use crate::checkpoint::pages::CheckpointPageWriter;
use crate::ids::{Extent, Seq};

/// What a layer above says has gone wrong. A failure of the pager is passed on as it is, boxed.
type HookError = Box<dyn std::error::Error + Send + Sync>;

/// The part that the layer above has in opening a file and in checkpoints.
///
/// [`apply`](Self::apply) is a function of bytes: the same bytes in, the same bytes out. The other
/// methods may lock, read pages and, where they say so, write.
pub trait CheckpointHooks: Send + Sync + 'static {
    /// Returns the root that says what `root`, and then each of `metadata` in commit
    /// order, say. The root of a new file is empty.
    ///
    /// Called when a file is opened whose logs hold commits, for a
    /// [`PageInventory`](crate::PageInventory), and, by default, in checkpoints, often by a thread
    /// in the background: it must not wait for anything that commits or checkpoints.
    ///
    /// # Errors
    ///
    /// When the bytes make no sense to the layer above. What called it then does
    /// not happen, and its caller gets [`Error::Metadata`](crate::Error::Metadata).
    fn apply(
        &self,
        root: &[u8],
        metadata: &mut dyn Iterator<Item = &[u8]>,
    ) -> Result<Vec<u8>, HookError>;

    /// Returns the same as [`apply`](Self::apply), for the root that a checkpoint saves, and may
    /// take, write and free pages that the root refers to, and read those it has referred to.
    ///
    /// `root` is always the one that the last checkpoint has saved, and `metadata` that of all
    /// commits since, of those found in the logs when the file was opened, too. If the disk is full
    /// it is called again, later and with the same metadata, and nothing of the first time is left.
    /// It must not wait for anything that commits or checkpoints.
    ///
    /// # Errors
    ///
    /// Same as [`apply`](Self::apply). An [`Error`](crate::Error) of the pager is passed on.
    fn save(
        &self,
        root: &[u8],
        metadata: &mut dyn Iterator<Item = &[u8]>,
        pages: &mut CheckpointPageWriter<'_>,
    ) -> Result<Vec<u8>, HookError> {
        let _ = pages;
        self.apply(root, metadata)
    }

    /// Returns how many checkpoint pages `root` refers to; 0 by default.
    fn checkpoint_pages(&self, root: &[u8]) -> u64 {
        let _ = root;
        0
    }

    /// Returns all pages that the layer above uses according to `root`, those of commits and those
    /// of checkpoints; `None`, also by default, if it does not tell.
    ///
    /// Asked for where the free map is damaged, which is then rebuilt.
    ///
    /// # Errors
    ///
    /// When the bytes make no sense to the layer above.
    fn extents_in_use(&self, root: &[u8]) -> Result<Option<Vec<Extent>>, HookError> {
        let _ = root;
        Ok(None)
    }

    /// Tells that the calling thread is about to make a checkpoint: the layer above may commit what
    /// it has put off until now, such as moving pages towards the front of the file. `log_bytes`
    /// were logged since the last one.
    ///
    /// Nothing is locked, and the checkpoint is made whatever comes of it. Not called when commits
    /// wait for the checkpoint, nor when the file is closed, nor by two threads at once.
    fn before_checkpoint(&self, log_bytes: u64) {
        let _ = log_bytes;
    }

    /// Tells that the root which [`save`](Self::save) has returned last is durable, and shows the
    /// file as of `seq`. When this returns, the pages that were freed are given to others.
    ///
    /// Must not wait for anything that checkpoints.
    fn after_checkpoint(&self, root: &[u8], seq: Seq) {
        let _ = (root, seq);
    }
}

/// For users whose commits have no metadata: the root stays what it is.
impl CheckpointHooks for () {
    fn apply(&self, root: &[u8], _: &mut dyn Iterator<Item = &[u8]>) -> Result<Vec<u8>, HookError> {
        Ok(root.to_vec())
    }
}
