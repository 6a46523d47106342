//! Installing a transaction: what a commit does, in the order in which it does it.
//!
//! ```text
//! write what goes to the data file; encode the record
//! under the commit lock: check conflicts; append the record; install pages and space; metadata
//! once it is unlocked: unlogged pages may be loaded; memory is counted
//! ```

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use smallvec::SmallVec;

use super::page_set::PrivatePage;
use super::write_tx::{WriteTx, extents, written};
use crate::cache::snapshot_registry::OldVersion;
use crate::cache::state::CacheState;
use crate::checkpoint::state::CheckpointUrgency;
use crate::durability::Durability;
use crate::error::{Error, Result, is_full_disk};
use crate::ids::{BODY_SIZE, Extent, PageId, Seq};
use crate::shared::Commit;
use crate::space::change::SpaceChange;
use crate::space::reserve::METADATA_ROOT_BYTES_PER_EXTENT;
use crate::space::runs::overlaps;
use crate::txn::installed::InstalledCommit;
use crate::wal::Lsn;
use crate::wal::payload::Builder;
use crate::wal::writer::{RECORD_LEN_MAX, is_within_reserve};

/// How often a commit that gives space back asks for a checkpoint to make room in the log: others
/// may take it in between.
const TRIES_MAX: u32 = 16;

/// How many bytes of relaxed commits gather before they are written.
const RELAXED_BYTES_MAX: usize = 64 * 1024;

/// The longest entry of an unlogged page: its number, a tag and a checksum.
const UNLOGGED_ENTRY_MAX: usize = 5 + 1 + 8;

impl WriteTx {
    /// Installs the changes: later transactions build on them, readers do not see them yet.
    ///
    /// The caller does what must be done before anybody sees them, then calls
    /// [`InstalledCommit::publish`]. Until then no later commit is published, whoever makes it: a
    /// thread that holds one and commits another deadlocks with itself.
    ///
    /// # Errors
    ///
    /// [`Error::WriteConflict`] if another transaction has changed or freed a page meanwhile,
    /// [`Error::NotAllocated`] if one has freed a page that this one frees too;
    /// [`Error::TransactionTooLarge`]; [`Error::Io`] if there is no room for the log;
    /// [`Error::Poisoned`], [`Error::Closed`]; [`Error::ReadOnly`], as from all that changes pages
    /// of a file that is open [read-only](crate::Options::read_only). Then nothing has changed.
    pub fn install(mut self, metadata: &[u8]) -> Result<InstalledCommit> {
        let shared = Arc::clone(&self.shared);
        if let Err(error) = shared.check_access() {
            // It can have changed nothing, but may say that it has.
            let seq = shared.publication.published();
            return if metadata.is_empty() {
                Ok(InstalledCommit::nothing(shared, seq))
            } else {
                Err(error)
            };
        }
        shared.ready_to_write()?;
        self.drop_freed();
        self.write_at_commit()?;
        let mut payload = Payload::empty();
        self.encode(metadata, &mut payload.0)?;
        if self.is_empty() && metadata.is_empty() {
            let commit = shared.commit.lock();
            shared.check_writable()?;
            let seq = commit.installed;
            drop(commit);
            return Ok(InstalledCommit::nothing(shared, seq));
        }
        let mut tries = self.tries_max(payload.0.len());
        let (mut commit, seq, logged) = loop {
            let mut commit = shared.lock_to_commit()?;
            shared.check_writable()?;
            self.check_conflicts()?;

            let seq = commit.installed.next();
            let error = match self.log(&mut commit, seq, &payload.0) {
                Ok(logged) => break (commit, seq, logged),
                Err(error) => error,
            };
            // A checkpoint may be able to make the log anew where it is.
            let urgency = if commit.schedule.log_full {
                CheckpointUrgency::Due
            } else {
                CheckpointUrgency::None
            };
            drop(commit);
            if urgency == CheckpointUrgency::None || tries == 0 {
                shared.request_checkpoint(urgency);
                return Err(error);
            }
            tries -= 1;
            match shared.checkpoint() {
                Ok(()) => {}
                Err(stopped) if stopped.is_out_of_space() => return Err(error),
                Err(failed) => return Err(failed),
            }
        };
        self.list_never_used();
        let admitted = self.install_pages(&mut commit, seq);
        self.install_space(&mut commit, seq);
        commit.uncheckpointed.metadata.push(metadata);
        commit.uncheckpointed.charged_bytes += self.charged_bytes;
        shared.checkpoint.count_charged(&commit.uncheckpointed, &commit.schedule);
        commit.installed = seq;
        let checkpoint = shared.checkpoint_urgency(&commit);
        let flush = self.durability == Durability::Relaxed
            && shared.options.background
            && commit.log.writer.is_some()
            && !std::mem::replace(&mut commit.log.flush_requested, true);
        drop(commit);
        if flush {
            shared.request_flush();
        }

        // Nobody can know of these pages before this function returns.
        let written = std::mem::take(&mut self.unlogged);
        if !written.is_empty() {
            let pages = written.into_iter().map(|(page, written)| (page, written.seq));
            shared.space.unlogged.commit(seq, pages);
            shared.cache.clock.set_unlogged_bytes(shared.space.unlogged.later_bytes());
        }
        shared.cache.admit(&admitted);
        Ok(InstalledCommit::new(shared, seq, self.durability, logged, checkpoint))
    }

    /// How often it is worth a checkpoint that there is no room in the log.
    fn tries_max(&self, payload_len: usize) -> u32 {
        if !self.may_use_reserve {
            0
        } else if is_within_reserve(payload_len, self.shared.options.log_bytes_max) {
            TRIES_MAX
        } else {
            // The other log may be longer.
            1
        }
    }

    /// Private copies of pages that are given back are of no use to anybody.
    fn drop_freed(&mut self) {
        if !self.freed.is_empty() {
            let freed = &self.freed;
            let is_kept = |_, page: &PrivatePage| !overlaps(freed, Extent::new(page.id, 1));
            self.pages.retain(is_kept, drop);
            let (freed, kept) = std::mem::take(&mut self.unlogged)
                .into_iter()
                .partition(|(page, _)| overlaps(freed, Extent::new(*page, 1)));
            self.unlogged = kept;
            self.shared.space.unlogged.give_up(written(&freed));
        }
    }

    /// Puts into `payload` what the log is to hold; nothing where there is no log.
    fn encode(&self, metadata: &[u8], payload: &mut Vec<u8>) -> Result<()> {
        if !self.shared.storage.is_persistent() {
            return Ok(());
        }
        // Checked before it is built, from above: no page takes more than its body and
        // a little for its ranges.
        let bytes = metadata.len()
            + self.pages.len() * (BODY_SIZE + 128)
            + self.unlogged.len() * UNLOGGED_ENTRY_MAX;
        if bytes > RECORD_LEN_MAX {
            return Err(Error::TransactionTooLarge { bytes, bytes_max: RECORD_LEN_MAX });
        }
        let logged = || self.pages.iter().filter(|page| !self.unlogged.contains_key(&page.id));
        let pages = logged().count() + self.unlogged.len();
        let mut builder = Builder::new(payload, metadata, &self.allocated, &self.freed, pages);
        for page in logged() {
            builder.page(page.id, &page.frame, page.fresh, &page.dirty);
        }
        for (&page, written) in &self.unlogged {
            builder.unlogged(page, written.checksum);
        }
        Ok(())
    }

    /// Appends the commit to the log. Until the record is appended, an error changes nothing.
    fn log(&self, commit: &mut Commit, seq: Seq, payload: &[u8]) -> Result<Lsn> {
        let shared = &*self.shared;
        if !shared.storage.is_persistent() {
            return Ok(Lsn::default());
        }
        let log = match &mut commit.log.writer {
            Some(log) => log,
            none => none.insert(shared.begin_log(commit.log.next, seq)?),
        };
        if let Err(error) = log.reserve(payload.len(), self.may_use_reserve) {
            commit.schedule.log_full = is_full_disk(&error);
            return Err(shared.write_failed(Error::io("making room for the log", error)));
        }
        let logged = log.append(seq, payload, shared.wal.group_sync.synced());
        commit.log.unlogged_unsynced |= !self.unlogged.is_empty();
        commit.uncheckpointed.unlogged_pages += self.unlogged.len();
        let write = match self.durability {
            Durability::Immediate => false,
            Durability::Buffered => true,
            Durability::Relaxed => log.buffered() > RELAXED_BYTES_MAX,
        };
        if write {
            log.write().map_err(|e| shared.poison(Error::io("writing the log", e)))?;
        }
        Ok(logged)
    }

    /// Returns the pages that were not in memory before.
    fn install_pages(&mut self, commit: &mut Commit, seq: Seq) -> SmallVec<[PageId; 4]> {
        let shared = &*self.shared;
        let mut admitted = SmallVec::new();
        let mut superseded = SmallVec::<[OldVersion; 4]>::new();
        for page in self.pages.take() {
            let id = page.id;
            let admit = if self.unlogged.contains_key(&id) {
                install_clean(&shared.cache, page, seq)
            } else {
                install_page(&shared.cache, commit, page, seq, &mut superseded)
            };
            if admit {
                admitted.push(id);
            }
        }
        shared.cache.snapshots.supersede(superseded);
        admitted
    }

    fn install_space(&mut self, commit: &mut Commit, seq: Seq) {
        let allocated = std::mem::take(&mut self.allocated);
        let freed = std::mem::take(&mut self.freed);
        let grows = self.metadata_root_growth
            + (allocated.len() + freed.len()) * METADATA_ROOT_BYTES_PER_EXTENT;
        self.shared.checkpoint.metadata_root_growth.fetch_add(grows, Ordering::Relaxed);
        if allocated.is_empty() && freed.is_empty() {
            return;
        }
        commit.uncheckpointed.space.extend(extents(&allocated).map(SpaceChange::Allocated));
        commit
            .uncheckpointed
            .space
            .extend(extents(&freed).map(|extent| SpaceChange::Freed(seq, extent)));
        if !freed.is_empty() {
            let pages: u32 = freed.values().sum();
            commit.uncheckpointed.freed_pages =
                commit.uncheckpointed.freed_pages.saturating_add(pages);
            self.shared.space.frees.fetch_add(1, Ordering::Relaxed);
            self.shared.cache.snapshots.make_due();
        }
        let mut allocator = self.shared.space.allocator.lock();
        extents(&allocated).for_each(|extent| allocator.keep(seq, extent));
        extents(&freed).for_each(|extent| allocator.defer(seq, extent));
    }

    /// Notes which of the pages taken are left for later transactions to initialise.
    fn list_never_used(&self) {
        if self.allocated.is_empty() || !self.shared.storage.is_persistent() {
            return;
        }
        let fresh = self.pages.iter().filter(|page| page.fresh).map(|page| page.id);
        let mut initialised: Vec<PageId> = fresh.chain(self.unlogged.keys().copied()).collect();
        initialised.sort_unstable();
        initialised.dedup();
        let freed = |extent: &Extent| !overlaps(&self.freed, *extent);
        self.shared.space.unlogged.list(extents(&self.allocated).filter(freed), &initialised);
    }

    fn is_empty(&self) -> bool {
        self.pages.is_empty()
            && self.freed.is_empty()
            && self.allocated.is_empty()
            && self.unlogged.is_empty()
    }
}

/// Room for what the log is to hold: each thread has some, to be used again.
struct Payload(Vec<u8>);

/// One huge transaction must not cost its memory for ever.
const PAYLOAD_KEPT_MAX: usize = 64 * 1024;

thread_local! {
    static PAYLOAD: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

impl Payload {
    fn empty() -> Self {
        // While a thread ends, there may be none.
        Self(PAYLOAD.try_with(Cell::take).unwrap_or_default())
    }
}

impl Drop for Payload {
    fn drop(&mut self) {
        self.0.clear();
        self.0.shrink_to(PAYLOAD_KEPT_MAX);
        let _ = PAYLOAD.try_with(|payload| payload.set(std::mem::take(&mut self.0)));
    }
}

/// Makes a page that was written directly its slot's newest version; no checkpoint need
/// write it. Returns whether none was in memory.
fn install_clean(cache: &CacheState, mut page: PrivatePage, seq: Seq) -> bool {
    Arc::make_mut(&mut page.frame).set_seq(seq);
    let slot = cache.table.slot(page.id);
    let _stripe = cache.stripes.lock(page.id);
    debug_assert!(!slot.is_dirty(), "{} was written though a checkpoint is to write it", page.id);
    slot.touch();
    slot.frame.swap(Some(page.frame)).is_none()
}

/// Makes a private page its slot's newest version. Returns whether none was in memory.
fn install_page(
    cache: &CacheState,
    commit: &mut Commit,
    mut page: PrivatePage,
    seq: Seq,
    superseded: &mut SmallVec<[OldVersion; 4]>,
) -> bool {
    Arc::make_mut(&mut page.frame).set_seq(seq);
    let slot = cache.table.slot(page.id);
    let _stripe = cache.stripes.lock(page.id);
    // A checkpoint under way still has to write what a page held that is made anew.
    let under_way = slot.is_dirty() && slot.due() != commit.schedule.next_number;
    let base = page.base.or_else(|| under_way.then(|| slot.frame.load_full()).flatten());
    if let Some(base) = base {
        let written_at = base.seq();
        superseded.push(OldVersion { page: page.id, written_at, superseded_at: seq });
        slot.push_older(base, seq);
        cache.clock.older_added();
    }
    slot.set_due(commit.mark_dirty(page.id, slot.due(), page.fresh));
    slot.touch();
    slot.frame.swap(Some(page.frame)).is_none()
}
