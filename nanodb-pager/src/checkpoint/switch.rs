//! Beginning a checkpoint: switching to the next log, and taking over what commits have changed.

use std::sync::atomic::Ordering;

use super::state::{DiskState, RunningCheckpoint};
use crate::cache::dirty_page::DirtyPage;
use crate::error::{Error, Result};
use crate::file::header::LogState;
use crate::shared::Shared;
use crate::wal::state::NextLog;

impl Shared {
    /// Step 1. Nothing if there is nothing to write, unless it is `wanted` all the same.
    pub(super) fn switch_log(
        &self,
        on_disk: &DiskState,
        wanted: bool,
    ) -> Result<Option<RunningCheckpoint>> {
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
