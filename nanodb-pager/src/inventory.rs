//! What a pager can say of its file.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::checkpoint::commit_metadata::CommitMetadata;
use crate::checkpoint::state::{DiskState, RunningCheckpoint};
use crate::error::{Corruption, Error, Result};
use crate::file::header::{HEADER_PAGES, Header};
use crate::file::stream;
use crate::ids::{Extent, PAGE_SIZE, PageId};
use crate::pager::Pager;
use crate::snapshot::Snapshot;
use crate::space::free_map::FreeMap;

/// Figures of an open file, taken one after the other while it may be in use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Stats {
    /// Pages of the file, the free ones included; one is 4,096 bytes.
    pub page_count: u32,
    /// Free pages.
    pub free_pages: u32,
    /// Bytes that the file has on disk; what was committed since the last checkpoint may
    /// lie beyond.
    pub file_bytes: u64,
    /// Bytes of pages in memory, older versions included.
    pub cached_bytes: usize,
    /// Bytes of older page versions that snapshots keep in memory.
    pub older_bytes: usize,
    /// Bytes of older page versions that are in a temporary file.
    pub spilled_bytes: u64,
    /// Bytes of memory for what is remembered of pages that large transactions have written beside
    /// others, as long as an older snapshot is kept. They count against the cache's budget.
    pub unlogged_bytes: usize,
    /// Bytes of pages that wait for a checkpoint.
    pub dirty_bytes: usize,
    /// Snapshots registered.
    pub snapshots: usize,
    /// Bytes of log since the last checkpoint.
    pub log_bytes: u64,
    /// Checkpoints since the file was opened.
    pub checkpoints: u64,
}

/// Where every page of a file belongs, as far as the pager knows.
///
/// Pages that are in none of the lists are in use by the layer above.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Space {
    /// Pages of the file.
    pub page_count: u32,
    /// Free pages.
    pub free: Vec<Extent>,
    /// Pages that become free when no reader needs them any more.
    pub pending: Vec<Extent>,
    /// Pages that the pager itself uses: header, root and free map.
    pub own: Vec<Extent>,
    /// The root that the last checkpoint has saved: [checkpoint pages](crate::CheckpointPageWriter)
    /// are those that it refers to.
    pub metadata_root: Arc<[u8]>,
}

/// Where every page belongs as of a commit, what the layer above says of it by its metadata, and a
/// view of the pages.
#[derive(Debug)]
#[non_exhaustive]
pub struct PageInventory {
    /// All pages as of the commit, which was the newest installed one.
    pub snapshot: Snapshot,
    /// Where the pages belong.
    pub space: Space,
    /// Pages that transactions have taken which have not committed.
    pub taken: Vec<Extent>,
    /// What the metadata of all commits up to this one comes to.
    pub metadata_root: Vec<u8>,
}

/// The most bytes of metadata that are copied while commits wait.
const COPIED_BYTES: usize = 64 * 1024;

impl Pager {
    /// Returns figures of the file.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if the operating system does not tell the file's length; [`Error::Closed`]
    /// once the file is [released](Self::release).
    pub fn stats(&self) -> Result<Stats> {
        let shared = &self.shared;
        shared.prune();
        let _reading = shared.begin_use()?;
        let file_bytes =
            shared.storage.len().map_err(|e| shared.io("asking for the file's length", e))?;
        let (dirty, log_bytes) = {
            let commit = shared.commit.lock();
            (commit.uncheckpointed.dirty.len(), commit.log.len())
        };
        let older = shared.cache.clock.older();
        Ok(Stats {
            page_count: shared.space.page_count.load(Ordering::Relaxed),
            free_pages: shared.space.allocator.lock().free_pages(),
            file_bytes,
            cached_bytes: (shared.cache.clock.frames() + older) * PAGE_SIZE,
            older_bytes: older * PAGE_SIZE,
            spilled_bytes: shared.cache.clock.spilled() as u64 * PAGE_SIZE as u64,
            unlogged_bytes: shared.space.unlogged.later_bytes(),
            dirty_bytes: dirty * PAGE_SIZE,
            snapshots: shared.cache.snapshots.count(),
            log_bytes,
            checkpoints: shared.checkpoint.count.load(Ordering::Relaxed),
        })
    }

    /// Returns where every page belongs, as of one moment.
    pub fn space(&self) -> Space {
        self.shared.prune();
        // Under the commit lock no commit frees and no checkpoint moves the streams.
        let on_disk = self.shared.lock_disk_state();
        let _commit = self.shared.commit.lock();
        space(&on_disk, &self.shared.space.allocator.lock())
    }

    /// Returns how many pages the file has, the free ones included.
    pub fn page_count(&self) -> u32 {
        self.shared.space.page_count.load(Ordering::Relaxed)
    }

    /// Returns where every page belongs as of one commit, with a snapshot of that commit.
    ///
    /// Waits for the running checkpoint and keeps others from beginning for a moment. Commits wait
    /// while the lists of free pages are copied, and for 64 KiB at a time of their metadata. The
    /// commit may not be [published](Self::published) yet.
    ///
    /// # Errors
    ///
    /// [`Error::Metadata`].
    pub fn inventory(&self) -> Result<PageInventory> {
        let shared = &self.shared;
        shared.prune();
        let on_disk = shared.lock_disk_state();
        let mut metadata = CommitMetadata::default();
        if let Some(stopped) = &on_disk.stopped {
            stopped.metadata().for_each(|one| metadata.push(one));
        }
        let (snapshot, space, taken, count) = {
            let commit = shared.commit.lock();
            let seq = shared.cache.snapshots.register(|| commit.installed);
            let snapshot = Snapshot::registered(self.clone(), seq);
            let allocator = shared.space.allocator.lock();
            let taken = allocator.reserved().collect();
            (snapshot, space(&on_disk, &allocator), taken, commit.uncheckpointed.metadata.len())
        };
        // Nobody takes any of it away as long as no checkpoint begins.
        let mut at = 0;
        while at < count {
            let commit = shared.commit.lock();
            at = metadata.copy(&commit.uncheckpointed.metadata, at..count, COPIED_BYTES);
        }
        drop(on_disk);
        let applied = shared.hooks.apply(&space.metadata_root, &mut metadata.iter());
        let metadata_root = applied.map_err(Error::Metadata)?;
        Ok(PageInventory { snapshot, space, taken, metadata_root })
    }
    /// Checks what the pager itself keeps on disk: both header copies, root and free map.
    ///
    /// Returns everything that is damaged; nothing when all is well. The pages of the layer above
    /// are its own to check, by reading them.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if reading fails; [`Error::Closed`] once the file is
    /// [released](Self::release).
    pub fn verify(&self) -> Result<Vec<Corruption>> {
        let shared = &self.shared;
        let on_disk = shared.lock_disk_state();
        let _reading = shared.begin_use()?;
        let header = &on_disk.header;
        let mut found: Vec<Corruption> = Header::damaged_copies(&*shared.storage)?
            .into_iter()
            .map(|page| Corruption::HeaderCopy { page })
            .collect();
        let lost_map = on_disk.lost_map.as_ref();
        let map = lost_map.is_none().then_some(("free map", header.free_map));
        for (name, place) in [("metadata root", header.root)].into_iter().chain(map) {
            let read = stream::read(
                &*shared.storage,
                name,
                place,
                header.page_count,
                header.seq,
                shared.checksummer,
            );
            match read {
                Ok(_) => {}
                Err(Error::Corrupt(corruption)) => found.push(corruption),
                Err(error) => return Err(error),
            }
        }
        found.extend(lost_map.map(|lost| lost.why.clone()));
        Ok(found)
    }
}

fn space(on_disk: &DiskState, allocator: &FreeMap) -> Space {
    let mut own = vec![Extent::new(PageId::new(0), HEADER_PAGES)];
    own.extend_from_slice(&on_disk.streams);
    own.extend(on_disk.stopped.iter().flat_map(RunningCheckpoint::taken));
    Space {
        page_count: allocator.page_count(),
        free: allocator.runs().collect(),
        pending: allocator.pending().collect(),
        own,
        metadata_root: Arc::clone(&on_disk.metadata_root),
    }
}
