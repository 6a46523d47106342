//! Reading everything, and saying what is wrong.
//!
//! All of it is as of one commit, the newest one when the check begins, and nobody waits for it:
//!
//! * Where each page belongs is told by the pager and by what the edits up to that commit add up
//!   to. Commits wait while the list of free pages is copied.
//! * Pages of collections are read as of a snapshot of that commit.
//! * The id index knows no commits. An entry that is missing must be in the history that is
//!   kept for the snapshot. One that is too many may have come later: only such are looked at under
//!   the writers' lock of their collection, those of a group at a time.

mod collection;
mod index;

use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use nanodb_pager::{Extent, InstalledCommit, PageInventory, Seq};

use crate::catalog::manifest::{Manifest, StoredCollection};
use crate::engine::Engine;
use crate::error::Result;
use crate::ids::CollectionId;
use crate::lock::owner::LockOwner;
use crate::opening::Opening;
use crate::read_view::ReadView;

/// The result of `Database::check`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct CheckReport {
    /// Collections looked at.
    pub collections: u64,
    /// Documents read in full.
    pub documents: u64,
    /// Pages of collections read.
    pub pages: u64,
    /// Everything that is wrong.
    pub problems: Vec<Problem>,
}

/// How far a check has got; passed to the callback of `Database::check_with`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct CheckProgress {
    /// Pages with documents that were read.
    pub pages_done: u64,
    /// All pages with documents. For very large collections they are read again, and counted again.
    pub pages: u64,
}

/// Told how far a check has come; says whether it is to go on.
pub(crate) type Progress<'a> = &'a mut dyn FnMut(CheckProgress) -> ControlFlow<()>;

/// One thing that is wrong with a database.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Problem {
    /// The collection, where one is concerned.
    pub collection: Option<String>,
    /// The page, where one is concerned.
    pub page: Option<u32>,
    /// What is wrong.
    pub kind: ProblemKind,
}

/// What is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ProblemKind {
    /// The page cannot be read: the documents on it are lost.
    DamagedPage {
        /// What is wrong with it.
        why: String,
    },
    /// One of the database's own pages is damaged.
    DamagedFile {
        /// What is wrong.
        why: String,
    },
    /// The device can't read the page and so many behind it: the documents on them are lost.
    UnreadablePages {
        /// How many pages.
        pages: u32,
        /// What the operating system said of the first.
        why: String,
    },
    /// So many pages hold what nothing says was ever committed, as a transaction leaves it that
    /// was rolled back or under way. They were left out.
    LeftOut {
        /// How many pages.
        pages: u32,
    },
    /// A document's bytes are no document, or some of its pieces are missing.
    DamagedDocument {
        /// What is wrong with it.
        why: String,
    },
    /// A document that is not found by its id, or only another one with that id is.
    NotFoundById {
        /// The id.
        id: String,
    },
    /// The id index has another number of entries than there are documents.
    IndexLen {
        /// Entries.
        entries: u64,
        /// Documents found.
        documents: u64,
    },
    /// The collection's count is wrong.
    Count {
        /// What the collection says.
        stored: u64,
        /// Documents found.
        found: u64,
    },
    /// The next integer to be assigned as an id is not above all that were used.
    NextId {
        /// What the collection says.
        next: u64,
        /// An id that is used.
        used: u64,
    },
    /// A piece of a document that no document refers to, or more than one does.
    StrayPiece,
    /// A page that two claim.
    ClaimedTwice,
    /// A page behind the end of the file.
    OutOfBounds,
    /// A page that is neither free nor anybody's.
    Unclaimed,
}

impl CheckReport {
    /// Returns whether nothing is wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.problems.is_empty()
    }
}

impl Problem {
    /// Makes a problem of another file than a database's.
    #[doc(hidden)]
    #[must_use]
    pub fn new(collection: Option<&str>, page: Option<u32>, kind: ProblemKind) -> Self {
        Self { collection: collection.map(str::to_owned), page, kind }
    }
}

impl fmt::Display for CheckReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} documents in {} collections on {} pages: ",
            self.documents, self.collections, self.pages
        )?;
        match self.problems.len() {
            0 => write!(f, "no problems"),
            1 => write!(f, "1 problem"),
            many => write!(f, "{many} problems"),
        }?;
        self.problems.iter().try_for_each(|problem| write!(f, "\n{problem}"))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(collection) = &self.collection {
            write!(f, "collection {collection:?}: ")?;
        }
        if let Some(page) = self.page {
            write!(f, "page {page}: ")?;
        }
        write!(f, "{}", self.kind)
    }
}

impl fmt::Display for ProblemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DamagedPage { why } => write!(f, "cannot be read: {why}"),
            Self::DamagedFile { why } => write!(f, "{why}"),
            Self::UnreadablePages { pages: 1, why } => write!(f, "cannot be read: {why}"),
            Self::UnreadablePages { pages, why } => {
                write!(f, "cannot be read, nor can the {} pages behind it: {why}", pages - 1)
            }
            Self::LeftOut { pages } => {
                write!(f, "{pages} pages that nobody is known to have committed were left out")
            }
            Self::DamagedDocument { why } => write!(f, "a document is damaged: {why}"),
            Self::NotFoundById { id } => write!(f, "the document with the id {id} is not found"),
            Self::IndexLen { entries, documents } => {
                write!(f, "the index has {entries} entries for {documents} documents")
            }
            Self::Count { stored, found } => {
                write!(f, "the count is {stored}, but {found} documents were found")
            }
            Self::NextId { next, used } => {
                write!(f, "the next id to assign is {next}, but {used} is used")
            }
            Self::StrayPiece => write!(f, "a piece belongs to no document, or to several"),
            Self::ClaimedTwice => write!(f, "belongs to two"),
            Self::OutOfBounds => write!(f, "lies behind the end of the file"),
            Self::Unclaimed => write!(f, "is neither free nor in use"),
        }
    }
}

/// A check under way.
struct Check<'a> {
    report: CheckReport,
    progress: Progress<'a>,
    at: CheckProgress,
    /// For each page of the file whether it is in use.
    in_use: Vec<bool>,
}

impl Opening {
    /// Reads everything and says what is wrong with it, as one call that closing waits for.
    ///
    /// # Errors
    ///
    /// [`EngineError::Closed`](crate::EngineError::Closed),
    /// [`EngineError::Storage`](crate::EngineError::Storage),
    /// [`EngineError::Conflict`](crate::EngineError::Conflict).
    pub fn check(self: &Arc<Self>) -> Result<CheckReport> {
        let _call = self.enter()?;
        // Nobody stops it.
        Ok(run(self, &mut |_| ControlFlow::Continue(()))?.unwrap_or_default())
    }

    /// The same; none if `progress`, which is called after each page, has stopped it.
    ///
    /// # Errors
    ///
    /// As [`check`](Self::check); [`EngineError::Closed`](crate::EngineError::Closed) also if
    /// `progress` closes the database.
    pub fn check_with(
        self: &Arc<Self>,
        progress: &mut dyn FnMut(CheckProgress) -> ControlFlow<()>,
    ) -> Result<Option<CheckReport>> {
        self.enter_in_steps(progress, |progress| run(self, progress))
    }
}

/// Checks everything as of the newest commit, while others read and write; no report if `progress`
/// stops it.
fn run(opening: &Arc<Opening>, progress: Progress<'_>) -> Result<Option<CheckReport>> {
    let engine = opening.engine();
    let PageInventory { snapshot, space, taken, metadata_root: root, .. } =
        engine.pager.inventory()?;
    let view = ReadView::of(opening, snapshot);
    let seq = view.snapshot().seq();
    await_applied(engine, seq)?;

    let page_count = usize::try_from(space.page_count).unwrap_or(usize::MAX);
    let mut check = Check {
        report: CheckReport::default(),
        progress,
        at: CheckProgress::default(),
        in_use: vec![false; page_count],
    };
    for corruption in engine.pager.verify()? {
        let kind = ProblemKind::DamagedFile { why: corruption.to_string() };
        check.add(None, Some(corruption.page().get()), kind);
    }
    for extent in space.own.iter().chain(&space.free).chain(&space.pending).chain(&taken) {
        check.mark_in_use(None, *extent);
    }
    // The index in the file is that of the last checkpoint, whatever was dropped since.
    let saved = Manifest::decode(&space.metadata_root)?.collections;
    saved
        .values()
        .flat_map(StoredCollection::index_extents)
        .for_each(|extent| check.mark_in_use(None, extent));
    let mut collections = Manifest::decode(&root)?.collections;
    check.at.pages = collections.values().map(|stored| stored.extents.used_pages).sum();
    for binding in engine.catalog.names.all_at(seq) {
        let id = CollectionId::of(binding.store.owner);
        let Some(stored) = collections.remove(&id) else {
            check.unlisted(&binding.name);
            continue;
        };
        if let Some(saved) = saved.get(&id) {
            check.saved_index(&binding, saved)?;
        }
        if check.collection(&binding, &stored, view.snapshot())?.is_break() {
            return Ok(None);
        }
    }
    collections.values().for_each(|stored| check.unlisted(&stored.name));
    for page in 0..space.page_count {
        if check.in_use.get(page as usize) == Some(&false) {
            check.add(None, Some(page), ProblemKind::Unclaimed);
        }
    }
    Ok(Some(check.report))
}

/// Returns when those who have installed commits up to that one have done what they do before
/// these are published.
fn await_applied(engine: &Engine, seq: Seq) -> Result<()> {
    while engine.pager.published() < seq {
        // One that changes nothing waits for what it may have read.
        if engine.pager.begin().install(&[]).and_then(InstalledCommit::publish).is_err() {
            // Nothing will be published any more, nor installed. Who was about to apply a commit
            // holds a collection's lock.
            for binding in engine.catalog.names.all_current() {
                drop(binding.lock(LockOwner::current())?);
            }
            break;
        }
    }
    Ok(())
}

impl Check<'_> {
    fn add(&mut self, collection: Option<&str>, page: Option<u32>, kind: ProblemKind) {
        let collection = collection.map(str::to_owned);
        self.report.problems.push(Problem { collection, page, kind });
    }

    /// Another page was read. Nothing is locked.
    fn tell(&mut self) -> ControlFlow<()> {
        self.at.pages_done += 1;
        (self.progress)(self.at)
    }

    fn unlisted(&mut self, collection: &str) {
        let why = "it is not in the list of collections".to_owned();
        self.add(Some(collection), None, ProblemKind::DamagedFile { why });
    }

    /// Notes that all pages of `extent` are in use; says so if they are in use already.
    fn mark_in_use(&mut self, collection: Option<&str>, extent: Extent) {
        let first = extent.start.get();
        for number in first..=first.saturating_add(extent.pages.saturating_sub(1)) {
            let in_use = self.in_use.get_mut(number as usize);
            let kind = match in_use.map(|in_use| std::mem::replace(in_use, true)) {
                Some(false) => continue,
                Some(true) => ProblemKind::ClaimedTwice,
                None => ProblemKind::OutOfBounds,
            };
            self.add(collection, Some(number), kind);
            if self.in_use.len() <= number as usize {
                // The rest of it is no better, and may be long.
                return;
            }
        }
    }
}

/// Returns an error and its causes as one line of text.
pub fn why(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests;
