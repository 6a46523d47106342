//! What the pager does with the log: beginning, syncing and removing it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use uuid::Uuid;

use crate::error::{Error, Result};
use crate::ids::Seq;
use crate::log::segment::Segment;
use crate::log::sync::Turn;
use crate::log::writer::Log;
use crate::log::{self, Lsn};
use crate::pager::{NextLog, Shared};
use crate::side;
use crate::storage::Storage;

impl Shared {
    /// A file beside the database, whose name is on stable storage.
    ///
    /// That it was there before says nothing: a process that was killed may have made
    /// it, or a sync of the directory may have failed.
    pub(crate) fn companion(&self, suffix: &'static str) -> io::Result<Arc<dyn Storage>> {
        let file = self.storage.companion(suffix)?;
        let mut named = self.named.lock();
        if !named.contains(&suffix) {
            self.storage.sync_directory()?;
            named.push(suffix);
        }
        Ok(file)
    }

    /// Begins a log; its header is written with its first records.
    pub(crate) fn begin_log(&self, next: NextLog, first_seq: Seq) -> Result<Log> {
        let failed = |e| Error::io("beginning a log", e);
        let NextLog { generation, previous_salt, base } = next;
        let suffix = log::suffix(generation);
        let file = self.companion(suffix).map_err(failed)?;
        let salt = Uuid::new_v4().as_u64_pair().0;
        let segment = Segment { uuid: self.uuid, generation, salt, previous_salt, first_seq };
        Log::begin(file, segment, base, self.options.log_bytes_max).map_err(failed)
    }

    /// Returns when the logs are on stable storage up to `lsn`.
    pub(crate) fn sync_log(&self, lsn: Lsn) -> Result<()> {
        match self.group_sync.turn(lsn) {
            Turn::Done => Ok(()),
            Turn::Failed => Err(self.poisoned()),
            Turn::Lead(leader) => {
                // Poisoned before the others wake: they ask why.
                let synced = self.lead_sync().map_err(|error| self.poison(error));
                self.group_sync.finish(&leader, synced.as_ref().ok().copied());
                synced.map(|_| ())
            }
        }
    }

    /// Writes and syncs what all threads have appended; returns how far that is.
    fn lead_sync(&self) -> Result<Lsn> {
        let mut commit = self.commit.lock();
        self.check_writable()?;
        let former = commit.former_log.take();
        let direct = std::mem::take(&mut commit.direct_unsynced);
        let mut current = None;
        let mut end = commit.next_log.base;
        if let Some(log) = &mut commit.log {
            log.pad(self.group_sync.synced());
            // Poisoned while nobody else can write: nothing is tried a second time.
            log.write().map_err(|e| self.poison(Error::io("writing the log", e)))?;
            (current, end) = (Some(Arc::clone(&log.file)), log.end());
        }
        drop(commit);
        // Pages that records name were written before the records.
        if direct {
            self.storage.sync().map_err(|e| Error::io("syncing the file", e))?;
        }
        // In this order: what is in the later log builds on the earlier one.
        for file in former.into_iter().chain(current) {
            file.sync().map_err(|e| Error::io("syncing the log", e))?;
        }
        Ok(end)
    }

    /// Puts on stable storage what has been committed so far: for relaxed commits.
    pub(crate) fn flush(&self) {
        let end = {
            let mut commit = self.commit.lock();
            commit.flush_asked = false;
            commit.log.as_ref().map_or(commit.next_log.base, Log::end)
        };
        // A failure poisons the handle: the next writer is told.
        let _ = self.sync_log(end);
    }

    /// Does what must be done before the first commit.
    pub(crate) fn ready_to_write(&self) -> Result<()> {
        self.settle()?;
        // The log's bytes are vouched for by nobody but the sync just made.
        if self.recovered.read().is_some() { self.checkpoint() } else { Ok(()) }
    }

    /// Puts what opening found on stable storage: nothing may be built on it before.
    ///
    /// The process before may have been killed between a write and its sync; what it wrote was
    /// then read from the operating system's memory. A header that a power cut takes back
    /// no longer names the log that later commits went to, and pages written in place must
    /// not be newer than the log.
    pub(crate) fn settle(&self) -> Result<()> {
        // Acquire, with the release below: who sees it set sees it after the syncs.
        if self.settled.load(Ordering::Acquire) {
            return Ok(());
        }
        self.check_writable()?;
        let poison = |e| self.poison(Error::io("syncing what was found", e));
        if let Some(recovered) = &*self.recovered.read() {
            recovered.sync().map_err(poison)?;
        }
        self.storage.sync().map_err(poison)?;
        self.settled.store(true, Ordering::Release);
        Ok(())
    }

    pub(crate) fn close(&self) -> Result<()> {
        let mut checkpointed = self.hold_checkpointed();
        self.checkpoint_held(&mut checkpointed)?;
        let mut commit = self.commit.lock();
        if commit.is_unchanged() {
            commit.log = None;
            // Relaxed: read under the commit lock by whoever writes.
            self.closed.store(true, Ordering::Relaxed);
            drop(commit);
            return self.remove_companions();
        }
        drop(commit);
        drop(checkpointed);
        // Somebody has committed in between; closing is for when nobody does.
        self.close()
    }

    fn remove_companions(&self) -> Result<()> {
        let failed = |e| Error::io("removing the log", e);
        let mut removed = false;
        for suffix in [log::suffix(0), log::suffix(1), side::SUFFIX] {
            if self.storage.has_companion(suffix).map_err(failed)? {
                self.storage.remove_companion(suffix).map_err(failed)?;
                removed = true;
            }
        }
        if removed { self.storage.sync_directory().map_err(failed) } else { Ok(()) }
    }
}

#[cfg(all(test, loom))]
mod interleavings;
