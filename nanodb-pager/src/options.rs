//! What can be chosen when a file is opened.

/// How a pager is opened. [`Options::default`] is right for most.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    pub(crate) cache_bytes_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { cache_bytes_max: 64 * 1024 * 1024 }
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
}
