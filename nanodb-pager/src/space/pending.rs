//! Pages that a commit has freed and that somebody may still read.
//!
//! They become free when nobody reads at a commit before the one that freed them. Before that
//! they do if no snapshot has seen them in use: if they were taken after one and freed before
//! the next. For that it is kept which commits have taken pages.

use std::collections::{BTreeMap, VecDeque};

use crate::ids::{Extent, PageId, Seq};
use crate::space::runs::overlaps;

/// The pending pages, in the order in which they were freed.
#[derive(Clone, Default, Debug)]
pub(crate) struct PendingPages {
    queue: VecDeque<Pending>,
    by_start: BTreeMap<u32, u32>,
    /// Which commits have taken pages: runs since the last checkpoint, at least, and all that
    /// an older snapshot may not know of. No two overlap.
    young: BTreeMap<u32, (u32, Seq)>,
}

/// Pages that are not in use any more, but perhaps read.
#[derive(Clone, Copy, Debug)]
struct Pending {
    /// The commit that took them, or any before it.
    taken_by: Seq,
    freed_by: Seq,
    extent: Extent,
}

impl PendingPages {
    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Returns how many runs are pending.
    pub(crate) fn len(&self) -> usize {
        self.by_start.len()
    }

    /// Iterates over the pending runs.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Extent> + '_ {
        self.queue.iter().map(|pending| pending.extent)
    }

    /// Returns whether any page of `extent` is pending.
    pub(crate) fn overlaps(&self, extent: Extent) -> bool {
        overlaps(&self.by_start, extent)
    }

    /// Records which commit has taken these pages. Of a run that was taken before and overlaps
    /// them, what lies outside keeps its commit: without one a page passes for seen by every
    /// snapshot.
    pub(crate) fn mark_taken(&mut self, taken_by: Seq, extent: Extent) {
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

    /// Adds pages that commit `freed_by` freed; `freed_by` never decreases.
    pub(crate) fn push(&mut self, freed_by: Seq, extent: Extent) {
        // Pages that were taken by several commits part here, or what is known of each were lost.
        let mut at = u64::from(extent.start.get());
        while at < extent.end()
            && let Ok(start) = u32::try_from(at)
        {
            let (taken_by, end) = self.young_run(start);
            let end = end.min(extent.end());
            let pages = u32::try_from(end - at).unwrap_or(extent.pages);
            let extent = Extent::new(PageId::new(start), pages);
            self.queue.push_back(Pending { taken_by, freed_by, extent });
            self.by_start.insert(start, pages);
            at = end;
        }
    }

    /// The commit that has taken a page, or any before it, and the end of the run for which the
    /// answer is the same.
    pub(super) fn young_run(&self, page: u32) -> (Seq, u64) {
        let next = page.checked_add(1).and_then(|next| self.young.range(next..).next());
        let next = next.map_or(u64::MAX, |(&start, _)| u64::from(start));
        match self.young.range(..=page).next_back() {
            Some((&start, &(pages, seq))) if page - start < pages => {
                (seq, next.min(u64::from(start) + u64::from(pages)))
            }
            _ => (Seq::ZERO, next),
        }
    }

    /// Takes out the runs that were freed at or before `limit` and that none of the registered
    /// `snapshots`, which are in order, has seen in use.
    pub(crate) fn take_unseen(&mut self, limit: Seq, snapshots: &[Seq]) -> Vec<Extent> {
        let mut unseen = Vec::new();
        for pending in std::mem::take(&mut self.queue) {
            let next = snapshots.partition_point(|&seq| seq < pending.taken_by);
            let seen = snapshots.get(next).is_some_and(|&seq| seq < pending.freed_by);
            if seen || pending.freed_by > limit {
                self.queue.push_back(pending);
            } else {
                self.by_start.remove(&pending.extent.start.get());
                unseen.push(pending.extent);
            }
        }
        // Whoever is registered later sees all of these in use.
        let oldest = snapshots.first().map_or(limit, |&oldest| oldest.min(limit));
        self.young.retain(|_, (_, taken_by)| *taken_by > oldest);
        unseen
    }

    /// Takes out the oldest run, if it was freed at or before `horizon`.
    pub(crate) fn pop_freed_by(&mut self, horizon: Seq) -> Option<Extent> {
        let pending = self.queue.pop_front_if(|pending| pending.freed_by <= horizon)?;
        self.by_start.remove(&pending.extent.start.get());
        Some(pending.extent)
    }
}
