//! Which commits are still being read, and which old page versions that keeps alive.
//!
//! A version is wanted by a reader at `s` if it was written at or before `s` and
//! replaced after. Versions that nobody wants go at once: when their successor is
//! published, or when the snapshot that held them is dropped.
//!
//! # Why nothing wanted is dropped
//!
//! Registering a snapshot reads the published commit, and pruning decides, under
//! one and the same lock. So a snapshot registered after a decision has a number
//! not below what was published at the decision, and what was dropped then had
//! been replaced at or before that.

use std::collections::{BTreeMap, VecDeque};

use crate::ids::{PageId, Seq};
use crate::sync::Mutex;

/// A version that has been replaced and is kept in memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Superseded {
    pub(crate) page: PageId,
    pub(crate) written_at: Seq,
    pub(crate) superseded_at: Seq,
}

/// The registered snapshots and the versions they hold.
#[derive(Default)]
pub(crate) struct Snapshots {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    registered: BTreeMap<Seq, Registered>,
    /// Replaced versions whose successors are not known to be published yet, in order.
    unpublished: VecDeque<Superseded>,
}

#[derive(Default)]
struct Registered {
    count: usize,
    /// Versions that no later snapshot wants.
    held: Vec<Superseded>,
}

impl State {
    /// Gives a version to the latest snapshot that wants it, if one does.
    fn hold(&mut self, version: Superseded) -> bool {
        let latest = self.registered.range_mut(version.written_at..version.superseded_at);
        match latest.into_iter().next_back() {
            Some((_, snapshot)) => {
                snapshot.held.push(version);
                true
            }
            None => false,
        }
    }

    fn horizon(&self, published: Seq) -> Seq {
        self.registered.keys().next().map_or(published, |&oldest| oldest.min(published))
    }
}

impl Snapshots {
    /// Registers a reader at the commit that `published` returns.
    pub(crate) fn register(&self, published: impl FnOnce() -> Seq) -> Seq {
        let mut state = self.state.lock();
        let seq = published();
        state.registered.entry(seq).or_default().count += 1;
        seq
    }

    /// Ends a reader at `seq`; calls `drop_version` for every version nobody wants now.
    pub(crate) fn unregister(&self, seq: Seq, mut drop_version: impl FnMut(Superseded)) {
        let mut state = self.state.lock();
        let Some(snapshot) = state.registered.get_mut(&seq) else { return };
        snapshot.count -= 1;
        if snapshot.count > 0 {
            return;
        }
        let held = state.registered.remove(&seq).map(|snapshot| snapshot.held).unwrap_or_default();
        for version in held {
            if !state.hold(version) {
                drop_version(version);
            }
        }
    }

    /// Notes versions that a commit has replaced. Commits come in order.
    pub(crate) fn supersede(&self, versions: impl IntoIterator<Item = Superseded>) {
        self.state.lock().unpublished.extend(versions);
    }

    /// Calls `drop_version` for every version that nobody wants now that `published`
    /// returns what it does, and returns the oldest commit that is still read.
    pub(crate) fn prune(
        &self,
        published: impl FnOnce() -> Seq,
        mut drop_version: impl FnMut(Superseded),
    ) -> Seq {
        let mut state = self.state.lock();
        let published = published();
        while let Some(&version) = state.unpublished.front()
            && version.superseded_at <= published
        {
            state.unpublished.pop_front();
            if !state.hold(version) {
                drop_version(version);
            }
        }
        state.horizon(published)
    }

    /// How many snapshots are registered.
    pub(crate) fn count(&self) -> usize {
        self.state.lock().registered.values().map(|snapshot| snapshot.count).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(page: u32, written_at: u64, superseded_at: u64) -> Superseded {
        Superseded {
            page: PageId::new(page),
            written_at: Seq::new(written_at),
            superseded_at: Seq::new(superseded_at),
        }
    }

    fn pruned(snapshots: &Snapshots, published: u64) -> Vec<u64> {
        let mut gone = Vec::new();
        snapshots.prune(|| Seq::new(published), |v| gone.push(v.written_at.get()));
        gone
    }

    #[test]
    fn a_version_goes_once_its_successor_is_published() {
        let snapshots = Snapshots::default();
        snapshots.supersede([version(9, 1, 4), version(9, 4, 6)]);
        assert_eq!(pruned(&snapshots, 3), [0_u64; 0]);
        assert_eq!(pruned(&snapshots, 5), [1]);
        assert_eq!(pruned(&snapshots, 6), [4]);
    }

    #[test]
    fn only_the_version_a_snapshot_reads_is_held_for_it() {
        let snapshots = Snapshots::default();
        let held = snapshots.register(|| Seq::new(3));
        snapshots.supersede([version(9, 1, 4), version(9, 4, 6), version(9, 6, 7)]);
        assert_eq!(pruned(&snapshots, 7), [4, 6]);
        let mut gone = Vec::new();
        snapshots.unregister(held, |v| gone.push(v.written_at.get()));
        assert_eq!(gone, [1]);
        assert_eq!(snapshots.count(), 0);
    }

    #[test]
    fn a_version_passes_from_a_later_snapshot_to_an_earlier_one() {
        let snapshots = Snapshots::default();
        let early = snapshots.register(|| Seq::new(2));
        let late = snapshots.register(|| Seq::new(3));
        snapshots.supersede([version(9, 1, 4)]);
        assert_eq!(pruned(&snapshots, 4), [0_u64; 0]);
        snapshots.unregister(late, |_| panic!("still wanted"));
        let mut gone = 0;
        snapshots.unregister(early, |_| gone += 1);
        assert_eq!(gone, 1);
    }
}
