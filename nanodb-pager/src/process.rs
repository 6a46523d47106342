//! Which process this is.
//!
//! A process that forks gives its child copies of all handles, of one and the same open file. The
//! child has none of the threads, knows nothing of what its parent does from then on, and
//! its lock is the parent's. So what was opened by another process is neither written, closed nor
//! unlocked, and nothing is read for it from the disk.
//!
//! Any lock may be held in the child by a thread that is not there, and then is held for ever. What
//! all files of a process share, the child has anew; see [`PerProcess`].

use std::sync::Arc;

use arc_swap::ArcSwapOption;

/// The number of this process.
pub(crate) fn id() -> u32 {
    #[cfg(test)]
    if let Some(pretended) = tests::PRETENDED.get() {
        return pretended;
    }
    std::process::id()
}

/// Something that a process has one of, made when it is asked for first; a fork has its own.
///
/// ```
/// use std::sync::Mutex;
///
/// use nanodb_pager::PerProcess;
///
/// static NAMES: PerProcess<Mutex<Vec<&str>>> = PerProcess::new();
/// NAMES.get().lock().unwrap().push("of this process");
/// assert_eq!(NAMES.get().lock().unwrap().len(), 1);
/// ```
#[derive(Debug)]
pub struct PerProcess<T>(ArcSwapOption<OfProcess<T>>);

#[derive(Debug)]
struct OfProcess<T> {
    process: u32,
    value: Arc<T>,
    /// That of the process it was forked from. It may be locked, and what it holds is a copy of
    /// what the parent uses, so nobody looks into it, and it is kept as long as this one.
    _parents: Option<Arc<OfProcess<T>>>,
}

impl<T> Default for PerProcess<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> PerProcess<T> {
    /// Returns one that is not made yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(ArcSwapOption::const_empty())
    }
}

impl<T: Default> PerProcess<T> {
    /// Returns that of this process. Takes no lock.
    #[must_use]
    pub fn get(&self) -> Arc<T> {
        self.of(std::process::id())
    }

    /// Returns that of the process with this number, which is the one that asks.
    pub(crate) fn of(&self, process: u32) -> Arc<T> {
        loop {
            let found = self.0.load();
            if let Some(own) = found.as_ref().filter(|of| of.process == process) {
                return Arc::clone(&own.value);
            }
            let parents = found.as_ref().map(Arc::clone);
            let own =
                Some(Arc::new(OfProcess { process, value: Arc::default(), _parents: parents }));
            // If another thread was first, its own counts.
            let _ = self.0.compare_and_swap(&found, own);
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::cell::Cell;

    thread_local! {
        /// What this thread takes for its process, so that a test can be parent and child.
        pub(crate) static PRETENDED: Cell<Option<u32>> = const { Cell::new(None) };
    }
}
