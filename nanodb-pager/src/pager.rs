//! The pager: one open file.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use crate::cache::guard::PageGuard;
use crate::checkpoint::pages::{CheckpointPages, PageTag};
use crate::error::Result;
use crate::file::storage::Access;
use crate::handle::PagerHandle;
use crate::ids::{Extent, PAGE_SIZE, PageId, Seq};
use crate::open_report::OpenReport;
use crate::shared::Shared;
use crate::txn::write_tx::WriteTx;

/// One open file of pages. Cloning gives another handle to the same.
///
/// Safe to use from any number of threads. The file is closed with the last
/// handle; [`close`](Self::close) does it with a report, and [`release`](Self::release) unlocks it
/// before.
#[derive(Clone)]
pub struct Pager {
    pub(crate) shared: Arc<PagerHandle>,
}

impl Pager {
    /// Returns the metadata root: what the metadata of all commits comes to, up to the last
    /// checkpoint or, if that was later, to when the file was opened. Empty for a new file.
    pub fn metadata_root(&self) -> Arc<[u8]> {
        Arc::clone(&self.shared.checkpoint.metadata_root.lock())
    }

    /// Returns what opening the file found.
    pub fn open_report(&self) -> OpenReport {
        self.shared.report
    }

    /// Returns 16 random bytes that identify the file, from its creation on.
    pub fn uuid(&self) -> [u8; 16] {
        self.shared.uuid
    }

    /// Returns a random number that stays with the file, for hashes that are stored in it.
    pub fn hash_seed(&self) -> u64 {
        self.shared.hash_seed
    }

    /// Returns how many bytes of pages are kept in memory at most.
    pub fn cache_bytes_max(&self) -> usize {
        self.shared.cache.clock.frames_max() * PAGE_SIZE
    }

    /// Returns the newest commit that readers may look at.
    #[inline]
    pub fn published(&self) -> Seq {
        self.shared.publication.published()
    }

    /// Waits until commit `seq`, which is installed, is [published](Self::published); false if it
    /// never will be, because a write or a sync has failed. Its committer must not wait for the
    /// caller.
    #[must_use]
    pub fn wait_until_published(&self, seq: Seq) -> bool {
        self.shared.publication.wait(seq)
    }

    /// Returns the newest version of `page` that is not above `at`.
    ///
    /// Costs no lock and no reference count when the page is in memory. `at` is
    /// what [`published`](Self::published) returned; it may become outdated while
    /// it is used, which ends in [`Error::NoVersion`](crate::Error::NoVersion): ask again and
    /// repeat.
    ///
    /// # Errors
    ///
    /// [`Error::NoVersion`](crate::Error::NoVersion); [`Error::Corrupt`](crate::Error::Corrupt) if
    /// the page on disk is damaged or the file has no such page; [`Error::Io`](crate::Error::Io).
    #[inline]
    pub fn page(&self, page: PageId, at: Seq) -> Result<PageGuard> {
        let shared: &Shared = &self.shared;
        if shared.space.check_bounds(page).is_err() {
            return Err(shared.behind_the_end(page, at));
        }
        let slot = shared.cache.table.slot(page);
        let guard = slot.frame.load();
        if let Some(frame) = guard.as_ref() {
            slot.touch();
            if frame.seq() <= at {
                return Ok(PageGuard::borrowed(guard));
            }
        }
        drop(guard);
        shared.page_slow(page, slot, at)
    }

    /// Reads checkpoint pages that lie side by side, with one call; see
    /// [`CheckpointPageWriter`](crate::CheckpointPageWriter).
    ///
    /// They are read from the file each time. The caller must not read them any
    /// more once [`CheckpointHooks::after_checkpoint`](crate::CheckpointHooks::after_checkpoint)
    /// has said that they are freed.
    ///
    /// # Errors
    ///
    /// [`Error::Corrupt`](crate::Error::Corrupt) if one of them is damaged, is none of those that
    /// `tag` means, or lies behind the file's end; [`Error::Io`](crate::Error::Io).
    pub fn read_checkpoint_pages(&self, pages: Extent, tag: PageTag) -> Result<CheckpointPages> {
        self.shared.read_checkpoint_pages(pages, tag)
    }

    /// Calls `visit` with the metadata of each commit since the last checkpoint, in commit order.
    /// Right after opening these are the commits that a crash has left in the logs.
    ///
    /// No commit is installed meanwhile.
    pub fn for_each_uncheckpointed(&self, visit: impl FnMut(&[u8])) {
        self.shared.commit.lock().uncheckpointed.metadata.iter().for_each(visit);
    }

    /// Begins a write transaction. Several may be under way at once as long as no
    /// two write the same page.
    pub fn begin(&self) -> WriteTx {
        WriteTx::new(Arc::clone(&self.shared))
    }

    /// Returns when everything committed before the call is on stable storage, whatever its level.
    ///
    /// Costs one sync of the log, shared with commits of other threads, and none if
    /// nothing has been committed since the last one. It makes no
    /// [`checkpoint`](Self::checkpoint). The first call after opening a file that was not closed
    /// also saves what was found, as the first commit would.
    ///
    /// # Errors
    ///
    /// [`Error::Poisoned`](crate::Error::Poisoned) if a write or sync fails, now or earlier;
    /// [`Error::Closed`](crate::Error::Closed); [`Error::Io`](crate::Error::Io) if there is no room
    /// to save what was found.
    pub fn sync(&self) -> Result<()> {
        self.shared.sync_committed()
    }

    /// Makes a checkpoint: writes everything committed so far to the file, so that opening it
    /// need not read the log.
    ///
    /// One is made automatically when the log has grown to its limit; commits and readers go
    /// on meanwhile. On return everything committed before the call is on stable
    /// storage, whatever its level.
    ///
    /// # Errors
    ///
    /// [`Error::Io`](crate::Error::Io) if the disk is full: nothing is lost, commits go on, and the
    /// next checkpoint goes on where this one stopped. [`Error::Poisoned`](crate::Error::Poisoned)
    /// if anything else fails, now or earlier, with the failure as its cause: a write or sync, or
    /// [`Error::Metadata`](crate::Error::Metadata), [`Error::Full`](crate::Error::Full),
    /// [`Error::Corrupt`](crate::Error::Corrupt); [`Error::Closed`](crate::Error::Closed);
    /// [`Error::ReadOnly`](crate::Error::ReadOnly).
    pub fn checkpoint(&self) -> Result<()> {
        self.shared.checkpoint()
    }

    /// Makes a checkpoint even if nothing has changed since the last one: the root, the free map
    /// and checkpoint pages may find room further in front, and the file be truncated behind them.
    ///
    /// # Errors
    ///
    /// Same as [`checkpoint`](Self::checkpoint).
    pub fn checkpoint_always(&self) -> Result<()> {
        self.shared.checkpoint_always()
    }

    /// Makes room on the disk for `bytes` more in each log, besides what is kept for commits that
    /// make room: before something begins that would stop half-way on a full disk.
    ///
    /// # Errors
    ///
    /// [`Error::Io`](crate::Error::Io) if the disk is full, which says how many bytes are needed;
    /// [`Error::Poisoned`](crate::Error::Poisoned), [`Error::Closed`](crate::Error::Closed).
    pub fn make_room_in_logs(&self, bytes: u64) -> Result<()> {
        self.shared.make_room_in_logs(bytes)
    }

    /// Makes a last checkpoint, removes the sidecars, and refuses further writes. One
    /// file remains. There is nothing to do where the file is open read-only: what lies beside it
    /// stays.
    ///
    /// The file stays locked until the last handle, snapshot and transaction is gone, or it is
    /// [released](Self::release).
    ///
    /// # Errors
    ///
    /// Same as [`checkpoint`](Self::checkpoint).
    pub fn close(self) -> Result<()> {
        match self.shared.options.access {
            Access::Read => Ok(()),
            Access::Write => self.shared.close(),
        }
    }

    /// Lets go of the file although handles, snapshots and transactions are still there, and
    /// unlocks it: another process may open it. What was not written by then, as by
    /// [`close`](Self::close), is in the log, and the next opening reads it.
    ///
    /// Waits for checkpoints that are under way, for whoever reads the file, and for transactions
    /// that are writing new pages to it or making it longer. Afterwards nothing of it is written,
    /// and pages that are in memory can still be read; for others there is
    /// [`Error::Closed`](crate::Error::Closed). The caller is in no call of this pager, and no
    /// commit is under way. A second call does nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Io`](crate::Error::Io) if the file can't be unlocked;
    /// [`Error::Forked`](crate::Error::Forked) in a fork, which leaves the file as it is.
    pub fn release(&self) -> Result<()> {
        self.shared.release()
    }

    /// Returns an error if the file was opened by another process, of which this one is a fork.
    ///
    /// # Errors
    ///
    /// [`Error::Forked`](crate::Error::Forked).
    pub fn check_process(&self) -> Result<()> {
        self.shared.check_process()
    }

    /// Returns where the file is; none if it has no name.
    pub fn path(&self) -> Option<&Path> {
        self.shared.storage.path()
    }

    /// Returns an error if the file was opened for reading only, whatever is to be written.
    ///
    /// # Errors
    ///
    /// [`Error::ReadOnly`](crate::Error::ReadOnly).
    #[inline]
    pub fn check_access(&self) -> Result<()> {
        self.shared.check_access()
    }
}

impl fmt::Debug for Pager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pager")
            .field("storage", &self.shared.storage)
            .field("published", &self.published())
            .finish_non_exhaustive()
    }
}
