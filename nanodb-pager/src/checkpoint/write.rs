//! Writing a checkpoint: the root and the free map, the pages and their images, the header.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::pages::CheckpointPageWriter;
use super::state::{DiskState, RunningCheckpoint, StreamPlacement};
use crate::cache::dirty_page::DirtyPage;
use crate::cache::page_table::CLEAN;
use crate::checkpoint::double_write;
use crate::error::{Corruption, Error, Result};
use crate::file::header::{HEADER_PAGES, Header};
use crate::file::page::Frame;
use crate::file::stream;
use crate::ids::{Extent, PAGE_SIZE, PageId, Seq};
use crate::shared::Shared;
use crate::space::change::SpaceChange;
use crate::space::free_map::FreeMap;
use crate::wal::recovery::RecoveredLog;

/// How many pages are written with one call at most: what a checkpoint needs of memory.
const WRITE_PAGES_MAX: usize = 256;

/// A page version to be written.
struct PageImage {
    page: PageId,
    frame: Arc<Frame>,
    fresh: bool,
    /// What it will carry, in the double-write buffer and in the file.
    checksum: u64,
}

impl PageImage {
    /// A page that is to fail its checksum from now on. No image of it counts.
    fn damaged(page: PageId, frame: Arc<Frame>) -> Self {
        let checksum = !frame.checksum();
        Self { page, frame, fresh: true, checksum }
    }

    fn seal_into(&self, buffer: &mut Vec<u8>) {
        buffer.extend_from_slice(&self.checksum.to_le_bytes());
        buffer.extend_from_slice(&self.frame.bytes[size_of::<u64>()..]);
    }
}

impl Shared {
    /// Steps 2 to 5, as far as they are not done. After an error that says the disk is full
    /// it may be called again.
    pub(super) fn write_checkpoint(
        &self,
        old: &mut DiskState,
        running: &mut RunningCheckpoint,
    ) -> Result<()> {
        self.sync_log(running.logged)?;
        // Before the first write: see the field's docs.
        self.checkpoint.disk_seq.fetch_max(running.seq.get(), Ordering::Relaxed);
        let placed = match running.placed.take() {
            Some(placed) => placed,
            None => self.place_streams(old, running)?,
        };
        let placed = running.placed.insert(placed);
        let page_count = placed.header.page_count;
        self.check_writable()?;
        self.lengthen(u64::from(page_count) * PAGE_SIZE as u64)?;
        for (page, frame) in &placed.frames {
            self.write(*page, &frame.bytes)?;
        }
        placed.frames.clear();
        self.write_dirty(old, running)?;
        self.sync()?;
        let log_state = self.next_log_state()?;
        let Some(placed) = &mut running.placed else { return Ok(()) };
        placed.header.log_state = log_state;
        placed.header.revision = old.header.revision + 1;
        self.write_header(&placed.header)
    }

    /// Step 5.
    fn write_header(&self, header: &Header) -> Result<()> {
        let first = header.first_copy();
        for copy in [first, HEADER_PAGES - 1 - first] {
            // Not even a full disk is tried again here: whether this header counts is no
            // longer known, and the next must not be written over what it refers to.
            self.write(PageId::new(copy), &header.encode(copy).bytes)
                .map_err(|error| self.poison(error))?;
            if copy == first {
                self.sync()?;
            }
        }
        Ok(())
    }

    /// Step 3: finds room for the root and the free map and lays them out.
    fn place_streams(
        &self,
        old: &DiskState,
        running: &RunningCheckpoint,
    ) -> Result<StreamPlacement> {
        let seq = running.seq;
        let metadata = &mut running.metadata.iter();
        let mut pages = CheckpointPageWriter::new(self, seq);
        let applied = self.hooks.save(&old.metadata_root, metadata, &mut pages);
        let root = applied.map_err(|error| match error.downcast::<Error>() {
            Ok(own) => *own,
            Err(other) => Error::Metadata(other),
        })?;
        let mut free = apply_space(&old.free, &running.space)?;
        for &extent in &old.streams {
            free.release(extent);
        }
        pages.update(&mut free)?;
        let root_pages = stream::pages_for(root.len());
        let (streams, map_pages) = self.take_streams(root_pages, &free)?;
        for &extent in &streams {
            if !free.allocate_at(extent) {
                return Err(Corruption::FreeMap { page: extent.start }.into());
            }
        }
        // The pages at the end that nobody uses are no part of the file any more.
        let page_count = free.truncate(HEADER_PAGES);
        let mut map = free.encode();
        map.resize(map.len().max(stream::size_filling(map_pages)), 0);

        let page = |extent: &Extent| {
            let extent = *extent;
            (0..extent.pages).filter_map(move |index| extent.page(index))
        };
        let ids: Vec<PageId> = streams.iter().flat_map(page).collect();
        let (root_ids, map_ids) = ids.split_at(root_pages);
        let (root_place, mut frames) = stream::encode(&root, root_ids, seq, self.checksummer);
        let (map_place, more) = stream::encode(&map, map_ids, seq, self.checksummer);
        frames.extend(more);
        let header = Header {
            generation: old.header.generation + 1,
            seq,
            page_count,
            root: root_place,
            free_map: map_place,
            log_generation: running.log_generation,
            ..old.header.clone()
        };
        let (saved, freed) = pages.keep();
        Ok(StreamPlacement {
            header,
            metadata_root: root.into(),
            free,
            streams,
            saved,
            freed,
            frames,
        })
    }

    /// Takes pages for the root and the free map; how many the map has.
    ///
    /// From the running allocator, so that no commit takes them, and so that nothing durable refers
    /// to them: it gives out only pages that were free at the checkpoint before.
    fn take_streams(&self, root_pages: usize, free: &FreeMap) -> Result<(Vec<Extent>, usize)> {
        let mut pieces = 1;
        loop {
            // As large as it can get, so that taking its own pages out of it cannot make it too
            // large for them: each piece splits a run at most.
            let map_pages = stream::pages_for(free.encoded_size_max(pieces + 1));
            let asked = u32::try_from(root_pages + map_pages);
            let streams = self.allocate_own(asked.map_err(|_| Error::Full { asked: u32::MAX })?)?;
            if streams.len() <= pieces {
                return Ok((streams, map_pages));
            }
            pieces = streams.len();
            let mut allocator = self.space.allocator.lock();
            streams.into_iter().for_each(|extent| allocator.release(extent));
        }
    }

    /// Step 4, from where it stopped.
    fn write_dirty(&self, old: &mut DiskState, running: &mut RunningCheckpoint) -> Result<()> {
        if running.recovered {
            self.mark_lost()?;
        }
        let dirty = std::mem::take(&mut running.dirty);
        let done = self.write_batches(old, running, &dirty);
        running.dirty = dirty;
        done
    }

    /// Marks pages as damaged that a commit has written to the file, as a record vouches for, and
    /// in whose place something else lies: sound, so that without the log it would be taken for
    /// what the commit has written.
    ///
    /// Reads each page once that commits since the last checkpoint have written so: after a large
    /// load as many as it has. What can't be read, or fails its own checksum, stays as it is.
    fn mark_lost(&self) -> Result<()> {
        let pages =
            self.wal.recovered.read().as_ref().map(RecoveredLog::written).unwrap_or_default();
        let mut buffer = Vec::new();
        for page in pages {
            // Nobody reads it meanwhile.
            let _stripe = self.cache.stripes.lock(page);
            let frame = match self.sound_in_file(page) {
                Ok(Some(frame)) => frame,
                Ok(None) => continue,
                Err(error) if error.is_failed_read() => continue,
                Err(error) => return Err(error),
            };
            let recovered = self.wal.recovered.read();
            let named = recovered.as_ref().map(|recovered| recovered.named_checksum(page));
            if named.transpose()?.flatten().is_none_or(|named| named == frame.checksum()) {
                continue;
            }
            buffer.clear();
            PageImage::damaged(page, frame).seal_into(&mut buffer);
            self.write(page, &buffer)?;
        }
        Ok(())
    }

    fn write_batches(
        &self,
        old: &mut DiskState,
        running: &mut RunningCheckpoint,
        dirty: &[DirtyPage],
    ) -> Result<()> {
        let mut is_full = false;
        while running.written < dirty.len() {
            let batch_max =
                if is_full { double_write::KEPT_IMAGES } else { self.cache.batch_pages() };
            // Pages that may be half written need the images that they have.
            let end = match running.imaged > running.written {
                true => running.imaged,
                false => dirty.len().min(running.written + batch_max),
            };
            let has_images = running.imaged >= end;
            if is_full && !has_images {
                // Nobody wants the images of the batches before any more.
                self.sync()?;
                old.double_write_tail = double_write::Tail::new();
            }
            let batch = &dirty[running.written..end];
            match self.write_batch(old, running, batch) {
                // Not over the images that an interrupted checkpoint has left: of pages that are
                // still to be written.
                Err(error)
                    if error.is_full_disk()
                        && !is_full
                        && running.imaged < end
                        && !running.recovered =>
                {
                    is_full = true;
                }
                written => written?,
            }
        }
        Ok(())
    }

    fn write_batch(
        &self,
        old: &mut DiskState,
        running: &mut RunningCheckpoint,
        batch: &[DirtyPage],
    ) -> Result<()> {
        let versions = self.versions(running, batch)?;
        let end = running.written + batch.len();
        if self.storage.is_persistent() && running.imaged < end {
            self.write_images(old, &versions)?;
            running.imaged = end;
        }
        let mut buffer = Vec::new();
        let side_by_side = |a: &PageImage, b: &PageImage| a.page.get() + 1 == b.page.get();
        for run in versions.chunk_by(side_by_side) {
            for run in run.chunks(WRITE_PAGES_MAX) {
                buffer.clear();
                run.iter().for_each(|written| written.seal_into(&mut buffer));
                self.write(run[0].page, &buffer)?;
            }
        }
        running.written = end;
        if running.recovered {
            // Before any of them may leave memory: the file has them now, and bytes that a
            // record names by their checksum are no longer there.
            if let Some(recovered) = &mut *self.wal.recovered.write() {
                batch.iter().for_each(|dirty| recovered.forget(dirty.page));
            }
            for dirty in batch {
                let _stripe = self.cache.stripes.lock(dirty.page);
                self.cache.table.slot(dirty.page).set_due(CLEAN);
            }
        }
        Ok(())
    }

    /// What is to be written of some pages.
    fn versions(&self, running: &RunningCheckpoint, batch: &[DirtyPage]) -> Result<Vec<PageImage>> {
        let mut versions = Vec::with_capacity(batch.len());
        let taken: Vec<Extent> = running.taken().collect();
        for &DirtyPage { page, fresh } in batch {
            // Without a log, pages that were freed are free at once, and may have
            // been taken for the checkpoint itself.
            if taken.iter().any(|extent| extent.contains(page)) {
                continue;
            }
            let frame = if running.recovered {
                // Due, so that it stays in memory while the disk holds half of it.
                match self.newest_due(page, running.number) {
                    // It costs what is on it and nothing else, and whoever reads it is told. In the
                    // file it stays as it is; what is sound there, but not what a commit has
                    // written, would be taken for that once the logs are gone.
                    Err(Error::Corrupt(_)) => {
                        if let Some(frame) = self.sound_in_file(page)? {
                            versions.push(PageImage::damaged(page, frame));
                        }
                        continue;
                    }
                    newest => Some(newest?),
                }
            } else {
                self.version_at(page, running.seq)?
            };
            versions.extend(frame.map(|frame| {
                let checksum = self.checksummer.checksum(page, &frame.bytes);
                PageImage { page, frame, fresh, checksum }
            }));
        }
        Ok(versions)
    }

    /// The newest version of a dirty page that is not above `seq`.
    fn version_at(&self, page: PageId, seq: Seq) -> Result<Option<Arc<Frame>>> {
        let slot = self.cache.table.slot(page);
        let newest = slot.frame.load_full().filter(|frame| frame.seq() <= seq);
        match newest {
            Some(newest) => Ok(Some(newest)),
            None => slot.find_older(seq).map(|v| self.read_version(page, &v)).transpose(),
        }
    }

    /// Appends the images of all pages that the log does not hold whole to the double-write buffer.
    fn write_images(&self, old: &mut DiskState, batch: &[PageImage]) -> Result<()> {
        let imaged: Vec<&PageImage> = batch.iter().filter(|written| !written.fresh).collect();
        if imaged.is_empty() {
            return Ok(());
        }
        let doing = "writing page images to the double-write buffer";
        let failed = |e| Error::io(doing, e);
        let named: Vec<_> = imaged.iter().map(|written| (written.page, written.checksum)).collect();
        let file = self.sidecar(double_write::SUFFIX, doing)?;
        // The directory goes out with the first images.
        let mut buffer = double_write::directory(
            old.header.uuid,
            old.header.generation + 1,
            old.double_write_tail,
            &named,
        );
        let mut end = old.double_write_tail.end;
        for images in imaged.chunks(WRITE_PAGES_MAX) {
            images.iter().for_each(|written| written.seal_into(&mut buffer));
            self.check_writable()?;
            file.write_at(&buffer, end).map_err(failed)?;
            end += buffer.len() as u64;
            buffer.clear();
        }
        self.check_writable()?;
        file.sync().map_err(|e| self.poison(failed(e)))?;
        // Only now: a batch that was not written whole is written over by the next.
        old.double_write_tail.end = end;
        Ok(())
    }

    /// Not once the handle is poisoned: a commit's sync may fail while a checkpoint is made, and
    /// nothing more is built on that disk then.
    fn write(&self, page: PageId, bytes: &[u8]) -> Result<()> {
        self.check_writable()?;
        self.storage
            .write_at(bytes, page.offset())
            .map_err(|e| Error::io(format!("writing {page}"), e))
    }

    /// A failed sync is final, whatever its cause.
    fn sync(&self) -> Result<()> {
        self.check_writable()?;
        self.storage.sync().map_err(|e| self.poison(Error::io("syncing the file", e)))
    }
}

/// The free map as of the switch of logs.
fn apply_space(free: &FreeMap, changes: &[SpaceChange]) -> Result<FreeMap> {
    let mut free = free.clone();
    for &change in changes {
        match change {
            SpaceChange::Allocated(extent) if !free.allocate_at(extent) => {
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
