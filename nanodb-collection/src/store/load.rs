//! The id index and what the file has of it: loading groups, dropping them, and making an index
//! that is damaged anew.
//!
//! What a group holds is what the runs of the last checkpoint say of its keys, and what was
//! recorded in memory since. Both are replaced together, under the lock of the [base](Base), when a
//! checkpoint is durable; nobody reads runs without that lock, so none are read after their pages
//! have gone to others.
//!
//! A checkpoint may be durable before all commits that it shows are published, and their
//! committers may not have recorded yet what these do to the index. Then the base has entries as of
//! a commit that no reader reads at, and nobody knows of those which its commits make obsolete. So
//! nothing is loaded before the commit that the base shows is published: by then all is recorded.
//!
//! The lock is taken after the writers' lock and before the index's own. Whoever holds it waits
//! for nothing but reads.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use nanodb_index::run::{apply, first_key};
use nanodb_index::{Change, IdIndex, IndexMemory, Passed, Place};
use nanodb_pager::{Owner, PageId, Seq};
use parking_lot::{Mutex, MutexGuard};

use super::build::hash_of;
use super::{Index, Store, for_each_document};
use crate::error::{Error, Result};
use crate::indexes::Indexes;
use crate::saved::{SavedRun, Unreadable, decode_pages};

/// How many pages of a run are read with one call: more than a group has, so that one call often
/// does.
const READ_PAGES_MAX: u32 = 8;

/// How far before the place where a key should lie the search for it begins.
const MARGIN_PAGES: u64 = 2;

/// What the file holds of a collection's index.
#[derive(Debug, Default)]
pub(crate) struct Base {
    /// None if the index has to be built from the collection's pages.
    pub(super) runs: Option<Vec<SavedRun>>,
    /// The commit that they show; what is recorded is later.
    pub(super) since: Seq,
    /// Changes that the logs held when the file was opened, until there is an index to record them.
    pub(super) replayed: Vec<Change>,
    /// Set when a run could not be read.
    pub(super) damaged: Option<PageId>,
}

/// The index of a collection, as far as it is in memory, and its base. Apart from the rest of the
/// collection, which holds the file open: a checkpoint must not come to be the last to do so.
#[derive(Debug)]
pub(crate) struct Shelf {
    number: u32,
    pub(super) index: OnceLock<Index>,
    pub(super) base: Mutex<Base>,
    /// What the index was last counted to take. Relaxed: a figure by itself.
    loaded_bytes: AtomicUsize,
    indexes: Arc<Indexes>,
}

impl Shelf {
    pub(super) fn new(owner: Owner, indexes: Arc<Indexes>, base: Base) -> Arc<Self> {
        let (index, loaded_bytes) = (OnceLock::new(), AtomicUsize::new(0));
        Arc::new(Self { number: owner.get(), index, base: Mutex::new(base), loaded_bytes, indexes })
    }

    /// The collection's number.
    pub(crate) fn number(&self) -> u32 {
        self.number
    }

    /// What the index was counted to take.
    pub(crate) fn loaded_bytes(&self) -> usize {
        self.loaded_bytes.load(Ordering::Relaxed)
    }

    /// Counts what the index takes; returns what it took before.
    pub(crate) fn count_loaded(&self) -> usize {
        let now = self.index.get().map_or(0, |index| index.ids.loaded_bytes());
        // Each of several threads here adds the difference that it has made.
        let before = self.loaded_bytes.swap(now, Ordering::Relaxed);
        self.indexes.budget.count(before, now);
        before
    }

    /// Drops all groups, of a collection that is dropped itself.
    pub(crate) fn drop_all(&self) {
        if let Some(index) = self.index.get() {
            // From where the hand is to the last, and then all. The lock of the index is given up in
            // between: for readers that load what they need.
            for _ in 0..2 {
                while index.ids.write().drop_unused(None, true).dropped {}
            }
            self.count_loaded();
        }
    }

    /// Goes on over the groups until one is dropped or all are passed; see
    /// [`drop_unused`](nanodb_index::IndexWriter::drop_unused).
    pub(crate) fn drop_unused(&self, spared: Option<u64>, must_go: bool) -> Passed {
        let nothing = Passed { dropped: false, at_end: true };
        let Some(index) = self.index.get() else { return nothing };
        // Otherwise nobody could load it again without reading all pages.
        // Nor does a commit wait for somebody who reads them.
        if self.base.try_lock().is_none_or(|base| base.runs.is_none()) {
            return nothing;
        }
        let Some(mut ids) = index.ids.try_write() else { return nothing };
        let passed = ids.drop_unused(spared, must_go);
        drop(ids);
        self.count_loaded();
        passed
    }

    /// A checkpoint that shows commit `seq` is durable.
    pub(crate) fn rebase(&self, runs: Option<Vec<SavedRun>>, seq: Seq) {
        let mut base = self.base.lock();
        *base = Base { runs, since: seq, replayed: Vec::new(), damaged: None };
        if let Some(index) = self.index.get() {
            let mut part = 0;
            // The lock of the index is given up in between: commits wait for it.
            while index.ids.write().forget(part, seq.get()) {
                part += 1;
            }
        }
    }
}

impl Base {
    fn entries(&self) -> u64 {
        self.runs.iter().flatten().map(|run| run.entries).sum()
    }

    /// An index that is in the file, and none of it in memory.
    pub(super) fn index(&mut self, memory: &IndexMemory) -> Index {
        let entries = self.entries() + self.replayed.len() as u64;
        let ids = IdIndex::absent_within(memory, entries);
        let mut writer = ids.write();
        for change in self.replayed.drain(..) {
            writer.record(self.since.get(), change);
        }
        drop(writer);
        self.replayed = Vec::new();
        Index { ids, ..Index::default() }
    }
}

impl Store {
    /// Loads what the index needs to know of a hash.
    #[cold]
    pub(super) fn load(&self, index: &Index, hash: u64) -> Result<()> {
        let Some(mut base) = self.published_base() else {
            // The pages say what there is as of the last commit that ever was published.
            let _alone = self.shelf.base.lock();
            return self.rebuild(index);
        };
        while let Some(range) = index.ids.absent_range(hash) {
            let Some(runs) = &base.runs else {
                self.rebuild(index)?;
                break;
            };
            let entries = base.entries() + index.ids.write().recorded_len() as u64;
            if IdIndex::is_too_wide(range, entries) && index.ids.write().split_absent(hash) {
                continue;
            }
            match self.saved_entries(runs, range) {
                Ok(saved) => {
                    let mut ids = index.ids.write();
                    let entries = apply(&saved, &ids.recorded(range));
                    ids.load(range, &entries);
                }
                Err(Failed::Damaged(page)) => {
                    self.indexes.report_damage(self.owner.get());
                    (base.damaged, base.runs) = (Some(page), None);
                }
                // It may be read another time.
                Err(Failed::Pager(error)) => return Err(error.into()),
            }
        }
        drop(base);
        self.keep_index_budget(hash);
        Ok(())
    }

    /// The base, once the commit that it shows is published; none if that will never be, for a write
    /// has failed.
    fn published_base(&self) -> Option<MutexGuard<'_, Base>> {
        loop {
            let base = self.shelf.base.lock();
            let since = base.since;
            if since <= self.pager.published() {
                return Some(base);
            }
            // Not under the lock: the next checkpoint wants it.
            drop(base);
            // It is durable, so its committers wait for no disk; and for no lock that is held here.
            if !self.pager.wait_until_published(since) {
                return None;
            }
        }
    }

    /// Drops groups if more is loaded than may be, but not that of `hash`.
    pub(super) fn keep_index_budget(&self, hash: u64) {
        self.indexes.budget.keep(&self.shelf, hash);
    }

    /// What the runs say of some keys.
    fn saved_entries(&self, runs: &[SavedRun], range: (u32, u32)) -> Found<Vec<Change>> {
        let mut all = Vec::new();
        for run in runs {
            let found = Search { store: self, run }.find(range)?;
            all = if all.is_empty() { found } else { apply(&all, &found) };
        }
        Ok(all)
    }

    /// A page of the saved index that could not be read when it was needed.
    pub(crate) fn damaged_run(&self) -> Option<PageId> {
        self.shelf.base.lock().damaged
    }

    /// Whether the run that a checkpoint of that commit has written is a part of the base.
    pub(crate) fn has_saved(&self, seq: Seq) -> bool {
        self.shelf.base.lock().runs.iter().flatten().any(|run| run.seq == seq)
    }

    /// Loads all that is absent from the pages of the collection, and what was recorded since the
    /// commit that the base shows. Under the lock of the base.
    fn rebuild(&self, index: &Index) -> Result<()> {
        let (scanned, unreadable) = self.scan()?;
        if let Some(page) = unreadable {
            // Before a group is present in which an entry may be missing. Release, pairs with
            // the load in `Index::miss`; the groups' own stores order it for look-ups.
            index.unreadable.store(page.get(), Ordering::Release);
        }
        let mut next = Some(0);
        while let Some(key) = next {
            let mut ids = index.ids.write();
            let (is_absent, range) = match index.ids.absent_range(hash_of(key)) {
                Some(range) => (true, range),
                None => (false, (key, ids.len_at(hash_of(key)).map_or(u32::MAX, |len| len.1))),
            };
            if is_absent {
                let from = scanned.partition_point(|change| change.key < range.0);
                let to = scanned.partition_point(|change| change.key <= range.1);
                let old = scanned.get(from..to).unwrap_or_default();
                ids.load(range, &apply(old, &ids.recorded(range)));
            }
            next = range.1.checked_add(1);
        }
        Ok(())
    }

    /// All entries as of the published commit, in order, and a page that can't be read.
    fn scan(&self) -> Result<(Vec<Change>, Option<PageId>)> {
        loop {
            let snapshot = self.pager.snapshot();
            let mut at = snapshot.seq();
            let mut state = self.state_at(at).filter(|state| state.layout.used_pages > 0);
            if state.is_none() {
                // Dropped: for those who see it still, as the last of them sees it.
                let open = self.pager.snapshots_within(Seq::ZERO..at);
                let seen = open.into_iter().rev().find_map(|seq| {
                    let state = self.state_at(seq)?;
                    (state.layout.used_pages > 0).then_some((seq, state))
                });
                if let Some((seq, seen)) = seen {
                    (at, state) = (seq, Some(seen));
                }
            }
            let layout = state.map(|state| state.layout).unwrap_or_default();
            let (mut entries, mut unreadable, mut is_gone) = (Vec::new(), None, false);
            for page in layout.pages() {
                let add = |key, slot| {
                    let place = Place { page: page.get(), slot };
                    entries.push(Change { key, place, removed: false });
                };
                let sound = match self.pager.page(page, at) {
                    Ok(held) => for_each_document(&held, self.owner, self.hash_seed, add),
                    Err(nanodb_pager::Error::Corrupt(_)) => false,
                    Err(nanodb_pager::Error::NoVersion { .. }) => {
                        is_gone |= at != snapshot.seq();
                        false
                    }
                    Err(error) => return Err(Error::from(error)),
                };
                if !sound {
                    unreadable = unreadable.or(Some(page));
                }
            }
            // The snapshot of another may have ended in between; then it is the turn of the next.
            if !is_gone {
                entries.sort_unstable();
                return Ok((entries, unreadable));
            }
        }
    }

    /// The entries of the group of a hash, in order, and the last of its keys.
    pub(crate) fn group_entries(
        &self,
        index: &Index,
        hash: u64,
    ) -> Result<(Vec<(u32, Place)>, u32)> {
        loop {
            // In a statement of its own: the lock is not held while the group is loaded.
            let entries = index.ids.write().entries_at(hash);
            match entries {
                Some(entries) => return Ok(entries),
                None => self.load(index, hash)?,
            }
        }
    }

    /// Whether the history has it that an entry led there as of the snapshot at `at`.
    pub(crate) fn has_former(&self, hash: u64, place: Place, at: Seq) -> bool {
        self.history.lock().covers(hash, place, at)
    }
}

/// Looks for keys in a run.
struct Search<'a> {
    store: &'a Store,
    run: &'a SavedRun,
}

/// Why nothing was found in a run.
enum Failed {
    Damaged(PageId),
    Pager(nanodb_pager::Error),
}

type Found<T> = Result<T, Failed>;

impl Failed {
    fn of(page: PageId, error: nanodb_pager::Error) -> Self {
        match error {
            nanodb_pager::Error::Corrupt(_) => Self::Damaged(page),
            other => Self::Pager(other),
        }
    }
}

impl Search<'_> {
    /// The changes of the keys of a range. Keys are hashes, so where they lie is easy to guess.
    fn find(&self, range: (u32, u32)) -> Found<Vec<Change>> {
        let mut changes = Vec::new();
        let mut at = self.start(range.0)?;
        while let Some(extent) = self.run.extent_at(at, READ_PAGES_MAX) {
            let read = self.store.pager.read_saved(extent, self.run.mark(self.store.owner));
            // Which one of them it is shows when they are read alone.
            let read = match read {
                Ok(read) => read,
                Err(error) => {
                    for page in at..at + u64::from(extent.pages) {
                        self.first_key(page)?;
                    }
                    return Err(Failed::of(extent.start, error));
                }
            };
            let is_past = |body: &[u8]| first_key(body).is_ok_and(|key| key > range.1);
            let is_last = read.bodies().any(is_past);
            decode_pages(&read, &mut changes)
                .map_err(|Unreadable| Failed::Damaged(extent.start))?;
            if is_last {
                break;
            }
            at += u64::from(extent.pages);
        }
        changes.retain(|change| (range.0..=range.1).contains(&change.key));
        Ok(changes)
    }

    /// A page that no change of `key` lies before, and not far before the first that may have one.
    fn start(&self, key: u32) -> Found<u64> {
        let pages = self.run.pages();
        if pages <= u64::from(READ_PAGES_MAX) {
            return Ok(0);
        }
        let guess = (u64::from(key) * pages) >> u32::BITS;
        // All pages up to `low` begin below the key, `high` and those behind it do not.
        let (mut low, mut high) = (0, pages);
        let mut probe = guess.saturating_sub(MARGIN_PAGES).clamp(1, pages - 1);
        while low + u64::from(READ_PAGES_MAX) < high {
            if self.first_key(probe)? < key {
                low = probe;
                if probe <= guess {
                    probe += 2 * MARGIN_PAGES + 1;
                    if probe < high {
                        continue;
                    }
                }
            } else {
                high = probe;
            }
            probe = low + (high - low) / 2;
        }
        Ok(low)
    }

    fn first_key(&self, index: u64) -> Found<u32> {
        let Some(extent) = self.run.extent_at(index, 1) else {
            return Err(Failed::Damaged(PageId::new(0)));
        };
        let damaged = || Failed::Damaged(extent.start);
        let read = self.store.pager.read_saved(extent, self.run.mark(self.store.owner));
        let read = read.map_err(|error| Failed::of(extent.start, error))?;
        let body = read.bodies().next().ok_or_else(damaged)?;
        first_key(body).map_err(|_| damaged())
    }
}

impl Drop for Shelf {
    fn drop(&mut self) {
        self.indexes.budget.count(self.loaded_bytes(), 0);
    }
}
