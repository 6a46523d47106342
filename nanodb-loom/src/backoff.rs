//! What a thread does that looks again and again.

/// As `crossbeam_utils::Backoff`: each look gives the processor up, for the checker must know that
/// the thread can't go on alone.
#[derive(Debug, Default)]
pub struct Backoff(());

impl Backoff {
    /// A thread that is about to look for the first time.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Waits a little.
    pub fn snooze(&self) {
        loom::thread::yield_now();
    }
}
