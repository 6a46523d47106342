//! What the layer above keeps besides pages.
//!
//! Some things change with every commit but are too small and too often changed to
//! have a page of their own: counters, where the next record goes, which extents
//! belong to whom. The layer above says with each commit what changed, in a *note*;
//! the pager keeps notes in commit order and never looks inside. A checkpoint folds
//! them into the *root*, a run of bytes that is saved with the pages and handed
//! back when the file is opened. What is too much for a root that is written anew each time goes
//! to [saved pages](CheckpointPages), which the root refers to.

use crate::checkpoint::pages::CheckpointPages;
use crate::ids::{Extent, Seq};

/// What a layer above says has gone wrong. A failure of the pager is passed on as it is, boxed.
type FoldError = Box<dyn std::error::Error + Send + Sync>;

/// Adds notes up. A pure function: the same bytes in, the same bytes out.
pub trait CheckpointHooks: Send + Sync + 'static {
    /// Returns the root that says what `root`, and then each of `notes` in commit
    /// order, say. The root of a new file is empty.
    ///
    /// Called while a checkpoint is under way, often by a thread in the background: it must
    /// not wait for anything that commits or checkpoints.
    ///
    /// # Errors
    ///
    /// When the bytes make no sense to the layer above. The checkpoint then does
    /// not happen, and its caller gets [`Error::Fold`](crate::Error::Fold).
    fn fold(
        &self,
        root: &[u8],
        notes: &mut dyn Iterator<Item = &[u8]>,
    ) -> Result<Vec<u8>, FoldError>;

    /// As [`fold`](Self::fold), for the root that a checkpoint saves: may take, write and free
    /// pages that the root refers to, and read those it has referred to. Each time from the root
    /// that the last checkpoint has saved, with all notes since, those found in the logs
    /// when the file was opened among them.
    ///
    /// If the disk is full it is called again, later and with the same notes, and nothing of the
    /// first time is left.
    ///
    /// # Errors
    ///
    /// As [`fold`](Self::fold). An [`Error`](crate::Error) of the pager is passed on.
    fn save(
        &self,
        root: &[u8],
        notes: &mut dyn Iterator<Item = &[u8]>,
        pages: &mut CheckpointPages<'_>,
    ) -> Result<Vec<u8>, FoldError> {
        let _ = pages;
        self.fold(root, notes)
    }

    /// How many pages of checkpoints before a root refers to.
    fn saved_pages(&self, root: &[u8]) -> u64 {
        let _ = root;
        0
    }

    /// All pages that a root says are in use by the layer above: those of commits, and those that
    /// checkpoints have saved. None, also by default, if it does not tell.
    ///
    /// Asked for where the free map is damaged, which is then made anew.
    ///
    /// # Errors
    ///
    /// When the bytes make no sense to the layer above.
    fn extents_in_use(&self, root: &[u8]) -> Result<Option<Vec<Extent>>, FoldError> {
        let _ = root;
        Ok(None)
    }

    /// A checkpoint is about to be made, by the calling thread: the layer above may commit what it has
    /// put off until now, such as moving pages towards the front of the file. `log_bytes` were
    /// logged since the last one.
    ///
    /// Nothing is locked, and the checkpoint is made whatever comes of it. Not called when commits
    /// wait for the checkpoint, nor when the file is closed, nor by two threads at once.
    fn before_checkpoint(&self, log_bytes: u64) {
        let _ = log_bytes;
    }

    /// The root that [`save`](Self::save) has returned last is durable, and shows the file as of
    /// `seq`. When this returns, the pages that were freed are given to others.
    ///
    /// Must not wait for anything that checkpoints.
    fn saved(&self, root: &[u8], seq: Seq) {
        let _ = (root, seq);
    }
}

/// For users who need no notes: the root stays what it is.
impl CheckpointHooks for () {
    fn fold(&self, root: &[u8], _: &mut dyn Iterator<Item = &[u8]>) -> Result<Vec<u8>, FoldError> {
        Ok(root.to_vec())
    }
}
