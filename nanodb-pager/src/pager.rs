//! The pager: one open file.

use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use parking_lot::{Mutex, RwLock};
use uuid::Uuid;

use crate::cache::Cache;
use crate::checkpoint::Checkpointed;
use crate::error::{Corruption, Error, Result};
use crate::free_map::FreeMap;
use crate::guard::PageGuard;
use crate::header::{HEADER_PAGES, Header};
use crate::ids::{Extent, PageId, Seq};
use crate::log::segment::Segment;
use crate::log::sync::{GroupSync, Turn};
use crate::log::writer::Log;
use crate::log::{self, Lsn};
use crate::notes::{NoteFolder, Notes};
use crate::options::Options;
use crate::page::{Checksummer, Frame};
use crate::publication::Publication;
use crate::recovery::{Recovered, Replay, SpaceChange};
use crate::report::OpenReport;
use crate::snapshots::Snapshots;
use crate::storage::Storage;
use crate::table::{PageTable, Slot, Stripes};
use crate::tx::WriteTx;
use crate::{side, stream};

/// One open file of pages. Cloning gives another handle to the same.
///
/// Safe to use from any number of threads. The file is closed with the last
/// handle; [`close`](Self::close) does it with a report.
#[derive(Clone)]
pub struct Pager {
    pub(crate) shared: Arc<Shared>,
}

/// What all handles of a file share.
///
/// Locks are taken in this order: checkpointing, commit, snapshots or clock, allocator,
/// stripe. The others are held for a moment and nothing is locked under them.
pub(crate) struct Shared {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) folder: Arc<dyn NoteFolder>,
    pub(crate) checksummer: Checksummer,
    uuid: [u8; 16],
    hash_seed: u64,
    pub(crate) table: PageTable,
    pub(crate) stripes: Stripes,
    pub(crate) cache: Cache,
    pub(crate) snapshots: Snapshots,
    pub(crate) publication: Publication,
    pub(crate) allocator: Mutex<FreeMap>,
    /// The allocator's page count for readers, who take no lock. Written under the
    /// allocator's lock; relaxed, since whoever learns a page's number learns it
    /// from a commit, which orders more than this.
    pub(crate) page_count: AtomicU32,
    pub(crate) commit: Mutex<Commit>,
    /// What the file on disk says. Held by the checkpoint under way.
    pub(crate) checkpointing: Mutex<Checkpointed>,
    /// The commit that the last checkpoint shows. Relaxed: only pages freed before it
    /// may be reused, and reading an older value merely delays that.
    pub(crate) checkpointed_seq: AtomicU64,
    /// How many checkpoints were made. Relaxed: only counted.
    pub(crate) checkpoints: AtomicU64,
    pub(crate) group_sync: GroupSync,
    /// The companions whose names are known to be on stable storage.
    named: Mutex<Vec<&'static str>>,
    /// What the logs say of pages, until a checkpoint has brought it to the file.
    pub(crate) recovered: RwLock<Option<Recovered>>,
    root: Mutex<Arc<[u8]>>,
    report: OpenReport,
    pub(crate) options: Options,
    /// The newest commit that pages on disk can carry.
    /// Relaxed: stored before the pages are written and read after they were.
    pub(crate) disk_seq: AtomicU64,
    /// Counts checkpoints begun: whoever read pages without a stripe finds out
    /// by it whether the disk may have changed meanwhile.
    pub(crate) disk_epoch: AtomicU64,
    poison: OnceLock<Arc<Error>>,
    pub(crate) closed: AtomicBool,
    /// A page of zeros, to make private pages from.
    pub(crate) zero: Arc<Frame>,
}

/// What commits change, one after the other.
pub(crate) struct Commit {
    pub(crate) installed: Seq,
    /// Notes since the last checkpoint.
    pub(crate) notes: Notes,
    /// Pages that are newer in memory than on disk.
    pub(crate) dirty: Vec<DirtyPage>,
    /// Pages taken and given back since the last checkpoint.
    pub(crate) space: Vec<SpaceChange>,
    /// The number of the checkpoint that writes `dirty`, from 1 up.
    pub(crate) checkpoint: u64,
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
    /// Opens the file that `storage` is, making a new one of an empty storage.
    ///
    /// `folder` adds the notes of the layer above up; `Arc::new(())` if it has none.
    /// Takes time in proportion to the root, the free map and, after a crash, the log;
    /// not to the pages.
    ///
    /// # Errors
    ///
    /// [`Error::Locked`], [`Error::NotADatabase`], [`Error::GoFile`],
    /// [`Error::NewerFormat`], [`Error::Truncated`], [`Error::Corrupt`] and [`Error::Io`],
    /// each as its docs say. A file that is refused is not touched.
    pub fn open(
        storage: Arc<dyn Storage>,
        folder: Arc<dyn NoteFolder>,
        options: Options,
    ) -> Result<Self> {
        let begun = Instant::now();
        if !storage.lock().map_err(|e| Error::io("locking the file", e))? {
            return Err(Error::Locked);
        }
        let empty = storage.is_empty().map_err(|e| Error::io("asking for the file's length", e))?;
        let header = if empty { create(&*storage)? } else { Header::read(&*storage)? };
        let checksummer = Checksummer::new(&header.uuid);
        let read = |name, place| {
            stream::read(&*storage, name, place, header.page_count, header.seq, checksummer)
        };
        let (root, mut streams) = read("root", header.root)?;
        let (free_map, more) = read("free map", header.free_map)?;
        streams.extend(more);
        let free = FreeMap::decode(&free_map, header.page_count)?;
        let replay = Replay::read(&storage, &header)?;
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
        let seq = replay.last_seq;
        let report = OpenReport {
            clean: replay.commits == 0,
            commits_replayed: replay.commits,
            bytes_replayed: replay.bytes,
            duration: begun.elapsed(),
        };

        Ok(Self {
            shared: Arc::new(Shared {
                checksummer,
                uuid: header.uuid,
                hash_seed: header.hash_seed,
                table: PageTable::new(),
                stripes: Stripes::new(),
                cache: Cache::new(options.cache_bytes_max),
                snapshots: Snapshots::default(),
                publication: Publication::new(seq),
                page_count: AtomicU32::new(allocator.page_count()),
                allocator: Mutex::new(allocator),
                disk_seq: AtomicU64::new(seq.get()),
                disk_epoch: AtomicU64::new(0),
                commit: Mutex::new(Commit {
                    installed: seq,
                    notes: replay.notes,
                    dirty: Vec::new(),
                    space: replay.space,
                    checkpoint: 1,
                    log: None,
                    next_log: NextLog {
                        generation: header.log_generation,
                        previous_salt: 0,
                        base: Lsn::default(),
                    },
                    former_log: None,
                }),
                checkpointed_seq: AtomicU64::new(header.seq.get()),
                checkpointing: Mutex::new(Checkpointed {
                    header,
                    root: root.into(),
                    free,
                    streams,
                    side_end: replay.recovered.side_end(),
                }),
                checkpoints: AtomicU64::new(0),
                group_sync: GroupSync::default(),
                named: Mutex::default(),
                recovered: RwLock::new((replay.commits > 0).then_some(replay.recovered)),
                root: Mutex::new(newest_root.into()),
                report,
                options,
                poison: OnceLock::new(),
                closed: AtomicBool::new(false),
                zero: Arc::new(Frame::ZERO),
                storage,
                folder,
            }),
        })
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

    /// The newest commit that readers may look at.
    #[inline]
    pub fn published(&self) -> Seq {
        self.shared.publication.published()
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
        let shared = &*self.shared;
        shared.check_bounds(page)?;
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

    /// Brings the file up to date with everything committed so far, so that opening it
    /// need not read the log.
    ///
    /// Happens by itself when the log has grown to its limit; commits and readers go
    /// on meanwhile. On return everything committed before the call is on stable
    /// storage, whatever its level.
    ///
    /// # Errors
    ///
    /// [`Error::Poisoned`] if something fails, now or earlier, with the failure as its
    /// cause: a write or sync, or [`Error::Fold`], [`Error::Full`], [`Error::Corrupt`];
    /// [`Error::Closed`].
    pub fn checkpoint(&self) -> Result<()> {
        self.shared.checkpoint()
    }

    /// Brings the file up to date, removes the log, and refuses further writes. One
    /// file remains.
    ///
    /// The file stays locked until the last handle, snapshot and transaction is gone.
    ///
    /// # Errors
    ///
    /// As [`checkpoint`](Self::checkpoint).
    pub fn close(self) -> Result<()> {
        self.shared.close()
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
fn replay_space(allocator: &mut FreeMap, changes: &[SpaceChange]) -> Result<(), Corruption> {
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

/// Writes the header of a new file.
fn create(storage: &dyn Storage) -> Result<Header> {
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
    #[inline]
    pub(crate) fn check_bounds(&self, page: PageId) -> Result<(), Corruption> {
        let page_count = self.page_count.load(Ordering::Relaxed);
        if page.get() >= page_count {
            return Err(Corruption::OutOfBounds { page, page_count });
        }
        Ok(())
    }

    /// Finds a version that is not the newest one, or not in memory.
    #[cold]
    fn page_slow(&self, page: PageId, slot: &Slot, at: Seq) -> Result<PageGuard> {
        let newest = self.newest(page)?;
        if newest.seq() <= at {
            return Ok(PageGuard::owned(newest));
        }
        let older = slot.find_older(at).map(PageGuard::owned);
        older.ok_or(Error::NoVersion { page, at })
    }

    /// The newest installed version of a page, from memory or from disk.
    pub(crate) fn newest(&self, page: PageId) -> Result<Arc<Frame>> {
        self.check_bounds(page)?;
        let slot = self.table.slot(page);
        if let Some(frame) = slot.frame.load_full() {
            slot.touch();
            return Ok(frame);
        }
        let frame = {
            let _stripe = self.stripes.lock(page);
            if let Some(frame) = slot.frame.load_full() {
                return Ok(frame);
            }
            let frame = self.load(page)?;
            slot.frame.store(Some(Arc::clone(&frame)));
            frame
        };
        self.cache.admit(&[page], &self.table, &self.stripes);
        Ok(frame)
    }

    /// The newest version of a page that is not in memory. Under the stripe.
    fn load(&self, page: PageId) -> Result<Arc<Frame>> {
        let mut frame = Arc::clone(&self.zero);
        let private = Arc::make_mut(&mut frame);
        if let Some(recovered) = &*self.recovered.read() {
            let newest = Seq::new(self.disk_seq.load(Ordering::Relaxed));
            if recovered.load(&*self.storage, page, newest, self.checksummer, private)? {
                return Ok(frame);
            }
        }
        self.storage
            .read_at(&mut private.bytes, page.offset())
            .map_err(|e| Error::io(format!("reading {page}"), e))?;
        self.check_from_disk(page, private)?;
        Ok(frame)
    }

    /// The newest version of a page, marked so that it stays in memory until `checkpoint`
    /// has written it. While nobody commits.
    pub(crate) fn newest_due(&self, page: PageId, checkpoint: u64) -> Result<Arc<Frame>> {
        self.check_bounds(page)?;
        let slot = self.table.slot(page);
        let (frame, admitted) = {
            let _stripe = self.stripes.lock(page);
            let (frame, admitted) = match slot.frame.load_full() {
                Some(frame) => (frame, false),
                None => (self.load(page)?, true),
            };
            // Before the cache learns of it: in one full of pages that are due, it
            // would be the only one that can go.
            slot.set_due(checkpoint);
            if admitted {
                slot.frame.store(Some(Arc::clone(&frame)));
            }
            (frame, admitted)
        };
        if admitted {
            self.cache.admit(&[page], &self.table, &self.stripes);
        }
        Ok(frame)
    }

    /// Takes pages that lie side by side for a transaction.
    pub(crate) fn reserve(&self, pages: u32) -> Result<Extent> {
        let mut allocator = self.allocator.lock();
        let extent = allocator.reserve(pages)?;
        self.page_count.store(allocator.page_count(), Ordering::Relaxed);
        Ok(extent)
    }

    /// Takes pages that lie side by side for the pager itself.
    pub(crate) fn allocate(&self, pages: u32) -> Result<Extent> {
        let mut allocator = self.allocator.lock();
        let extent = allocator.allocate(pages)?;
        self.page_count.store(allocator.page_count(), Ordering::Relaxed);
        Ok(extent)
    }

    /// Checks what a page that comes from disk says of itself.
    pub(crate) fn check_from_disk(&self, page: PageId, frame: &Frame) -> Result<(), Corruption> {
        self.checksummer.verify(page, frame)?;
        let newest = self.disk_seq.load(Ordering::Relaxed);
        if frame.seq().get() > newest {
            return Err(Corruption::FromTheFuture { page, seq: frame.seq().get(), newest });
        }
        Ok(())
    }

    /// Drops versions and frees pages that nobody reads any more.
    pub(crate) fn prune(&self) {
        let published = || self.publication.published();
        let horizon = self.snapshots.prune(published, |version| self.drop_version(version));
        let mut allocator = self.allocator.lock();
        if allocator.has_pending() {
            // What the last checkpoint shows must stay until the next: a crash would
            // bring it back. In memory nothing comes back.
            let checkpointed = Seq::new(self.checkpointed_seq.load(Ordering::Relaxed));
            let persistent = self.storage.is_persistent();
            allocator.release_pending(if persistent { horizon.min(checkpointed) } else { horizon });
        }
    }

    pub(crate) fn drop_version(&self, version: crate::snapshots::Superseded) {
        let _stripe = self.stripes.lock(version.page);
        self.table.slot(version.page).drop_older(version.superseded_at);
        self.cache.older_dropped();
    }

    pub(crate) fn check_writable(&self) -> Result<()> {
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

    /// The error of a handle that is poisoned.
    pub(crate) fn poisoned(&self) -> Error {
        self.check_writable().err().unwrap_or(Error::Closed)
    }

    /// A file beside the database, whose name is on stable storage.
    ///
    /// That it was there before says nothing: a process that was killed may have made
    /// it, or a sync of the directory may have failed.
    pub(crate) fn companion(&self, suffix: &'static str) -> io::Result<Arc<dyn Storage>> {
        let file = self.storage.companion(suffix)?;
        let mut named = self.named.lock();
        if !named.contains(&suffix) {
            self.storage.sync_directory()?;
            named.push(suffix);
        }
        Ok(file)
    }

    /// Begins a log; its header is written with its first records.
    pub(crate) fn begin_log(&self, next: NextLog, first_seq: Seq) -> Result<Log> {
        let failed = |e| Error::io("beginning a log", e);
        let NextLog { generation, previous_salt, base } = next;
        let suffix = log::suffix(generation);
        let file = self.companion(suffix).map_err(failed)?;
        let salt = Uuid::new_v4().as_u64_pair().0;
        let segment = Segment { uuid: self.uuid, generation, salt, previous_salt, first_seq };
        Log::begin(file, segment, base).map_err(failed)
    }

    /// Returns when the logs are on stable storage up to `lsn`.
    pub(crate) fn sync_log(&self, lsn: Lsn) -> Result<()> {
        match self.group_sync.turn(lsn) {
            Turn::Done => Ok(()),
            Turn::Failed => Err(self.poisoned()),
            Turn::Lead => {
                // Poisoned before the others wake: they ask why.
                let synced = self.lead_sync().map_err(|error| self.poison(error));
                self.group_sync.finish(synced.as_ref().ok().copied());
                synced.map(|_| ())
            }
        }
    }

    /// Writes and syncs what all threads have appended; returns how far that is.
    fn lead_sync(&self) -> Result<Lsn> {
        let mut commit = self.commit.lock();
        self.check_writable()?;
        let former = commit.former_log.take();
        let mut current = None;
        let mut end = commit.next_log.base;
        if let Some(log) = &mut commit.log {
            log.pad(self.group_sync.synced());
            log.write().map_err(|e| Error::io("writing the log", e))?;
            (current, end) = (Some(Arc::clone(&log.file)), log.end());
        }
        drop(commit);
        // In this order: what is in the later log builds on the earlier one.
        for file in former.into_iter().chain(current) {
            file.sync().map_err(|e| Error::io("syncing the log", e))?;
        }
        Ok(end)
    }

    /// Does what must be done before the first commit.
    pub(crate) fn ready_to_write(&self) -> Result<()> {
        // After a crash the log's bytes may be in the operating system's memory only.
        if self.recovered.read().is_some() { self.checkpoint() } else { Ok(()) }
    }

    fn close(&self) -> Result<()> {
        let mut checkpointed = self.checkpointing.lock();
        self.checkpoint_held(&mut checkpointed)?;
        let mut commit = self.commit.lock();
        if commit.notes.is_empty() && commit.dirty.is_empty() && commit.space.is_empty() {
            commit.log = None;
            // Relaxed: read under the commit lock by whoever writes.
            self.closed.store(true, Ordering::Relaxed);
            drop(commit);
            return self.remove_companions();
        }
        drop(commit);
        drop(checkpointed);
        // Somebody has committed in between; closing is for when nobody does.
        self.close()
    }

    fn remove_companions(&self) -> Result<()> {
        let failed = |e| Error::io("removing the log", e);
        let mut removed = false;
        for suffix in [log::suffix(0), log::suffix(1), side::SUFFIX] {
            if self.storage.has_companion(suffix).map_err(failed)? {
                self.storage.remove_companion(suffix).map_err(failed)?;
                removed = true;
            }
        }
        if removed { self.storage.sync_directory().map_err(failed) } else { Ok(()) }
    }

    pub(crate) fn set_root(&self, root: &Arc<[u8]>) {
        *self.root.lock() = Arc::clone(root);
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // Nobody is left to tell of a failure; `close` is there for who wants to know.
        if self.check_writable().is_ok() {
            let _ = self.close();
        }
    }
}
