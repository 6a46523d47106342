//! Which pages have been truncated away.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::ids::PageId;

/// Which pages have been truncated away since the file was opened, some of them perhaps in use
/// again.
pub(crate) struct TruncatedPages {
    /// From here on. Relaxed, as is `to`: only errors are looked at again, and whoever
    /// finds a page gone finds it so after the truncation, by the allocator's lock or the file's.
    pub(crate) from: AtomicU32,
    pub(crate) to: AtomicU32,
}

impl Default for TruncatedPages {
    fn default() -> Self {
        Self { from: AtomicU32::new(u32::MAX), to: AtomicU32::new(0) }
    }
}

impl TruncatedPages {
    pub(crate) fn contains(&self, page: PageId) -> bool {
        let from = self.from.load(Ordering::Relaxed);
        from <= page.get() && page.get() < self.to.load(Ordering::Relaxed)
    }
}
