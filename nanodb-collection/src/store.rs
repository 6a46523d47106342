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
//! 5. Before a retired entry is removed, it goes into the [history] if it was right as of
//!    a snapshot that is open. The reader looks into the index first and then into the
//!    history. What is in neither was not there: an entry that was removed before a
//!    snapshot was open had been made obsolete by a commit that was published then.
//!
//! Numbers and pages as of a commit are in the [states]. The writer pushes one after
//! installing and before publishing, so that a reader who takes its commit first finds
//! the state that belongs to it.
//!
//! The writers' lock serialises all calls that change the index. No reader takes it.
//!
//! The index need not be in memory: [load] says where it is else. What a writer does to it is
//! recorded as well, each addition when it is made and each removal with its commit, but those
//! not carried out are known to be pending; so a part that is loaded obeys rules 1 and 2, too.

mod build;
mod find;
mod history;
mod load;
mod retire;
mod states;
mod write;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use nanodb_index::{Change, IdIndex};
use nanodb_pager::{Owner, PageId, Pager, Seq};
use parking_lot::Mutex;

use crate::attic::{Attic, Keeper};
use crate::error::{Error, Result};
use crate::indexes::Indexes;
use crate::layout::Layout;
use crate::lock::Lock;
use crate::order::Order;
use crate::room::Room;
use crate::root::Stored;
use crate::runs::Runs;

pub(crate) use self::build::{document_start, for_each_document, hash_of};
use self::history::History;
use self::load::Base;
pub(crate) use self::load::Shelf;
pub(crate) use self::retire::Retired;
pub(crate) use self::states::State;
use self::states::States;
pub(crate) use self::write::Failure;

/// One collection. Which name it goes by is the catalog's business.
pub(crate) struct Store {
    pub(crate) owner: Owner,
    pub(crate) pager: Pager,
    pub(crate) hash_seed: u64,
    pub(crate) writer: Lock<Writer>,
    states: Mutex<States>,
    history: Mutex<History>,
    pub(crate) shelf: Arc<Shelf>,
    attic: Arc<Attic>,
    indexes: Arc<Indexes>,
    listed: AtomicBool,
}

/// What only the holder of the writers' lock reads and changes: the installed state.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) count: u64,
    /// The next integer to assign as an id; larger than all in its range that were used.
    pub(crate) next_id: u64,
    pub(crate) layout: Layout,
    /// The pages of the layout by their numbers.
    pub(crate) order: Order,
    /// Pages that hold the middle of documents too large for a record.
    pub(crate) overflow: Runs,
    pub(crate) retired: Retired,
    pub(crate) room: Room,
    /// Room for a commit's note.
    pub(crate) note: Vec<u8>,
}

/// The id index and what could not be put into it.
#[derive(Debug, Default)]
pub(crate) struct Index {
    pub(crate) ids: IdIndex,
    /// A page that could not be read when the index was built; 0 for none. What was on it is not
    /// in the index, so a miss proves nothing.
    unreadable: AtomicU32,
}

impl Store {
    /// A collection that is in the file.
    /// `replayed` are the changes of its index that were found in the logs.
    pub(crate) fn open(
        owner: Owner,
        pager: Pager,
        attic: Arc<Attic>,
        indexes: Arc<Indexes>,
        mut stored: Stored,
        replayed: Vec<Change>,
    ) -> Self {
        let since = pager.published();
        let base = Base { runs: stored.saved.take(), since, replayed, damaged: None };
        let first = State {
            since: Seq::ZERO,
            count: stored.count,
            overflow_pages: stored.overflow.page_count(),
            layout: stored.layout.clone(),
        };
        Self::new(owner, pager, (attic, indexes), stored, Some(first), base)
    }

    /// A collection that no commit has made yet.
    pub(crate) fn unmade(
        owner: Owner,
        pager: Pager,
        attic: Arc<Attic>,
        indexes: Arc<Indexes>,
    ) -> Self {
        let stored = Stored { next_id: 1, ..Stored::default() };
        let base = Base { runs: Some(Vec::new()), ..Base::default() };
        let ids = IdIndex::within(&indexes.memory);
        let store = Self::new(owner, pager, (attic, indexes), stored, None, base);
        store.shelf.index.get_or_init(|| Index { ids, ..Index::default() });
        store
    }

    fn new(
        owner: Owner,
        pager: Pager,
        (attic, indexes): (Arc<Attic>, Arc<Indexes>),
        stored: Stored,
        first: Option<State>,
        base: Base,
    ) -> Self {
        Self {
            owner,
            hash_seed: pager.hash_seed(),
            pager,
            writer: Lock::new(Writer {
                count: stored.count,
                next_id: stored.next_id,
                room: Room::unseen(stored.layout.used_pages),
                layout: stored.layout,
                order: Order::default(),
                overflow: stored.overflow,
                retired: Retired::default(),
                note: Vec::new(),
            }),
            states: Mutex::new(States::new(first)),
            history: Mutex::default(),
            shelf: Shelf::new(owner, Arc::clone(&indexes), base),
            attic,
            indexes,
            listed: AtomicBool::new(false),
        }
    }

    /// What `read` makes of the state as of the published commit; of none, if the
    /// collection does not exist.
    pub(crate) fn published<T>(&self, read: impl FnOnce(Option<&State>) -> T) -> T {
        let states = self.states.lock();
        // Under the lock: who dropped a state had seen no newer commit than this.
        read(states.at(self.pager.published()))
    }

    /// The state as of a commit that a snapshot is open at.
    pub(crate) fn state_at(&self, seq: Seq) -> Option<State> {
        self.states.lock().at(seq).cloned()
    }

    /// Documents as of the published commit.
    pub(crate) fn count(&self) -> u64 {
        self.published(|state| state.map_or(0, |state| state.count))
    }

    /// Documents as of a commit that a snapshot is open at.
    pub(crate) fn count_at(&self, seq: Seq) -> u64 {
        self.states.lock().at(seq).map_or(0, |state| state.count)
    }

    /// Notes what the collection is as of a commit that is installed and not published.
    /// Under the writers' lock.
    pub(crate) fn push_state(self: &Arc<Self>, writer: &Writer, since: Seq) {
        let state = State {
            since,
            count: writer.count,
            overflow_pages: writer.overflow.page_count(),
            layout: writer.layout.clone(),
        };
        let keeps_more = self.states.lock().push(state, &self.pager);
        if keeps_more {
            self.list();
        }
    }

    #[cold]
    fn list(self: &Arc<Self>) {
        let keeper: Arc<dyn Keeper> = Arc::<Self>::clone(self);
        self.attic.list(keeper);
    }

    /// The index, if it was built.
    pub(crate) fn built_index(&self) -> Option<&Index> {
        self.shelf.index.get()
    }
}

impl Keeper for Store {
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

impl Index {
    /// What not finding an id means: that it is not there, or that nobody can tell.
    pub(crate) fn miss<T>(&self) -> Result<Option<T>> {
        // Acquire, pairs with the release in `rebuild`.
        match self.unreadable.load(Ordering::Acquire) {
            0 => Ok(None),
            page => Err(Error::damaged(PageId::new(page))),
        }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("owner", &self.owner).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
