//! Bringing the data file up to date, so that the log can begin anew.
//!
//! 1. Under the commit lock: turn to the next log, take over the dirty pages, the notes
//!    and the space changes. Commits go on at once. The checkpoint shows the file as
//!    of the last commit before the turn, and a snapshot keeps the versions it needs.
//! 2. Sync the old log: what is written in place must be durable in the log first.
//! 3. Write the root and the free map into pages that nothing durable refers to.
//! 4. For each batch of pages: write their images to the side area and sync it, then
//!    write them in place. Pages that the log holds whole need no image.
//! 5. Sync, let one copy of the header point to all this, sync, then the other copy.
//!
//! A crash before step 5 is done finds the old header, both logs, and the images of
//! whatever was torn. Only after it do pages that were freed before the turn, and the
//! old log, get new contents.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::error::{Corruption, Error, Result};
use crate::free_map::FreeMap;
use crate::header::{HEADER_PAGES, Header};
use crate::ids::{Extent, PAGE_SIZE, PageId, Seq};
use crate::log::Lsn;
use crate::notes::Notes;
use crate::page::Frame;
use crate::pager::{Commit, DirtyPage, NextLog, Shared};
use crate::recovery::SpaceChange;
use crate::table::CLEAN;
use crate::{log, side, stream};

/// How many pages are written between two syncs of the side area at most.
const BATCH_PAGES_MAX: usize = 4096;

/// How many pages are written with one call at most: what a checkpoint needs of memory.
const WRITE_PAGES_MAX: usize = 256;

/// This part of the bytes of direct pages counts as if it were in the log: opening may have to
/// check them, which is faster than replaying as many bytes of log.
const DIRECT_PART: u64 = 8;

/// What the file on disk says.
pub(crate) struct Checkpointed {
    pub(crate) header: Header,
    pub(crate) root: Arc<[u8]>,
    /// What is free as of the checkpoint.
    pub(crate) free: FreeMap,
    /// The pages that hold the root and the free map.
    pub(crate) streams: Vec<Extent>,
    /// Where the next batch of the side area goes.
    pub(crate) side_end: u64,
}

/// How much a checkpoint is needed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Need {
    None,
    Due,
    /// Commits are to wait for it.
    Pressing,
}

/// What a checkpoint has taken over from the commits.
struct Turn {
    seq: Seq,
    notes: Notes,
    space: Vec<SpaceChange>,
    dirty: Vec<DirtyPage>,
    /// The number that the pages' slots carry for this checkpoint.
    number: u64,
    /// The end of the old log.
    logged: Lsn,
    log_generation: u64,
}

/// A page version to be written.
struct Written {
    page: PageId,
    frame: Arc<Frame>,
    fresh: bool,
}

impl Shared {
    /// Brings the file up to date with everything committed so far.
    pub(crate) fn checkpoint(&self) -> Result<()> {
        let mut checkpointed = self.checkpointing.lock();
        self.checkpoint_held(&mut checkpointed)
    }

    /// A checkpoint if one is still due. Waits for one under way only if so much has
    /// gathered meanwhile that commits must be slowed down.
    pub(crate) fn checkpoint_if_due(&self) -> Result<()> {
        // In a statement of its own: the commit lock must be free again below.
        let need = self.checkpoint_need(&self.commit.lock());
        let mut checkpointed = match need {
            Need::None => return Ok(()),
            Need::Due => match self.checkpointing.try_lock() {
                Some(checkpointed) => checkpointed,
                None => return Ok(()),
            },
            Need::Pressing => self.checkpointing.lock(),
        };
        if self.checkpoint_need(&self.commit.lock()) == Need::None {
            return Ok(());
        }
        self.checkpoint_held(&mut checkpointed)
    }

    /// Whether so much waits in memory or in the log that it should go to the file.
    pub(crate) fn checkpoint_need(&self, commit: &Commit) -> Need {
        let budget = self.cache.frames_max() * PAGE_SIZE;
        let waiting = commit.dirty.len() * PAGE_SIZE + commit.notes.bytes();
        // Nothing of this can be evicted, and readers must find some room.
        let held = waiting + commit.under_way * PAGE_SIZE;
        let log_bytes = commit.log.as_ref().map_or(0, log::writer::Log::len)
            + (commit.direct_pages * PAGE_SIZE) as u64 / DIRECT_PART;
        let log_bytes_max = self.options.log_bytes_max;
        if held > budget / 4 * 3 || log_bytes > 2 * log_bytes_max {
            Need::Pressing
        } else if waiting > budget / 2 || log_bytes > log_bytes_max {
            Need::Due
        } else {
            Need::None
        }
    }

    pub(crate) fn checkpoint_held(&self, checkpointed: &mut Checkpointed) -> Result<()> {
        self.check_writable()?;
        self.settle()?;
        let Some(turn) = self.turn(checkpointed)? else { return Ok(()) };
        let result = self.write_checkpoint(checkpointed, &turn);
        self.unregister(turn.seq);
        let new = match result {
            Ok(new) => new,
            // What was taken over can't be given back, and the next header must not
            // be written over a half-done one.
            Err(error) => return Err(self.poison(error)),
        };

        self.checkpoints.fetch_add(1, Ordering::Relaxed);
        self.set_root(&new.root);
        let old = std::mem::replace(checkpointed, new);
        self.clean(&turn);
        self.commit.lock().under_way = 0;
        self.cache.cleaned();
        *self.recovered.write() = None;
        self.checkpointed_seq.store(turn.seq.get(), Ordering::Relaxed);
        let mut allocator = self.allocator.lock();
        for extent in old.streams {
            allocator.release(extent);
        }
        allocator.set_own(&checkpointed.streams);
        drop(allocator);
        self.prune();
        self.keep_budget();
        Ok(())
    }

    /// Step 1. Nothing if there is nothing to write.
    fn turn(&self, checkpointed: &Checkpointed) -> Result<Option<Turn>> {
        let mut commit = self.commit.lock();
        self.check_writable()?;
        let commit = &mut *commit;
        if commit.is_unchanged() && self.recovered.read().is_none() {
            return Ok(None);
        }
        let seq = commit.installed;
        match commit.log.take() {
            Some(mut old) => {
                old.pad(self.group_sync.synced());
                let written = old.write().map_err(|e| Error::io("writing the log", e));
                written.map_err(|error| self.poison(error))?;
                commit.next_log = NextLog {
                    generation: old.segment.generation + 1,
                    previous_salt: old.segment.salt,
                    base: old.end(),
                };
                commit.former_log = Some(old.file);
            }
            // The logs that were recovered are of the header's generation and the next
            // at most, and both are needed until this checkpoint is done.
            None => commit.next_log.generation = checkpointed.header.log_generation + 2,
        }
        let number = commit.checkpoint;
        commit.checkpoint += 1;
        commit.under_way = commit.dirty.len();
        self.turn_seq.store(seq.get(), Ordering::Relaxed);
        commit.direct_pages = 0;
        // Before any later commit can replace the versions this one writes.
        self.snapshots.register(|| seq);
        Ok(Some(Turn {
            seq,
            notes: std::mem::take(&mut commit.notes),
            space: std::mem::take(&mut commit.space),
            dirty: std::mem::take(&mut commit.dirty),
            number,
            logged: commit.next_log.base,
            log_generation: commit.next_log.generation,
        }))
    }

    /// Steps 2 to 5. Returns what the file then says.
    fn write_checkpoint(&self, old: &mut Checkpointed, turn: &Turn) -> Result<Checkpointed> {
        self.sync_log(turn.logged)?;
        let root = self.folder.fold(&old.root, &mut turn.notes.iter()).map_err(Error::Fold)?;
        let free = apply_space(&old.free, &turn.space)?;
        let (mut new, frames) = self.place_streams(old, turn, root, free)?;

        // Before the first write: see the field's docs.
        self.disk_seq.fetch_max(turn.seq.get(), Ordering::Relaxed);
        self.lengthen(u64::from(new.header.page_count) * PAGE_SIZE as u64)?;
        for (page, frame) in &frames {
            self.write(*page, &frame.bytes)?;
        }
        self.write_recovered(old, turn.number)?;
        self.write_dirty(old, turn, &new.streams)?;
        self.sync()?;

        let first = u32::from(new.header.generation % 2 == 1);
        self.write(PageId::new(first), &new.header.encode(first).bytes)?;
        self.sync()?;
        let second = HEADER_PAGES - 1 - first;
        self.write(PageId::new(second), &new.header.encode(second).bytes)?;
        new.side_end = 0;
        Ok(new)
    }

    /// Step 3: finds room for the root and the free map and lays them out.
    fn place_streams(
        &self,
        old: &Checkpointed,
        turn: &Turn,
        root: Vec<u8>,
        mut free: FreeMap,
    ) -> Result<(Checkpointed, Vec<(PageId, Frame)>)> {
        for &extent in &old.streams {
            free.release(extent);
        }
        let root_pages = stream::pages_for(root.len());
        // As large as it can get, so that taking its own pages out of it cannot make
        // it too large for them.
        let map_pages = stream::pages_for(free.encoded_size_max(2));
        let asked = u32::try_from(root_pages + map_pages);
        let pages = asked.map_err(|_| Error::Full { asked: u32::MAX })?;
        // From the running allocator, so that no commit takes them, and so that
        // nothing durable refers to them: it gives out only pages that were free at
        // the checkpoint before.
        let extent = self.allocate(pages)?;
        if !free.claim(extent) {
            return Err(Corruption::FreeMap { page: extent.start }.into());
        }
        let mut map = free.encode();
        map.resize(map.len().max(stream::size_filling(map_pages)), 0);

        let ids: Vec<PageId> = (0..pages).filter_map(|index| extent.page(index)).collect();
        let (root_ids, map_ids) = ids.split_at(root_pages);
        let (root_place, mut frames) = stream::encode(&root, root_ids, turn.seq, self.checksummer);
        let (map_place, more) = stream::encode(&map, map_ids, turn.seq, self.checksummer);
        frames.extend(more);
        let header = Header {
            generation: old.header.generation + 1,
            seq: turn.seq,
            page_count: free.page_count(),
            root: root_place,
            free_map: map_place,
            log_generation: turn.log_generation,
            ..old.header.clone()
        };
        let side_end = old.side_end;
        let new = Checkpointed { header, root: root.into(), free, streams: vec![extent], side_end };
        Ok((new, frames))
    }

    /// How many pages are written between two syncs of the side area: few enough to be
    /// kept in memory meanwhile, whatever the budget.
    fn batch_pages(&self) -> usize {
        (self.cache.frames_max() / 8).min(BATCH_PAGES_MAX)
    }

    /// Step 4 for the pages that recovery left to be put together.
    fn write_recovered(&self, old: &mut Checkpointed, number: u64) -> Result<()> {
        let pages = match &*self.recovered.read() {
            Some(recovered) => recovered.pages(),
            None => return Ok(()),
        };
        for batch in pages.chunks(self.batch_pages()) {
            let mut written = Vec::with_capacity(batch.len());
            for &page in batch {
                let fresh = self.recovered.read().as_ref().is_some_and(|r| r.is_fresh(page));
                // Due, so that it stays in memory while the disk holds half of it.
                let frame = self.newest_due(page, number)?;
                written.push(Written { page, frame, fresh });
            }
            self.write_batch(old, written)?;
            for &page in batch {
                let _stripe = self.stripes.lock(page);
                self.table.slot(page).set_due(CLEAN);
            }
        }
        Ok(())
    }

    /// Step 4 for the pages that commits changed.
    fn write_dirty(&self, old: &mut Checkpointed, turn: &Turn, streams: &[Extent]) -> Result<()> {
        let mut dirty = turn.dirty.clone();
        // Without a log, pages that were freed are free at once, and the streams may
        // have taken their place.
        dirty.retain(|dirty| !streams.iter().any(|stream| stream.contains(dirty.page)));
        dirty.sort_unstable_by_key(|dirty| dirty.page);
        for batch in dirty.chunks(self.batch_pages()) {
            let mut written = Vec::with_capacity(batch.len());
            for &DirtyPage { page, fresh } in batch {
                if let Some(frame) = self.version_at(page, turn.seq)? {
                    written.push(Written { page, frame, fresh });
                }
            }
            self.write_batch(old, written)?;
        }
        Ok(())
    }

    /// The newest version of a dirty page that is not above `seq`.
    fn version_at(&self, page: PageId, seq: Seq) -> Result<Option<Arc<Frame>>> {
        let slot = self.table.slot(page);
        let newest = slot.frame.load_full().filter(|frame| frame.seq() <= seq);
        match newest {
            Some(newest) => Ok(Some(newest)),
            None => slot.find_older(seq).map(|v| self.read_version(page, &v)).transpose(),
        }
    }

    fn write_batch(&self, old: &mut Checkpointed, mut batch: Vec<Written>) -> Result<()> {
        batch.sort_unstable_by_key(|written| written.page);
        if self.storage.is_persistent() {
            self.write_images(old, &batch)?;
        }
        let mut buffer = Vec::new();
        let side_by_side = |a: &Written, b: &Written| a.page.get() + 1 == b.page.get();
        for run in batch.chunk_by(side_by_side) {
            for run in run.chunks(WRITE_PAGES_MAX) {
                buffer.clear();
                run.iter().for_each(|written| self.seal_into(written, &mut buffer));
                self.write(run[0].page, &buffer)?;
            }
        }
        Ok(())
    }

    /// Appends the images of all pages that the log does not hold whole to the side area.
    fn write_images(&self, old: &mut Checkpointed, batch: &[Written]) -> Result<()> {
        let imaged: Vec<&Written> = batch.iter().filter(|written| !written.fresh).collect();
        if imaged.is_empty() {
            return Ok(());
        }
        let failed = |e| Error::io("writing page images to the side area", e);
        let pages: Vec<PageId> = imaged.iter().map(|written| written.page).collect();
        let file = self.companion(side::SUFFIX).map_err(failed)?;
        // The directory goes out with the first images.
        let mut buffer = side::directory(old.header.uuid, old.header.generation + 1, &pages);
        for images in imaged.chunks(WRITE_PAGES_MAX) {
            images.iter().for_each(|written| self.seal_into(written, &mut buffer));
            file.write_at(&buffer, old.side_end).map_err(failed)?;
            old.side_end += buffer.len() as u64;
            buffer.clear();
        }
        file.sync().map_err(failed)
    }

    fn seal_into(&self, written: &Written, buffer: &mut Vec<u8>) {
        let start = buffer.len();
        buffer.extend_from_slice(&written.frame.bytes);
        self.checksummer.seal(written.page, &mut buffer[start..]);
    }

    /// Marks as clean what no later commit has changed again.
    fn clean(&self, turn: &Turn) {
        for dirty in &turn.dirty {
            let _stripe = self.stripes.lock(dirty.page);
            let slot = self.table.slot(dirty.page);
            if slot.due() == turn.number {
                slot.set_due(CLEAN);
            }
        }
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

/// The free map as of the turn.
fn apply_space(free: &FreeMap, changes: &[SpaceChange]) -> Result<FreeMap> {
    let mut free = free.clone();
    for &change in changes {
        match change {
            SpaceChange::Allocated(extent) if !free.claim(extent) => {
                return Err(Corruption::FreeMap { page: extent.start }.into());
            }
            SpaceChange::Allocated(_) => {}
            SpaceChange::Freed(_, extent) if !free.in_use(extent) => {
                return Err(Corruption::FreeMap { page: extent.start }.into());
            }
            SpaceChange::Freed(_, extent) => free.release(extent),
        }
    }
    Ok(free)
}

impl Commit {
    /// Notes that the newest version of a page is to be written by the next checkpoint.
    pub(crate) fn mark_dirty(&mut self, page: PageId, due: u64, fresh: bool) -> u64 {
        if due != self.checkpoint {
            self.dirty.push(DirtyPage { page, fresh });
        }
        self.checkpoint
    }
}
