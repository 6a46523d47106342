//! A clock that stands still: every run of a test must be the same.

use std::time::Duration;

/// Like the standard library's, at the beginning of time.
#[derive(Clone, Copy, Debug)]
pub struct Instant;

impl Instant {
    /// Returns the one moment that there is.
    pub fn now() -> Self {
        Self
    }

    /// Does nothing.
    pub fn elapsed(self) -> Duration {
        Duration::ZERO
    }
}
