//! Writing to the file what was committed in memory.
//!
//! A checkpoint writes the newest version of every dirty page to its place, the root
//! and the free map into free pages, syncs, and then lets the header point to
//! them: one copy, synced, then the other. Commits wait until it is done.
//!
//! Nothing here survives a crash in the middle of a checkpoint: pages are
//! overwritten in place, and there is no log yet to mend them from.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::error::{Error, Result};
use crate::header::{HEADER_PAGES, Header};
use crate::ids::{Extent, PAGE_SIZE, PageId, Seq};
use crate::page::Frame;
use crate::pager::{Commit, Shared};
use crate::stream;

/// How many pages that lie side by side are written with one call at most.
const WRITE_PAGES_MAX: usize = 256;

/// What the file on disk says.
pub(crate) struct Checkpointed {
    pub(crate) header: Header,
    pub(crate) root: Arc<[u8]>,
    /// The pages that hold the root and the free map.
    pub(crate) streams: Vec<Extent>,
}

impl Shared {
    pub(crate) fn checkpoint(&self) -> Result<()> {
        let mut commit = self.commit.lock();
        self.check_writable()?;
        self.checkpoint_locked(&mut commit)
    }

    pub(crate) fn close(&self) -> Result<()> {
        let mut commit = self.commit.lock();
        self.check_writable()?;
        self.checkpoint_locked(&mut commit)?;
        // Relaxed: under the commit lock, as `install` reads it. Were it set after, a
        // commit could slip in between, and nobody would ever write it.
        self.closed.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Whether so much waits in memory that it should go to disk.
    pub(crate) fn checkpoint_due(&self, commit: &Commit) -> bool {
        let waiting = commit.dirty.len() * PAGE_SIZE + commit.notes.bytes();
        waiting > self.cache.frames_max() * PAGE_SIZE / 2
    }

    /// A checkpoint if one is still due.
    pub(crate) fn checkpoint_if_due(&self) -> Result<()> {
        let mut commit = self.commit.lock();
        if !self.checkpoint_due(&commit) {
            return Ok(());
        }
        self.check_writable()?;
        self.checkpoint_locked(&mut commit)
    }

    fn checkpoint_locked(&self, commit: &mut Commit) -> Result<()> {
        if commit.notes.is_empty() && commit.dirty.is_empty() && !commit.space_changed {
            return Ok(());
        }
        let root = self
            .folder
            .fold(&commit.checkpointed.root, &mut commit.notes.iter())
            .map_err(Error::Fold)?;
        let seq = commit.installed;
        let new = self.place_streams(commit, root, seq)?;

        let written = match self.write_all(commit, &new, seq) {
            Ok(written) => written,
            Err(error) => return Err(self.poison(error)),
        };

        for (page, frame) in written {
            let _stripe = self.stripes.lock(page);
            let slot = self.table.slot(page);
            if slot.frame.load().as_ref().is_some_and(|newest| Arc::ptr_eq(newest, &frame)) {
                slot.set_dirty(false);
            }
        }
        let old = std::mem::replace(&mut commit.checkpointed, new.checkpointed);
        let mut allocator = self.allocator.lock();
        for extent in old.streams {
            allocator.release(extent);
        }
        allocator.set_own(&commit.checkpointed.streams);
        drop(allocator);
        commit.notes.clear();
        commit.dirty.clear();
        commit.space_changed = false;
        Ok(())
    }

    /// Finds room for the root and the free map and lays them out.
    fn place_streams(&self, commit: &Commit, root: Vec<u8>, seq: Seq) -> Result<Streams> {
        let old = &commit.checkpointed;
        let mut allocator = self.allocator.lock();
        let root_pages = stream::pages_for(root.len());
        // The map is as large as it can get, so that taking its own pages from it
        // cannot make it too large for them.
        let map_size = allocator.encoded_size_max(old.streams.len());
        let map_pages = stream::pages_for(map_size);
        let pages =
            u32::try_from(root_pages + map_pages).map_err(|_| Error::Full { asked: u32::MAX })?;
        let extent =
            if pages == 0 { Extent::new(PageId::new(0), 0) } else { allocator.allocate(pages)? };
        let mut map = allocator.encode(&old.streams);
        map.resize(map.len().max(stream::size_filling(map_pages)), 0);
        let page_count = allocator.page_count();
        self.page_count.store(page_count, Ordering::Relaxed);
        drop(allocator);

        let page_ids: Vec<PageId> = (0..pages).filter_map(|index| extent.page(index)).collect();
        let (root_ids, map_ids) = page_ids.split_at(root_pages);
        let (root_place, mut frames) = stream::encode(&root, root_ids, seq, self.checksummer);
        let (map_place, more) = stream::encode(&map, map_ids, seq, self.checksummer);
        frames.extend(more);
        let header = Header {
            generation: old.header.generation + 1,
            seq,
            page_count,
            root: root_place,
            free_map: map_place,
            ..old.header.clone()
        };
        let streams = if pages == 0 { Vec::new() } else { vec![extent] };
        Ok(Streams { checkpointed: Checkpointed { header, root: root.into(), streams }, frames })
    }

    /// Writes pages, streams and header; returns the page versions written.
    fn write_all(
        &self,
        commit: &Commit,
        new: &Streams,
        seq: Seq,
    ) -> Result<Vec<(PageId, Arc<Frame>)>> {
        let header = &new.checkpointed.header;
        // Both before the first write: see the fields' docs.
        self.disk_seq.store(seq.get(), Ordering::Relaxed);
        self.disk_epoch.fetch_add(1, Ordering::SeqCst);

        let len = u64::from(header.page_count) * PAGE_SIZE as u64;
        let current =
            self.storage.len().map_err(|e| Error::io("asking for the file's length", e))?;
        if current != len {
            self.storage.set_len(len).map_err(|e| Error::io("setting the file's length", e))?;
        }
        let pages = self.dirty_pages(commit);
        self.write_pages(&pages)?;
        for (page, frame) in &new.frames {
            self.write(*page, &frame.bytes)?;
        }
        self.sync()?;
        let first = u32::from(header.generation % 2 == 1);
        for copy in [first, HEADER_PAGES - 1 - first] {
            self.write(PageId::new(copy), &header.encode(copy).bytes)?;
            self.sync()?;
        }
        Ok(pages)
    }

    /// The newest versions of all dirty pages, by page number.
    fn dirty_pages(&self, commit: &Commit) -> Vec<(PageId, Arc<Frame>)> {
        let mut pages: Vec<(PageId, Arc<Frame>)> = commit
            .dirty
            .iter()
            .filter_map(|&page| Some((page, self.table.slot(page).frame.load_full()?)))
            .collect();
        pages.sort_unstable_by_key(|&(page, _)| page);
        pages
    }

    fn write_pages(&self, pages: &[(PageId, Arc<Frame>)]) -> Result<()> {
        let mut buffer = Vec::new();
        let side_by_side = |a: &(PageId, _), b: &(PageId, _)| a.0.get() + 1 == b.0.get();
        for run in pages.chunk_by(side_by_side) {
            for run in run.chunks(WRITE_PAGES_MAX) {
                buffer.clear();
                for (page, frame) in run {
                    let start = buffer.len();
                    buffer.extend_from_slice(&frame.bytes);
                    self.checksummer.seal(*page, &mut buffer[start..]);
                }
                self.write(run[0].0, &buffer)?;
            }
        }
        Ok(())
    }

    fn write(&self, page: PageId, bytes: &[u8]) -> Result<()> {
        self.storage
            .write_at(bytes, page.offset())
            .map_err(|e| Error::io(format!("writing {page}"), e))
    }

    fn sync(&self) -> Result<()> {
        self.storage.sync().map_err(|e| Error::io("syncing the file", e))
    }
}

/// The root and the free map of a checkpoint under way.
struct Streams {
    checkpointed: Checkpointed,
    frames: Vec<(PageId, Frame)>,
}
