//! A page that is newer in memory than on disk.

use crate::ids::PageId;

/// A page that waits for a checkpoint.
#[derive(Clone, Copy)]
pub(crate) struct DirtyPage {
    pub(crate) page: PageId,
    /// Whether the log holds the page whole, so that nothing on disk is its base.
    pub(crate) fresh: bool,
}
