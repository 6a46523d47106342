//! Checkpoints: writing to the data file what the log holds, so that the log can be used again.
//!
//! 1. Under the commit lock: switch to the next log, take over the dirty pages, the metadata
//!    and the space changes. Commits go on at once. The checkpoint shows the file as
//!    of the last commit before the switch, and a snapshot keeps the versions it needs.
//! 2. Sync the old log: what is written in place must be durable in the log first.
//! 3. Write the root and the free map, and what the layer above saves besides, into pages that
//!    nothing durable refers to.
//! 4. For each batch of pages: write their images to the double-write buffer and sync it, then
//!    write them in place. Pages that the log holds whole need no image.
//! 5. Sync, let one copy of the header point to all this, sync, then the other copy.
//!
//! 6. [Truncate](crate::file::truncate) free pages off the end of the file.
//!
//! A crash before step 5 is done finds the old header, both logs, and the images of
//! whatever was torn. Only after it do pages that were freed before the switch, and the
//! old log, get new contents.
//!
//! On a full disk it makes do with what is [kept](crate::space::reserve) for that: the root and the
//! free map go to free pages, in pieces if need be; images to the same few pages of the
//! double-write buffer, batch after batch, each once the pages of the one before are durable in
//! place.
//!
//! A checkpoint that meets a full disk in step 3 or 4 all the same, as one of what a crash has
//! left, or where the file system writes nothing in place, stops. It keeps what it has taken over
//! and what it has done, and the next one begins by going on with it. Until then both logs are
//! needed, so none switches to a third.

pub(crate) mod commit_metadata;
mod disk_state_guard;
pub(crate) mod double_write;
mod finish;
pub(crate) mod hooks;
pub(crate) mod pages;
mod policy;
pub(crate) mod state;
mod switch;
mod write;

use self::state::{CheckpointUrgency, DiskState, RunningCheckpoint};
use crate::error::Result;
use crate::file::truncate::{WORTH_PAGES_AT_LAST, WORTH_PAGES_MIN};
use crate::shared::Shared;

/// How many more checkpoints a wanted one makes at most, so that the root and the free map do not
/// keep the file long: each moves them to pages that the one before has freed.
const MOVES_MAX: usize = 3;

/// The layer above is done with what it does before a checkpoint, or has panicked.
struct PreparationGuard<'a>(&'a Shared);

impl Drop for PreparationGuard<'_> {
    fn drop(&mut self) {
        self.0.commit.lock().schedule.preparing = false;
    }
}

/// Dropped only by a panic, as of the layer above's hooks: what the checkpoint has taken over
/// is gone from memory then, so no later one may make the log superfluous.
struct PoisonIfUnwound<'a>(&'a Shared);

impl Drop for PoisonIfUnwound<'_> {
    fn drop(&mut self) {
        self.0.panicked();
    }
}

impl Shared {
    /// Makes a checkpoint, unless nothing has changed.
    pub(crate) fn checkpoint(&self) -> Result<()> {
        self.prepare();
        self.checkpoint_held(&mut self.lock_disk_state(), false)
    }

    /// Makes a checkpoint even if nothing has changed.
    pub(crate) fn checkpoint_always(&self) -> Result<()> {
        self.checkpoint_held(&mut self.lock_disk_state(), true)
    }

    /// Makes a checkpoint on this thread if one is due and none is running. Waits for a running one
    /// only if commits must be slowed down, and only until it has switched to another log.
    pub(crate) fn checkpoint_if_due(&self) -> Result<()> {
        let mut commit = self.commit.lock();
        let mut prepared = false;
        loop {
            let urgency = self.checkpoint_urgency(&commit);
            if urgency == CheckpointUrgency::None
                || urgency == CheckpointUrgency::Due && commit.schedule.preparing
            {
                return Ok(());
            }
            if urgency == CheckpointUrgency::Due
                && !prepared
                && !self.checkpoint.on_disk.is_locked()
            {
                drop(commit);
                self.prepare();
                prepared = true;
                commit = self.commit.lock();
                continue;
            }
            // Not waited for under the commit lock, or whoever has it could not go on.
            if let Some(mut held) = self.try_lock_disk_state() {
                drop(commit);
                return self.checkpoint_held(&mut held, false);
            }
            if urgency == CheckpointUrgency::Due {
                return Ok(());
            }
            self.checkpoint.log_switched.wait(&mut commit);
        }
    }

    /// Makes checkpoints until none is due: for the background.
    pub(crate) fn catch_up(&self) {
        loop {
            let mut commit = self.commit.lock();
            if self.checkpoint_urgency(&commit) == CheckpointUrgency::None {
                commit.schedule.requested = false;
                return;
            }
            drop(commit);
            self.prepare();
            let mut held = self.lock_disk_state();
            let mut commit = self.commit.lock();
            commit.schedule.requested = false;
            let urgency = self.checkpoint_urgency(&commit);
            drop(commit);
            // Between two of them commits that wait go on: the second begins by switching logs.
            if urgency == CheckpointUrgency::None || self.checkpoint_held(&mut held, false).is_err()
            {
                return;
            }
        }
    }

    /// Calls the layer above's hook before a checkpoint, unless commits wait for the checkpoint.
    fn prepare(&self) {
        let mut commit = self.commit.lock();
        let is_pressing = commit.schedule.log_full
            || commit.schedule.postponed > 0
            || self.checkpoint_urgency(&commit) == CheckpointUrgency::Blocking;
        let may_write = self.check_process().and_then(|()| self.check_writable());
        if is_pressing || may_write.is_err() {
            return;
        }
        if std::mem::replace(&mut commit.schedule.preparing, true) {
            return;
        }
        let log_bytes = commit.log_bytes();
        drop(commit);
        let _prepared = PreparationGuard(self);
        self.hooks.before_checkpoint(log_bytes);
    }

    /// Makes a checkpoint, and makes the next log ready for commits that follow.
    fn checkpoint_held(&self, on_disk: &mut DiskState, wanted: bool) -> Result<()> {
        self.go_on_if_stopped(on_disk)?;
        if let Err(error) = self.prepare_log() {
            // The log has not been switched yet: commits go on with the one that they have.
            self.postpone();
            return Err(error);
        }
        self.checkpoint_now(on_disk, wanted, WORTH_PAGES_MIN)
    }

    /// Makes a checkpoint as the last thing that is done to the file.
    pub(crate) fn checkpoint_last(&self, on_disk: &mut DiskState) -> Result<()> {
        self.go_on_if_stopped(on_disk)?;
        self.checkpoint_now(on_disk, false, WORTH_PAGES_AT_LAST)
    }

    fn go_on_if_stopped(&self, on_disk: &mut DiskState) -> Result<()> {
        self.check_process()?;
        self.check_writable()?;
        self.resync(on_disk)?;
        self.bury_lost_map(on_disk)?;
        match on_disk.stopped.take() {
            Some(stopped) => self.go_on(on_disk, stopped),
            None => Ok(()),
        }
    }

    /// Switches to another log and does the rest.
    fn checkpoint_now(&self, on_disk: &mut DiskState, wanted: bool, worth: u32) -> Result<()> {
        let is_forced = wanted || on_disk.lost_map.is_some();
        if is_forced || self.wal.recovered.read().is_some() {
            // While nothing has been taken over yet: somebody else's file is no reason to refuse
            // reads.
            self.reserve_sidecar_names(on_disk)?;
        }
        match self.switch_log(on_disk, is_forced)? {
            Some(running) => self.go_on(on_disk, running)?,
            None => {
                // Since the last one a snapshot may have gone.
                self.prune();
                self.truncate(on_disk, on_disk.taken_pages, false)?;
            }
        }
        // What was freed before it could not be used by this one yet.
        for _ in 0..if wanted { MOVES_MAX } else { 1 } {
            if !self.space.own_pages_keep_the_file_long(on_disk, wanted, worth) {
                break;
            }
            self.reserve_sidecar_names(on_disk)?;
            let Some(running) = self.switch_log(on_disk, true)? else { break };
            self.go_on(on_disk, running)?;
        }
        Ok(())
    }

    /// Steps 2 to 5, as far as they are not done.
    fn go_on(&self, on_disk: &mut DiskState, mut running: RunningCheckpoint) -> Result<()> {
        let unwinding = PoisonIfUnwound(self);
        let written = self.write_checkpoint(on_disk, &mut running);
        std::mem::forget(unwinding);
        if let Err(error) = written {
            if error.is_out_of_space() {
                on_disk.stopped = Some(running);
                self.postpone();
                return Err(error);
            }
            self.cache.unregister(running.seq);
            // The next header must not be written over a half-done one.
            return Err(self.poison(error));
        }
        let shortened = self.finish(on_disk, running);
        self.truncate(on_disk, on_disk.taken_pages, false)?;
        shortened
    }
}
