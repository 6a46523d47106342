//! Which commits are still being read, and which old page versions that keeps alive.
//!
//! A version is wanted by a reader at `s` if it was written at or before `s` and
//! replaced after. Versions that nobody wants go when their successor is published, or when
//! the snapshot that held them is dropped; as long as there is no snapshot, a few are left
//! to gather, for a page that is changed again and again loses many at the cost of one.
//!
//! # Why nothing wanted is dropped
//!
//! Registering a snapshot reads the published commit, and pruning decides, under
//! one and the same lock. So a snapshot registered after a decision has a number
//! not below what was published at the decision, and what was dropped then had
//! been replaced at or before that.
//!
//! # Spilling
//!
//! What is held in memory can be taken out to be written to a temporary file, and is given
//! back then. Meanwhile it belongs to whoever took it: if the snapshot is dropped that
//! held it, it goes when it is given back.
//!
//! # What it costs
//!
//! 24 bytes for each version held. A snapshot holds one version of a page at most.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;

use crate::ids::{PageId, Seq};
use crate::sync::{AtomicBool, Mutex, Ordering};

/// A version that has been replaced and is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct OldVersion {
    pub(crate) page: PageId,
    pub(crate) written_at: Seq,
    pub(crate) superseded_at: Seq,
}

/// Which versions of a page are dropped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum DropScope {
    /// A version that no reader needs, and no other.
    One,
    /// That one and all of its page that are older still.
    AllOlder,
}

/// How many replaced versions gather, as long as no snapshot is registered. So few that the
/// frames which go round stay in the processor's nearest cache.
const GATHERED_MAX: usize = 8;

/// The registered snapshots and the versions they hold.
#[derive(Default)]
pub(crate) struct SnapshotRegistry {
    state: Mutex<State>,
    /// Relaxed: only says when; what is pruned is decided under the lock.
    due: AtomicBool,
}

#[derive(Default)]
struct State {
    registered: BTreeMap<Seq, SnapshotVersions>,
    /// Replaced versions whose successors are not known to be published yet, in order.
    unpublished: VecDeque<OldVersion>,
}

/// The versions that a snapshot wants and no later one does.
#[derive(Default)]
struct SnapshotVersions {
    count: usize,
    /// In memory, in the order in which they came.
    in_memory: VecDeque<OldVersion>,
    spilled: Vec<OldVersion>,
}

impl State {
    /// Gives a version to the latest snapshot that wants it, if one does.
    fn hold(&mut self, version: OldVersion, spilled: bool) -> bool {
        let latest = self.registered.range_mut(version.written_at..version.superseded_at);
        match latest.into_iter().next_back() {
            Some((_, snapshot)) if spilled => snapshot.spilled.push(version),
            Some((_, snapshot)) => snapshot.in_memory.push_back(version),
            None => return false,
        }
        true
    }

    fn horizon(&self, published: Seq) -> Seq {
        self.registered.keys().next().map_or(published, |&oldest| oldest.min(published))
    }
}

impl SnapshotRegistry {
    /// Registers a reader at the commit that `published` returns.
    pub(crate) fn register(&self, published: impl FnOnce() -> Seq) -> Seq {
        let mut state = self.state.lock();
        let seq = published();
        state.registered.entry(seq).or_default().count += 1;
        seq
    }

    /// Ends a reader at `seq`; calls `drop_version` for every version nobody wants now.
    pub(crate) fn unregister(&self, seq: Seq, mut drop_version: impl FnMut(OldVersion)) {
        let mut state = self.state.lock();
        let Some(snapshot) = state.registered.get_mut(&seq) else { return };
        snapshot.count -= 1;
        if snapshot.count > 0 {
            return;
        }
        let Some(mut ended) = state.registered.remove(&seq) else { return };
        ended.in_memory.retain(|&version| !state.hold(version, false));
        ended.spilled.retain(|&version| !state.hold(version, true));
        // There may be very many. Nobody can come to want them any more, so commits need
        // not wait.
        drop(state);
        ended.in_memory.into_iter().chain(ended.spilled).for_each(&mut drop_version);
    }

    /// Takes out up to `count` versions that are in memory and that `may_spill`, those of
    /// the oldest snapshots first. Each is to be [given back](Self::put_back).
    pub(crate) fn take(
        &self,
        count: usize,
        may_spill: impl Fn(&OldVersion) -> bool,
    ) -> Vec<OldVersion> {
        let mut taken = Vec::with_capacity(count);
        // Bounded, since those that may not be spilled now would be looked at every time.
        let mut looks = 2 * count;
        let mut state = self.state.lock();
        for snapshot in state.registered.values_mut() {
            for _ in 0..snapshot.in_memory.len().min(looks) {
                if taken.len() == count {
                    return taken;
                }
                looks -= 1;
                let Some(version) = snapshot.in_memory.pop_front() else { break };
                if may_spill(&version) {
                    taken.push(version);
                } else {
                    snapshot.in_memory.push_back(version);
                }
            }
        }
        taken
    }

    /// Takes a version back that was taken out; `false` if nobody wants it any more, and it
    /// is to be dropped.
    #[must_use]
    pub(crate) fn put_back(&self, version: OldVersion, spilled: bool) -> bool {
        self.state.lock().hold(version, spilled)
    }

    /// Notes versions that a commit has replaced. Commits come in order.
    pub(crate) fn supersede(&self, versions: impl IntoIterator<Item = OldVersion>) {
        let mut state = self.state.lock();
        state.unpublished.extend(versions);
        if state.unpublished.len() >= GATHERED_MAX || !state.registered.is_empty() {
            self.make_due();
        }
    }

    /// Whether enough has gathered for somebody to [prune](Self::prune).
    #[inline]
    pub(crate) fn is_due(&self) -> bool {
        self.due.load(Ordering::Relaxed)
    }

    /// Has the next commit that is published prune.
    pub(crate) fn make_due(&self) {
        self.due.store(true, Ordering::Relaxed);
    }

    /// Calls `drop_versions` for every version that nobody wants now that `published`
    /// returns what it does, and returns the oldest commit that is still read.
    ///
    /// The [`DropScope`] says whether all older ones of its page go, too.
    pub(crate) fn prune(
        &self,
        published: impl FnOnce() -> Seq,
        mut drop_versions: impl FnMut(OldVersion, DropScope),
    ) -> Seq {
        let mut state = self.state.lock();
        let published = published();
        let due = state.unpublished.partition_point(|version| version.superseded_at <= published);
        self.due.store(state.unpublished.len() - due >= GATHERED_MAX, Ordering::Relaxed);
        if state.registered.is_empty() {
            // From the newest on: the first of a page takes all others with it.
            for version in state.unpublished.drain(..due).rev() {
                drop_versions(version, DropScope::AllOlder);
            }
            return published;
        }
        for _ in 0..due {
            if let Some(version) = state.unpublished.pop_front()
                && !state.hold(version, false)
            {
                drop_versions(version, DropScope::One);
            }
        }
        state.horizon(published)
    }

    /// The commits in `range` that snapshots are registered at, in order.
    pub(crate) fn within(&self, range: Range<Seq>) -> Vec<Seq> {
        if range.is_empty() {
            return Vec::new();
        }
        self.state.lock().registered.range(range).map(|(&seq, _)| seq).collect()
    }

    /// How many snapshots are registered.
    pub(crate) fn count(&self) -> usize {
        self.state.lock().registered.values().map(|snapshot| snapshot.count).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(page: u32, written_at: u64, superseded_at: u64) -> OldVersion {
        OldVersion {
            page: PageId::new(page),
            written_at: Seq::new(written_at),
            superseded_at: Seq::new(superseded_at),
        }
    }

    fn pruned(snapshots: &SnapshotRegistry, published: u64) -> Vec<u64> {
        let mut gone = Vec::new();
        snapshots.prune(|| Seq::new(published), |v, _| gone.push(v.written_at.get()));
        gone
    }

    #[test]
    fn a_version_goes_once_its_successor_is_published() {
        let snapshots = SnapshotRegistry::default();
        snapshots.supersede([version(9, 1, 4), version(9, 4, 6)]);
        assert_eq!(pruned(&snapshots, 3), [0_u64; 0]);
        assert_eq!(pruned(&snapshots, 5), [1]);
        assert_eq!(pruned(&snapshots, 6), [4]);
    }

    #[test]
    fn only_the_version_a_snapshot_reads_is_held_for_it() {
        let snapshots = SnapshotRegistry::default();
        let held = snapshots.register(|| Seq::new(3));
        snapshots.supersede([version(9, 1, 4), version(9, 4, 6), version(9, 6, 7)]);
        assert_eq!(pruned(&snapshots, 7), [4, 6]);
        let mut gone = Vec::new();
        snapshots.unregister(held, |v| gone.push(v.written_at.get()));
        assert_eq!(gone, [1]);
        assert_eq!(snapshots.count(), 0);
    }

    #[test]
    fn what_is_taken_out_is_held_again_or_nobody_wants_it() {
        let snapshots = SnapshotRegistry::default();
        let early = snapshots.register(|| Seq::new(2));
        let late = snapshots.register(|| Seq::new(3));
        snapshots.supersede([version(7, 1, 4), version(8, 1, 4), version(9, 3, 4)]);
        assert_eq!(pruned(&snapshots, 4), [0_u64; 0]);
        let taken = snapshots.take(9, |version| version.page.get() != 8);
        assert_eq!(taken, [version(7, 1, 4), version(9, 3, 4)]);
        assert_eq!(snapshots.take(9, |version| version.page.get() != 8), []);
        snapshots.unregister(late, |_| panic!("taken out, or wanted by the other"));
        assert!(!snapshots.put_back(taken[1], true));
        assert!(snapshots.put_back(taken[0], true));
        let mut gone = Vec::new();
        snapshots.unregister(early, |version| gone.push(version.page.get()));
        assert_eq!(gone, [8, 7]);
    }

    #[test]
    fn a_page_changed_for_ever_under_a_snapshot_keeps_one_version() {
        let snapshots = SnapshotRegistry::default();
        let held = [10, 20].map(|seq| snapshots.register(|| Seq::new(seq)));
        let mut dropped = 0;
        for seq in 1..1000 {
            snapshots.supersede([version(9, seq, seq + 1)]);
            snapshots.prune(|| Seq::new(seq + 1), |_, _| dropped += 1);
        }
        assert_eq!(dropped, 997);
        for seq in held {
            snapshots.unregister(seq, |_| dropped += 1);
        }
        assert_eq!(dropped, 999);
    }

    #[test]
    fn snapshots_are_told_by_the_range_they_lie_in() {
        let snapshots = SnapshotRegistry::default();
        for seq in [2, 5, 5, 9] {
            snapshots.register(|| Seq::new(seq));
        }
        let within = |from, to| snapshots.within(Seq::new(from)..Seq::new(to));
        assert_eq!(within(2, 9), [Seq::new(2), Seq::new(5)]);
        assert_eq!(within(3, 5), []);
        assert_eq!(within(9, 2), []);
    }

    #[test]
    fn a_version_passes_from_a_later_snapshot_to_an_earlier_one() {
        let snapshots = SnapshotRegistry::default();
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
