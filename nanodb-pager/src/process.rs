//! Which process this is.
//!
//! A process that forks gives its child copies of all handles, of one and the same open file. The
//! child has none of the threads, knows nothing of what its parent does from then on, and
//! its lock is the parent's. So what was opened by another process is neither written, closed nor
//! unlocked, and nothing is read for it from the disk.

/// The number of this process.
pub(crate) fn id() -> u32 {
    #[cfg(test)]
    if let Some(pretended) = tests::PRETENDED.get() {
        return pretended;
    }
    std::process::id()
}

#[cfg(test)]
pub(crate) mod tests {
    use std::cell::Cell;

    thread_local! {
        /// What this thread takes for its process, so that a test can be parent and child.
        pub(crate) static PRETENDED: Cell<Option<u32>> = const { Cell::new(None) };
    }
}
