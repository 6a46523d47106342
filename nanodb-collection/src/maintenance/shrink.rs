//! Shrinking by and by: with each checkpoint a few pages move toward the front of the file.
//!
//! Before a checkpoint begins, whoever makes it takes a *turn*: it counts how much of the file is
//! unused, free pages and the free space of sparse ones. When much has lain unused through the last
//! few turns, collections are [walked over](Walk) as for compaction, a few steps in each turn,
//! and the checkpoint cuts off what has become free by then.
//!
//! # Who is not held up
//!
//! A turn waits for no lock of a collection: one that is busy is left for the next turn, and after
//! a few in vain for the next time. It reads and moves no more than a part of what commits have
//! written to the log meanwhile. Where a snapshot has been open since the turn before, nothing is
//! moved: its pages could not be used again.
//!
//! # Why pages do not move for ever
//!
//! What deletions free and insertions take again is not unused through several turns. Where the
//! file has grown again after pages were moved, it takes twice as many turns the next time. What a
//! walk over all collections has not made less, as space that no document fits into, does not count
//! again before as much has come to it as makes a walk worthwhile.
//!
//! # Failures
//!
//! A page that can't be read stays where it is; whoever reads its documents, and a check, tells of
//! it. A failed write or sync is that of a commit: all later ones say why. On a full disk nothing
//! moves, and the next commit says so.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use nanodb_pager::{PAGE_SIZE, PageId, Pager, Seq};
use parking_lot::Mutex;

use crate::catalog::binding::NameBinding;
use crate::catalog::names::NameTable;
use crate::id_index::LoadedIndex;
use crate::ids::CollectionId;
use crate::lock::LockGuard;
use crate::maintenance::relocation_pass::{Walk, release_pages};
use crate::store::CollectionState;

/// Through how many turns in a row pages must have been unused; and at most, where they were used
/// soon after.
const TURNS: usize = 4;
const TURNS_MAX: usize = 64;

/// Such a part of the file must be unused, and so many pages: a quarter, 64 KiB.
const UNUSED_PART: u64 = 4;
const UNUSED_PAGES_MIN: u64 = 16;

/// Such a part of the file must be gained by walking over all of it.
const GAIN_PART: u64 = 16;

/// The file has grown again if it is longer by such a part.
const GROWN_PART: u64 = 8;

/// In one turn so many bytes of documents move at least, and at most an eighth of what was logged
/// since the last checkpoint.
const MOVED_BYTES_MIN: u64 = 256 * 1024;
const LOG_PART: u64 = 8;

/// So many pages are looked at for each page's worth of bytes that may move.
const LOOKS: u64 = 4;

/// A collection that was busy in so many turns is left for the next walk.
const BUSY_MAX: u32 = 3;

/// Moves pages toward the front of one database's file.
#[derive(Default)]
pub(crate) struct Shrinker {
    /// Locked for a turn; nobody waits for it but who closes the database.
    state: Mutex<State>,
    /// Whether the database is being closed. Relaxed: only to be done sooner.
    stopping: AtomicBool,
    /// How many compactions are under way. Relaxed: they and a turn get along, in vain.
    compactions: AtomicUsize,
}

#[derive(Default)]
struct State {
    database: Option<Subject>,
    /// What was published at the last turn.
    last_turn: Seq,
    unused: UnusedSpace,
    sparse_space: SparseSpace,
    pass: Option<Pass>,
}

/// The database to shrink.
struct Subject {
    pager: Pager,
    names: Arc<NameTable>,
}

/// How much of the file was unused of late, and whether that is worth a pass. All in pages.
#[derive(Debug)]
struct UnusedSpace {
    /// At the last turns.
    recent: VecDeque<u64>,
    /// How many of them count.
    turns: usize,
    /// How long the file was when the last pass began, and how much of it in use, as long as what
    /// that has gained is not known.
    before: Option<(u64, u64)>,
    /// What the last pass could not make less.
    in_vain: u64,
    /// The shortest that the file has been since the last pass began, if there was one.
    shortest: Option<u64>,
}

/// The free space in the sparse pages of each collection, by number, as last seen: in whole pages.
#[derive(Default)]
struct SparseSpace {
    pages: BTreeMap<CollectionId, u64>,
}

/// A walk over all collections.
struct Pass {
    end: PageId,
    /// The collection that it has come to, by number, and how far it has come there.
    collection: CollectionId,
    walk: Option<Walk>,
    /// In how many turns in a row it was busy.
    busy: u32,
    /// Whether one was left because it was.
    has_skipped: bool,
}

impl Default for UnusedSpace {
    fn default() -> Self {
        Self { recent: VecDeque::new(), turns: TURNS, before: None, in_vain: 0, shortest: None }
    }
}

impl UnusedSpace {
    /// Counts one more turn in; whether a pass is worthwhile.
    fn count(&mut self, unused: u64, file: u64, used: u64) -> bool {
        self.in_vain = self.in_vain.min(unused);
        self.shortest = self.shortest.map(|shortest| shortest.min(file));
        self.recent.push_back(unused);
        if self.recent.len() < self.turns {
            return false;
        }
        let least = self.recent.iter().copied().min().unwrap_or(0);
        self.recent.pop_front();
        let is_gain = |before: u64, now| before.saturating_sub(now) >= before / GAIN_PART;
        if let Some((file_before, used_before)) = self.before.take()
            && !is_gain(file_before, file)
            && !is_gain(used_before, used)
        {
            self.in_vain = least;
        }
        let is_worthwhile = least >= UNUSED_PAGES_MIN
            && least > file / UNUSED_PART
            && least.saturating_sub(self.in_vain) >= file / GAIN_PART;
        is_worthwhile && !self.is_regretted(file)
    }

    /// Whether the last pass was made too soon: the file has grown again.
    fn is_regretted(&mut self, file: u64) -> bool {
        let shortest = self.shortest.take();
        let is_regretted = shortest.is_some_and(|pages| file > pages + pages / GROWN_PART);
        self.turns = if is_regretted { TURNS_MAX.min(2 * self.turns) } else { TURNS };
        if is_regretted {
            self.recent.clear();
        }
        is_regretted
    }

    fn pass_begins(&mut self, file: u64, used: u64) {
        self.before = Some((file, used));
        self.shortest = Some(file);
    }

    /// What was unused while pages moved says nothing; nor does what was gained, of a pass that
    /// has not come to all pages.
    fn pass_ends(&mut self, has_skipped: bool) {
        self.recent.clear();
        self.before = self.before.filter(|_| !has_skipped);
    }
}

impl Shrinker {
    /// From now on this database is made shorter, until [`stop`](Self::stop).
    pub(crate) fn start(&self, pager: Pager, names: Arc<NameTable>) {
        self.state.lock().database = Some(Subject { pager, names });
    }

    /// Ends it, when a turn that is under way is over: in a step at most. Then it holds nothing of
    /// the database.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
        *self.state.lock() = State::default();
    }

    /// The same in a process that was forked from the one that opened the database: who makes a
    /// turn there is not here.
    pub(crate) fn abandon(&self) {
        if let Some(mut state) = self.state.try_lock() {
            *state = State::default();
        }
    }

    /// Nothing moves as long as what is returned is there.
    pub(crate) fn pause(&self) -> ShrinkPause<'_> {
        self.compactions.fetch_add(1, Ordering::Relaxed);
        ShrinkPause(self)
    }

    /// Whether a compaction is under way.
    pub(crate) fn is_paused(&self) -> bool {
        self.compactions.load(Ordering::Relaxed) > 0
    }

    /// Moves a few pages, if that is worthwhile. `log_bytes` were logged since the last
    /// checkpoint.
    pub(crate) fn run(&self, log_bytes: u64) {
        if self.is_paused() {
            return;
        }
        // Whoever has it makes the turn.
        let Some(mut state) = self.state.try_lock() else { return };
        let State { database, last_turn, unused, sparse_space, pass } = &mut *state;
        let Some(subject) = database else { return };
        let Ok(stats) = subject.pager.stats() else { return };
        let until = Seq::new(last_turn.get().saturating_add(1));
        let is_held = !subject.pager.snapshots_within(Seq::ZERO..until).is_empty();
        *last_turn = subject.pager.published();
        let mut all = subject.names.all_published();
        all.sort_unstable_by_key(collection_id);
        if pass.is_none() {
            let end = PageId::new(stats.page_count - stats.free_pages);
            let (file, used) = (stats.page_count.into(), end.get().into());
            let unused_pages = u64::from(stats.free_pages) + sparse_space.count(&all);
            if unused.count(unused_pages, file, used) && !is_held {
                unused.pass_begins(file, used);
                *pass = Some(Pass::new(end));
            }
        }
        if let Some(under_way) = pass
            && !is_held
            && self.go_on(under_way, &subject.pager, &all, Budget::new(log_bytes))
        {
            unused.pass_ends(under_way.has_skipped);
            *pass = None;
        }
    }

    /// Goes on with a pass; whether it is over.
    fn go_on(
        &self,
        pass: &mut Pass,
        pager: &Pager,
        all: &[Arc<NameBinding>],
        mut left: Budget,
    ) -> bool {
        let mut released_pages = None;
        while !left.is_spent() && !self.stopping.load(Ordering::Relaxed) {
            let at = all.partition_point(|binding| collection_id(binding) < pass.collection);
            let Some(binding) = all.get(at) else { return true };
            pass.come_to(collection_id(binding));
            let Some(held) = binding.try_lock() else {
                pass.busy += 1;
                if pass.busy < BUSY_MAX {
                    return false;
                }
                pass.has_skipped = true;
                pass.leave();
                continue;
            };
            match binding.store.index_at_hand() {
                // What the last turns have emptied.
                Some(index) if released_pages != Some(pass.collection) => {
                    released_pages = Some(pass.collection);
                    if release_pages(pager, binding, held, index).is_err() {
                        pass.leave();
                    }
                }
                Some(index) => pass.step(pager, binding, held, index, &mut left),
                // To read all of a collection because of its index would take too long.
                None => pass.leave(),
            }
        }
        false
    }
}

/// The id of a collection.
fn collection_id(binding: &Arc<NameBinding>) -> CollectionId {
    CollectionId::of(binding.store.owner)
}

/// What may still be done in a turn.
struct Budget {
    moved_bytes: u64,
    looks: u64,
}

impl Budget {
    fn new(log_bytes: u64) -> Self {
        let moved_bytes = MOVED_BYTES_MIN.max(log_bytes / LOG_PART);
        Self { moved_bytes, looks: moved_bytes / PAGE_SIZE as u64 * LOOKS }
    }

    fn is_spent(&self) -> bool {
        self.moved_bytes == 0 || self.looks == 0
    }
}

impl SparseSpace {
    /// How many whole pages the free space in sparse pages comes to, as far as is known.
    fn count(&mut self, all: &[Arc<NameBinding>]) -> u64 {
        let before = std::mem::take(&mut self.pages);
        for binding in all {
            let now = binding.try_lock().map(|held| held.free_space.whole_pages());
            let pages = now.or_else(|| before.get(&collection_id(binding)).copied()).unwrap_or(0);
            if pages > 0 {
                self.pages.insert(collection_id(binding), pages);
            }
        }
        self.pages.values().sum()
    }
}

impl Pass {
    fn new(end: PageId) -> Self {
        Self { end, collection: CollectionId::default(), walk: None, busy: 0, has_skipped: false }
    }

    /// Goes over to this collection, if it is not there yet.
    fn come_to(&mut self, collection: CollectionId) {
        if self.collection != collection {
            (self.collection, self.walk, self.busy) = (collection, None, 0);
        }
    }

    /// Goes on to the next collection.
    fn leave(&mut self) {
        self.come_to(self.collection.next().unwrap_or(self.collection));
    }

    fn step(
        &mut self,
        pager: &Pager,
        binding: &Arc<NameBinding>,
        held: LockGuard<'_, CollectionState>,
        index: &LoadedIndex,
        left: &mut Budget,
    ) {
        let walk = self.walk.get_or_insert(Walk::new(self.end, false));
        // After an error nothing of these pages was moved, and the next step goes on behind them.
        let step = walk.step(pager, binding, held, index).unwrap_or_default();
        left.looks = left.looks.saturating_sub(step.pages.max(1) as u64);
        left.moved_bytes = left.moved_bytes.saturating_sub(step.moved_bytes as u64);
        if step.is_stuck {
            left.looks = 0;
        }
        if step.is_last {
            if let (Some(held), Some(index)) = (binding.try_lock(), binding.store.index_at_hand()) {
                // Else a later writer gives back what was emptied.
                let _ = release_pages(pager, binding, held, index);
            }
            self.leave();
        }
    }
}

/// Nothing moves as long as it is there; by [`Shrinker::pause`].
pub(crate) struct ShrinkPause<'a>(&'a Shrinker);

impl Drop for ShrinkPause<'_> {
    fn drop(&mut self) {
        self.0.compactions.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many passes begin in a file of so many pages, of which so many are unused at the turns.
    /// Each pass cuts off `gain` times what is unused.
    fn passes(turns: impl Iterator<Item = (u64, u64)>, mut gain: impl FnMut() -> bool) -> usize {
        let (mut unused, mut cut, mut begun) = (UnusedSpace::default(), 0, 0);
        for (file, free) in turns {
            let gone = u64::min(cut, free);
            if unused.count(free - gone, file - gone, file - free) {
                begun += 1;
                unused.pass_begins(file - gone, file - free);
                if gain() {
                    cut = free;
                }
                unused.pass_ends(false);
            }
        }
        begun
    }

    #[test]
    fn what_lies_unused_is_worth_a_pass_and_one_that_gains_nothing_is_the_last() {
        let still = || std::iter::repeat_n((1000, 600), 100);
        assert_eq!(passes(still(), || true), 1);
        assert_eq!(passes(still(), || false), 1);
        let little = std::iter::repeat_n((1000, 240), 100);
        assert_eq!(passes(little, || true), 0);
        let tiny = std::iter::repeat_n((20, 15), 100);
        assert_eq!(passes(tiny, || true), 0);
        // Again, once more was freed.
        let more = still().chain(std::iter::repeat_n((1000, 800), 100));
        assert_eq!(passes(more, || false), 2);
    }

    #[test]
    fn what_is_used_again_soon_is_no_reason_and_what_is_used_again_later_not_for_long() {
        let churn = |turns: usize| {
            (0..200).flat_map(move |_| {
                let phase = |free| std::iter::repeat_n((1000, free), turns);
                phase(500).chain(phase(50))
            })
        };
        assert_eq!(passes(churn(3), || true), 0);
        for turns in 4..40 {
            let begun = passes(churn(turns), || true);
            assert!(begun <= 20, "{begun} passes in 200 rounds of {turns}");
        }
    }
}
