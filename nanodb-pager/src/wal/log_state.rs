//! Whose the files beside the database are, and whether one of them is needed.
//!
//! Any file may happen to be called `data.nanodb-log1`: a copy that somebody made, another
//! database. And any of them may be lost: left behind when the database was moved, or beside
//! another hard link to it. Neither may cost anything without a word. So the header has a
//! [`LogState`]:
//!
//! ```text
//!          reserve_sidecar_names         begin_named_log
//!   Closed ---------------------> Open ------------------> Logged ---+
//!     ^                           | ^                       | ^      | write_checkpoint, if commits
//!     |      remove_sidecars      | |    write_checkpoint,  | |      | have begun the next log
//!     +---------------------------+ +-----------------------+ +------+ meanwhile
//!                                        if none has, or
//!                                        remove_sidecars
//! ```
//!
//! | state | what a crash leaves | and opening does |
//! |---|---|---|
//! | `Closed` | the file alone; beside it what closing has not removed yet, or another's files | ignores another's files; replays nothing |
//! | `Open` | the file, and sidecars that are the database's own, of which none is needed | replays nothing |
//! | `Logged` | the file, the log of the header's `log_generation`, perhaps the one after it, and images | replays both; [`Error::LogLost`] if the first is missing |
//!
//! How a log that is open comes and goes while the header says one of these is drawn at
//! [`OpenLog`](crate::wal::state::OpenLog).
//!
//! # Invariants
//!
//! 1. While it is `Closed`, what lies beside the database is used or removed only if it says that
//!    it is this database's own, or says nothing at all (zeros). Names are looked at before it is
//!    `Open`.
//! 2. From `Open` on, the names are the database's own, whatever a torn write has made of the
//!    files.
//! 3. It is `Logged` only once the first block of the log of the header's `log_generation` is on
//!    stable storage, name included; and before a commit that goes to that log is acknowledged. So
//!    who finds it `Logged` and has no such log misses commits. By then the name of the other log
//!    is there, too, and stays as long as it is `Logged`: who finds that one gone may miss what was
//!    committed while a checkpoint was under way.
//! 4. A commit may begin the log after the header's without asking while a checkpoint is under way
//!    that is going to name it. Until that header is written, the one before names the log
//!    before, without which the later one does not count either.
//! 5. A state is a revision of the header: it is written to the copy that is not the one known to
//!    be on stable storage, and synced. So a torn write leaves the state before.

use std::sync::Arc;

use parking_lot::MutexGuard;

use crate::checkpoint::state::DiskState;
use crate::error::{Error, Result};
use crate::file::header::{Header, LogState};
use crate::file::sidecars::{SIDECARS, Whose, copy_suffix, name, whose};
use crate::file::storage::Storage;
use crate::ids::PageId;
use crate::shared::{Commit, Shared};

/// A write of the header where one was is refused only by file systems that never write in place.
const MAKING_ROOM: &str = "making room for the log";

impl Shared {
    /// The commit lock, once there is a log for commits, or one may be begun. None is where
    /// nothing is logged.
    pub(crate) fn lock_to_commit(&self) -> Result<MutexGuard<'_, Commit>> {
        loop {
            let commit = self.commit.lock();
            let may_go_on = commit.log.writer.is_some() || commit.log.next_header_names_log;
            if may_go_on || !self.storage.is_persistent() {
                return Ok(commit);
            }
            drop(commit);
            self.begin_named_log()?;
        }
    }

    /// Begins a log that the header on stable storage names.
    fn begin_named_log(&self) -> Result<()> {
        let mut on_disk = self.lock_disk_state();
        self.check_writable()?;
        self.reserve_sidecar_names(&mut on_disk)?;
        // Nobody may append before the header names it.
        let mut commit = self.commit.lock();
        self.check_writable()?;
        if commit.log.writer.is_some() || commit.log.next_header_names_log {
            return Ok(());
        }
        let log = self.begin_log(commit.log.next, commit.installed.next())?;
        self.sync_begun(&*log.file)?;
        self.write_log_state(&mut on_disk, LogState::Logged, MAKING_ROOM)?;
        commit.log.writer = Some(log);
        Ok(())
    }

    fn sync_begun(&self, log: &dyn Storage) -> Result<()> {
        log.sync().map_err(|e| self.poison(Error::io("syncing a new log", e)))
    }

    /// Makes sure that what has the name of a sidecar is one, and says in the header that
    /// the names are taken.
    pub(crate) fn reserve_sidecar_names(&self, on_disk: &mut DiskState) -> Result<()> {
        if on_disk.header.log_state != LogState::Closed || !self.storage.is_persistent() {
            return Ok(());
        }
        let doing = "beginning a log";
        let recovered = self.wal.recovered.read().is_some();
        for suffix in SIDECARS {
            match self.found(suffix, "reading the files beside the database")? {
                None => {}
                Some(whose) if !self.is_own(whose) => {
                    return Err(Error::ForeignFile { file: name(&*self.storage, suffix) });
                }
                // What another has put there, though it is empty, is still his.
                Some(_) if !recovered => self.remove_sidecar(suffix, doing)?,
                Some(_) => {}
            }
        }
        self.write_log_state(on_disk, LogState::Open, MAKING_ROOM)
    }

    /// Whose a sidecar is, if there is one.
    fn found(&self, suffix: &str, doing: &'static str) -> Result<Option<Whose>> {
        let failed = |e| Error::io(doing, e);
        let found = self.storage.found_sidecar(suffix).map_err(failed)?;
        found.map(|file| whose(&*file).map_err(failed)).transpose()
    }

    fn is_own(&self, whose: Whose) -> bool {
        whose == Whose::Nobodys || whose == Whose::Of(self.uuid)
    }

    fn remove_sidecar(&self, suffix: &str, doing: &'static str) -> Result<()> {
        self.storage.remove_sidecar(suffix).map_err(|e| self.sidecar_failed(doing, e))
    }

    /// What the header of a checkpoint is to say. From here until it is written, a commit that has
    /// no log waits.
    pub(crate) fn next_log_state(&self) -> Result<LogState> {
        if !self.storage.is_persistent() {
            return Ok(LogState::Closed);
        }
        let mut commit = self.commit.lock();
        commit.log.next_header_names_log = false;
        let begun = commit.log.writer.as_ref().map(|log| (Arc::clone(&log.file), log.begun()));
        drop(commit);
        let Some((file, begun)) = begun else { return Ok(LogState::Open) };
        if self.wal.group_sync.synced() < begun {
            self.sync_begun(&*file)?;
        }
        Ok(LogState::Logged)
    }

    /// Writes the next revision of the header, which differs from the one before in this alone.
    fn write_log_state(
        &self,
        on_disk: &mut DiskState,
        state: LogState,
        doing: &'static str,
    ) -> Result<()> {
        let before = &on_disk.header;
        let header = Header { log_state: state, revision: before.revision + 1, ..before.clone() };
        let copy = header.first_copy();
        // The copy that counts stays as it is, so a write may be tried again; a sync never is.
        self.storage
            .write_at(&header.encode(copy).bytes, PageId::new(copy).offset())
            .map_err(|e| self.write_failed(Error::io(doing, e)))?;
        self.storage.sync().map_err(|e| self.poison(Error::io("syncing the header", e)))?;
        on_disk.header = header;
        Ok(())
    }

    /// Removes what is this database's own beside it, once nothing of it is needed. Others' files
    /// stay.
    ///
    /// One that says whose it is, so that it is known again whatever a power cut does, goes last:
    /// as long as it is there, the next opening does not rely on the header's being on stable
    /// storage.
    pub(crate) fn remove_sidecars(&self, on_disk: &mut DiskState) -> Result<()> {
        if !self.storage.is_persistent() {
            return Ok(());
        }
        let doing = "removing the log";
        if on_disk.header.log_state == LogState::Logged {
            self.write_log_state(on_disk, LogState::Open, doing)?;
        }
        let is_reserved = on_disk.header.log_state == LogState::Open;
        let mut last = None;
        let mut removed = false;
        for suffix in SIDECARS {
            let Some(whose) = self.found(suffix, doing)? else { continue };
            if is_reserved && last.is_none() && whose == Whose::Of(self.uuid) {
                last = Some(suffix);
            } else if is_reserved || self.is_own(whose) {
                self.remove_sidecar(suffix, doing)?;
                removed = true;
            }
        }
        let failed = |e| self.sidecar_failed(doing, e);
        // This database's uuid is in its name.
        let copy = copy_suffix(&self.uuid);
        if self.storage.has_sidecar(&copy).map_err(failed)? {
            self.remove_sidecar(&copy, doing)?;
            removed = true;
        }
        if removed {
            self.storage.sync_directory().map_err(failed)?;
        }
        let Some(last) = last else { return Ok(()) };
        self.write_log_state(on_disk, LogState::Closed, doing)?;
        self.remove_sidecar(last, doing)?;
        self.storage.sync_directory().map_err(failed)
    }
}
