//! Which pages documents go to, and which go back to the file.
//!
//! The page that documents go to, the *fill page*, is at first the tail. When it is full, a page
//! that deletions have left [free space](crate::pages::free_space) in takes its place, and a new
//! tail only where there is none. When an eighth of a collection's pages are empty, they go back to
//! the file; or when the last document has gone. That is not for the transaction that empties them
//! to do: who reads a page which is given back sees it as it was before, and must find no document
//! there that is gone.
//!
//! Overflow pages are taken from the pager for each document, next to each other, and
//! are not part of the extents: scans pass over none of them, and a document that
//! goes gives back its own. The catalog keeps them as [runs](crate::pages::extent_set), so that
//! dropping the collection need not look for them.

use std::collections::BTreeSet;

use nanodb_page::PageMut;
use nanodb_pager::{Extent, PageId};

use super::records::RECORD_BYTES_MAX;
use super::statement::Statement;
use crate::error::{EngineError, Result};
use crate::pages::extents::Extents;
use crate::pages::free_space::{SearchStart, SpaceClass};
use crate::pages::source::{PageSource, SLOTTED, StoredPage};

/// The most pages that are scanned for each one that is asked for.
const SCAN_PAGES: usize = 4;

/// So many of the pages that are listed as having free space are looked at for a fragment.
const LOOKS_MAX: usize = 8;

/// So many empty pages go back to the file, if they are such a part of the collection.
const EMPTY_PAGES_MIN: u64 = 64;
const EMPTY_PART: u64 = 8;

impl Statement<'_> {
    /// Takes overflow pages: side by side if possible, in compaction those nearest to the front.
    pub(super) fn take_overflow(&mut self, count: u32) -> Result<Vec<PageId>> {
        let mut pages = Vec::with_capacity(count as usize);
        while let Some(left @ 1..) = count.checked_sub(u32::try_from(pages.len()).unwrap_or(count))
        {
            let each = if self.write_set.before.is_some() { 1 } else { left };
            let run = self.tx.allocate_up_to(each)?;
            self.note_taken(run);
            pages.extend((0..run.pages).filter_map(|index| run.page(index)));
            match self.write_set.runs_added.last_mut() {
                Some(last) if last.end() == u64::from(run.start.get()) => last.pages += run.pages,
                _ => self.write_set.runs_added.push(run),
            }
        }
        Ok(pages)
    }

    /// Gives an overflow page back to the file.
    pub(super) fn free_overflow(&mut self, page: PageId) -> Result<()> {
        self.tx.free(page)?;
        match self.write_set.runs_removed.last_mut() {
            Some(last) if last.end() == u64::from(page.get()) => last.pages += 1,
            _ => self.write_set.runs_removed.push(Extent::new(page, 1)),
        }
        Ok(())
    }

    /// Makes the page behind the tail the new tail, taking an extent if need be.
    pub(super) fn new_tail(&mut self) -> Result<PageId> {
        let spare = match self.write_set.spare {
            Some(spare) if spare.pages > 0 => spare,
            _ => {
                let extents =
                    Extents { total_pages: self.write_set.total_pages, ..Extents::default() };
                let compacting = self.write_set.before.is_some();
                let pages = if compacting { 1 } else { extents.next_extent_pages() };
                let extent = self.tx.allocate_up_to(pages)?;
                self.note_taken(extent);
                self.write_set.total_pages += u64::from(extent.pages);
                self.write_set.new_extents.push(extent);
                extent
            }
        };
        let page = spare.start;
        self.write_set.spare =
            Some(Extent::new(PageId::new(page.get().wrapping_add(1)), spare.pages - 1));
        let mut held = self.tx.init_page(page, SLOTTED, self.store.owner)?;
        let (body, dirty) = held.split();
        PageMut::format(body, |range| dirty.mark(range))
            .map_err(|e| EngineError::damaged_by(page, e))?;
        self.write_set.used_pages += 1;
        self.set_fill(page);
        Ok(page)
    }

    /// The page that documents go to, if there is one that can be read. One that can't be is left
    /// alone: what is on it is lost, but the collection takes documents as before.
    pub(super) fn fill(&mut self) -> Option<PageId> {
        let page = self.write_set.fill?;
        if !self.write_set.fill_is_sound {
            if self.look(page).is_err() {
                self.give_up_fill();
                return None;
            }
            self.write_set.fill_is_sound = true;
        }
        Some(page)
    }

    /// Has documents go to another page: this one is damaged.
    #[cold]
    pub(super) fn give_up_fill(&mut self) {
        if let Some(page) = self.write_set.fill.take() {
            self.write_set.space_classes.insert(page.get(), SpaceClass::None);
        }
    }

    /// How much free space a page has, by class, and how many bytes it takes.
    pub(super) fn look(&self, page: PageId) -> Result<(SpaceClass, usize)> {
        let held = (&*self.tx).slotted(self.store.owner, page)?;
        let slots = held.slots(page)?;
        Ok((SpaceClass::of(&slots), slots.free_bytes()))
    }

    /// Another page for documents to go to, and how many bytes it takes: `bytes_min` at least.
    pub(super) fn next_fill(&mut self, bytes_min: usize) -> Result<(PageId, usize)> {
        match self.page_with_space(bytes_min) {
            Some(found) => Ok(found),
            None => Ok((self.new_tail()?, RECORD_BYTES_MAX)),
        }
    }

    /// The page with the most free space, and how much: `bytes_min` at least. It becomes
    /// the fill page.
    fn page_with_space(&mut self, bytes_min: usize) -> Option<(PageId, usize)> {
        let writer = self.writer;
        for (class, page) in writer.free_space.most_free(self.write_set.search_start) {
            self.write_set.search_start = SearchStart { class, after: Some(page) };
            let page = PageId::new(page);
            match self.space_in(page) {
                Some((_, free)) if free >= bytes_min => {
                    self.set_fill(page);
                    return Some((page, free.min(RECORD_BYTES_MAX)));
                }
                Some(_) => {}
                None => self.unlist(page),
            }
        }
        let unscanned = self.unscanned_page(bytes_min);
        unscanned.map(|(page, free)| (page, free.min(RECORD_BYTES_MAX)))
    }

    /// A page with free space for a record of so many bytes; it becomes the fill page.
    pub(super) fn page_for(&mut self, bytes: usize) -> Option<PageId> {
        // A long search through what this change has used already is not worth it.
        let writer = self.writer;
        let listed = writer.free_space.least_free(bytes).take(LOOKS_MAX).map(PageId::new);
        for page in listed {
            match self.space_in(page) {
                Some((_, free)) if free >= bytes => {
                    self.set_fill(page);
                    return Some(page);
                }
                Some(_) => {}
                None => self.unlist(page),
            }
        }
        self.unscanned_page(bytes).map(|(page, _)| page)
    }

    /// Scans a few pages that were not scanned since the collection was opened, until one has space
    /// for that many bytes. It becomes the fill page.
    fn unscanned_page(&mut self, bytes: usize) -> Option<(PageId, usize)> {
        for _ in 0..SCAN_PAGES {
            let (position, unscanned) = &mut self.write_set.position;
            *unscanned = unscanned.checked_sub(1)?;
            let page = position.advance(&self.writer.extents.list)?;
            match self.space_in(page) {
                Some((_, free)) if free >= bytes => {
                    self.set_fill(page);
                    return Some((page, free));
                }
                Some((class, _)) => {
                    self.write_set.space_classes.insert(page.get(), class);
                }
                None => {}
            }
        }
        None
    }

    /// Scans up to `count` pages, which are listed if they have free space; returns how many it
    /// scanned.
    pub(crate) fn scan_pages(&mut self, count: usize) -> usize {
        for scanned in 0..count {
            let (position, unscanned) = &mut self.write_set.position;
            let Some(left) = unscanned.checked_sub(1) else { return scanned };
            *unscanned = left;
            let Some(page) = position.advance(&self.writer.extents.list) else { continue };
            if let Some((class, _)) = self.space_in(page) {
                self.write_set.space_classes.insert(page.get(), class);
            }
        }
        count
    }

    /// What free space a page has, if any, as long as this change has not used it.
    fn space_in(&self, page: PageId) -> Option<(SpaceClass, usize)> {
        let used = self.write_set.space_classes.contains_key(&page.get());
        let behind = self.write_set.before.is_some_and(|before| page >= before);
        if used || behind || self.write_set.fill == Some(page) {
            return None;
        }
        // One that can't be read has no free space.
        self.look(page).ok().filter(|&(class, _)| class != SpaceClass::None)
    }

    /// Takes a page off the list that turned out to have no free space, or that may not be used
    /// now.
    fn unlist(&mut self, page: PageId) {
        if self.write_set.before.is_none_or(|before| page < before) {
            self.write_set.space_classes.entry(page.get()).or_insert(SpaceClass::None);
        }
    }

    fn note_taken(&mut self, extent: Extent) {
        let behind = |before: PageId| extent.end() > u64::from(before.get());
        self.write_set.stuck |= self.write_set.before.is_some_and(behind);
    }

    /// Has documents go to this page, which was looked at.
    fn set_fill(&mut self, page: PageId) {
        if let Some(before) = self.write_set.fill.replace(page)
            && before != page
            && let Ok((class @ (SpaceClass::Quarter | SpaceClass::Half | SpaceClass::Empty), _)) =
                self.look(before)
        {
            self.write_set.space_classes.insert(before.get(), class);
        }
        self.write_set.fill_is_sound = true;
        self.write_set.space_classes.insert(page.get(), SpaceClass::None);
    }

    /// Notes that a record has gone from a page, or become shorter or longer.
    pub(super) fn note_space(&mut self, page: PageId, before: SpaceClass, after: SpaceClass) {
        if before != after && self.write_set.fill != Some(page) {
            self.write_set.space_classes.insert(page.get(), after);
        }
    }

    /// Gives empty pages back to the file, if there are many or no document is left. Once for
    /// each change.
    pub(crate) fn release_pages_if_many(&mut self) -> Result<()> {
        let empty = self.writer.free_space.empty_pages().len() as u64;
        let many = EMPTY_PAGES_MIN.max(self.writer.extents.used_pages / EMPTY_PART);
        let was_last = self.write_set.count == 0;
        if (empty >= many || was_last) && self.write_set.released_pages.is_empty() {
            self.release_empty(&[])?;
        }
        let has_begun_pages = self.write_set.stored || !self.write_set.new_extents.is_empty();
        if was_last && !has_begun_pages { self.trim() } else { Ok(()) }
    }

    /// Gives the pages back to the file that were empty before this change and still are.
    /// Looked at are those that are listed, and `others`.
    pub(super) fn release_empty(&mut self, others: &[PageId]) -> Result<()> {
        let empty = self.writer.free_space.empty_pages().iter().copied();
        let others = others.iter().map(|page| page.get());
        let listed: BTreeSet<u32> = empty.chain(others).collect();
        if listed.is_empty() {
            return Ok(());
        }
        let (order, extents) = (&self.writer.order, &self.writer.extents);
        let pages: Vec<PageId> = listed
            .into_iter()
            .map(PageId::new)
            .filter(|&page| order.contains(extents, page))
            .filter(|&page| {
                self.space_in(page).is_some_and(|(class, _)| class == SpaceClass::Empty)
            })
            .collect();
        for run in pages.chunk_by(|a, b| a.get() + 1 == b.get()) {
            if let (Some(&first), Ok(len)) = (run.first(), u32::try_from(run.len())) {
                self.tx.free_extent(Extent::new(first, len))?;
            }
        }
        for page in &pages {
            self.write_set.space_classes.insert(page.get(), SpaceClass::None);
        }
        self.write_set.used_pages -= pages.len() as u64;
        self.write_set.total_pages -= pages.len() as u64;
        self.write_set.changed |= !pages.is_empty();
        self.write_set.released_pages = pages;
        Ok(())
    }
}
