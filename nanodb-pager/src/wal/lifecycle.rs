//! What the pager does with the log: beginning, syncing and removing it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::error::{Error, Result, is_full_disk, no_room, plain_answer};
use crate::file::storage::Storage;
use crate::ids::Seq;
use crate::random;
use crate::shared::Shared;
use crate::wal::group_commit::SyncRole;
use crate::wal::segment::Segment;
use crate::wal::state::NextLog;
use crate::wal::writer::{Log, least_len, prepare};
use crate::wal::{self, Lsn};

impl Shared {
    /// A file beside the database, whose name is on stable storage.
    ///
    /// That it was there before says nothing: a process that was killed may have made
    /// it, or a sync of the directory may have failed.
    ///
    /// The directory's sync, as any other, is not tried again once it has failed.
    pub(crate) fn sidecar(
        &self,
        suffix: &'static str,
        doing: &'static str,
    ) -> Result<Arc<dyn Storage>> {
        let file = self.storage.sidecar(suffix).map_err(|e| self.sidecar_failed(doing, e))?;
        let mut named = self.wal.named.lock();
        if !named.contains(&suffix) {
            let failed = |e| self.poison(Error::io("syncing the directory", e));
            self.storage.sync_directory().map_err(failed)?;
            named.push(suffix);
        }
        Ok(file)
    }

    /// What it means that a file beside the database can't be made, replaced or removed. If
    /// the database is not there any more, what lies there is another's, and this handle has no
    /// place left for a log.
    pub(crate) fn sidecar_failed(&self, doing: impl Into<String>, error: io::Error) -> Error {
        match self.io(doing, error) {
            displaced @ Error::Displaced { .. } => self.poison(displaced),
            other => other,
        }
    }

    /// Makes room in each log for `bytes` more than it holds and what is kept in it, before
    /// something begins that would stop half-way on a full disk.
    pub(crate) fn make_room_in_logs(&self, bytes: u64) -> Result<()> {
        if !self.storage.is_persistent() {
            return Ok(());
        }
        self.ready_to_write()?;
        self.wal.requested_bytes.fetch_max(bytes, Ordering::Relaxed);
        let doing = "making room for the log";
        let failed = |e| self.io(doing, e);
        let mut guard = self.lock_to_commit()?;
        self.check_writable()?;
        let commit = &mut *guard;
        let seq = commit.installed.next();
        let log = match &mut commit.log.writer {
            Some(log) => log,
            none => none.insert(self.begin_log(commit.log.next, seq)?),
        };
        let other = self.sidecar(wal::suffix(log.segment.generation + 1), doing)?;
        let other_len = other.len().map_err(failed)?;
        let least = least_len(self.options.log_bytes_max) + bytes;
        let missing = log.missing(bytes) + least.saturating_sub(other_len);
        let made = log.make_room(bytes);
        drop(guard);
        // The one that ends now may not know yet what is asked for, and cut it off.
        let _held = self.lock_disk_state();
        self.check_writable()?;
        let made = made.and_then(|()| {
            let other_len = other.len()?;
            prepare(&*other, other_len, self.options.log_bytes_max, bytes)
        });
        made.map_err(|error| match is_full_disk(&error) {
            true => failed(no_room(&plain_answer(&error), missing)),
            false => self.write_failed(failed(error)),
        })
    }

    /// Begins a log and writes its header, which is not synced.
    pub(crate) fn begin_log(&self, next: NextLog, first_seq: Seq) -> Result<Log> {
        self.take_reserve()?;
        let doing = "beginning a log";
        let NextLog { generation, previous_salt, base } = next;
        let suffix = wal::suffix(generation);
        let file = self.sidecar(suffix, doing)?;
        let salt = random::bits();
        let segment = Segment { uuid: self.uuid, generation, salt, previous_salt, first_seq };
        let mut log = Log::begin(file, segment, base, self.options.log_bytes_max)
            .map_err(|e| self.io(doing, e))?;
        log.write().map_err(|e| self.write_failed(Error::io("making room for the log", e)))?;
        Ok(log)
    }

    /// Makes sure that the log which comes after the one in use can be begun, and can be of use
    /// to commits that give space back, should the disk be full by then.
    pub(crate) fn prepare_log(&self) -> Result<()> {
        let commit = self.commit.lock();
        let Some(log) = commit.log.writer.as_ref().filter(|_| !commit.uncheckpointed.is_empty())
        else {
            return Ok(());
        };
        let generation = log.segment.generation + 1;
        drop(commit);
        let doing = "making room for the log";
        let file = self.sidecar(wal::suffix(generation), "beginning a log")?;
        let len = file.len().map_err(|e| self.io("asking for the log's length", e))?;
        prepare(&*file, len, self.options.log_bytes_max, 0)
            .map_err(|e| self.write_failed(Error::io(doing, e)))
    }

    /// Returns when the logs are on stable storage up to `lsn`.
    pub(crate) fn sync_log(&self, lsn: Lsn) -> Result<()> {
        match self.wal.group_sync.join(lsn) {
            SyncRole::Done => Ok(()),
            SyncRole::Failed => Err(self.poisoned()),
            SyncRole::Lead(leader) => {
                // Poisoned before the others wake: they ask why.
                let synced = self.lead_sync().map_err(|error| self.poison(error));
                self.wal.group_sync.finish(&leader, synced.as_ref().ok().copied());
                synced.map(|_| ())
            }
        }
    }

    /// Writes and syncs what all threads have appended; returns how far that is.
    fn lead_sync(&self) -> Result<Lsn> {
        self.check_process()?;
        let mut commit = self.commit.lock();
        self.check_writable()?;
        let former = commit.log.former.take();
        let unlogged = std::mem::take(&mut commit.log.unlogged_unsynced);
        let mut current = None;
        let mut end = commit.log.next.base;
        if let Some(log) = &mut commit.log.writer {
            log.pad(self.wal.group_sync.synced());
            // Poisoned while nobody else can write: nothing is tried a second time.
            log.write().map_err(|e| self.poison(Error::io("writing the log", e)))?;
            (current, end) = (Some(Arc::clone(&log.file)), log.end());
        }
        drop(commit);
        // Pages that records name were written before the records.
        if unlogged {
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
            commit.log.flush_requested = false;
            commit.log.end()
        };
        // A failure poisons the handle: the next writer is told.
        let _ = self.sync_log(end);
    }

    /// Puts on stable storage what has been committed so far, and what opening found.
    pub(crate) fn sync_committed(&self) -> Result<()> {
        self.check_writable()?;
        // What a process before has left may be in the operating system's memory alone.
        if !self.wal.resynced.load(Ordering::Acquire) {
            self.resync(&mut self.lock_disk_state())?;
        }
        let end = self.commit.lock().log.end();
        self.sync_log(end)
    }

    /// Does what must be done before the first commit.
    pub(crate) fn ready_to_write(&self) -> Result<()> {
        self.check_process()?;
        if self.wal.ready.load(Ordering::Acquire) {
            return Ok(());
        }
        // Acquire, with the release in `resync`: who sees it set sees it after the syncs.
        if !self.wal.resynced.load(Ordering::Acquire) {
            self.resync(&mut self.lock_disk_state())?;
        }
        // The log's bytes are vouched for by nobody but the sync just made.
        if self.wal.recovered.read().is_some() {
            self.checkpoint()?;
        }
        self.wal.ready.store(true, Ordering::Release);
        Ok(())
    }

    /// Brings the file up to date, removes the logs and refuses further writes.
    pub(crate) fn close(&self) -> Result<()> {
        let closed = self.checkpoint_and_close();
        if closed.is_err() && self.check_writable().is_ok() {
            // A checkpoint that has no room stops before what was committed since it began: relaxed
            // commits of that time are in memory alone.
            self.flush();
        }
        closed
    }

    fn checkpoint_and_close(&self) -> Result<()> {
        loop {
            let mut on_disk = self.lock_disk_state();
            self.checkpoint_last(&mut on_disk)?;
            self.truncate(&on_disk, 0, true)?;
            let mut commit = self.commit.lock();
            // Closing is for when nobody commits any more: else it begins again.
            if commit.uncheckpointed.is_empty() {
                commit.log.writer = None;
                // Relaxed: read under the commit lock by whoever writes.
                self.closed.store(true, Ordering::Relaxed);
                drop(commit);
                return self.remove_sidecars(&mut on_disk);
            }
        }
    }
}

#[cfg(all(test, loom))]
mod interleavings;
