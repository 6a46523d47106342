//! Which pages nobody uses.
//!
//! Free pages are kept as runs, indexed by place (to merge neighbours) and by
//! length (to find the smallest run that is long enough). Allocation and release
//! cost O(log runs).
//!
//! Pages that a commit freed are *pending* until no reader can want their last
//! contents; only then are they free. Pages that a transaction has taken are
//! *reserved* until it commits or gives them back.
//!
//! On disk the map is a stream of LEB128 numbers: for each run the gap to the end of
//! the run before it (for the first, from page 0) and its length. It says what is free
//! as of the checkpoint, whoever may still read it: who opens the file has no readers and
//! no transactions yet. A gap of zero ends the map; only zeros follow.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::error::{Corruption, Error, Result};
use crate::file::header::HEADER_PAGES;
use crate::ids::{Extent, PageId, Seq};
use crate::leb128;
use crate::space::change::SpaceChange;

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
    pending: VecDeque<Pending>,
    pending_by_start: BTreeMap<u32, u32>,
    /// Taken by transactions that have not committed yet.
    reserved: BTreeMap<u32, u32>,
    reserved_pages: u32,
    /// Which commits have taken pages: runs since the last checkpoint, at least, and all that
    /// an older snapshot may not know of. No two overlap.
    young: BTreeMap<u32, (u32, Seq)>,
    /// Where the pager's own streams lie.
    own: BTreeMap<u32, u32>,
    page_count: u32,
}

/// Pages that are not in use any more, but perhaps read.
#[derive(Clone, Copy, Debug)]
struct Pending {
    /// The commit that took them, or any before it.
    taken_by: Seq,
    freed_by: Seq,
    extent: Extent,
}

impl FreeMap {
    /// Of a file with no free page.
    pub(crate) fn new(page_count: u32) -> Self {
        Self {
            by_start: BTreeMap::new(),
            by_len: BTreeSet::new(),
            free_pages: 0,
            pending: VecDeque::new(),
            pending_by_start: BTreeMap::new(),
            reserved: BTreeMap::new(),
            reserved_pages: 0,
            young: BTreeMap::new(),
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
        self.by_start.len() + self.pending_by_start.len() + self.reserved.len()
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
        self.pending.iter().map(|pending| pending.extent)
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

    /// As [`reserve`](Self::reserve), but where no free run has as many, a part of the longest
    /// will do: one page at least.
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

    /// As [`allocate`](Self::allocate), for a transaction that may still give up.
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
        self.note_taken(taken_by, reserved);
    }

    /// Notes which commit has taken these pages. Of a run that was taken before and overlaps them,
    /// what lies outside keeps its commit: without one a page passes for seen by every snapshot.
    fn note_taken(&mut self, taken_by: Seq, extent: Extent) {
        let (start, end) = (extent.start.get(), extent.start.get() + extent.pages);
        if let Some((&before, &(pages, seq))) = self.young.range(..start).next_back()
            && before + pages > start
        {
            self.young.insert(before, (start - before, seq));
            if before + pages > end {
                self.young.insert(end, (before + pages - end, seq));
            }
        }
        while let Some((&within, &(pages, seq))) = self.young.range(start..end).next() {
            self.young.remove(&within);
            if within + pages > end {
                self.young.insert(end, (within + pages - end, seq));
            }
        }
        self.young.insert(start, (extent.pages, taken_by));
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
            && !overlaps(&self.pending_by_start, extent)
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

    /// Notes pages that commit `freed_by` freed; `freed_by` never decreases.
    pub(crate) fn defer(&mut self, freed_by: Seq, extent: Extent) {
        // Pages that were taken by several commits part here, or what is known of each were lost.
        let mut at = u64::from(extent.start.get());
        while at < extent.end()
            && let Ok(start) = u32::try_from(at)
        {
            let (taken_by, end) = self.young_run(start);
            let end = end.min(extent.end());
            let pages = u32::try_from(end - at).unwrap_or(extent.pages);
            let extent = Extent::new(PageId::new(start), pages);
            self.pending.push_back(Pending { taken_by, freed_by, extent });
            self.pending_by_start.insert(start, pages);
            at = end;
        }
    }

    /// The commit that has taken a page, or any before it, and the end of the run for which the answer
    /// is the same.
    fn young_run(&self, page: u32) -> (Seq, u64) {
        let next = page.checked_add(1).and_then(|next| self.young.range(next..).next());
        let next = next.map_or(u64::MAX, |(&start, _)| u64::from(start));
        match self.young.range(..=page).next_back() {
            Some((&start, &(pages, seq))) if page - start < pages => {
                (seq, next.min(u64::from(start) + u64::from(pages)))
            }
            _ => (Seq::ZERO, next),
        }
    }

    /// Makes pending pages free that were freed at or before `limit` and that none of the
    /// registered `snapshots`, which are in order, has seen in use. Others may be registered only at
    /// `limit` or later.
    pub(crate) fn release_unseen(&mut self, limit: Seq, snapshots: &[Seq]) {
        let all = std::mem::take(&mut self.pending);
        for pending in all {
            let next = snapshots.partition_point(|&seq| seq < pending.taken_by);
            let seen = snapshots.get(next).is_some_and(|&seq| seq < pending.freed_by);
            if seen || pending.freed_by > limit {
                self.pending.push_back(pending);
            } else {
                self.pending_by_start.remove(&pending.extent.start.get());
                self.release(pending.extent);
            }
        }
        // Whoever is registered later sees all of these in use.
        let oldest = snapshots.first().map_or(limit, |&oldest| oldest.min(limit));
        self.young.retain(|_, (_, taken_by)| *taken_by > oldest);
    }

    /// Makes pending pages free whose last readers are gone: all those freed at or
    /// before `horizon`, the oldest commit that anybody still reads at.
    pub(crate) fn release_pending(&mut self, horizon: Seq) {
        while let Some(&Pending { freed_by, extent, .. }) = self.pending.front()
            && freed_by <= horizon
        {
            self.pending.pop_front();
            self.pending_by_start.remove(&extent.start.get());
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

/// Whether any of `runs` shares a page with `extent`.
pub(crate) fn overlaps(runs: &BTreeMap<u32, u32>, extent: Extent) -> bool {
    let end = u32::try_from(extent.end()).unwrap_or(u32::MAX);
    runs.range(..end).next_back().is_some_and(|(&start, &len)| start + len > extent.start.get())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn extent(start: u32, pages: u32) -> Extent {
        Extent::new(PageId::new(start), pages)
    }

    #[test]
    fn the_first_run_that_fits_is_taken_and_neighbours_merge() {
        let mut map = FreeMap::new(20);
        map.release(extent(2, 3));
        map.release(extent(10, 5));
        assert_eq!(map.allocate(4).unwrap(), extent(10, 4));
        assert_eq!(map.allocate(1).unwrap(), extent(2, 1));
        map.release(extent(2, 1));
        map.release(extent(5, 5));
        assert_eq!(map.runs().collect::<Vec<_>>(), [extent(2, 8), extent(14, 1)]);
        assert_eq!(map.allocate(9).unwrap(), extent(20, 9));
    }

    #[test]
    fn of_many_runs_the_shortest_that_fits_is_taken_when_the_first_are_too_short() {
        let mut map = FreeMap::new(900);
        (0..100).for_each(|n| map.release(extent(2 + 2 * n, 1)));
        map.release(extent(500, 9));
        map.release(extent(600, 5));
        assert_eq!(map.allocate(4).unwrap(), extent(600, 4));
        assert_eq!(map.allocate(1).unwrap(), extent(2, 1));
        assert_eq!(map.reserve_up_to(20).unwrap(), extent(500, 9));
        assert_eq!(map.reserve_up_to(20).unwrap().pages, 1);
        assert_eq!(FreeMap::new(2).reserve_up_to(20).unwrap(), extent(2, 20));
    }

    #[test]
    fn pages_in_pieces_are_taken_where_they_do_not_lie_side_by_side() {
        let mut map = FreeMap::new(30);
        [extent(4, 1), extent(8, 3), extent(20, 2)].into_iter().for_each(|run| map.release(run));
        assert_eq!(map.clone().allocate_pieces(3).unwrap(), [extent(8, 3)]);
        assert_eq!(map.allocate_pieces(7), None);
        let pieces = map.allocate_pieces(5).unwrap();
        assert_eq!(pieces, [extent(4, 1), extent(8, 3), extent(20, 1)]);
        assert_eq!((map.free_pages(), map.free_at_the_end()), (1, 0));
        map.lengthen(3).unwrap();
        assert_eq!((map.page_count(), map.free_pages(), map.free_at_the_end()), (33, 4, 3));
    }

    #[test]
    fn free_pages_at_the_end_are_cut_off() {
        let mut map = FreeMap::new(20);
        assert_eq!(map.truncate(2), 20);
        map.release(extent(5, 2));
        assert_eq!(map.truncate(2), 20);
        map.release(extent(12, 8));
        assert_eq!(map.free_before(extent(7, 5)), 2);
        assert_eq!((map.free_before(extent(7, 4)), map.free_before(extent(8, 4))), (0, 0));
        assert_eq!((map.truncate(15), map.free_pages()), (15, 5));
        assert_eq!(map.free_before(extent(7, 5)), 2);
        assert_eq!((map.truncate(2), map.free_pages()), (12, 2));
        assert!(map.allocate_at(extent(14, 2)));
        assert_eq!((map.page_count(), map.free_pages()), (16, 4));
    }

    #[test]
    fn pages_are_pending_until_the_horizon_passes() {
        let mut map = FreeMap::new(20);
        map.defer(Seq::new(5), extent(7, 2));
        map.release_pending(Seq::new(4));
        assert_eq!(map.free_pages(), 0);
        map.release_pending(Seq::new(5));
        assert_eq!(map.free_pages(), 2);
    }

    #[test]
    fn pages_are_free_that_no_snapshot_has_seen_in_use() {
        let mut map = FreeMap::new(2);
        let taken = map.reserve(4).unwrap();
        map.keep(Seq::new(5), taken);
        let later = map.reserve(2).unwrap();
        map.keep(Seq::new(8), later);
        map.defer(Seq::new(9), extent(2, 2));
        map.defer(Seq::new(10), extent(6, 2));
        // Nothing is known of those of a file that was opened.
        map.page_count = 12;
        map.defer(Seq::new(11), extent(8, 2));
        let free = |map: &FreeMap| map.runs().collect::<Vec<_>>();
        let release = |map: &mut FreeMap, limit, snapshots: &[u64]| {
            let snapshots: Vec<Seq> = snapshots.iter().copied().map(Seq::new).collect();
            map.release_unseen(Seq::new(limit), &snapshots);
        };
        release(&mut map, 20, &[3, 6, 8]);
        assert_eq!(free(&map), []);
        release(&mut map, 9, &[3, 7]);
        assert_eq!(free(&map), []);
        release(&mut map, 10, &[3, 7]);
        assert_eq!(free(&map), [extent(6, 2)]);
        release(&mut map, 20, &[4, 9]);
        assert_eq!(free(&map), [extent(2, 2), extent(6, 2)]);
        release(&mut map, 20, &[11]);
        assert_eq!(free(&map), [extent(2, 2), extent(6, 4)]);
        assert!(!map.has_pending());
    }

    #[test]
    fn pages_that_are_freed_together_go_each_when_no_snapshot_has_seen_it() {
        let mut map = FreeMap::new(4);
        for seq in [5, 6, 8] {
            let taken = map.reserve(2).unwrap();
            map.keep(Seq::new(seq), taken);
        }
        map.defer(Seq::new(9), extent(2, 9));
        map.release_unseen(Seq::new(9), &[Seq::new(4)]);
        assert_eq!(map.runs().collect::<Vec<_>>(), [extent(4, 6)]);
        assert!(!map.in_use(extent(3, 1)) && !map.in_use(extent(10, 1)) && map.has_pending());
        map.release_unseen(Seq::new(9), &[Seq::new(9)]);
        assert_eq!(map.runs().collect::<Vec<_>>(), [extent(2, 9)]);
        assert_eq!(map.pending_by_start.len(), 0);
    }

    #[test]
    fn pages_beside_ones_that_were_taken_again_are_still_known_to_be_unseen() {
        let mut map = FreeMap::new(2);
        let take = |map: &mut FreeMap, pages, seq| {
            let taken = map.reserve(pages).unwrap();
            map.keep(Seq::new(seq), taken);
            taken
        };
        let free = |map: &mut FreeMap, seq, extent| {
            map.defer(Seq::new(seq), extent);
            map.release_unseen(Seq::new(seq), &[Seq::new(4)]);
        };
        assert_eq!(take(&mut map, 12, 5), extent(2, 12));
        // From the front, and in the middle.
        free(&mut map, 6, extent(2, 4));
        assert_eq!(take(&mut map, 2, 7), extent(2, 2));
        free(&mut map, 8, extent(8, 2));
        free(&mut map, 9, extent(4, 2));
        assert_eq!(take(&mut map, 2, 10), extent(4, 2));
        assert_eq!(take(&mut map, 2, 11), extent(8, 2));
        // All were taken after the snapshot.
        free(&mut map, 12, extent(2, 12));
        assert_eq!(map.runs().collect::<Vec<_>>(), [extent(2, 12)]);
        assert!(!map.has_pending());
    }

    proptest! {
        #[test]
        fn what_is_known_of_pages_taken_in_any_order_is_the_last_that_took_each(
            taken in proptest::collection::vec((2_u32..60, 1_u32..12), 1..40),
        ) {
            let mut map = FreeMap::new(100);
            let mut model = [0_u64; 100];
            for (seq, (start, pages)) in (1..).zip(taken) {
                map.note_taken(Seq::new(seq), extent(start, pages));
                model[start as usize..][..pages as usize].fill(seq);
            }
            for (page, &seq) in (0..).zip(&model) {
                let (found, end) = map.young_run(page);
                prop_assert_eq!(found, Seq::new(seq), "page {}", page);
                prop_assert!(end > u64::from(page));
            }
        }
    }

    #[test]
    fn a_page_that_is_free_or_pending_is_not_in_use() {
        let mut map = FreeMap::new(20);
        map.release(extent(4, 2));
        map.defer(Seq::new(1), extent(8, 2));
        let in_use = |start, pages| map.in_use(extent(start, pages));
        assert!(in_use(2, 2) && in_use(6, 2) && in_use(10, 10));
        assert!(!in_use(1, 1) && !in_use(3, 2) && !in_use(5, 1) && !in_use(6, 3));
        assert!(!in_use(9, 1) && !in_use(19, 2));
    }

    #[test]
    fn any_number_of_zeros_ends_the_map() {
        for zeros in 0..4 {
            for (mut bytes, runs) in [(vec![], 0), (vec![3, 2], 1)] {
                bytes.resize(bytes.len() + zeros, 0);
                assert_eq!(FreeMap::decode(&bytes, 20).unwrap().runs().count(), runs);
            }
        }
        assert!(FreeMap::decode(&[3, 2, 0, 1], 20).is_err());
    }

    #[test]
    fn page_numbers_that_run_out_are_an_error_and_change_nothing() {
        let mut map = FreeMap::new(u32::MAX - 1);
        assert!(matches!(map.allocate(2), Err(Error::Full { asked: 2 })));
        assert_eq!(map.allocate(1).unwrap(), extent(u32::MAX - 1, 1));
    }

    proptest! {
        #[test]
        fn never_gives_a_page_twice(sizes in prop::collection::vec((1_u32..9, any::<bool>()), 1..80)) {
            let mut map = FreeMap::new(2);
            let mut held: Vec<Extent> = Vec::new();
            for (pages, release) in sizes {
                if release && !held.is_empty() {
                    let extent = held.swap_remove(pages as usize % held.len());
                    map.release(extent);
                } else {
                    let new = map.allocate(pages).unwrap();
                    prop_assert!(held.iter().all(|h| new.end() <= u64::from(h.start.get())
                        || h.end() <= u64::from(new.start.get())));
                    held.push(new);
                }
                let used: u32 = held.iter().map(|h| h.pages).sum();
                prop_assert_eq!(used + map.free_pages() + 2, map.page_count());
            }
            let bytes = map.encode();
            let back = FreeMap::decode(&bytes, map.page_count()).unwrap();
            prop_assert!(back.runs().eq(map.runs()));
            let mut again = FreeMap::new(2);
            for &extent in &held {
                prop_assert!(again.allocate_at(extent) && !again.allocate_at(extent));
            }
            prop_assert!(held.iter().all(|&extent| again.in_use(extent)));
        }

        #[test]
        fn decodes_anything(bytes in prop::collection::vec(any::<u8>(), 0..60), page_count: u32) {
            if let Ok(map) = FreeMap::decode(&bytes, page_count) {
                prop_assert!(map.runs().all(|run| run.end() <= u64::from(page_count)));
            }
        }
    }
}
