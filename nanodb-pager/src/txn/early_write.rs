//! A transaction's pages that go to the data file without a detour over the log.
//!
//! Fresh pages that are never used (see [`unlogged`](crate::space::unlogged)) are written when so
//! many have gathered in memory that the cache would suffer, and dropped: a load of any size takes
//! a bounded amount of memory, but for some 60 bytes a page. What is left at the commit is
//! written in the same way if there is enough of it to be worth a sync of the data file.
//! A page that is touched again after it was written is read back, and written again.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::page_set::PrivatePage;
use super::write_tx::WriteTx;
use crate::cache::state::CacheState;
use crate::durability::Durability;
use crate::error::{Corruption, Error, Result};
use crate::file::page::Frame;
use crate::ids::{BODY_SIZE, PAGE_SIZE, PageId, Seq};
use crate::shared::Shared;
use crate::space::unlogged::PageOrigin;
use crate::txn::dirty_ranges::DirtyRanges;

/// A page whose log entry is longer than this is worth a write of its own.
const WORTH_BYTES_MIN: usize = BODY_SIZE / 2;

/// At a commit, this many such pages are worth a sync of the data file: 256 KiB. With fewer,
/// a commit that waits for its syncs takes a third longer than through the log.
const WORTH_A_SYNC_MIN: usize = 64;

/// This many are worth a write of their own if no thread waits for a sync: 32 KiB.
const WORTH_A_WRITE_MIN: usize = 8;

/// This many of the pages begun last stay in memory: they are likely to be touched again.
const RECENT_MAX: usize = 8;

/// How many pages are written with one call at most.
const WRITE_PAGES_MAX: usize = 256;

/// A page that was written directly, or is about to be.
pub(super) struct UnloggedPage {
    pub(super) origin: PageOrigin,
    /// The checksum and the number of what is on disk; of no meaning while the page is in
    /// memory too.
    pub(super) checksum: u64,
    pub(super) seq: Seq,
}

impl Shared {
    /// A page that an open transaction has written with this checksum, read back.
    pub(super) fn read_back(&self, page: PageId, stored: u64) -> Result<Arc<Frame>> {
        let _reading = self.begin_use()?;
        let mut frame = self.cache.spare_frames.any();
        let private = Arc::make_mut(&mut frame);
        self.storage
            .read_at(&mut private.bytes, page.offset())
            .map_err(|e| self.io(format!("reading {page}"), e))?;
        self.checksummer.verify(page, private)?;
        let computed = private.checksum();
        if stored != computed {
            return Err(Corruption::Checksum { page, stored, computed }.into());
        }
        Ok(frame)
    }
}

/// Returns how many pages are worth a write of their own at a commit.
fn worth_pages_min(cache: &CacheState, durability: Durability) -> usize {
    let pages_min = match durability {
        Durability::Immediate => WORTH_A_SYNC_MIN,
        Durability::Buffered | Durability::Relaxed => WORTH_A_WRITE_MIN,
    };
    (cache.gather_pages_max() / 2).min(pages_min)
}

impl WriteTx {
    /// Writes and drops what can be of the private pages, but for those begun last. Returns how
    /// many of these will be written in their turn.
    pub(super) fn write_early(&mut self) -> Result<usize> {
        let mut gather_max = self.shared.cache.gather_pages_max();
        let mut to_come = 0;
        if self.shared.storage.is_persistent() {
            let recent = (gather_max / 4).clamp(1, RECENT_MAX);
            let older = self.pages.len().saturating_sub(recent);
            // Views read what was written where it is: it is not to be written over.
            let viewed = self.views.get().is_some_and(|views| Arc::strong_count(views) > 1);
            let may_write = |at: &usize| {
                let page = &self.pages[*at];
                page.fresh && !(viewed && self.unlogged.contains_key(&page.id))
            };
            let fresh = (0..older).filter(may_write).collect();
            let written = self.write_unlogged(fresh)?;
            self.drop_written(&written);
            let kept = self.pages.len().saturating_sub(recent);
            to_come = (kept..self.pages.len()).filter(|&at| self.pages[at].fresh).count();
            // The next look is due where the transaction may have become too large.
            let pages_max = self.shared.options.transaction_bytes_max / PAGE_SIZE;
            let left = pages_max.saturating_sub(self.pages.len());
            gather_max = gather_max.min(left.max(to_come).max(1));
        }
        self.gather_until = self.pages.len() + gather_max;
        Ok(to_come)
    }

    /// Writes what is worth it of the private pages, and what was written before and touched
    /// again. They stay in memory, to be installed.
    pub(super) fn write_at_commit(&mut self) -> Result<()> {
        if !self.shared.storage.is_persistent() || self.pages.is_empty() {
            return Ok(());
        }
        let worth = |page: &PrivatePage| page.fresh && page.dirty.bytes() >= WORTH_BYTES_MIN;
        let again = |page: &PrivatePage| self.unlogged.contains_key(&page.id);
        if self.unlogged.is_empty() {
            let pages_min = worth_pages_min(&self.shared.cache, self.durability);
            if self.pages.len() < pages_min
                || self.pages.iter().filter(|page| worth(page)).count() < pages_min
            {
                return Ok(());
            }
        }
        let picked = (0..self.pages.len())
            .filter(|&at| worth(&self.pages[at]) || again(&self.pages[at]))
            .collect();
        self.write_unlogged(picked)?;
        Ok(())
    }

    /// The page as it was written, read back, as a private page.
    pub(super) fn take_back(&self, id: PageId, written: &UnloggedPage) -> Result<PrivatePage> {
        let frame = self.shared.read_back(id, written.checksum)?;
        let mut dirty = DirtyRanges::default();
        dirty.mark(0..BODY_SIZE);
        Ok(PrivatePage { id, frame, base: None, fresh: true, dirty })
    }

    /// Writes the private pages at these places that are never used, in runs as long as may be.
    /// Returns the places of those.
    fn write_unlogged(&mut self, mut places: Vec<usize>) -> Result<Vec<usize>> {
        let shared = Arc::clone(&self.shared);
        if places.is_empty() {
            return Ok(places);
        }
        // Nothing may be written while the logs of an earlier process count.
        shared.ready_to_write()?;
        // The file may be released meanwhile; it stays locked until this is written.
        let _writing = shared.begin_use()?;
        shared.check_writable()?;
        self.open_unlogged(&mut places);
        places.sort_unstable_by_key(|&at| self.pages[at].id);
        let Some(&last) = places.last() else { return Ok(places) };

        // A multiple of what this transaction needs, so that few calls do.
        let pages =
            shared.space.page_count.load(Ordering::Relaxed).max(self.pages[last].id.get() + 1);
        shared.lengthen(PageId::new(pages).offset())?;
        let seq = shared.commit.lock().installed.next();
        // Before the first write, as for a checkpoint.
        shared.checkpoint.disk_seq.fetch_max(seq.get(), Ordering::Relaxed);
        let mut buffer = Vec::with_capacity(places.len().min(WRITE_PAGES_MAX) * PAGE_SIZE);
        let side_by_side =
            |&a: &usize, &b: &usize| self.pages[a].id.get() + 1 == self.pages[b].id.get();
        let runs: Vec<Vec<usize>> = places
            .chunk_by(side_by_side)
            .flat_map(|run| run.chunks(WRITE_PAGES_MAX).map(<[usize]>::to_vec))
            .collect();
        for run in runs {
            buffer.clear();
            for &at in &run {
                self.seal_into(at, seq, &mut buffer);
            }
            let page = self.pages[run[0]].id;
            let doing = || format!("writing new pages from {page} on");
            let failed = |e| shared.write_failed(Error::io(doing(), e));
            shared.storage.write_at(&buffer, page.offset()).map_err(failed)?;
        }
        Ok(places)
    }

    /// Claims the pages, leaves only those of the places that are never used, and lets nobody load
    /// them any more.
    fn open_unlogged(&mut self, places: &mut Vec<usize>) {
        let shared = Arc::clone(&self.shared);
        let (again, new): (Vec<usize>, Vec<usize>) =
            places.iter().partition(|&&at| self.unlogged.contains_key(&self.pages[at].id));
        let ids = new.iter().map(|&at| self.pages[at].id);
        let opened = shared.space.unlogged.open(ids, &self.allocated);
        *places = again;
        for (at, origin) in new.into_iter().zip(opened) {
            let Some(origin) = origin else { continue };
            places.push(at);
            let page = self.pages[at].id;
            self.unlogged.insert(page, UnloggedPage { origin, checksum: 0, seq: Seq::ZERO });
            // Waits for a load under way, too. What is dropped here nobody wants; if the
            // cache still lists it, it is counted twice until the clock's hand passes.
            let _stripe = shared.cache.stripes.lock(page);
            shared.cache.table.slot(page).frame.store(None);
        }
    }

    fn seal_into(&mut self, at: usize, seq: Seq, buffer: &mut Vec<u8>) {
        let page = &mut self.pages[at];
        Arc::make_mut(&mut page.frame).set_seq(seq);
        let start = buffer.len();
        buffer.extend_from_slice(&page.frame.bytes);
        let checksum = self.shared.checksummer.seal(page.id, &mut buffer[start..]);
        if let Some(unlogged) = self.unlogged.get_mut(&page.id) {
            (unlogged.checksum, unlogged.seq) = (checksum, seq);
        }
    }

    fn drop_written(&mut self, places: &[usize]) {
        if places.is_empty() {
            return;
        }
        let mut written = vec![false; self.pages.len()];
        places.iter().for_each(|&at| written[at] = true);
        let frames = &self.shared.cache.spare_frames;
        self.pages.retain(|at, _| !written[at], |page| frames.recycle(page.frame));
    }
}
