//! One collection's stored side: its pages, its id index, its writers' lock.
//!
//! # Who sees what when
//!
//! A writer holds the lock from reading the installed state to adding its index
//! entries:
//!
//! ```text
//! lock; change private copies of pages; install; add index entries; unlock; publish
//! ```
//!
//! A reader takes the published commit, looks the id up, and proves each candidate on
//! the page as of that commit. Four rules make its answers right:
//!
//! 1. Entries are added before their commit is published: what is visible at a commit
//!    is in the index by the time a reader can take that commit.
//! 2. Entries are removed only after the commit that made them obsolete is published.
//!    Until then they are *retired*: found, but not proved at that commit or later ones.
//! 3. Before a retired entry is removed, the index counts a move. A reader that misses
//!    compares the count with what it was before it took its commit. Unchanged: no entry
//!    that its commit wants can have gone meanwhile, so the miss is right. Changed: it
//!    repeats with a newer commit, at which what is removed is not visible any more.
//! 4. A candidate whose page has no version as of the reader's commit was not visible at
//!    that commit, unless the version has been dropped since, which takes a newer
//!    published commit: the reader repeats only if there is one.
//!
//! A reader with a snapshot stays at its commit. For it:
//!
//! 5. Before a retired entry is removed, it goes into the [history](crate::id_index::history) if it
//!    was right as of a snapshot that is open. The reader looks into the index first and then into
//!    the history. What is in neither was not there: an entry that was removed before a
//!    snapshot was open had been made obsolete by a commit that was published then.
//!
//! Numbers and pages as of a commit are in the [versions]. The writer pushes one after
//! installing and before publishing, so that a reader who takes its commit first finds
//! the state that belongs to it.
//!
//! The writers' lock serialises all calls that change the index. No reader takes it.
//!
//! The index need not be in memory: [`id_index`](crate::id_index) says where it is else. What a
//! writer does to it is recorded as well, each addition when it is made and each removal with its
//! commit, but those not carried out are known to be pending; so a part that is loaded obeys rules
//! 1 and 2, too.

mod index;
mod read;
mod retire;
mod versions;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use nanodb_index::{Change, IdIndex};
use nanodb_pager::{Owner, Pager, Seq};
use parking_lot::Mutex;

use crate::catalog::manifest::StoredCollection;
use crate::id_index::history::History;
use crate::id_index::index_set::IndexSet;
use crate::id_index::retired::RetiredEntries;
use crate::id_index::{CollectionIndex, LoadedIndex, SavedIndex};
use crate::lock::WriteLock;
use crate::pages::extent_set::ExtentSet;
use crate::pages::extents::Extents;
use crate::pages::free_space::FreeSpaceMap;
use crate::pages::page_order::PageOrder;
use crate::reclaim::{Reclaim, Reclaimer};

pub(crate) use self::versions::CollectionVersion;
use self::versions::CollectionVersions;

/// One collection. The catalog knows its name.
pub struct Store {
    pub(crate) owner: Owner,
    pub(crate) pager: Pager,
    pub(crate) hash_seed: u64,
    pub(crate) state: WriteLock<CollectionState>,
    states: Mutex<CollectionVersions>,
    history: Mutex<History>,
    pub(crate) id_index: Arc<CollectionIndex>,
    reclaimer: Arc<Reclaimer>,
    index_set: Arc<IndexSet>,
    listed: AtomicBool,
}

/// What only the holder of the writers' lock reads and changes: the installed state.
#[derive(Debug)]
pub(crate) struct CollectionState {
    pub(crate) count: u64,
    /// The next integer to assign as an id; larger than all in its range that were used.
    pub(crate) next_id: u64,
    pub(crate) extents: Extents,
    /// The pages of the extents by their numbers.
    pub(crate) order: PageOrder,
    /// Pages that hold the middle of documents too large for a record.
    pub(crate) overflow: ExtentSet,
    pub(crate) retired: RetiredEntries,
    pub(crate) free_space: FreeSpaceMap,
    /// A buffer for the edits of a commit.
    pub(crate) edits: Vec<u8>,
}

impl Store {
    /// A collection that is in the file.
    /// `replayed` are the changes of its index that were found in the logs.
    pub(crate) fn open(
        owner: Owner,
        pager: Pager,
        reclaimer: Arc<Reclaimer>,
        index_set: Arc<IndexSet>,
        mut stored: StoredCollection,
        replayed: Vec<Change>,
    ) -> Self {
        let since = pager.published();
        let base = SavedIndex { runs: stored.saved.take(), since, replayed, damaged: None };
        let first = CollectionVersion {
            since: Seq::ZERO,
            count: stored.count,
            overflow_pages: stored.overflow.page_count(),
            extents: stored.extents.clone(),
        };
        Self::new(owner, pager, (reclaimer, index_set), stored, Some(first), base)
    }

    /// A collection that no commit has made yet.
    pub(crate) fn unmade(
        owner: Owner,
        pager: Pager,
        reclaimer: Arc<Reclaimer>,
        index_set: Arc<IndexSet>,
    ) -> Self {
        let stored = StoredCollection { next_id: 1, ..StoredCollection::default() };
        let base = SavedIndex { runs: Some(Vec::new()), ..SavedIndex::default() };
        let ids = IdIndex::within(&index_set.memory);
        let store = Self::new(owner, pager, (reclaimer, index_set), stored, None, base);
        store.id_index.index.get_or_init(|| LoadedIndex { ids, ..LoadedIndex::default() });
        store
    }

    fn new(
        owner: Owner,
        pager: Pager,
        (reclaimer, index_set): (Arc<Reclaimer>, Arc<IndexSet>),
        stored: StoredCollection,
        first: Option<CollectionVersion>,
        base: SavedIndex,
    ) -> Self {
        Self {
            owner,
            hash_seed: pager.hash_seed(),
            pager,
            state: WriteLock::new(CollectionState {
                count: stored.count,
                next_id: stored.next_id,
                free_space: FreeSpaceMap::unscanned(stored.extents.used_pages),
                extents: stored.extents,
                order: PageOrder::default(),
                overflow: stored.overflow,
                retired: RetiredEntries::default(),
                edits: Vec::new(),
            }),
            states: Mutex::new(CollectionVersions::new(first)),
            history: Mutex::default(),
            id_index: CollectionIndex::new(owner, Arc::clone(&index_set.budget.loaded), base),
            reclaimer,
            index_set,
            listed: AtomicBool::new(false),
        }
    }

    /// What `read` makes of the state as of the published commit; of none, if the
    /// collection does not exist.
    pub(crate) fn published<T>(&self, read: impl FnOnce(Option<&CollectionVersion>) -> T) -> T {
        let states = self.states.lock();
        // Under the lock: who dropped a state had seen no newer commit than this.
        read(states.at(self.pager.published()))
    }

    /// The state as of a commit that a snapshot is open at.
    pub(crate) fn state_at(&self, seq: Seq) -> Option<CollectionVersion> {
        self.states.lock().at(seq).cloned()
    }

    /// Returns the number of documents as of the published commit.
    pub fn count(&self) -> u64 {
        self.published(|state| state.map_or(0, |state| state.count))
    }

    /// Returns the number of documents as of a commit at which a snapshot is open.
    pub fn count_at(&self, seq: Seq) -> u64 {
        self.states.lock().at(seq).map_or(0, |state| state.count)
    }

    /// Notes what the collection is as of a commit that is installed and not published.
    /// Under the writers' lock.
    pub(crate) fn push_state(self: &Arc<Self>, writer: &CollectionState, since: Seq) {
        let state = CollectionVersion {
            since,
            count: writer.count,
            overflow_pages: writer.overflow.page_count(),
            extents: writer.extents.clone(),
        };
        let keeps_more = self.states.lock().push(state, &self.pager);
        if keeps_more {
            self.list();
        }
    }

    #[cold]
    fn list(self: &Arc<Self>) {
        let keeper: Arc<dyn Reclaim> = Arc::<Self>::clone(self);
        self.reclaimer.list(keeper);
    }

    /// Drops what was kept for snapshots that are gone.
    pub(crate) fn sweep_kept(&self) {
        self.reclaimer.sweep();
    }

    /// The index, if it was built.
    pub(crate) fn built_index(&self) -> Option<&LoadedIndex> {
        self.id_index.index.get()
    }
}

impl CollectionState {
    /// Has it be without documents and pages.
    pub(crate) fn clear(&mut self) {
        self.count = 0;
        self.extents = Extents::default();
        self.order = PageOrder::default();
        self.overflow = ExtentSet::default();
        self.free_space = FreeSpaceMap::default();
    }
}

impl Reclaim for Store {
    fn sweep(&self) -> bool {
        // One after the other, never both locked.
        let states = self.states.lock().sweep(&self.pager);
        let history = self.history.lock().sweep(&self.pager);
        states || history
    }

    fn listed(&self) -> &AtomicBool {
        &self.listed
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("owner", &self.owner).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
