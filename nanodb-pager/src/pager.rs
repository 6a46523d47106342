//! The pager: one open file.

use std::fmt;
use std::path::Path;

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use parking_lot::{Condvar, Mutex, RwLock};
use uuid::Uuid;

use crate::beside::{COMPANIONS, LogState, check_new, copy_suffix};
use crate::budget::Spill;
use crate::cache::Cache;
use crate::checkpoint::Checkpointed;
use crate::cut::CutPages;
use crate::direct::DirectPages;
use crate::error::{Corruption, Error, Result};
use crate::frames::Frames;
use crate::free_map::FreeMap;
use crate::guard::PageGuard;
use crate::header::{HEADER_PAGES, Header};
use crate::ids::{PAGE_SIZE, PageId, Seq};
use crate::log::Lsn;
use crate::log::sync::GroupSync;
use crate::log::writer::Log;
use crate::notes::{NoteFolder, Notes};
use crate::opened::Opened;
use crate::options::Options;
use crate::page::Checksummer;
use crate::process;
use crate::publication::Publication;
use crate::recovery::{Recovered, Replay, SpaceChange};
use crate::remade::{self, FoundMap};
use crate::report::OpenReport;
use crate::side;
use crate::snapshots::Snapshots;
use crate::storage::{Access, ReadOnly, Storage, lock};
use crate::stream;
use crate::table::{PageTable, Stripes};
use crate::tx::WriteTx;

/// One open file of pages. Cloning gives another handle to the same.
///
/// Safe to use from any number of threads. The file is closed with the last
/// handle; [`close`](Self::close) does it with a report.
#[derive(Clone)]
pub struct Pager {
    pub(crate) shared: Arc<Opened>,
}

/// What all handles of a file share.
///
/// Locks are taken in this order: checkpointing, commit, spill, snapshots or clock,
/// allocator, stripe, direct pages. The others are held for a moment and nothing is locked
/// under them.
pub(crate) struct Shared {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) folder: Arc<dyn NoteFolder>,
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
    root: Mutex<Arc<[u8]>>,
    report: OpenReport,
    pub(crate) options: Options,
    /// The newest commit that pages on disk can carry.
    /// Relaxed: stored before the pages are written and read after they were.
    pub(crate) disk_seq: AtomicU64,
    poison: OnceLock<Arc<Error>>,
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
    /// the files beside the database have beyond what is [kept](crate::reserve). Relaxed: it is
    /// only a hint.
    pub(crate) met_full_disk: AtomicBool,
    /// The bytes of the root that the file has, and by how many commits since can have made it
    /// longer. Relaxed: each alone is an estimate from above.
    pub(crate) root_bytes: AtomicUsize,
    pub(crate) root_grown: AtomicUsize,
    /// So many pages the file may have whatever its limit. Relaxed: stored when it is opened.
    pub(crate) pages_max_min: AtomicU32,
    pub(crate) frames: Frames,
    pub(crate) direct: DirectPages,
    /// Held to make the file longer or shorter. Only the allocator is locked under it.
    pub(crate) growing: Mutex<()>,
    pub(crate) cut_pages: CutPages,
    /// Who has opened the file.
    process: u32,
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
    /// begun by then; and the header names the one before. See [`beside`](crate::beside).
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

/// A page that waits for a checkpoint.
#[derive(Clone, Copy)]
pub(crate) struct DirtyPage {
    pub(crate) page: PageId,
    /// Whether the log holds the page whole, so that nothing on disk is its base.
    pub(crate) fresh: bool,
}

impl Pager {
    /// Opens the file that `storage` is, making a new one of an empty storage, unless it is to
    /// be [read only](Options::read_only).
    ///
    /// `folder` adds the notes of the layer above up; `Arc::new(())` if it has none.
    /// Takes time in proportion to the root, the free map and, after a crash, the log;
    /// not to the pages.
    ///
    /// # Errors
    ///
    /// [`Error::Locked`], [`Error::NotADatabase`], [`Error::GoFile`],
    /// [`Error::NewerFormat`], [`Error::OlderFormat`], [`Error::Truncated`], [`Error::Corrupt`],
    /// [`Error::LogLost`], [`Error::LogWithoutFile`], [`Error::Empty`] and [`Error::Io`],
    /// each as its docs say. A file that is refused is not touched.
    pub fn open(
        storage: Arc<dyn Storage>,
        folder: Arc<dyn NoteFolder>,
        options: Options,
    ) -> Result<Self> {
        let begun = Instant::now();
        lock::claim(&*storage, options.access, options.lock_timeout)?;
        let storage = match options.access {
            // Refuses whatever is not refused before.
            Access::Read => Arc::new(ReadOnly::new(storage)),
            Access::Write => storage,
        };
        let empty = storage.is_empty().map_err(|e| Error::io("asking for the file's length", e))?;
        let is_made = options.create && options.access == Access::Write;
        if empty && !is_made {
            return Err(Error::Empty);
        }
        let header = if empty { create(&*storage)? } else { Header::read(&*storage)? };
        let checksummer = Checksummer::new(&header.uuid);
        let (place, page_count) = (header.root, header.page_count);
        let (root, root_pages) =
            stream::read(&*storage, "root", place, page_count, header.seq, checksummer)?;
        let FoundMap { free, streams, lost: lost_map } =
            remade::find(&*storage, &header, checksummer, &*folder, &root, root_pages)?;
        let replay = Replay::read(&storage, &header, options.without_log)?;
        let mut allocator = free.clone();
        // One by one, so that a page that both streams name shows too.
        for &extent in &streams {
            if !allocator.in_use(extent) {
                return Err(Corruption::FreeMap { page: extent.start }.into());
            }
            allocator.add_own(extent);
        }
        replay_space(&mut allocator, &replay.space)?;
        let newest_root = if replay.notes.is_empty() {
            root.clone()
        } else {
            folder.fold(&root, &mut replay.notes.iter()).map_err(Error::Fold)?
        };
        let root_bytes = newest_root.len();
        let seq = replay.last_seq;
        let stream_pages: u32 = streams.iter().map(|extent| extent.pages).sum();
        let saved_pages = u32::try_from(folder.saved_pages(&root)).unwrap_or(u32::MAX);
        let own_pages = stream_pages.saturating_add(saved_pages);
        let settled = empty || is_settled(&*storage, &header)?;
        let recovery_needed = replay.is_needed();
        let report = OpenReport {
            clean: replay.commits == 0,
            commits_replayed: replay.commits,
            log_lost: replay.loss.is_some(),
            bytes_replayed: replay.bytes,
            free_map_lost: lost_map.is_some(),
            duration: begun.elapsed(),
        };

        let pager = Self {
            shared: Arc::new(Opened::new(Shared {
                checksummer,
                uuid: header.uuid,
                hash_seed: header.hash_seed,
                table: PageTable::new(),
                stripes: Stripes::new(),
                cache: Cache::new(options.cache_bytes_max),
                snapshots: Snapshots::default(),
                spill: Spill::default(),
                publication: Publication::new(seq),
                page_count: AtomicU32::new(allocator.page_count()),
                allocator: Mutex::new(allocator),
                disk_seq: AtomicU64::new(seq.get()),
                commit: Mutex::new(Commit {
                    installed: seq,
                    notes: replay.notes,
                    kept_bytes: 0,
                    dirty: Vec::new(),
                    under_way: 0,
                    under_way_bytes: 0,
                    checkpoint_asked: false,
                    preparing: false,
                    flush_asked: false,
                    postponed: 0,
                    log_full: false,
                    space: replay.space,
                    freed_pages: 0,
                    direct_pages: 0,
                    direct_unsynced: false,
                    checkpoint: 1,
                    next_header_names_log: false,
                    log: None,
                    next_log: NextLog {
                        generation: header.log_generation,
                        previous_salt: 0,
                        base: Lsn::default(),
                    },
                    former_log: None,
                }),
                turned: Condvar::new(),
                checkpointed_seq: AtomicU64::new(header.seq.get()),
                checkpointing: Mutex::new(Checkpointed {
                    header,
                    taken_pages: streams.iter().map(|extent| extent.pages).sum(),
                    root: root.into(),
                    free,
                    streams,
                    lost_map,
                    // Without commits to recover nothing needs its images.
                    side: recovery_needed
                        .then(|| replay.recovered.side_tail())
                        .flatten()
                        .unwrap_or_else(side::Tail::new),
                    under_way: None,
                }),
                turn_seq: AtomicU64::new(0),
                checkpoints: AtomicU64::new(0),
                group_sync: GroupSync::default(),
                named: Mutex::default(),
                recovered: RwLock::new(recovery_needed.then_some(replay.recovered)),
                root: Mutex::new(newest_root.into()),
                report,
                options,
                poison: OnceLock::new(),
                closed: AtomicBool::new(false),
                settled: AtomicBool::new(settled),
                ready: AtomicBool::new(false),
                frees: AtomicU64::new(0),
                own_pages: AtomicU32::new(own_pages),
                kept_bytes: AtomicUsize::new(0),
                has_reserve: AtomicBool::new(false),
                log_room: AtomicU64::new(0),
                met_full_disk: AtomicBool::new(false),
                root_bytes: AtomicUsize::new(root_bytes),
                root_grown: AtomicUsize::new(0),
                pages_max_min: AtomicU32::new(0),
                frames: Frames::default(),
                direct: DirectPages::default(),
                growing: Mutex::new(()),
                cut_pages: CutPages::default(),
                process: process::id(),
                storage,
                folder,
            })),
        };
        pager.shared.see_to_limit();
        Ok(pager)
    }

    /// What all notes fold to, up to the last checkpoint or, if that was later, to
    /// when the file was opened. Empty for a new file.
    pub fn root(&self) -> Arc<[u8]> {
        Arc::clone(&self.shared.root.lock())
    }

    /// What opening the file found.
    pub fn open_report(&self) -> OpenReport {
        self.shared.report
    }

    /// What tells this file from every other, from its creation on.
    pub fn uuid(&self) -> [u8; 16] {
        self.shared.uuid
    }

    /// A random number that stays with the file, for hashes that are stored in it.
    pub fn hash_seed(&self) -> u64 {
        self.shared.hash_seed
    }

    /// How many bytes of pages are kept in memory at most.
    pub fn cache_bytes_max(&self) -> usize {
        self.shared.cache.frames_max() * PAGE_SIZE
    }

    /// The newest commit that readers may look at.
    #[inline]
    pub fn published(&self) -> Seq {
        self.shared.publication.published()
    }

    /// Waits until commit `seq`, which is installed, is [published](Self::published); false if it never
    /// will be, because a write or a sync has failed. Its committer must not wait for the caller.
    #[must_use]
    pub fn wait_until_published(&self, seq: Seq) -> bool {
        self.shared.publication.wait(seq)
    }

    /// The newest version of `page` that is not above `at`.
    ///
    /// Costs no lock and no reference count when the page is in memory. `at` is
    /// what [`published`](Self::published) returned; it may become outdated while
    /// it is used, which ends in [`Error::NoVersion`]: ask again and repeat.
    ///
    /// # Errors
    ///
    /// [`Error::NoVersion`]; [`Error::Corrupt`] if the page on disk is damaged or the
    /// file has no such page; [`Error::Io`].
    #[inline]
    pub fn page(&self, page: PageId, at: Seq) -> Result<PageGuard> {
        let shared: &Shared = &self.shared;
        if shared.check_bounds(page).is_err() {
            return Err(shared.behind_the_end(page, at));
        }
        let slot = shared.table.slot(page);
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

    /// Begins a write transaction. Several may be under way at once as long as no
    /// two write the same page.
    pub fn begin(&self) -> WriteTx {
        WriteTx::new(Arc::clone(&self.shared))
    }

    /// Returns when everything committed before the call is on stable storage, whatever its level.
    ///
    /// Costs one sync of the log, shared with commits of other threads, and none if
    /// nothing has been committed since the last one. The file is not brought up to date as by a
    /// [`checkpoint`](Self::checkpoint). The first call after opening a file that was not closed also saves
    /// what was found, as the first commit would.
    ///
    /// # Errors
    ///
    /// [`Error::Poisoned`] if a write or sync fails, now or earlier; [`Error::Closed`];
    /// [`Error::Io`] if there is no room to save what was found.
    pub fn sync(&self) -> Result<()> {
        self.shared.sync_committed()
    }

    /// Brings the file up to date with everything committed so far, so that opening it
    /// need not read the log.
    ///
    /// Happens by itself when the log has grown to its limit; commits and readers go
    /// on meanwhile. On return everything committed before the call is on stable
    /// storage, whatever its level.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if the disk is full: nothing is lost, commits go on, and the next
    /// checkpoint goes on where this one stopped. [`Error::Poisoned`] if anything else fails, now
    /// or earlier, with the failure as its cause: a write or sync, or [`Error::Fold`],
    /// [`Error::Full`], [`Error::Corrupt`]; [`Error::Closed`]; [`Error::ReadOnly`].
    pub fn checkpoint(&self) -> Result<()> {
        self.shared.checkpoint()
    }

    /// As [`checkpoint`](Self::checkpoint), even if nothing has changed since the last one: the root,
    /// the free map and what the layer above saves may find room further in front, and the
    /// file be cut behind them.
    ///
    /// # Errors
    ///
    /// As [`checkpoint`](Self::checkpoint).
    pub fn checkpoint_anew(&self) -> Result<()> {
        self.shared.checkpoint_anew()
    }

    /// Sees to it that each log takes `bytes` more besides what is kept for commits that make room,
    /// before something begins that would stop half-way on a full disk.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if the disk is full, which says how many bytes are needed;
    /// [`Error::Poisoned`], [`Error::Closed`].
    pub fn make_room_in_logs(&self, bytes: u64) -> Result<()> {
        self.shared.make_room_in_logs(bytes)
    }

    /// Brings the file up to date, removes the log, and refuses further writes. One
    /// file remains. There is nothing to do where the file is open read-only: what lies beside it stays.
    ///
    /// The file stays locked until the last handle, snapshot and transaction is gone.
    ///
    /// # Errors
    ///
    /// As [`checkpoint`](Self::checkpoint).
    pub fn close(self) -> Result<()> {
        match self.shared.options.access {
            Access::Read => Ok(()),
            Access::Write => self.shared.close(),
        }
    }

    /// Whether writing is refused for what the file was opened for, whatever is to be written.
    ///
    /// # Errors
    ///
    /// [`Error::ReadOnly`].
    #[inline]
    pub fn check_access(&self) -> Result<()> {
        self.shared.check_access()
    }
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

impl fmt::Debug for Pager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pager")
            .field("storage", &self.shared.storage)
            .field("published", &self.published())
            .finish_non_exhaustive()
    }
}

/// Brings the free map that transactions allocate from up to date: what the logs
/// freed stays pending until a checkpoint makes the logs superfluous.
pub(crate) fn replay_space(
    allocator: &mut FreeMap,
    changes: &[SpaceChange],
) -> Result<(), Corruption> {
    for &change in changes {
        match change {
            SpaceChange::Allocated(extent) if allocator.claim(extent) => {}
            SpaceChange::Freed(seq, extent) if allocator.in_use(extent) => {
                allocator.defer(seq, extent);
            }
            SpaceChange::Allocated(extent) | SpaceChange::Freed(_, extent) => {
                return Err(Corruption::FreeMap { page: extent.start });
            }
        }
    }
    Ok(())
}

/// Whether what opening found is on stable storage for certain. A new file was synced when it was
/// made, and before a closed one lost its companions its header was.
fn is_settled(storage: &dyn Storage, header: &Header) -> Result<bool> {
    if !storage.is_persistent() {
        return Ok(true);
    }
    // A file without a checkpoint may be one whose making has failed.
    let mut settled = header.generation > 1 && header.log_state == LogState::Closed;
    let copy = copy_suffix(&header.uuid);
    for suffix in COMPANIONS.into_iter().chain([&*copy]) {
        let found = storage.has_companion(suffix);
        settled &= !found.map_err(|e| Error::io("looking for the log", e))?;
    }
    Ok(settled)
}

/// Writes the header of a new file.
fn create(storage: &dyn Storage) -> Result<Header> {
    check_new(storage)?;
    let (uuid, seed) = (Uuid::new_v4(), Uuid::new_v4());
    let header = Header::new(*uuid.as_bytes(), seed.as_u64_pair().0);
    let written = (0..HEADER_PAGES)
        .try_for_each(|copy| {
            storage.write_at(&header.encode(copy).bytes, PageId::new(copy).offset())
        })
        .map_err(|e| Error::io("writing the header of a new file", e))
        .and_then(|()| storage.sync().map_err(|e| Error::io("syncing a new file", e)));
    if let Err(error) = written {
        // Half a header would be refused for ever; an empty file is tried again. If
        // this fails too, the error to tell of is still the first.
        let _ = storage.set_len(0);
        return Err(error);
    }
    Ok(header)
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
