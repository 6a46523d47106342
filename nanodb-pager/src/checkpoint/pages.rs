//! Pages that the layer above writes in a checkpoint, besides the root.
//!
//! What a layer above keeps for itself may be too much to write anew each time, as the root
//! is. It then lies in pages that the root refers to: *checkpoint pages*. They are no part of any
//! commit, have no versions and are not in the cache. As the root's own pages they are never used
//! when they are written, valid once the header that leads to them is durable, and stay what
//! they are until a checkpoint frees them; their place is given to others only after that
//! checkpoint is durable.

use crate::cache::guard::PageGuard;
use crate::error::{Corruption, Error, Result};
use crate::file::page::Frame;
use crate::ids::{Extent, Owner, PAGE_HEADER_SIZE, PAGE_SIZE, PageId, PageKind, Seq};
use crate::shared::Shared;
use crate::space::free_map::FreeMap;

/// How many pages are written with one call at most.
const WRITE_PAGES_MAX: usize = 64;

/// What tells checkpoint pages from all others that may have lain at their place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PageTag {
    /// What they hold.
    pub kind: PageKind,
    /// Whose they are.
    pub owner: Owner,
    /// The commit that the checkpoint shows which wrote them.
    pub seq: Seq,
}

/// The pages that the layer above may write, read and free while a checkpoint is made.
///
/// If the checkpoint fails, all of it has not happened.
pub struct CheckpointPageWriter<'a> {
    shared: &'a Shared,
    seq: Seq,
    taken: Vec<Extent>,
    freed: Vec<Extent>,
    /// Pages side by side that wait to be written, and the number of the first.
    buffer: Vec<u8>,
    first: PageId,
}

impl<'a> CheckpointPageWriter<'a> {
    pub(super) fn new(shared: &'a Shared, seq: Seq) -> Self {
        let (taken, freed) = (Vec::new(), Vec::new());
        Self { shared, seq, taken, freed, buffer: Vec::new(), first: PageId::new(0) }
    }

    /// Returns the commit that the checkpoint shows.
    pub fn seq(&self) -> Seq {
        self.seq
    }

    /// Returns whether pages that an earlier checkpoint has written keep the file long, while there
    /// is room for all of them further in front: [`take`](Self::take) finds it for one page at a
    /// time. It is worth it if more than one page in `part` is free.
    pub fn are_worth_moving(
        &self,
        mut extents: impl Iterator<Item = Extent> + Clone,
        part: u32,
    ) -> bool {
        let allocator = self.shared.space.allocator.lock();
        let (all, free) = (allocator.page_count(), allocator.free_pages());
        let pages = extents.clone().map(|extent| u64::from(extent.pages)).sum::<u64>();
        // Where the file would end if there were no free pages in it, and these were there twice.
        // Before it are as many free pages as these are, at least.
        let end = u64::from(all.saturating_sub(free)) + pages;
        free > all / part.max(1) && extents.any(|extent| extent.end() > end)
    }

    /// Returns whether so many pages can be taken. If not, the disk is full, or the file's size
    /// [limited](crate::Options::file_bytes_max).
    pub fn has_room(&self, pages: u64) -> bool {
        u32::try_from(pages).is_ok_and(|pages| self.shared.has_room_to_save(pages))
    }

    /// Takes pages that lie side by side: as many as asked for, or fewer, where the disk is full or
    /// the file's size is [limited](crate::Options::file_bytes_max).
    ///
    /// # Errors
    ///
    /// [`Error::Full`] when page numbers run out; [`Error::QuotaExceeded`], [`Error::Io`]: if it
    /// [is for lack of room](Error::is_out_of_space), what was taken may be given back and less
    /// saved.
    pub fn take(&mut self, pages: u32) -> Result<Extent> {
        if pages == 0 {
            return Ok(Extent::new(PageId::new(0), 0));
        }
        let extent = self.shared.allocate_to_save(pages)?;
        self.taken.push(extent);
        if !self.shared.storage.is_persistent() {
            self.shared.lengthen(extent.end() * PAGE_SIZE as u64)?;
        }
        Ok(extent)
    }

    /// Writes a page that was taken in this checkpoint; `fill` gets its body, all zero. Each
    /// page once; cheapest in rising order.
    ///
    /// # Errors
    ///
    /// [`Error::NotAllocated`] for a page that this checkpoint has not taken, or a kind or owner
    /// that is the pager's own; [`Error::Io`].
    pub fn write(
        &mut self,
        page: PageId,
        kind: PageKind,
        owner: Owner,
        fill: impl FnOnce(&mut [u8]),
    ) -> Result<()> {
        let is_taken = self.taken.iter().any(|extent| extent.contains(page));
        if !is_taken || kind.get() < PageKind::FIRST_FREE.get() || owner == Owner::PAGER {
            return Err(Error::NotAllocated { page, doing: "save" });
        }
        let waiting = self.buffer.len() / PAGE_SIZE;
        let follows = self.first.get() as usize + waiting == page.get() as usize;
        if !follows || waiting == WRITE_PAGES_MAX {
            self.flush()?;
        }
        if self.buffer.is_empty() {
            self.first = page;
        }
        let mut frame = Frame::ZERO;
        frame.init(page, kind, owner);
        frame.set_seq(self.seq);
        fill(frame.body_mut());
        self.shared.checksummer.seal(page, &mut frame.bytes);
        self.buffer.extend_from_slice(&frame.bytes);
        Ok(())
    }

    /// Gives back pages: of an earlier checkpoint, or the last ones of an extent that was
    /// taken and came out too long.
    ///
    /// # Errors
    ///
    /// [`Error::Corrupt`] if they lie behind the file's end.
    pub fn free(&mut self, extent: Extent) -> Result<()> {
        if extent.pages == 0 {
            return Ok(());
        }
        for taken in &mut self.taken {
            if taken.contains(extent.start) && taken.end() == extent.end() {
                taken.pages -= extent.pages;
                self.shared.space.allocator.lock().release(extent);
                return Ok(());
            }
        }
        let page_count = self.shared.space.allocator.lock().page_count();
        if extent.end() > u64::from(page_count) {
            return Err(Corruption::OutOfBounds { page: extent.start, page_count }.into());
        }
        self.freed.push(extent);
        Ok(())
    }

    /// Returns how many extents were taken so far, for [`release_since`](Self::release_since).
    pub fn taken(&self) -> usize {
        self.taken.len()
    }

    /// Gives back everything that was taken since [`taken`](Self::taken) returned that number,
    /// written or not.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn release_since(&mut self, taken: usize) -> Result<()> {
        // Nothing may be written to them once they are anybody's.
        self.flush()?;
        let mut allocator = self.shared.space.allocator.lock();
        let given = self.taken.drain(taken.min(self.taken.len())..);
        given.filter(|extent| extent.pages > 0).for_each(|extent| allocator.release(extent));
        Ok(())
    }

    /// Returns the number that [`Pager::hash_seed`](crate::Pager::hash_seed) returns.
    pub fn hash_seed(&self) -> u64 {
        self.shared.hash_seed
    }

    /// Returns a reader of pages that earlier checkpoints have written.
    pub fn reader(&self) -> CheckpointPageReader<'a> {
        CheckpointPageReader { shared: self.shared }
    }

    /// Returns a page of commits, as of the commit that the checkpoint shows.
    ///
    /// # Errors
    ///
    /// Same as [`Pager::page`](crate::Pager::page).
    pub fn page(&self, page: PageId) -> Result<PageGuard> {
        self.shared.space.check_bounds(page)?;
        let slot = self.shared.cache.table.slot(page);
        self.shared.page_slow(page, slot, self.seq)
    }

    fn flush(&mut self) -> Result<()> {
        if !self.buffer.is_empty() {
            self.shared.check_writable()?;
            let doing = || format!("writing pages from {} on", self.first);
            let written = self.shared.storage.write_at(&self.buffer, self.first.offset());
            written.map_err(|e| Error::io(doing(), e))?;
            self.buffer.clear();
        }
        Ok(())
    }

    /// Writes what waits, and brings the free map that will be saved up to date.
    pub(super) fn update(&mut self, free: &mut FreeMap) -> Result<()> {
        self.flush()?;
        self.taken.retain(|extent| extent.pages > 0);
        for &extent in &self.freed {
            if !free.in_use(extent) {
                return Err(Corruption::FreeMap { page: extent.start }.into());
            }
            free.release(extent);
        }
        for &extent in &self.taken {
            if !free.allocate_at(extent) {
                return Err(Corruption::FreeMap { page: extent.start }.into());
            }
        }
        Ok(())
    }

    /// The pages stay taken. Returns them, and those that were freed.
    pub(super) fn keep(mut self) -> (Vec<Extent>, Vec<Extent>) {
        (std::mem::take(&mut self.taken), std::mem::take(&mut self.freed))
    }
}

impl Drop for CheckpointPageWriter<'_> {
    fn drop(&mut self) {
        let mut allocator = self.shared.space.allocator.lock();
        self.taken.drain(..).for_each(|extent| allocator.release(extent));
    }
}

impl std::fmt::Debug for CheckpointPageWriter<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CheckpointPageWriter").field("seq", &self.seq).finish_non_exhaustive()
    }
}

/// Reads checkpoint pages while a checkpoint is made; by [`CheckpointPageWriter::reader`].
#[derive(Clone, Copy)]
pub struct CheckpointPageReader<'a> {
    shared: &'a Shared,
}

impl CheckpointPageReader<'_> {
    /// Reads pages that an earlier checkpoint has written.
    ///
    /// # Errors
    ///
    /// Same as [`Pager::read_checkpoint_pages`](crate::Pager::read_checkpoint_pages).
    pub fn read(&self, pages: Extent, tag: PageTag) -> Result<CheckpointPages> {
        self.shared.read_checkpoint_pages(pages, tag)
    }
}

impl std::fmt::Debug for CheckpointPageReader<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CheckpointPageReader").finish_non_exhaustive()
    }
}

/// Checkpoint pages that were read.
#[derive(Debug)]
pub struct CheckpointPages {
    bytes: Vec<u8>,
}

impl CheckpointPages {
    /// Iterates over their bodies, in order.
    pub fn bodies(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.bytes.chunks_exact(PAGE_SIZE).filter_map(|page| page.get(PAGE_HEADER_SIZE..))
    }
}

impl Shared {
    pub(crate) fn read_checkpoint_pages(
        &self,
        pages: Extent,
        tag: PageTag,
    ) -> Result<CheckpointPages> {
        let last = PageId::new(pages.start.get().saturating_add(pages.pages.saturating_sub(1)));
        self.space.check_bounds(last)?;
        self.check_process()?;
        let _reading = self.begin_use()?;
        let mut bytes = vec![0; pages.pages as usize * PAGE_SIZE];
        self.storage
            .read_at(&mut bytes, pages.start.offset())
            .map_err(|e| self.io(format!("reading checkpoint pages from {} on", pages.start), e))?;
        for (page, found) in
            (pages.start.get()..).map(PageId::new).zip(bytes.chunks_exact(PAGE_SIZE))
        {
            self.check_checkpoint_page(page, found, tag)?;
        }
        Ok(CheckpointPages { bytes })
    }

    fn check_checkpoint_page(&self, page: PageId, found: &[u8], tag: PageTag) -> Result<()> {
        let mut frame = Frame::ZERO;
        frame.bytes.copy_from_slice(found);
        self.checksummer.verify(page, &frame)?;
        let found = PageTag { kind: frame.kind(), owner: frame.owner(), seq: frame.seq() };
        if found == tag { Ok(()) } else { Err(Corruption::CheckpointPage { page }.into()) }
    }
}
