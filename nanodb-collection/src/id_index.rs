//! The id index of one collection: what is in memory of it, and what the file has.
//!
//! What a group holds is what the runs of the last checkpoint say of its keys, and what was
//! recorded in memory since. Both are replaced together, under the lock of the [saved
//! index](SavedIndex), when a checkpoint is durable; nobody reads runs without that lock, so none
//! are read after their pages have gone to others.
//!
//! A checkpoint may be durable before all commits that it shows are published, and their
//! committers may not have recorded yet what these do to the index. Then the base has entries as of
//! a commit that no reader reads at, and nobody knows of those which its commits make obsolete. So
//! nothing is loaded before the commit that the base shows is published: by then all is recorded.
//!
//! The lock is taken after the writers' lock and before the index's own. Whoever holds it waits
//! for nothing but reads.

pub(crate) mod budget;
pub(crate) mod entry_set;
pub(crate) mod history;
pub(crate) mod index_set;
pub(crate) mod load;
pub(crate) mod retired;
pub(crate) mod run;
pub(crate) mod run_writer;

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use nanodb_index::{Change, IdIndex, IndexMemory, KeyHash, PassResult};
use nanodb_pager::{Owner, PageId, Seq};
use parking_lot::Mutex;

use self::run::IndexRun;
use crate::error::{EngineError, Result};
use crate::ids::CollectionId;

/// What the loaded groups of all id indexes of a database take. Relaxed: a figure by itself.
#[derive(Debug, Default)]
pub(crate) struct LoadedBytes(AtomicUsize);

impl LoadedBytes {
    pub(crate) fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// An index has come to take so many bytes, where it took `before`.
    fn count(&self, before: usize, now: usize) {
        self.0.fetch_add(now.wrapping_sub(before), Ordering::Relaxed);
    }
}

/// The id index and what could not be put into it.
#[derive(Debug, Default)]
pub(crate) struct LoadedIndex {
    pub(crate) ids: IdIndex,
    /// A page that could not be read when the index was built; 0 for none. What was on it is not
    /// in the index, so a miss proves nothing.
    pub(crate) unreadable: AtomicU32,
}

/// What the file holds of a collection's index.
#[derive(Debug, Default)]
pub(crate) struct SavedIndex {
    /// None if the index has to be built from the collection's pages.
    pub(crate) runs: Option<Vec<IndexRun>>,
    /// The commit that they show; what is recorded is later.
    pub(crate) since: Seq,
    /// Changes that the logs held when the file was opened, until there is an index to record them.
    pub(crate) replayed: Vec<Change>,
    /// Set when a run could not be read.
    pub(crate) damaged: Option<PageId>,
}

/// The index of a collection, as far as it is in memory, and its base. Apart from the rest of the
/// collection, which holds the file open: a checkpoint must not come to be the last to do so.
#[derive(Debug)]
pub(crate) struct CollectionIndex {
    collection: CollectionId,
    pub(crate) index: OnceLock<LoadedIndex>,
    pub(crate) base: Mutex<SavedIndex>,
    /// What the index was last counted to take. Relaxed: a figure by itself.
    loaded_bytes: AtomicUsize,
    /// What all indexes of the database take.
    total: Arc<LoadedBytes>,
}

impl CollectionIndex {
    pub(crate) fn new(owner: Owner, total: Arc<LoadedBytes>, base: SavedIndex) -> Arc<Self> {
        let (index, loaded_bytes) = (OnceLock::new(), AtomicUsize::new(0));
        Arc::new(Self {
            collection: CollectionId::of(owner),
            index,
            base: Mutex::new(base),
            loaded_bytes,
            total,
        })
    }

    /// Whose index it is.
    pub(crate) fn collection(&self) -> CollectionId {
        self.collection
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
        self.total.count(before, now);
        before
    }

    /// Drops all groups, of a collection that is dropped itself.
    pub(crate) fn drop_all(&self) {
        if let Some(index) = self.index.get() {
            // From where the hand is to the last, and then all. The lock of the index is given up
            // in between: for readers that load what they need.
            for _ in 0..2 {
                while index.ids.write().drop_unused(None, true).dropped {}
            }
            self.count_loaded();
        }
    }

    /// Goes on over the groups until one is dropped or all are passed; see
    /// [`drop_unused`](nanodb_index::IndexWriter::drop_unused).
    pub(crate) fn drop_unused(&self, spared: Option<KeyHash>, must_go: bool) -> PassResult {
        let nothing = PassResult { dropped: false, at_end: true };
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
    pub(crate) fn rebase(&self, runs: Option<Vec<IndexRun>>, seq: Seq) {
        let mut base = self.base.lock();
        *base = SavedIndex { runs, since: seq, replayed: Vec::new(), damaged: None };
        if let Some(index) = self.index.get() {
            let mut part = 0;
            // The lock of the index is given up in between: commits wait for it.
            while index.ids.write().forget(part, seq.get()) {
                part += 1;
            }
        }
    }
}

impl SavedIndex {
    pub(crate) fn entries(&self) -> u64 {
        self.runs.iter().flatten().map(|run| run.entries).sum()
    }

    /// An index that is in the file, and none of it in memory.
    pub(crate) fn index(&mut self, memory: &IndexMemory) -> LoadedIndex {
        let entries = self.entries() + self.replayed.len() as u64;
        let ids = IdIndex::absent_within(memory, entries);
        let mut writer = ids.write();
        for change in self.replayed.drain(..) {
            writer.record(self.since.get(), change);
        }
        drop(writer);
        self.replayed = Vec::new();
        LoadedIndex { ids, ..LoadedIndex::default() }
    }
}

impl Drop for CollectionIndex {
    fn drop(&mut self) {
        self.total.count(self.loaded_bytes(), 0);
    }
}

impl LoadedIndex {
    /// What not finding an id means: that it is not there, or that nobody can tell.
    pub(crate) fn miss<T>(&self) -> Result<Option<T>> {
        // Acquire, pairs with the release in `rebuild`.
        match self.unreadable.load(Ordering::Acquire) {
            0 => Ok(None),
            page => Err(EngineError::damaged(PageId::new(page))),
        }
    }
}
