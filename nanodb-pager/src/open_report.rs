//! What opening a file found.

use std::time::Duration;

/// What opening a file found and did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct OpenReport {
    /// Whether there was nothing to recover: the file was closed, or is new.
    pub clean: bool,
    /// Commits found in the log, newer than the last checkpoint.
    pub commits_replayed: u64,
    /// Bytes of log that hold them.
    pub bytes_replayed: u64,
    /// Whether a log that is needed was not there, and
    /// [`Options::allow_missing_log`](crate::Options::allow_missing_log) said to go on without it:
    /// what was committed after the last checkpoint is lost.
    pub log_lost: bool,
    /// Whether the free map was damaged, and rebuilt from the root. Nothing is lost by it, and
    /// the next checkpoint saves it.
    pub free_map_lost: bool,
    /// How long opening took.
    pub duration: Duration,
}
