//! The id index and what the file has of it: loading groups, dropping them, and making an index
//! that is damaged anew.
//!
//! What a group holds is what the runs of the last checkpoint say of its keys, and what was
//! recorded in memory since. Both are replaced together, under the lock of the [base](Base), when a
//! checkpoint is durable; nobody reads runs without that lock, so none are read after their pages
//! have gone to others.
//!
//! The lock is taken after the writers' lock and before the index's own. Whoever holds it waits
//! for nothing but reads.

use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use nanodb_index::run::{apply, first_key};
use nanodb_index::{Change, IdIndex, Place};
use nanodb_pager::{PageId, Seq};
use parking_lot::Mutex;

use super::build::hash_of;
use super::{Index, Store, for_each_document};
use crate::error::{Error, Result};
use crate::saved::{SavedRun, Unreadable, decode_pages};

/// How many pages of a run are read with one call: more than a group has, so that one call often
/// does.
const READ_PAGES_MAX: u32 = 8;

/// How far before the place where a key should lie the search for it begins.
const MARGIN_PAGES: u64 = 2;

/// How many milliseconds to wait for commits that are durable to be published.
const PUBLICATION_WAIT_MS: u32 = 1000;

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
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    pub(super) index: OnceLock<Index>,
    pub(super) base: Mutex<Base>,
}

impl Shelf {
    pub(super) fn new(index: OnceLock<Index>, base: Base) -> Arc<Self> {
        Arc::new(Self { index, base: Mutex::new(base) })
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
    pub(super) fn index(&mut self) -> Index {
        let ids = IdIndex::absent(self.entries() + self.replayed.len() as u64);
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
        let mut base = self.shelf.base.lock();
        while let Some(range) = index.ids.absent_range(hash) {
            let Some(runs) = &base.runs else {
                self.rebuild(index, &base)?;
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
        self.keep_index_budget(index, hash);
        Ok(())
    }

    /// Drops groups if more is loaded than may be, but for that of `hash`.
    pub(super) fn keep_index_budget(&self, index: &Index, hash: u64) {
        if !self.indexes.have_budget() {
            return;
        }
        while self.count_loaded(index.ids.loaded_bytes()) {
            // Otherwise nobody could load it again without reading all pages.
            // Nor does a commit wait for somebody who reads them.
            let can_load = self.shelf.base.try_lock().is_some_and(|base| base.runs.is_some());
            if !can_load || !index.ids.write().drop_one(hash) {
                return;
            }
        }
    }

    /// Counts what the index takes; whether that is too much, with those of all others.
    fn count_loaded(&self, now: usize) -> bool {
        // Relaxed: each of several threads here adds the difference that it has made.
        let before = self.loaded_bytes.swap(now, Ordering::Relaxed);
        self.indexes.count(before, now)
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
    /// commit that the base shows.
    fn rebuild(&self, index: &Index, base: &Base) -> Result<()> {
        let (scanned, unreadable) = self.scan(base.since)?;
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

    /// All entries as of a commit not before `since`, in order, and a page that can't be read.
    fn scan(&self, since: Seq) -> Result<(Vec<Change>, Option<PageId>)> {
        let mut waited_ms = 0;
        loop {
            let snapshot = self.pager.snapshot();
            let mut at = snapshot.seq();
            if at < since && waited_ms < PUBLICATION_WAIT_MS {
                // What is saved is durable, and about to be published.
                drop(snapshot);
                std::thread::sleep(Duration::from_millis(1));
                waited_ms += 1;
                continue;
            }
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

impl Drop for Store {
    fn drop(&mut self) {
        self.count_loaded(0);
    }
}
