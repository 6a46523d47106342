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
    /// Older versions that snapshots want count against it, and pass it if a snapshot
    /// lives long beside many writes. When half of it waits for a checkpoint, one is made. Pages that open
    /// transactions have changed come on top, and so does a little for each page
    /// that was ever read (24 bytes).
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
