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
    /// How long opening took.
    pub duration: Duration,
}
