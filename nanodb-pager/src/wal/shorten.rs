//! Giving back what the files beside the database have taken more than they need.
//!
//! The logs and the double-write buffer are written over again and again, and not made shorter for
//! that: appending is dearer. But one large transaction must not cost its room until the file is
//! closed. So once a checkpoint is done, whose header no longer needs what is in them, the log
//! that nobody writes to and the double-write buffer are truncated: a log to its limit, the
//! double-write buffer to what a batch of images takes, and neither below what is
//! [kept](crate::space::reserve) for a full disk. Where a write has met a full disk, they are
//! truncated to just that: what the disk has is for the file.

use std::sync::atomic::Ordering;

use crate::checkpoint::double_write;
use crate::error::{Error, Result};
use crate::file::sidecars;
use crate::shared::Shared;
use crate::wal::{self, writer};

impl Shared {
    /// Shortens the log of this generation, which no header needs and nobody writes to until the
    /// caller lets go of what keeps others from beginning it.
    ///
    /// # Errors
    ///
    /// [`Error::Io`]: the file stays too long, which means nothing, and a later checkpoint tries
    /// again. No failed write that all later ones have to fear.
    pub(crate) fn shorten_log(&self, generation: u64) -> Result<()> {
        let log_bytes_max = self.options.log_bytes_max;
        let room = self.wal.requested_bytes.load(Ordering::Relaxed);
        let kept = writer::least_len(log_bytes_max).saturating_add(room);
        let len = if self.wal.met_full_disk.load(Ordering::Relaxed) { 0 } else { log_bytes_max };
        self.shorten(wal::suffix(generation), len.max(kept))
    }

    /// The same for the double-write buffer, which held images up to `end`.
    ///
    /// # Errors
    ///
    /// Same as [`shorten_log`](Self::shorten_log).
    pub(crate) fn shorten_double_write(&self, end: u64) -> Result<()> {
        let is_full = self.wal.met_full_disk.load(Ordering::Relaxed);
        let batch = if is_full { 0 } else { double_write::len_for(self.cache.batch_pages()) };
        let kept = batch.max(double_write::KEPT_LEN);
        // One that was not as long is not looked for.
        if end > kept { self.shorten(double_write::SUFFIX, kept) } else { Ok(()) }
    }

    /// Whether a checkpoint would give a full disk back much of the log.
    pub(crate) fn log_fills_the_disk(&self, log_bytes: u64) -> bool {
        self.wal.met_full_disk.load(Ordering::Relaxed)
            && log_bytes > 4 * writer::least_len(self.options.log_bytes_max)
    }

    fn shorten(&self, suffix: &str, len: u64) -> Result<()> {
        let asking = |e| Error::io("asking for the log's length", e);
        if !self.storage.is_persistent() || !self.storage.has_sidecar(suffix).map_err(asking)? {
            return Ok(());
        }
        let file = self.storage.sidecar(suffix).map_err(asking)?;
        if file.len().map_err(asking)? <= len {
            return Ok(());
        }
        let truncating =
            || format!("truncating the file {}", sidecars::name(&*self.storage, suffix));
        file.set_len(len).map_err(|e| Error::io(truncating(), e))
    }
}
