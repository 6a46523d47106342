//! Which pages nobody uses.
//!
//! Free pages are kept as runs, indexed by place (to merge neighbours) and by
//! length (to find the smallest run that is long enough). Allocation and release
//! cost O(log runs).
//!
//! Pages that a commit freed are [*pending*](PendingPages) until no reader can want their last
//! contents; only then are they free. Pages that a transaction has taken are
//! *reserved* until it commits or gives them back.
//!
//! On disk the map is a stream of LEB128 numbers: for each run the gap to the end of
//! the run before it (for the first, from page 0) and its length. It says what is free
//! as of the checkpoint, whoever may still read it: who opens the file has no readers and
//! no transactions yet. A gap of zero ends the map; only zeros follow.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::{Corruption, Error, Result};
use crate::file::header::HEADER_PAGES;
use crate::ids::{Extent, PageId, Seq};
use crate::leb128;
use crate::space::change::SpaceChange;
use crate::space::pending::PendingPages;
use crate::space::runs::overlaps;

/// How many of the first runs are looked at before the shortest that is long enough is taken.
const FIRST_RUNS: usize = 32;

/// The longest encoding of one run: two LEB128 numbers of 32 bits.
pub(crate) const RUN_SIZE_MAX: usize = 10;

/// The free pages of a file, and how many pages it has.
#[derive(Clone, Debug)]
pub(crate) struct FreeMap {
    by_start: BTreeMap<u32, u32>,
    by_len: BTreeSet<(u32, u32)>,
    free_pages: u32,
    pending: PendingPages,
    /// Taken by transactions that have not committed yet.
    reserved: BTreeMap<u32, u32>,
    reserved_pages: u32,
    /// Where the pager's own streams lie.
    own: BTreeMap<u32, u32>,
    page_count: u32,
}

impl FreeMap {
    /// Of a file with no free page.
    pub(crate) fn new(page_count: u32) -> Self {
        Self {
            by_start: BTreeMap::new(),
            by_len: BTreeSet::new(),
            free_pages: 0,
            pending: PendingPages::default(),
            reserved: BTreeMap::new(),
            reserved_pages: 0,
            own: BTreeMap::new(),
            page_count,
        }
    }

    /// Brings the map that transactions allocate from up to date with what the logs say: what they
    /// freed stays pending until a checkpoint makes the logs superfluous.
    pub(crate) fn replay(&mut self, changes: &[SpaceChange]) -> Result<(), Corruption> {
        for &change in changes {
            match change {
                SpaceChange::Allocated(extent) if self.allocate_at(extent) => {}
                SpaceChange::Freed(seq, extent) if self.in_use(extent) => {
                    self.defer(seq, extent);
                }
                SpaceChange::Allocated(extent) | SpaceChange::Freed(_, extent) => {
                    return Err(Corruption::FreeMap { page: extent.start });
                }
            }
        }
        Ok(())
    }

    pub(crate) fn page_count(&self) -> u32 {
        self.page_count
    }

    pub(crate) fn free_pages(&self) -> u32 {
        self.free_pages
    }

    /// Pages that transactions have taken which have not committed yet.
    pub(crate) fn reserved_pages(&self) -> u32 {
        self.reserved_pages
    }

    /// These pages.
    pub(crate) fn reserved(&self) -> impl Iterator<Item = Extent> + '_ {
        self.reserved.iter().map(|(&start, &pages)| Extent::new(PageId::new(start), pages))
    }

    /// How many free pages lie side by side at most.
    pub(crate) fn longest_run(&self) -> u32 {
        self.by_len.last().map_or(0, |&(len, _)| len)
    }

    /// How many free pages lie at the end of the file.
    pub(crate) fn free_at_the_end(&self) -> u32 {
        match self.by_start.last_key_value() {
            Some((&start, &len)) if start + len == self.page_count => len,
            _ => 0,
        }
    }

    /// How many runs the map may have that a checkpoint saves next.
    pub(crate) fn runs_max(&self) -> usize {
        self.by_start.len() + self.pending.len() + self.reserved.len()
    }

    /// Adds free pages at the end of the file.
    ///
    /// # Errors
    ///
    /// [`Error::Full`] if page numbers run out.
    pub(crate) fn lengthen(&mut self, pages: u32) -> Result<()> {
        let start = self.page_count;
        self.page_count = start.checked_add(pages).ok_or(Error::Full { asked: pages })?;
        self.release(Extent::new(PageId::new(start), pages));
        Ok(())
    }

    /// The free runs, in order.
    pub(crate) fn runs(&self) -> impl Iterator<Item = Extent> + '_ {
        self.by_start.iter().map(|(&start, &pages)| Extent::new(PageId::new(start), pages))
    }

    /// The runs that become free once nobody reads them any more.
    pub(crate) fn pending(&self) -> impl Iterator<Item = Extent> + '_ {
        self.pending.iter()
    }

    /// Takes `pages` pages that lie side by side: the start of one of the first free
    /// runs, so that the end of the file becomes free; where none of these has as many, of the
    /// shortest that has; else new ones at the end of the file.
    ///
    /// # Errors
    ///
    /// [`Error::Full`] if page numbers run out.
    pub(crate) fn allocate(&mut self, pages: u32) -> Result<Extent> {
        let first = self.by_start.iter().take(FIRST_RUNS).find(|&(_, &len)| len >= pages);
        let first = first.map(|(&start, &len)| (len, start));
        if let Some((len, start)) =
            first.or_else(|| self.by_len.range((pages, 0)..).next().copied())
        {
            self.take_run(start, len);
            if len > pages {
                self.put_run(start + pages, len - pages);
            }
            return Ok(Extent::new(PageId::new(start), pages));
        }
        let start = self.page_count;
        self.page_count = start.checked_add(pages).ok_or(Error::Full { asked: pages })?;
        Ok(Extent::new(PageId::new(start), pages))
    }

    /// Reserves up to `pages` pages: where no free run has as many, a part of the longest, one
    /// page at least.
    ///
    /// # Errors
    ///
    /// [`Error::Full`] if page numbers run out.
    pub(crate) fn reserve_up_to(&mut self, pages: u32) -> Result<Extent> {
        let longest = self.by_len.last().map_or(pages, |&(len, _)| len);
        self.reserve(longest.min(pages))
    }

    /// Takes `pages` free pages, side by side if there are as many, else in as many pieces as it
    /// takes, from the front. Nothing if there are not enough.
    pub(crate) fn allocate_pieces(&mut self, pages: u32) -> Option<Vec<Extent>> {
        if pages > self.free_pages {
            return None;
        }
        let (mut taken, mut left) = (Vec::new(), pages);
        while left > 0 {
            let first = self.by_start.values().next().copied()?;
            let piece = if self.longest_run() >= left { left } else { first.min(left) };
            taken.push(self.allocate(piece).ok()?);
            left -= piece;
        }
        Some(taken)
    }

    /// Leaves the free pages at the end of the file out, down to `page_count_min` pages;
    /// returns how many pages there are then.
    pub(crate) fn truncate(&mut self, page_count_min: u32) -> u32 {
        if let Some((&start, &len)) = self.by_start.last_key_value()
            && start + len == self.page_count
            && self.page_count > page_count_min
        {
            self.take_run(start, len);
            self.page_count = start.max(page_count_min);
            if self.page_count > start {
                self.put_run(start, self.page_count - start);
            }
        }
        self.page_count
    }

    /// How many free pages lie before the last pages in use, if these are `last`.
    pub(crate) fn free_before(&self, last: Extent) -> u32 {
        let mut runs = self.by_start.range(..self.page_count).rev().peekable();
        let mut end = self.page_count;
        if let Some((&start, &len)) = runs.next_if(|&(&start, &len)| start + len == end) {
            end -= len.min(end - start);
        }
        match runs.next() {
            Some((&start, &len))
                if last.end() == u64::from(end) && start + len == last.start.get() =>
            {
                len
            }
            _ => 0,
        }
    }

    /// Gives pages back that no commit ever named.
    pub(crate) fn release(&mut self, extent: Extent) {
        if extent.pages == 0 {
            return;
        }
        let (mut start, mut len) = (extent.start.get(), extent.pages);
        if let Some((&before, &before_len)) = self.by_start.range(..start).next_back()
            && before + before_len == start
        {
            self.take_run(before, before_len);
            (start, len) = (before, before_len + len);
        }
        if let Some(&after_len) = self.by_start.get(&(start + len)) {
            self.take_run(start + len, after_len);
            len += after_len;
        }
        self.put_run(start, len);
    }

    /// Takes pages like [`allocate`](Self::allocate), for a transaction that may still give up.
    ///
    /// # Errors
    ///
    /// [`Error::Full`] if page numbers run out.
    pub(crate) fn reserve(&mut self, pages: u32) -> Result<Extent> {
        let extent = self.allocate(pages)?;
        if pages > 0 {
            self.reserved.insert(extent.start.get(), pages);
            self.reserved_pages += pages;
        }
        Ok(extent)
    }

    /// Ends a reservation: its transaction has committed as `taken_by`.
    pub(crate) fn keep(&mut self, taken_by: Seq, reserved: Extent) {
        self.end_reservation(reserved);
        self.pending.mark_taken(taken_by, reserved);
    }

    /// Ends a reservation: its transaction has given up.
    pub(crate) fn cancel(&mut self, reserved: Extent) {
        self.end_reservation(reserved);
        self.release(reserved);
    }

    fn end_reservation(&mut self, reserved: Extent) {
        if let Some(pages) = self.reserved.remove(&reserved.start.get()) {
            self.reserved_pages -= pages;
        }
    }

    /// Whether any page of `extent` is reserved.
    pub(crate) fn is_reserved(&self, extent: Extent) -> bool {
        overlaps(&self.reserved, extent)
    }

    /// Notes which pages the pager's own streams have now.
    pub(crate) fn set_own(&mut self, streams: &[Extent]) {
        self.own.clear();
        streams.iter().for_each(|&extent| self.add_own(extent));
    }

    pub(crate) fn add_own(&mut self, stream: Extent) {
        self.own.insert(stream.start.get(), stream.pages);
    }

    /// Whether every page of `extent` is in use by the layer above: neither free, nor
    /// pending, nor the pager's own.
    pub(crate) fn in_use(&self, extent: Extent) -> bool {
        extent.start.get() >= HEADER_PAGES
            && extent.end() <= u64::from(self.page_count)
            && !overlaps(&self.by_start, extent)
            && !self.pending.overlaps(extent)
            && !overlaps(&self.own, extent)
    }

    /// Whether any page is pending.
    pub(crate) fn has_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Takes these very pages, which are free or behind the end of the file.
    ///
    /// Returns `false`, and changes nothing, if one of them is in use.
    #[must_use = "pages in use are not taken"]
    pub(crate) fn allocate_at(&mut self, extent: Extent) -> bool {
        let (start, Ok(end)) = (extent.start.get(), u32::try_from(extent.end())) else {
            return false;
        };
        let within = (start, end.min(self.page_count.max(start)));
        let free_within = within.0 >= within.1 || self.run_around(within.0, within.1).is_some();
        if extent.pages == 0 || start < HEADER_PAGES || !free_within {
            return false;
        }
        if end > self.page_count {
            let grown = Extent::new(PageId::new(self.page_count), end - self.page_count);
            self.page_count = end;
            self.release(grown);
        }
        if let Some((run_start, run_len)) = self.run_around(start, end) {
            self.take_run(run_start, run_len);
            if start > run_start {
                self.put_run(run_start, start - run_start);
            }
            if run_start + run_len > end {
                self.put_run(end, run_start + run_len - end);
            }
        }
        true
    }

    /// The free run that holds all of `start..end`.
    fn run_around(&self, start: u32, end: u32) -> Option<(u32, u32)> {
        let (&run_start, &run_len) = self.by_start.range(..=start).next_back()?;
        (run_start + run_len >= end).then_some((run_start, run_len))
    }

    /// Adds pages that commit `freed_by` freed to the pending ones; `freed_by` never decreases.
    pub(crate) fn defer(&mut self, freed_by: Seq, extent: Extent) {
        self.pending.push(freed_by, extent);
    }

    /// Makes pending pages free that were freed at or before `limit` and that none of the
    /// registered `snapshots`, which are in order, has seen in use. Others may be registered only
    /// at `limit` or later.
    pub(crate) fn release_unseen(&mut self, limit: Seq, snapshots: &[Seq]) {
        let unseen = self.pending.take_unseen(limit, snapshots);
        unseen.into_iter().for_each(|extent| self.release(extent));
    }

    /// Makes pending pages free whose last readers are gone: all those freed at or
    /// before `horizon`, the oldest commit that anybody still reads at.
    pub(crate) fn release_pending(&mut self, horizon: Seq) {
        while let Some(extent) = self.pending.pop_freed_by(horizon) {
            self.release(extent);
        }
    }

    fn put_run(&mut self, start: u32, len: u32) {
        self.by_start.insert(start, len);
        self.by_len.insert((len, start));
        self.free_pages += len;
    }

    fn take_run(&mut self, start: u32, len: u32) {
        self.by_start.remove(&start);
        self.by_len.remove(&(len, start));
        self.free_pages -= len;
    }

    /// How many bytes [`encode`](Self::encode) takes at most, with `more` further runs.
    pub(crate) fn encoded_size_max(&self, more: usize) -> usize {
        (self.by_start.len() + more) * RUN_SIZE_MAX
    }

    /// The map to save. Pending pages are left out: the map that is saved has none.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.by_start.len() * 4);
        let mut end = 0;
        for run in self.runs() {
            leb128::push(&mut bytes, run.start.get() - end);
            leb128::push(&mut bytes, run.pages);
            end = run.start.get() + run.pages;
        }
        bytes
    }

    /// Reads a saved map.
    ///
    /// # Errors
    ///
    /// [`Corruption::FreeMap`] if the runs are not in order, touch the header or
    /// reach behind the file's end.
    pub(crate) fn decode(mut bytes: &[u8], page_count: u32) -> Result<Self, Corruption> {
        let mut map = Self::new(page_count);
        let mut end = 0_u32;
        while !bytes.is_empty() {
            let broken = Corruption::FreeMap { page: PageId::new(end) };
            let Some(gap) = leb128::take(&mut bytes) else { return Err(broken) };
            if gap == 0 {
                return if bytes.iter().all(|&byte| byte == 0) { Ok(map) } else { Err(broken) };
            }
            let Some(len) = leb128::take(&mut bytes) else { return Err(broken) };
            let run = end.checked_add(gap).and_then(|start| Some((start, start.checked_add(len)?)));
            match run {
                Some((start, run_end))
                    if start >= HEADER_PAGES && len > 0 && run_end <= page_count =>
                {
                    map.put_run(start, len);
                    end = run_end;
                }
                _ => return Err(broken),
            }
        }
        Ok(map)
    }
}

#[cfg(test)]
mod tests;
