//! Reading everything, and saying what is wrong.

mod collection;

use std::fmt;
use std::sync::Arc;

use nanodb_pager::Extent;

use crate::catalog::Binding;
use crate::database::Shared;
use crate::error::{Error, Result};
use crate::lock::{HeldRef, Party};
use crate::root::Root;
use crate::save::run_extents;
use crate::store::Writer;

/// What [`Database::check`](crate::Database::check) found.
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
    /// The index of ids has another number of entries than there are documents.
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
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.problems.is_empty()
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
struct Check {
    report: CheckReport,
    /// For each page of the file whether somebody claims it.
    claimed: Vec<bool>,
}

/// Checks everything. Writers wait: the state that is looked at is the installed one.
pub(crate) fn run(shared: &Shared) -> Result<CheckReport> {
    loop {
        let bindings = shared.catalog.names.all_current();
        let Some(mut writers) = lock_all(&bindings)? else { continue };
        // Last, so that whoever waits for it need not wait for a transaction.
        let _frozen = shared.catalog.freeze();
        let same = |(a, b): (&Arc<Binding>, &Arc<Binding>)| Arc::ptr_eq(a, b);
        let now = shared.catalog.names.all_current();
        if now.len() == bindings.len() && now.iter().zip(&bindings).all(same) {
            return run_locked(shared, &bindings, &mut writers);
        }
    }
}

/// The locks of all collections; none if that has to be tried again: one of them is not what
/// it was, or was locked by a transaction that waited for another.
fn lock_all(bindings: &[Arc<Binding>]) -> Result<Option<Vec<HeldRef<'_, Writer>>>> {
    let party = Party::current();
    let mut writers = Vec::with_capacity(bindings.len());
    for binding in bindings {
        match binding.lock(party) {
            Ok(Some(writer)) => writers.push(writer),
            Ok(None) => return Ok(None),
            Err(Error::Conflict { .. }) => {
                // Lets the transaction pass. Refused now, too, it is this thread's own.
                drop(writers);
                drop(binding.lock(party)?);
                return Ok(None);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(Some(writers))
}

fn run_locked(
    shared: &Shared,
    bindings: &[Arc<Binding>],
    writers: &mut [HeldRef<'_, Writer>],
) -> Result<CheckReport> {
    let space = shared.pager.space();
    let page_count = usize::try_from(space.page_count).unwrap_or(usize::MAX);
    let mut check = Check { report: CheckReport::default(), claimed: vec![false; page_count] };
    for corruption in shared.pager.verify()? {
        let kind = ProblemKind::DamagedFile { why: corruption.to_string() };
        check.add(None, Some(corruption.page().get()), kind);
    }
    for extent in space.own.iter().chain(&space.free).chain(&space.pending) {
        check.claim(None, *extent);
    }
    // As of the same moment: a checkpoint may move them meanwhile.
    for stored in Root::decode(&space.root)?.collections.values() {
        for extent in run_extents(stored) {
            check.claim(None, extent);
        }
    }
    for (binding, writer) in bindings.iter().zip(writers) {
        check.collection(&binding.name, &binding.store, writer)?;
    }
    for page in 0..space.page_count {
        if check.claimed.get(page as usize) == Some(&false) {
            check.add(None, Some(page), ProblemKind::Unclaimed);
        }
    }
    Ok(check.report)
}

impl Check {
    fn add(&mut self, collection: Option<&str>, page: Option<u32>, kind: ProblemKind) {
        let collection = collection.map(str::to_owned);
        self.report.problems.push(Problem { collection, page, kind });
    }

    /// Notes that all pages of `extent` are in use; says so if they are in use already.
    fn claim(&mut self, collection: Option<&str>, extent: Extent) {
        let first = extent.start.get();
        for number in first..=first.saturating_add(extent.pages.saturating_sub(1)) {
            let claimed = self.claimed.get_mut(number as usize);
            let kind = match claimed.map(|claimed| std::mem::replace(claimed, true)) {
                Some(false) => continue,
                Some(true) => ProblemKind::ClaimedTwice,
                None => ProblemKind::OutOfBounds,
            };
            self.add(collection, Some(number), kind);
            if self.claimed.len() <= number as usize {
                // The rest of it is no better, and may be long.
                return;
            }
        }
    }
}

/// What went wrong, with its causes, on one line.
pub(crate) fn why(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
