//! What all handles of a file share: data alone, and whether it may still be written.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use parking_lot::{Condvar, Mutex, RwLock};

use crate::cache::clock::Cache;
use crate::cache::dirty_page::DirtyPage;
use crate::cache::frames::Frames;
use crate::cache::page_table::{PageTable, Stripes};
use crate::cache::snapshot_registry::Snapshots;
use crate::cache::version_file::Spill;
use crate::checkpoint::hooks::CheckpointHooks;
use crate::checkpoint::notes::Notes;
use crate::checkpoint::state::Checkpointed;
use crate::error::{Error, Result};
use crate::file::page::Checksummer;
use crate::file::storage::{Access, Storage};
use crate::ids::Seq;
use crate::open_report::OpenReport;
use crate::options::Options;
use crate::process;
use crate::space::change::SpaceChange;
use crate::space::free_map::FreeMap;
use crate::space::truncated_pages::TruncatedPages;
use crate::space::unlogged::UnloggedPages;
use crate::txn::publication::Publication;
use crate::wal::Lsn;
use crate::wal::group_commit::GroupSync;
use crate::wal::recovery::Recovered;
use crate::wal::writer::Log;

/// What all handles of a file share.
///
/// Locks are taken in this order: checkpointing, commit, spill, snapshots or clock,
/// allocator, stripe, direct pages. The others are held for a moment and nothing is locked
/// under them.
pub(crate) struct Shared {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) folder: Arc<dyn CheckpointHooks>,
    pub(crate) checksummer: Checksummer,
    pub(crate) uuid: [u8; 16],
    pub(crate) hash_seed: u64,
    pub(crate) table: PageTable,
    pub(crate) stripes: Stripes,
    pub(crate) cache: Cache,
    pub(crate) snapshots: Snapshots,
    pub(crate) spill: Spill,
    pub(crate) publication: Publication,
    pub(crate) allocator: Mutex<FreeMap>,
    /// The allocator's page count for readers, who take no lock. Written under the
    /// allocator's lock; relaxed, since whoever learns a page's number learns it
    /// from a commit, which orders more than this.
    pub(crate) page_count: AtomicU32,
    pub(crate) commit: Mutex<Commit>,
    /// Told when a checkpoint has turned to another log, or ended. Goes with `commit`.
    pub(crate) turned: Condvar,
    /// What the file on disk says. Held by the checkpoint under way.
    pub(crate) checkpointing: Mutex<Checkpointed>,
    /// The commit that the last checkpoint shows. Relaxed: only pages freed before it
    /// may be reused, and reading an older value merely delays that.
    pub(crate) checkpointed_seq: AtomicU64,
    /// The commit that the newest checkpoint shows, or will when it is done. Relaxed, but
    /// stored under the commit lock; see `is_due`.
    pub(crate) turn_seq: AtomicU64,
    /// How many checkpoints were made. Relaxed: only counted.
    pub(crate) checkpoints: AtomicU64,
    pub(crate) group_sync: GroupSync,
    /// The companions whose names are known to be on stable storage.
    pub(crate) named: Mutex<Vec<&'static str>>,
    /// What the logs say of pages, until a checkpoint has brought it to the file.
    pub(crate) recovered: RwLock<Option<Recovered>>,
    pub(crate) root: Mutex<Arc<[u8]>>,
    pub(crate) report: OpenReport,
    pub(crate) options: Options,
    /// The newest commit that pages on disk can carry.
    /// Relaxed: stored before the pages are written and read after they were.
    pub(crate) disk_seq: AtomicU64,
    pub(crate) poison: OnceLock<Arc<Error>>,
    pub(crate) closed: AtomicBool,
    /// Whether what opening found is on stable storage for certain; see `settle`.
    pub(crate) settled: AtomicBool,
    /// Whether all is done that must be before the first commit. Release when it is, and
    /// acquire by committers: who sees it set sees what was done.
    pub(crate) ready: AtomicBool,
    /// How many commits have freed pages. Changed under the commit lock, which orders it for
    /// commits; relaxed, since all others only want to be told early.
    pub(crate) frees: AtomicU64,
    /// Pages of root, free map and what the layer above saves. Relaxed, as `kept_bytes`: an older
    /// value says what is kept back of a limited file as well.
    pub(crate) own_pages: AtomicU32,
    /// What the layer above keeps in memory for checkpoints to save, those under way included.
    pub(crate) kept_bytes: AtomicUsize,
    /// Whether what is kept for a full disk was taken; see `reserve`. Under the commit lock.
    pub(crate) has_reserve: AtomicBool,
    /// The most room in the logs that the layer above has asked for; they keep it. Relaxed: a
    /// checkpoint that does not see it was over before there was any.
    pub(crate) log_room: AtomicU64,
    /// Whether a write has met a full disk since the last checkpoint: the next one gives back all that
    /// the files beside the database have beyond what is [kept](crate::space::reserve). Relaxed: it is
    /// only a hint.
    pub(crate) met_full_disk: AtomicBool,
    /// The bytes of the root that the file has, and by how many commits since can have made it
    /// longer. Relaxed: each alone is an estimate from above.
    pub(crate) root_bytes: AtomicUsize,
    pub(crate) root_grown: AtomicUsize,
    /// So many pages the file may have whatever its limit. Relaxed: stored when it is opened.
    pub(crate) pages_max_min: AtomicU32,
    pub(crate) frames: Frames,
    pub(crate) direct: UnloggedPages,
    /// Held to make the file longer or shorter. Only the allocator is locked under it.
    pub(crate) growing: Mutex<()>,
    pub(crate) truncated_pages: TruncatedPages,
    /// Who has opened the file.
    pub(crate) process: u32,
}

/// What commits change, one after the other.
pub(crate) struct Commit {
    pub(crate) installed: Seq,
    /// Notes since the last checkpoint.
    pub(crate) notes: Notes,
    /// What the layer above keeps in memory because of commits since the last checkpoint.
    pub(crate) kept_bytes: usize,
    /// Pages that are newer in memory than on disk.
    pub(crate) dirty: Vec<DirtyPage>,
    /// How many pages the checkpoint under way has taken over: none of them can be evicted.
    pub(crate) under_way: usize,
    /// The memory of its notes and of what the layer above keeps until it is done.
    pub(crate) under_way_bytes: usize,
    /// Whether the background was asked for a checkpoint, and has not begun it.
    pub(crate) checkpoint_asked: bool,
    /// Whether the layer above does what it does before a checkpoint.
    pub(crate) preparing: bool,
    /// Whether it was asked to flush relaxed commits, and has not begun to.
    pub(crate) flush_asked: bool,
    /// No checkpoint is due before the log is so long: the disk was full.
    pub(crate) postponed: u64,
    /// Whether a commit was refused because the log can't grow, and no checkpoint has begun since.
    pub(crate) log_full: bool,
    /// Pages taken and given back since the last checkpoint.
    pub(crate) space: Vec<SpaceChange>,
    /// How many of them were given back.
    pub(crate) freed_pages: u32,
    /// How many pages the log names that were written to the data file.
    pub(crate) direct_pages: usize,
    /// Whether some of those that any log names may not be on stable storage.
    pub(crate) direct_unsynced: bool,
    /// The number of the checkpoint that writes `dirty`, from 1 up.
    pub(crate) checkpoint: u64,
    /// Whether the checkpoint under way is going to name the log after the header's, if one has been
    /// begun by then; and the header names the one before. See [`log_state`](crate::wal::log_state).
    pub(crate) next_header_names_log: bool,
    /// Where commits go; none until the first one since opening or the last turn.
    pub(crate) log: Option<Log>,
    /// The log that the next commit begins where there is none.
    pub(crate) next_log: NextLog,
    /// The log before it, as long as its end may not be on stable storage.
    pub(crate) former_log: Option<Arc<dyn Storage>>,
}

/// How a log continues the one before it.
#[derive(Clone, Copy)]
pub(crate) struct NextLog {
    pub(crate) generation: u64,
    pub(crate) previous_salt: u64,
    pub(crate) base: Lsn,
}

impl Commit {
    /// Whether a checkpoint would have nothing to write.
    pub(crate) fn is_unchanged(&self) -> bool {
        self.notes.is_empty()
            && self.dirty.is_empty()
            && self.space.is_empty()
            && self.direct_pages == 0
    }
}

impl Shared {
    /// Refuses what would use the file of the process that this one was forked from. A database in
    /// memory is the child's own.
    pub(crate) fn check_process(&self) -> Result<()> {
        if self.storage.is_persistent() && self.process != process::id() {
            return Err(Error::Forked { opened_by: self.process });
        }
        Ok(())
    }

    #[inline]
    pub(crate) fn check_access(&self) -> Result<()> {
        match self.options.access {
            Access::Write => Ok(()),
            Access::Read => Err(self.read_only()),
        }
    }

    #[cold]
    fn read_only(&self) -> Error {
        Error::ReadOnly { path: self.storage.path().map(Path::to_owned) }
    }

    pub(crate) fn check_writable(&self) -> Result<()> {
        self.check_access()?;
        if let Some(cause) = self.poison.get() {
            return Err(Error::Poisoned { cause: Arc::clone(cause) });
        }
        if self.closed.load(Ordering::Relaxed) {
            return Err(Error::Closed);
        }
        Ok(())
    }

    /// Refuses all further writes and returns the error that says why.
    pub(crate) fn poison(&self, error: Error) -> Error {
        if matches!(error, Error::Poisoned { .. }) {
            return error;
        }
        let cause = Arc::clone(self.poison.get_or_init(|| Arc::new(error)));
        self.publication.halt();
        Error::Poisoned { cause }
    }

    /// What a write to the file or to one beside it has failed with: all further writes are
    /// refused, unless nothing but room was missing.
    pub(crate) fn write_failed(&self, error: Error) -> Error {
        if !error.is_full_disk() {
            return self.poison(error);
        }
        self.met_full_disk.store(true, Ordering::Relaxed);
        error
    }

    /// The error of a handle that is poisoned.
    pub(crate) fn poisoned(&self) -> Error {
        self.check_writable().err().unwrap_or(Error::Closed)
    }

    /// Something of the layer above has panicked in the middle of a checkpoint.
    pub(crate) fn panicked(&self) {
        self.poison(Error::Fold("a panic in the middle of a checkpoint".into()));
    }

    pub(crate) fn set_root(&self, root: &Arc<[u8]>) {
        *self.root.lock() = Arc::clone(root);
    }
}
