//! An open file as its handles hold it: closed by the thread that lets go of it last.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::background::{self, Task};
use crate::checkpoint::state::CheckpointUrgency;
use crate::error::Result;
use crate::shared::Shared;

/// What every handle, snapshot and transaction holds.
///
/// Threads in the background hold the [`Shared`] in it instead, and only while they work. So the
/// last of the handles is known when it goes: its thread waits for the background to leave the
/// file, closes it, and may open it again at once.
pub(crate) struct PagerHandle {
    shared: Arc<Shared>,
}

impl PagerHandle {
    pub(crate) fn new(shared: Shared) -> Self {
        Self { shared: Arc::new(shared) }
    }

    /// Requests a checkpoint that a commit has made due: in the background if possible.
    pub(crate) fn request_checkpoint(&self, urgency: CheckpointUrgency) {
        if urgency == CheckpointUrgency::None {
            return;
        }
        if self.options.background {
            let ask = !std::mem::replace(&mut self.commit.lock().schedule.requested, true);
            let asked = !ask || background::ask(&self.shared, Task::Checkpoint, Duration::ZERO);
            if asked && urgency == CheckpointUrgency::Due {
                return;
            }
            if !asked {
                // Nobody will take it back, and a thread may be had later.
                self.commit.lock().schedule.requested = false;
            }
        }
        // What fails poisons the handle and so refuses the next commit, or is tried again;
        // this commit is as durable as promised all the same.
        let _ = self.checkpoint_if_due();
    }

    /// After a transaction that a full disk has refused: has the log give back what it has of
    /// it, in the background. Without one the next checkpoint does it.
    #[cold]
    pub(crate) fn request_room(&self) {
        if self.options.background {
            let urgency = self.checkpoint_urgency(&self.commit.lock());
            // Nobody is slowed down for it.
            self.request_checkpoint(if urgency == CheckpointUrgency::None {
                urgency
            } else {
                CheckpointUrgency::Due
            });
        }
    }

    /// Lets go of the file, once and for all; see [`Pager::release`](crate::Pager::release).
    pub(crate) fn release(&self) -> Result<()> {
        self.check_process()?;
        {
            // Whoever writes the file looks whether it is closed under one of these locks: a
            // checkpoint under the first, a commit under the second. A transaction that is not
            // committed yet takes neither, and is waited for below.
            let _on_disk = self.lock_disk_state();
            let _commit = self.commit.lock();
            // Relaxed: see there.
            self.closed.store(true, Ordering::Relaxed);
        }
        // What is asked for later finds it closed.
        background::leave(&self.shared);
        if !self.uses.shut() {
            return Ok(());
        }
        self.uses.wait_until_idle();
        self.storage.unlock().map_err(|e| self.io("unlocking the file", e))
    }

    /// Requests that relaxed commits be flushed in time.
    pub(crate) fn request_flush(&self) {
        if !background::ask(&self.shared, Task::Flush, self.options.relaxed_flush_interval) {
            self.flush();
        }
    }
}

impl Deref for PagerHandle {
    type Target = Shared;

    #[inline]
    fn deref(&self) -> &Shared {
        &self.shared
    }
}

impl Drop for PagerHandle {
    fn drop(&mut self) {
        // A file is still open in the process that has opened it. Of a database in memory nothing
        // is to be saved. The threads are there, and locks that they held here as well.
        if self.is_inherited() {
            return;
        }
        background::leave(&self.shared);
        // Nobody is left to tell of a failure; `close` is there for who wants to know.
        if self.check_writable().is_ok() {
            let _ = self.close();
        }
    }
}

#[cfg(test)]
mod tests;
