//! What can be chosen when a file is opened.

use crate::durability::Durability;

/// How a pager is opened. [`Options::default`] is right for most.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    pub(crate) cache_bytes_max: usize,
    pub(crate) durability: Durability,
    pub(crate) log_bytes_max: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            cache_bytes_max: 64 * 1024 * 1024,
            durability: Durability::default(),
            log_bytes_max: 64 * 1024 * 1024,
        }
    }
}

impl Options {
    /// How many bytes of pages are kept in memory at most; 64 MiB by default, 64 KiB
    /// at the least.
    ///
    /// Older versions that snapshots want count against it. When memory is short they go to
    /// a temporary file in the database's directory, which has no name and is gone with the
    /// process; a snapshot reads them from there. Where that file can't be written, as on a
    /// full disk, and for a database in memory, they stay above the budget. When half of the
    /// budget waits for a checkpoint, one is made; commits wait for it at three quarters.
    ///
    /// On top come the pages that open transactions have changed (each up to half the
    /// budget, or 8 MiB if that is more; of pages it has taken itself up to a quarter) and those of documents that
    /// are held, two megabytes of buffers while a checkpoint is under way, and a little for each
    /// page that was ever read (32 bytes).
    #[must_use]
    pub fn cache_bytes_max(mut self, bytes: usize) -> Self {
        self.cache_bytes_max = bytes;
        self
    }

    /// What commits promise that do not say otherwise; [`Durability::Immediate`] by default.
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// At how many bytes of log a checkpoint is due; 64 MiB by default, 64 KiB at least.
    ///
    /// Bounds the time that opening takes after a crash. While a checkpoint is under way
    /// the log may grow to twice as much, and one large transaction's record may pass it.
    #[must_use]
    pub fn log_bytes_max(mut self, bytes: u64) -> Self {
        self.log_bytes_max = bytes.max(64 * 1024);
        self
    }
}
