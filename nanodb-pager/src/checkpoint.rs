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
pub(crate) mod double_write;
pub(crate) mod hooks;
pub(crate) mod pages;
pub(crate) mod state;
mod write;

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use parking_lot::MutexGuard;

use self::state::{CheckpointUrgency, DiskState, RunningCheckpoint, StreamPlacement};
use crate::cache::dirty_page::DirtyPage;
use crate::error::{Error, Result};
use crate::file::header::LogState;
use crate::file::truncate::{WORTH_PAGES_AT_LAST, WORTH_PAGES_MIN};
use crate::ids::{PAGE_SIZE, PageId};
use crate::shared::{Commit, Shared};
use crate::wal::state::NextLog;

/// One in this many bytes of unlogged pages counts as if it were in the log: opening may have to
/// check them, which is faster than replaying as many bytes of log.
const UNLOGGED_PART: u64 = 8;

/// Pages that commits have freed are used again after a checkpoint. It is due when they are more than
/// 256 KiB and an eighth of the file.
const FREED_PAGES_MIN: u32 = 64;
const FREED_PART: u32 = 8;

/// How many more checkpoints a wanted one makes at most, so that the root and the free map do not
/// keep the file long: each moves them to pages that the one before has freed.
const MOVES_MAX: usize = 3;

/// [`DiskState`], held alone; commits that wait for a checkpoint look again afterwards.
pub(crate) struct DiskStateGuard<'a> {
    // Dropped first: the others are told when it is free.
    on_disk: MutexGuard<'a, DiskState>,
    _ended: EndSignal<'a>,
}

struct EndSignal<'a>(&'a Shared);

impl Drop for EndSignal<'_> {
    fn drop(&mut self) {
        // Under the lock, so that nobody who has just looked falls asleep after this.
        let _commit = self.0.commit.lock();
        self.0.checkpoint.log_switched.notify_all();
    }
}

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

impl Deref for DiskStateGuard<'_> {
    type Target = DiskState;

    fn deref(&self) -> &DiskState {
        &self.on_disk
    }
}

impl DerefMut for DiskStateGuard<'_> {
    fn deref_mut(&mut self) -> &mut DiskState {
        &mut self.on_disk
    }
}

impl Shared {
    /// Returns what the file on disk says, once no checkpoint is running.
    pub(crate) fn lock_disk_state(&self) -> DiskStateGuard<'_> {
        DiskStateGuard { on_disk: self.checkpoint.on_disk.lock(), _ended: EndSignal(self) }
    }

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
            if let Some(on_disk) = self.checkpoint.on_disk.try_lock() {
                drop(commit);
                let mut held = DiskStateGuard { on_disk, _ended: EndSignal(self) };
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

    /// Returns how urgent a checkpoint is: by what waits in memory and in the log for it.
    pub(crate) fn checkpoint_urgency(&self, commit: &Commit) -> CheckpointUrgency {
        if commit.schedule.log_full {
            return CheckpointUrgency::Due;
        }
        let log_bytes = commit.log_bytes();
        if log_bytes < commit.schedule.postponed {
            return CheckpointUrgency::None;
        }
        let budget = self.cache.clock.frames_max() * PAGE_SIZE;
        let waiting =
            commit.uncheckpointed.dirty.len() * PAGE_SIZE + commit.uncheckpointed.memory_bytes();
        // Nothing of this can be evicted, and readers must find some room.
        let held =
            waiting + commit.schedule.running_pages * PAGE_SIZE + commit.schedule.running_bytes;
        let log_bytes_max = self.options.log_bytes_max;
        if held > budget / 4 * 3 || log_bytes > log_bytes_max {
            CheckpointUrgency::Blocking
        } else if waiting > budget / 2
            || log_bytes > log_bytes_max / 8 * 7
            || self.much_is_freed(commit)
            || self.log_fills_the_disk(log_bytes)
        {
            CheckpointUrgency::Due
        } else {
            CheckpointUrgency::None
        }
    }

    /// Returns whether so many pages are pending that the file would grow for lack of them.
    fn much_is_freed(&self, commit: &Commit) -> bool {
        let freed = commit.uncheckpointed.freed_pages;
        freed >= FREED_PAGES_MIN
            && self.storage.is_persistent()
            && freed > self.space.page_count.load(Ordering::Relaxed) / FREED_PART
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
            if !self.own_pages_keep_the_file_long(on_disk, wanted, worth) {
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

    /// Puts the next checkpoint off until the log has grown a little: the disk was full.
    fn postpone(&self) {
        let mut commit = self.commit.lock();
        let log_bytes = commit.log_bytes();
        commit.schedule.postponed = log_bytes + self.options.log_bytes_max / 8;
        commit.schedule.log_full = false;
    }

    /// Makes what the file now says known. An error says no more than that a file beside it stays
    /// too long.
    fn finish(&self, on_disk: &mut DiskState, running: RunningCheckpoint) -> Result<()> {
        let taken_pages: u32 = running.taken().map(|extent| extent.pages).sum();
        let RunningCheckpoint { seq, dirty, number, placed, grown, .. } = running;
        self.cache.unregister(seq);
        let Some(StreamPlacement { header, metadata_root, free, streams, freed, .. }) = placed
        else {
            return Ok(());
        };
        self.checkpoint.count.fetch_add(1, Ordering::Relaxed);
        *self.checkpoint.metadata_root.lock() = Arc::clone(&metadata_root);
        let new = DiskState {
            header,
            metadata_root,
            free,
            streams,
            lost_map: None,
            taken_pages,
            double_write_tail: double_write::Tail::new(),
            stopped: None,
        };
        let old = std::mem::replace(on_disk, new);
        self.cache.mark_clean(&dirty, number);
        {
            let mut commit = self.commit.lock();
            (
                commit.schedule.running_pages,
                commit.schedule.running_bytes,
                commit.schedule.postponed,
            ) = (0, 0, 0);
            self.checkpoint.count_charged(&commit.uncheckpointed, &commit.schedule);
        }
        self.cache.clock.cleaned();
        let log_generation = on_disk.header.log_generation;
        let mut shortened = Ok(());
        {
            let mut recovered = self.wal.recovered.write();
            if recovered.is_some() {
                // Nobody reads it under the lock, nor begins it: that is done after a recovery.
                shortened = self.shorten_log(log_generation);
            }
            *recovered = None;
        }
        shortened = shortened.and_then(|()| self.shorten_log(log_generation + 1));
        shortened = shortened.and_then(|()| self.shorten_double_write(old.double_write_tail.end));
        self.wal.met_full_disk.store(false, Ordering::Relaxed);
        self.checkpoint.done_seq.store(seq.get(), Ordering::Relaxed);
        // Before others may write over what it refers to.
        self.hooks.after_checkpoint(&on_disk.metadata_root, seq);
        let given_back: u32 = old.streams.iter().chain(&freed).map(|extent| extent.pages).sum();
        let own_pages = self.space.own_pages.load(Ordering::Relaxed).saturating_add(taken_pages);
        self.space.own_pages.store(own_pages.saturating_sub(given_back), Ordering::Relaxed);
        let mut allocator = self.space.allocator.lock();
        for extent in old.streams.into_iter().chain(freed) {
            allocator.release(extent);
        }
        allocator.set_own(&on_disk.streams);
        drop(allocator);
        self.checkpoint.metadata_root_bytes.store(on_disk.metadata_root.len(), Ordering::Relaxed);
        self.checkpoint.metadata_root_growth.fetch_sub(grown, Ordering::Relaxed);
        self.prune();
        self.prune_unseen();
        self.keep_budget();
        shortened
    }

    /// Step 1. Nothing if there is nothing to write, unless it is `wanted` all the same.
    fn switch_log(&self, on_disk: &DiskState, wanted: bool) -> Result<Option<RunningCheckpoint>> {
        let mut commit = self.commit.lock();
        self.check_writable()?;
        let commit = &mut *commit;
        // Whatever comes of it: who finds no room again asks again.
        commit.schedule.log_full = false;
        let recovered = self.wal.recovered.read();
        if commit.uncheckpointed.is_empty() && recovered.is_none() && !wanted {
            return Ok(None);
        }
        let seq = commit.installed;
        match commit.log.writer.take() {
            Some(mut old) => {
                old.pad(self.wal.group_sync.synced());
                let written = old.write().map_err(|e| Error::io("writing the log", e));
                written.map_err(|error| self.poison(error))?;
                commit.log.next = NextLog {
                    generation: old.segment.generation + 1,
                    previous_salt: old.segment.salt,
                    base: old.end(),
                };
                commit.log.former = Some(old.file);
            }
            // The logs that were recovered are of the header's generation and the next
            // at most, and both are needed until this checkpoint is done.
            None if recovered.is_some() => {
                commit.log.next.generation = on_disk.header.log_generation + 2;
            }
            // The log that the next commit begins goes on from this header and from the next.
            None => {}
        }
        commit.log.next_header_names_log = on_disk.header.log_state == LogState::Logged;
        let number = commit.schedule.next_number;
        commit.schedule.next_number += 1;
        commit.schedule.running_pages = commit.uncheckpointed.dirty.len();
        commit.schedule.running_bytes = commit.uncheckpointed.memory_bytes();
        commit.uncheckpointed.charged_bytes = 0;
        self.checkpoint.begun_seq.store(seq.get(), Ordering::Relaxed);
        commit.uncheckpointed.unlogged_pages = 0;
        commit.uncheckpointed.freed_pages = 0;
        let mut dirty = std::mem::take(&mut commit.uncheckpointed.dirty);
        // Nobody has committed yet where pages are still to be put together.
        if let Some(recovered) = &*recovered {
            let fresh = |page| recovered.is_fresh(page);
            let pages = recovered.pages().into_iter();
            dirty = pages.map(|page| DirtyPage { page, fresh: fresh(page) }).collect();
        }
        dirty.sort_unstable_by_key(|dirty| dirty.page);
        // Before any later commit can replace the versions this one writes.
        self.cache.snapshots.register(|| seq);
        self.checkpoint.log_switched.notify_all();
        Ok(Some(RunningCheckpoint {
            seq,
            metadata: std::mem::take(&mut commit.uncheckpointed.metadata),
            space: std::mem::take(&mut commit.uncheckpointed.space),
            dirty,
            recovered: recovered.is_some(),
            number,
            logged: commit.log.next.base,
            log_generation: commit.log.next.generation,
            placed: None,
            grown: self.checkpoint.metadata_root_growth.load(Ordering::Relaxed),
            imaged: 0,
            written: 0,
        }))
    }
}

impl Commit {
    /// What of the log counts against its limit.
    fn log_bytes(&self) -> u64 {
        self.log.len() + (self.uncheckpointed.unlogged_pages * PAGE_SIZE) as u64 / UNLOGGED_PART
    }

    /// Notes that the newest version of a page is to be written by the next checkpoint.
    pub(crate) fn mark_dirty(&mut self, page: PageId, due: u64, fresh: bool) -> u64 {
        if due != self.schedule.next_number {
            self.uncheckpointed.dirty.push(DirtyPage { page, fresh });
        }
        self.schedule.next_number
    }
}
