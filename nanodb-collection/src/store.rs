//! One collection's stored side: its pages, its id index, its writer's lock.
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
//! The writer's lock serialises all calls that change the index.

mod build;
mod find;
mod retire;
mod write;

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, Ordering};

use nanodb_index::IdIndex;
use nanodb_pager::{Owner, PageId, Pager};
use parking_lot::{Mutex, RwLock};

use crate::error::{Error, Result};
use crate::layout::Layout;
use crate::root::Stored;
use crate::runs::Runs;

pub(crate) use self::retire::Retired;

/// One collection. Which name it goes by is the catalog's business.
pub(crate) struct Store {
    pub(crate) owner: Owner,
    pub(crate) pager: Pager,
    pub(crate) hash_seed: u64,
    pub(crate) writer: Mutex<Writer>,
    /// Changed by the writer after a commit is installed and before it is published, so
    /// that a reader who takes its snapshot first finds every page that it can see.
    pub(crate) layout: RwLock<Layout>,
    index: OnceLock<Index>,
    /// Documents as of the published commits. Relaxed: each commit adds its difference
    /// once it is published, and nothing else is read by it. Below zero for a moment when
    /// what was just inserted is deleted before the insertion was counted.
    count: AtomicI64,
}

/// What only the holder of the writer's lock reads and changes.
#[derive(Debug)]
pub(crate) struct Writer {
    /// Documents as of the installed commits.
    pub(crate) count: u64,
    /// The next integer to assign as an id; larger than all in its range that were used.
    pub(crate) next_id: u64,
    /// Pages that hold the middle of documents too large for a record.
    pub(crate) overflow: Runs,
    pub(crate) retired: Retired,
}

/// The id index and what could not be put into it.
pub(crate) struct Index {
    pub(crate) ids: IdIndex,
    /// Pages that could not be read when the index was built. What was on them is not in
    /// the index, so while there are any, a miss proves nothing.
    pub(crate) unreadable: Vec<PageId>,
}

impl Store {
    pub(crate) fn new(owner: Owner, pager: Pager, stored: Stored) -> Self {
        Self {
            owner,
            hash_seed: pager.hash_seed(),
            pager,
            writer: Mutex::new(Writer {
                count: stored.count,
                next_id: stored.next_id,
                overflow: stored.overflow,
                retired: Retired::default(),
            }),
            layout: RwLock::new(stored.layout),
            index: OnceLock::new(),
            count: AtomicI64::new(stored.count.cast_signed()),
        }
    }

    /// Documents as of the last published commit.
    pub(crate) fn count(&self) -> u64 {
        u64::try_from(self.count.load(Ordering::Relaxed)).unwrap_or(0)
    }

    pub(crate) fn add_to_count(&self, documents: u64) {
        self.count.fetch_add(documents.cast_signed(), Ordering::Relaxed);
    }

    pub(crate) fn take_from_count(&self, documents: u64) {
        self.count.fetch_sub(documents.cast_signed(), Ordering::Relaxed);
    }

    /// The index, if it was built.
    pub(crate) fn built_index(&self) -> Option<&Index> {
        self.index.get()
    }

    /// The index; built at the first call, which takes as long as reading all pages.
    #[inline]
    pub(crate) fn index(&self) -> Result<&Index> {
        match self.index.get() {
            Some(index) => Ok(index),
            None => self.index_locked(&mut self.writer.lock()),
        }
    }

    /// The index, for who holds the writer's lock.
    pub(crate) fn index_locked(&self, _writer: &mut Writer) -> Result<&Index> {
        if let Some(index) = self.index.get() {
            return Ok(index);
        }
        let index = self.build_index()?;
        Ok(self.index.get_or_init(|| index))
    }
}

impl Index {
    /// What not finding an id means: that it is not there, or that nobody can tell.
    pub(crate) fn miss<T>(&self) -> Result<Option<T>> {
        match self.unreadable.first() {
            None => Ok(None),
            Some(&page) => Err(Error::damaged(page)),
        }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("owner", &self.owner).finish_non_exhaustive()
    }
}
