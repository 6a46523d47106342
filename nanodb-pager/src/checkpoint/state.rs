//! What a checkpoint knows: what the file says, and how far the running one has come.
//!
//! # The states of a checkpoint
//!
//! ```text
//!   idle --prepare--> preparing --switch_log--> switched --sync_log--> log synced
//!    ^                                                                     |
//!    |                                                                     | place_streams
//!    |                  +---------- the next batch ----------+             v
//!    |                  |                                    |           placed
//!    |                  v                                    |             |
//!    |              +--------+  write_images   +--------+    |             |
//!    |              | batch  | --------------> | imaged | ---+  write      |
//!    |              +--------+                 +--------+  (in place)      |
//!    |                  ^                          |                       |
//!    |                  +--------------------------|-----------------------+
//!    |                                             | after the last one: sync
//!    |    finish                  write_header     v
//!    +------------ header durable <------------ written
//!
//!   full disk, from "log synced" to "written": stopped --go_on_if_stopped--> where it was
//!   any other failure: poisoned, and nothing more is written until the file is opened anew
//! ```
//!
//! | state | where it is kept | what a crash leaves |
//! |---|---|---|
//! | idle | `on_disk` is unlocked | the header, and the log that it names |
//! | preparing | [`CheckpointSchedule::preparing`] | the same: commits of the layer above are as all others |
//! | switched | a [`RunningCheckpoint`], `on_disk` locked | the header, the former log, and what commits have put into the next one |
//! | log synced | | the same, the former log whole |
//! | placed | [`RunningCheckpoint::placed`] | the same: nothing durable refers to the pages that were written |
//! | imaged | [`RunningCheckpoint::imaged`] | the same, and images of the batch |
//! | written | [`RunningCheckpoint::written`] | the same; pages in place are new, old or torn: a torn one has an image, or the logs hold it whole |
//! | header durable | [`DiskState::header`] | the new header and the log after the switch. If only one copy of the header is written, either of both counts, and all that each refers to is there |
//! | stopped | [`DiskState::stopped`] | what the state left in which it was |
//!
//! The steps are told in [`checkpoint`](crate::checkpoint).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use parking_lot::{Condvar, Mutex};

use crate::cache::dirty_page::DirtyPage;
use crate::checkpoint::commit_metadata::CommitMetadata;
use crate::checkpoint::double_write;
use crate::error::Corruption;
use crate::file::header::Header;
use crate::file::page::Frame;
use crate::ids::{Extent, PageId, Seq};
use crate::space::change::SpaceChange;
use crate::space::free_map::FreeMap;
use crate::wal::Lsn;

/// Checkpoints as all threads see them.
pub(crate) struct CheckpointState {
    /// What the file on disk says. Held by the checkpoint under way.
    pub(crate) on_disk: Mutex<DiskState>,
    /// Told when a checkpoint has switched to another log, or ended. Goes with the commit lock.
    pub(crate) log_switched: Condvar,
    /// The commit that the last checkpoint shows. Relaxed: only pages freed before it
    /// may be reused, and reading an older value merely delays that.
    pub(crate) done_seq: AtomicU64,
    /// The commit that the newest checkpoint shows, or will when it is done. Relaxed, but
    /// stored under the commit lock; see [`is_to_write`](Self::is_to_write).
    pub(crate) begun_seq: AtomicU64,
    /// The newest commit that pages on disk can carry.
    /// Relaxed: stored before the pages are written and read after they were.
    pub(crate) disk_seq: AtomicU64,
    /// How many checkpoints were made. Relaxed: only counted.
    pub(crate) count: AtomicU64,
    pub(crate) metadata_root: Mutex<Arc<[u8]>>,
    /// The bytes of the metadata root that the file has, and by how many commits since can have
    /// made it longer. Relaxed: each alone is an estimate from above.
    pub(crate) metadata_root_bytes: AtomicUsize,
    pub(crate) metadata_root_growth: AtomicUsize,
    /// What the layer above keeps in memory for checkpoints to save, those under way included.
    pub(crate) charged_bytes: AtomicUsize,
}

impl CheckpointState {
    /// Returns the state of a file that opening has found to be `on_disk`. With what the logs
    /// hold the newest commit is `seq` and the metadata root `metadata_root`.
    pub(crate) fn new(on_disk: DiskState, seq: Seq, metadata_root: Vec<u8>) -> Self {
        Self {
            done_seq: AtomicU64::new(on_disk.header.seq.get()),
            on_disk: Mutex::new(on_disk),
            log_switched: Condvar::new(),
            begun_seq: AtomicU64::new(0),
            disk_seq: AtomicU64::new(seq.get()),
            count: AtomicU64::new(0),
            metadata_root_bytes: AtomicUsize::new(metadata_root.len()),
            metadata_root_growth: AtomicUsize::new(0),
            metadata_root: Mutex::new(metadata_root.into()),
            charged_bytes: AtomicUsize::new(0),
        }
    }

    /// Returns whether the checkpoint under way is to write the version of a page that
    /// `written_at` wrote and `superseded_at` replaced. It stays in memory, for a temporary file
    /// that can't be read must not stop a checkpoint.
    pub(crate) fn is_to_write(&self, written_at: Seq, superseded_at: Seq) -> bool {
        // Relaxed: a version that the checkpoint wants was replaced after the checkpoint
        // began, and whoever has it has it from that commit, by the snapshots' lock.
        let done = Seq::new(self.done_seq.load(Ordering::Relaxed));
        let begun = Seq::new(self.begun_seq.load(Ordering::Relaxed));
        done < written_at && written_at <= begun && begun < superseded_at
    }

    /// Counts how much the layer above keeps in memory for checkpoints to save.
    pub(crate) fn count_charged(
        &self,
        changes: &UncheckpointedChanges,
        schedule: &CheckpointSchedule,
    ) {
        let bytes = changes.charged_bytes + schedule.running_bytes;
        self.charged_bytes.store(bytes, Ordering::Relaxed);
    }
}

/// What commits have changed since the last checkpoint began: what the next one takes over.
#[derive(Default)]
pub(crate) struct UncheckpointedChanges {
    pub(crate) metadata: CommitMetadata,
    /// What the layer above keeps in memory because of these commits.
    pub(crate) charged_bytes: usize,
    /// Pages that are newer in memory than on disk.
    pub(crate) dirty: Vec<DirtyPage>,
    /// Pages taken and given back.
    pub(crate) space: Vec<SpaceChange>,
    /// How many of them were given back.
    pub(crate) freed_pages: u32,
    /// How many pages the log names that were written to the data file.
    pub(crate) unlogged_pages: usize,
}

impl UncheckpointedChanges {
    /// Returns whether a checkpoint would have nothing to write.
    pub(crate) fn is_empty(&self) -> bool {
        self.metadata.is_empty()
            && self.dirty.is_empty()
            && self.space.is_empty()
            && self.unlogged_pages == 0
    }

    /// Returns the memory that these commits take besides their pages, in bytes.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.metadata.bytes() + self.charged_bytes
    }
}

/// When the next checkpoint is due, and what commits must know of the one under way.
pub(crate) struct CheckpointSchedule {
    /// How many pages the checkpoint under way has taken over: none of them can be evicted.
    pub(crate) running_pages: usize,
    /// The memory of its metadata and of what the layer above keeps until it is done.
    pub(crate) running_bytes: usize,
    /// Whether the background was asked for a checkpoint, and has not begun it.
    pub(crate) requested: bool,
    /// Whether the layer above does what it does before a checkpoint.
    pub(crate) preparing: bool,
    /// No checkpoint is due before the log is this long, in bytes: the disk was full.
    pub(crate) postponed: u64,
    /// Whether a commit was refused because the log can't grow, and no checkpoint has begun since.
    pub(crate) log_full: bool,
    /// The number of the checkpoint that writes what is dirty now, from 1 up.
    pub(crate) next_number: u64,
}

impl Default for CheckpointSchedule {
    fn default() -> Self {
        Self {
            running_pages: 0,
            running_bytes: 0,
            requested: false,
            preparing: false,
            postponed: 0,
            log_full: false,
            next_number: 1,
        }
    }
}

/// What the file on disk says.
pub(crate) struct DiskState {
    pub(crate) header: Header,
    pub(crate) metadata_root: Arc<[u8]>,
    /// What is free as of the checkpoint.
    pub(crate) free: FreeMap,
    /// The pages that hold the root and the free map.
    pub(crate) streams: Vec<Extent>,
    /// The free map in the file is damaged; `free` was made anew.
    pub(crate) lost_map: Option<LostMap>,
    /// How many pages the last checkpoint has taken for itself and the layer above.
    pub(crate) taken_pages: u32,
    /// Where the next batch of the double-write buffer goes.
    pub(crate) double_write_tail: double_write::Tail,
    /// The checkpoint that a full disk has stopped.
    pub(crate) stopped: Option<RunningCheckpoint>,
}

/// How much a checkpoint is needed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum CheckpointUrgency {
    None,
    Due,
    /// Commits are to wait for it.
    Blocking,
}

/// A checkpoint: what it has taken over from the commits, and how far it has come.
pub(crate) struct RunningCheckpoint {
    pub(crate) seq: Seq,
    pub(crate) metadata: CommitMetadata,
    pub(crate) space: Vec<SpaceChange>,
    /// In order.
    pub(crate) dirty: Vec<DirtyPage>,
    /// Whether these are the pages that recovery left to be put together.
    pub(crate) recovered: bool,
    /// The number that the pages' slots carry for this checkpoint.
    pub(crate) number: u64,
    /// The end of the old log.
    pub(crate) logged: Lsn,
    pub(crate) log_generation: u64,
    pub(crate) placed: Option<StreamPlacement>,
    /// By how many bytes commits that it shows can have made the root longer.
    pub(crate) grown: usize,
    /// How many of the dirty pages have their images in the double-write buffer.
    pub(crate) imaged: usize,
    /// How many of them have been written in place.
    pub(crate) written: usize,
}

/// Where a checkpoint's root and free map go.
pub(crate) struct StreamPlacement {
    pub(crate) header: Header,
    pub(crate) metadata_root: Arc<[u8]>,
    pub(crate) free: FreeMap,
    pub(crate) streams: Vec<Extent>,
    /// The pages that the layer above has taken and written, and those that it gives back.
    pub(crate) saved: Vec<Extent>,
    pub(crate) freed: Vec<Extent>,
    /// The pages; none once they are written.
    pub(crate) frames: Vec<(PageId, Frame)>,
}

impl RunningCheckpoint {
    pub(crate) fn metadata(&self) -> impl Iterator<Item = &[u8]> {
        self.metadata.iter()
    }

    /// The pages that it has taken: for its root and free map, and for the layer above.
    pub(crate) fn taken(&self) -> impl Iterator<Item = Extent> + '_ {
        let placed = self.placed.iter();
        placed.flat_map(|placed| placed.saved.iter().chain(&placed.streams).copied())
    }
}

/// A map that is damaged, until a checkpoint saves another.
pub(crate) struct LostMap {
    pub(crate) why: Corruption,
    /// The page that failed, which may be sound the next time it is read.
    pub(crate) unread: Option<PageId>,
}
