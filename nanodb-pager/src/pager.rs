//! The pager: one open file.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use uuid::Uuid;

use crate::cache::Cache;
use crate::checkpoint::Checkpointed;
use crate::error::{Corruption, Error, Result};
use crate::free_map::FreeMap;
use crate::guard::PageGuard;
use crate::header::{HEADER_PAGES, Header};
use crate::ids::{PageId, Seq};
use crate::notes::{NoteFolder, Notes};
use crate::options::Options;
use crate::page::{Checksummer, Frame};
use crate::publication::Publication;
use crate::snapshots::Snapshots;
use crate::storage::Storage;
use crate::stream;
use crate::table::{PageTable, Slot, Stripes};
use crate::tx::WriteTx;

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
/// Locks are taken in this order: commit, snapshots or clock, allocator, stripe.
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
    pub(crate) dirty: Vec<PageId>,
    /// Whether pages were allocated or freed since the last checkpoint.
    pub(crate) space_changed: bool,
    pub(crate) checkpointed: Checkpointed,
}

impl Pager {
    /// Opens the file that `storage` is, making a new one of an empty storage.
    ///
    /// `folder` adds the notes of the layer above up; `Arc::new(())` if it has none.
    /// Takes time in proportion to the root and the free map, not to the pages.
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
        let mut allocator = FreeMap::decode(&free_map, header.page_count)?;
        // One by one, so that a page that both streams name shows too.
        for &extent in &streams {
            if !allocator.in_use(extent) {
                return Err(Corruption::FreeMap { page: extent.start }.into());
            }
            allocator.add_own(extent);
        }

        Ok(Self {
            shared: Arc::new(Shared {
                checksummer,
                uuid: header.uuid,
                hash_seed: header.hash_seed,
                table: PageTable::new(),
                stripes: Stripes::new(),
                cache: Cache::new(options.cache_bytes_max),
                snapshots: Snapshots::default(),
                publication: Publication::new(header.seq),
                page_count: AtomicU32::new(header.page_count),
                allocator: Mutex::new(allocator),
                disk_seq: AtomicU64::new(header.seq.get()),
                disk_epoch: AtomicU64::new(0),
                commit: Mutex::new(Commit {
                    installed: header.seq,
                    notes: Notes::default(),
                    dirty: Vec::new(),
                    space_changed: false,
                    checkpointed: Checkpointed { header, root: root.into(), streams },
                }),
                poison: OnceLock::new(),
                closed: AtomicBool::new(false),
                zero: Arc::new(Frame::ZERO),
                storage,
                folder,
            }),
        })
    }

    /// What all notes up to the last checkpoint fold to; empty for a new file.
    pub fn root(&self) -> Arc<[u8]> {
        Arc::clone(&self.shared.commit.lock().checkpointed.root)
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

    /// Writes everything that was committed to the file and syncs it.
    ///
    /// Commits wait meanwhile.
    ///
    /// # Errors
    ///
    /// [`Error::Poisoned`] if a write or sync fails, now or earlier, with the failure
    /// as its cause; [`Error::Fold`] and [`Error::Full`], after which nothing has
    /// changed; [`Error::Closed`].
    pub fn checkpoint(&self) -> Result<()> {
        self.shared.checkpoint()
    }

    /// Writes everything to the file and refuses further writes.
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
            let mut frame = Arc::clone(&self.zero);
            let bytes = &mut Arc::make_mut(&mut frame).bytes;
            self.storage
                .read_at(bytes, page.offset())
                .map_err(|e| Error::io(format!("reading {page}"), e))?;
            self.check_from_disk(page, &frame)?;
            slot.frame.store(Some(Arc::clone(&frame)));
            frame
        };
        self.cache.admit(&[page], &self.table, &self.stripes);
        Ok(frame)
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
            allocator.release_pending(horizon);
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
        let cause = Arc::clone(self.poison.get_or_init(|| Arc::new(error)));
        Error::Poisoned { cause }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // Nobody is left to tell of a failure; `close` is there for who wants to know.
        if self.check_writable().is_ok() {
            let _ = self.checkpoint();
        }
    }
}
