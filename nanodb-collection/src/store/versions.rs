//! What a collection was like at which commit: how many documents, on which pages.
//!
//! Only what somebody may still ask for is kept: the state as of the published commit,
//! those of commits that are not published yet, and for each snapshot the one it shows.

use std::collections::VecDeque;

use nanodb_pager::{Pager, Seq};

use crate::pages::extents::Extents;

/// A collection as of a commit, and until the next that changes it.
#[derive(Clone, Debug)]
pub(crate) struct CollectionVersion {
    pub(crate) since: Seq,
    pub(crate) count: u64,
    pub(crate) overflow_pages: u64,
    pub(crate) extents: Extents,
}

/// The states of one collection, in order.
#[derive(Debug, Default)]
pub(crate) struct CollectionVersions {
    /// Those that only snapshots want, each with the commit that ended it.
    held: Vec<(CollectionVersion, Seq)>,
    /// The last one that is known to be published, if there is one, and all later ones.
    recent: VecDeque<CollectionVersion>,
}

impl CollectionVersions {
    pub(crate) fn new(first: Option<CollectionVersion>) -> Self {
        Self { held: Vec::new(), recent: first.into_iter().collect() }
    }

    /// The state as of a commit that is published now, or that a snapshot is open at;
    /// none if the collection did not exist.
    pub(crate) fn at(&self, seq: Seq) -> Option<&CollectionVersion> {
        let recent = self.recent.iter().rev().find(|state| state.since <= seq);
        recent.or_else(|| {
            let held = self.held.iter().rev().map(|(state, _)| state);
            held.into_iter().find(|state| state.since <= seq)
        })
    }

    /// Adds the state that a commit leaves behind. Commits come in order, and before they
    /// are published. True if there is more to keep for snapshots than before.
    pub(crate) fn push(&mut self, state: CollectionVersion, pager: &Pager) -> bool {
        self.recent.push_back(state);
        let held = self.held.len();
        self.leave_published(pager);
        self.held.len() > held
    }

    /// Drops what no snapshot wants; false if none is kept for one.
    pub(crate) fn sweep(&mut self, pager: &Pager) -> bool {
        self.leave_published(pager);
        if let (Some((first, _)), Some((_, end))) = (self.held.first(), self.held.last()) {
            let open = pager.snapshots_within(first.since..*end);
            self.held.retain(|(state, end)| is_wanted(&open, state.since, *end));
        }
        !self.held.is_empty()
    }

    /// Lets go of the states whose successors are published.
    fn leave_published(&mut self, pager: &Pager) {
        // Read before the snapshots are: what ends at it none can come to want.
        let published = pager.published();
        let ended = self.recent.iter().skip(1).take_while(|next| next.since <= published).count();
        let (Some(first), Some(last)) = (self.recent.front(), self.recent.get(ended)) else {
            return;
        };
        if ended == 0 {
            return;
        }
        let open = pager.snapshots_within(first.since..last.since);
        for _ in 0..ended {
            let Some(state) = self.recent.pop_front() else { return };
            let end = self.recent.front().map_or(published, |next| next.since);
            if is_wanted(&open, state.since, end) {
                self.held.push((state, end));
            }
        }
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.held.len() + self.recent.len()
    }
}

/// Whether one of the snapshots, which are in order, lies in `since..end`.
fn is_wanted(open: &[Seq], since: Seq, end: Seq) -> bool {
    open.get(open.partition_point(|&seq| seq < since)).is_some_and(|&seq| seq < end)
}
