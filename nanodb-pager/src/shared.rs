//! What all handles of a file share: data alone, and whether it may still be written.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;

use crate::cache::state::CacheState;
use crate::call_gate::{CallGate, GatePass};
use crate::checkpoint::hooks::CheckpointHooks;
use crate::checkpoint::state::{CheckpointSchedule, CheckpointState, UncheckpointedChanges};
use crate::error::{Error, Result};
use crate::file::page::Checksummer;
use crate::file::storage::{Access, Storage};
use crate::ids::Seq;
use crate::open_report::OpenReport;
use crate::options::Options;
use crate::process;
use crate::space::state::SpaceState;
use crate::txn::publication::Publication;
use crate::wal::state::{OpenLog, WalState};

/// What all handles of a file share.
///
/// Locks are taken in this order: on-disk state (`checkpoint.on_disk`), commit, spill, snapshots or
/// clock, allocator, stripe, unlogged pages. The others are held for a moment and nothing is locked
/// under them.
pub(crate) struct Shared {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) hooks: Arc<dyn CheckpointHooks>,
    pub(crate) checksummer: Checksummer,
    pub(crate) uuid: [u8; 16],
    pub(crate) hash_seed: u64,
    pub(crate) report: OpenReport,
    pub(crate) options: Options,
    /// Who has opened the file.
    pub(crate) process: u32,
    pub(crate) poison: OnceLock<Arc<Error>>,
    pub(crate) closed: AtomicBool,
    /// Passed by whoever reads the file, or writes it for a transaction that is not committed yet:
    /// shut before the file is unlocked.
    pub(crate) uses: CallGate,
    pub(crate) cache: CacheState,
    pub(crate) space: SpaceState,
    pub(crate) wal: WalState,
    pub(crate) checkpoint: CheckpointState,
    pub(crate) commit: Mutex<Commit>,
    pub(crate) publication: Publication,
}

/// What commits change, one after the other.
pub(crate) struct Commit {
    /// The newest commit.
    pub(crate) installed: Seq,
    pub(crate) uncheckpointed: UncheckpointedChanges,
    pub(crate) schedule: CheckpointSchedule,
    pub(crate) log: OpenLog,
}

impl Shared {
    /// Refuses what would use the file of the process that this one was forked from. A database in
    /// memory is the child's own.
    pub(crate) fn check_process(&self) -> Result<()> {
        if self.storage.is_persistent() && self.is_inherited() {
            return Err(Error::Forked { opened_by: self.process });
        }
        Ok(())
    }

    /// Whether another process has opened it, of which this one is a fork.
    pub(crate) fn is_inherited(&self) -> bool {
        self.process != process::id()
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
            return Err(self.poisoned_by(cause));
        }
        if self.closed.load(Ordering::Relaxed) {
            return Err(Error::Closed);
        }
        Ok(())
    }

    /// Lets the file be read, and written as far as no commit and no checkpoint does it, until what
    /// is returned is dropped: it stays locked as long.
    pub(crate) fn begin_use(&self) -> Result<GatePass<'_>> {
        self.uses.enter().ok_or(Error::Closed)
    }

    /// Refuses all further writes and returns the error that says why.
    pub(crate) fn poison(&self, error: Error) -> Error {
        if matches!(error, Error::Poisoned { .. }) {
            return error;
        }
        let cause = self.poison.get_or_init(|| Arc::new(error));
        self.publication.halt();
        self.poisoned_by(cause)
    }

    #[cold]
    fn poisoned_by(&self, cause: &Arc<Error>) -> Error {
        let path = self.storage.path().map(Path::to_owned);
        Error::Poisoned { path, cause: Arc::clone(cause) }
    }

    /// What the operating system has failed to do, with the file's name.
    #[cold]
    pub(crate) fn io(&self, doing: impl Into<String>, source: io::Error) -> Error {
        Error::io(doing, source).in_file(self.storage.path())
    }

    /// What a write to the file or to one beside it has failed with: all further writes are
    /// refused, unless nothing but room was missing.
    pub(crate) fn write_failed(&self, error: Error) -> Error {
        if !error.is_full_disk() {
            return self.poison(error);
        }
        self.wal.met_full_disk.store(true, Ordering::Relaxed);
        error.in_file(self.storage.path())
    }

    /// The error of a handle that is poisoned.
    pub(crate) fn poisoned(&self) -> Error {
        self.check_writable().err().unwrap_or(Error::Closed)
    }

    /// Something of the layer above has panicked in the middle of a checkpoint.
    pub(crate) fn panicked(&self) {
        self.poison(Error::Metadata("a panic in the middle of a checkpoint".into()));
    }
}
