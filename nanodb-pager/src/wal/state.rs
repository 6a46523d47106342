//! What is known of an open file's logs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};

use parking_lot::{Mutex, RwLock};

use crate::file::storage::Storage;
use crate::wal::Lsn;
use crate::wal::group_commit::GroupSync;
use crate::wal::recovery::RecoveredLog;
use crate::wal::writer::Log;

/// The logs as all threads see them.
pub(crate) struct WalState {
    pub(crate) group_sync: GroupSync,
    /// The sidecars whose names are known to be on stable storage.
    pub(crate) named: Mutex<Vec<&'static str>>,
    /// What the logs say of pages, until a checkpoint has brought it to the file.
    pub(crate) recovered: RwLock<Option<RecoveredLog>>,
    /// Whether what opening found is on stable storage for certain; see `resync`.
    pub(crate) resynced: AtomicBool,
    /// Whether all is done that must be before the first commit. Release when it is, and
    /// acquire by committers: who sees it set sees what was done.
    pub(crate) ready: AtomicBool,
    /// The most room in the logs that the layer above has asked for; they keep it. Relaxed: a
    /// checkpoint that does not see it was over before there was any.
    pub(crate) requested_bytes: AtomicU64,
    /// Whether a write has met a full disk since the last checkpoint: the next one gives back all
    /// that the files beside the database have beyond what is [kept](crate::space::reserve).
    /// Relaxed: it is only a hint.
    pub(crate) met_full_disk: AtomicBool,
}

impl WalState {
    /// Returns the state of logs in which opening has found `recovered`, if anything.
    pub(crate) fn new(recovered: Option<RecoveredLog>, resynced: bool) -> Self {
        Self {
            group_sync: GroupSync::default(),
            named: Mutex::default(),
            recovered: RwLock::new(recovered),
            resynced: AtomicBool::new(resynced),
            ready: AtomicBool::new(false),
            requested_bytes: AtomicU64::new(0),
            met_full_disk: AtomicBool::new(false),
        }
    }
}

/// The logs as commits see them, one after the other.
///
/// ```text
///              begin_log                        switch_log
///   no writer ----------> writer --------------------------------> no writer, former
///     ^   ^                |  ^                                      |         |
///     |   |                |  | append, lead_sync                    |         | begin_log
///     |   |                +--+                                      |         v
///     |   |                      lead_sync: the former log is synced |     writer, former
///     |   +----------------------------------------------------------+         |
///     | close                                                                  | lead_sync:
///   writer <-------------------------------------------------------------------+ the former first
/// ```
///
/// | state | what a crash leaves of the commits |
/// |---|---|
/// | no writer | those that the file shows, and those in logs that were recovered |
/// | writer | besides, what was synced of the log, and perhaps more of it |
/// | former | besides, the former log up to some commit; of the later log nothing, unless the former is whole |
pub(crate) struct OpenLog {
    /// Where commits go; none until the first one since opening or the last switch.
    pub(crate) writer: Option<Log>,
    /// The log that the next commit begins where there is none.
    pub(crate) next: NextLog,
    /// The log before it, as long as its end may not be on stable storage.
    pub(crate) former: Option<Arc<dyn Storage>>,
    /// Whether the checkpoint under way is going to name the log after the header's, if one has
    /// been begun by then; and the header names the one before. See
    /// [`log_state`](crate::wal::log_state).
    pub(crate) next_header_names_log: bool,
    /// Whether some of the unlogged pages that any log names may not be on stable storage.
    pub(crate) unlogged_unsynced: bool,
    /// Whether the background was asked to flush relaxed commits, and has not begun to.
    pub(crate) flush_requested: bool,
}

/// How a log continues the one before it.
#[derive(Clone, Copy)]
pub(crate) struct NextLog {
    pub(crate) generation: u64,
    pub(crate) previous_salt: u64,
    pub(crate) base: Lsn,
}

impl OpenLog {
    /// Returns the state before the first commit to a file whose header names the log of
    /// `generation`.
    pub(crate) fn new(generation: u64) -> Self {
        Self {
            writer: None,
            next: NextLog { generation, previous_salt: 0, base: Lsn::default() },
            former: None,
            next_header_names_log: false,
            unlogged_unsynced: false,
            flush_requested: false,
        }
    }

    /// Returns the place behind the last commit in the logs.
    pub(crate) fn end(&self) -> Lsn {
        self.writer.as_ref().map_or(self.next.base, Log::end)
    }

    /// Returns how long the log in use is, in bytes; 0 if there is none.
    pub(crate) fn len(&self) -> u64 {
        self.writer.as_ref().map_or(0, Log::len)
    }
}
