//! Reading the documents of a file that does not open.
//!
//! It is read by what its pages say of themselves: whose they are, and which of two is the newer.

use std::collections::BTreeMap;
use std::fmt;

use nanodb_page::{PageRef, RecordKind};
use nanodb_pager::{Extent, FoundPage, Owner, PageId, Salvage};

use crate::catalog::manifest::Manifest;
use crate::checkpoint::apply_edits;
use nanodb_document::ErrorKind;

use crate::error::{EngineError, Result};
use crate::ids::CollectionId;
use crate::maintenance::check::{Problem, ProblemKind, why};
use crate::pages::extents::Extents;
use crate::pages::overflow::assemble;
use crate::pages::source::SLOTTED;

/// The result of a salvage: what was saved, and what was lost.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct SalvageReport {
    /// How the file was read.
    pub how: SalvageMode,
    /// The collections, by name.
    pub collections: Vec<SalvagedCollection>,
    /// What could not be read.
    pub problems: Vec<Problem>,
    /// Whether documents may be among them that were deleted, or that were never committed: of a
    /// file without its header, or without its lists of collections and of free pages, nothing
    /// tells these apart.
    pub uncertain: bool,
}

/// How a file was read, from the best to the worst.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub enum SalvageMode {
    /// It opens: all that is not on damaged pages is there as it was last.
    #[default]
    Opened,
    /// By its pages, each of which is whole, and what the log says of them. If the log is damaged,
    /// or the header is, what was written since the last checkpoint may be missing. What was
    /// deleted or never committed may be there if the report is
    /// [uncertain](SalvageReport::uncertain).
    ByPages,
    /// By its pages, and nothing says any more what their checksums begin from, so that documents
    /// may be damaged without anybody noticing.
    Unverified,
}

/// A collection of which something was saved.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct SalvagedCollection {
    /// Its name; `collection 7` for one whose name is lost.
    pub name: String,
    /// How many documents were saved.
    pub documents: u64,
    /// How many it had, where that is known.
    pub expected: Option<u64>,
}

impl SalvageReport {
    /// Returns whether everything was saved, as far as can be known.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        let all = |collection: &SalvagedCollection| {
            collection.expected.is_none_or(|expected| expected == collection.documents)
        };
        self.how == SalvageMode::Opened
            && self.problems.is_empty()
            && self.collections.iter().all(all)
    }

    /// Returns how many documents were saved.
    #[must_use]
    pub fn documents(&self) -> u64 {
        self.collections.iter().map(|collection| collection.documents).sum()
    }

    /// Adds a problem.
    #[doc(hidden)]
    pub fn add(&mut self, collection: Option<&str>, page: Option<u32>, kind: ProblemKind) {
        let collection = collection.map(str::to_owned);
        self.problems.push(Problem { collection, page, kind });
    }

    /// Adds a collection, and how many of its documents were saved.
    #[doc(hidden)]
    pub fn add_collection(&mut self, name: &str, documents: u64, expected: Option<u64>) {
        let name = name.to_owned();
        self.collections.push(SalvagedCollection { name, documents, expected });
    }

    /// Adds what could not be read, and why.
    #[doc(hidden)]
    pub fn lost(&mut self, collection: Option<&str>, error: &EngineError) {
        let (page, why) = (error.page(), why(error));
        let kind = match page {
            Some(_) => ProblemKind::DamagedPage { why },
            None => ProblemKind::DamagedFile { why },
        };
        self.add(collection, page, kind);
    }
}

impl fmt::Display for SalvageMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Opened => "the file opens",
            Self::ByPages => "the file does not open and was read page by page",
            Self::Unverified => "the file was read page by page, and nothing can be checked",
        })
    }
}

/// A thing found in a file. For each collection come its documents, then its end.
#[derive(Clone, Copy, Debug)]
pub enum Salvaged<'a> {
    /// A document.
    Document {
        /// Its collection.
        collection: &'a str,
        /// Its bytes.
        bytes: &'a [u8],
    },
    /// There are no more of this collection.
    End {
        /// Which it is.
        collection: &'a str,
        /// How many documents it had, where that is known.
        expected: Option<u64>,
    },
}

/// Reads a file that does not open by what its pages say, and calls `store` with each document that
/// can be read, collection by collection.
///
/// `refused` says why it does not open.
///
/// # Errors
///
/// Those of `store`; [`EngineError::Storage`] if the operating system refuses what is not a matter
/// of single pages.
pub fn salvage_pages<E: From<EngineError>>(
    pages: &Salvage,
    refused: &EngineError,
    mut store: impl FnMut(Salvaged<'_>, &mut SalvageReport) -> Result<(), E>,
) -> Result<SalvageReport, E> {
    let how = if pages.is_verified() { SalvageMode::ByPages } else { SalvageMode::Unverified };
    let mut report = SalvageReport { how, ..SalvageReport::default() };
    report.lost(None, refused);
    for corruption in pages.damaged() {
        report.lost(None, &nanodb_pager::Error::from(corruption.clone()).into());
    }
    for unreadable in pages.unreadable() {
        let (lost, why) = (unreadable.pages, unreadable.why.clone());
        let kind = ProblemKind::UnreadablePages { pages: lost.pages, why };
        report.add(None, Some(lost.start.get()), kind);
    }
    for missed in pages.missed().iter().map(|error| why(error)) {
        if !why(refused).contains(&missed) {
            report.add(None, None, ProblemKind::DamagedFile { why: missed });
        }
    }
    if pages.left_out() > 0 {
        report.add(None, None, ProblemKind::LeftOut { pages: pages.left_out() });
    }
    let current = pages
        .metadata_root()
        .and_then(|root| apply_edits(root, &mut pages.metadata(), |_, _| ()).ok());
    let is_current = current.is_some();
    let listed = match current {
        Some(manifest) => manifest,
        None => newest_manifest(pages, &mut report).unwrap_or_default(),
    };
    report.uncertain = !is_current && !pages.knows_free_pages();
    let mut by_owner: BTreeMap<Owner, Vec<FoundPage>> = BTreeMap::new();
    for &found in pages.pages().iter().filter(|found| found.kind == SLOTTED) {
        by_owner.entry(found.owner).or_default().push(found);
    }
    for (owner, mut found) in by_owner {
        let stored = listed.collections.get(&CollectionId::of(owner));
        if stored.is_none() && is_current {
            // Of a collection that was dropped.
            continue;
        }
        let name = match stored {
            Some(stored) => stored.name.clone(),
            None => format!("collection {}", owner.get()),
        };
        if let Some(stored) = stored.filter(|_| is_current) {
            // What else carries its number was given back, or never committed.
            keep_used(&mut found, &stored.extents);
        }
        // Of two documents with one id, what comes first stays.
        found.sort_unstable_by_key(|found| std::cmp::Reverse((found.seq, found.page)));
        for found in found {
            match salvage_page(pages, (owner, &name), found.page, &mut store, &mut report)? {
                Err(error) if is_lost(&error) => report.lost(Some(&name), &error),
                done => done?,
            }
        }
        let expected = stored.filter(|_| is_current).map(|stored| stored.count);
        store(Salvaged::End { collection: &name, expected }, &mut report)?;
    }
    report.collections.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    Ok(report)
}

/// Whether an error of the source only loses what could not be read.
#[must_use]
pub fn is_lost(error: &EngineError) -> bool {
    let failed_read = match error {
        EngineError::Storage(source) | EngineError::Open { source, .. } => source.is_failed_read(),
        _ => false,
    };
    failed_read || matches!(error.kind(), ErrorKind::Damaged | ErrorKind::NotADatabase)
}

/// Leaves only pages in use.
fn keep_used(found: &mut Vec<FoundPage>, extents: &Extents) {
    let mut used: Vec<Extent> = extents.used().collect();
    used.sort_unstable_by_key(|extent| extent.start);
    found.retain(|found| {
        let before = used.partition_point(|extent| extent.start <= found.page);
        before.checked_sub(1).is_some_and(|at| used[at].contains(found.page))
    });
}

/// The newest list of collections that any page holds.
fn newest_manifest(pages: &Salvage, report: &mut SalvageReport) -> Option<Manifest> {
    for bytes in pages.possible_roots() {
        match bytes {
            Ok(bytes) => {
                if let Some(manifest) = Manifest::decode_first(&bytes) {
                    return Some(manifest);
                }
            }
            Err(error) => report.lost(None, &error.into()),
        }
    }
    None
}

/// Saves the documents of a page. What fails is the target; inside, the source.
fn salvage_page<E>(
    pages: &Salvage,
    (owner, collection): (Owner, &str),
    page: PageId,
    store: &mut impl FnMut(Salvaged<'_>, &mut SalvageReport) -> Result<(), E>,
    report: &mut SalvageReport,
) -> Result<Result<()>, E> {
    let held = match pages.page(page) {
        Ok(held) => held,
        Err(error) => return Ok(Err(error.into())),
    };
    let slots = match PageRef::parse(held.body()) {
        Ok(slots) => slots,
        Err(error) => return Ok(Err(EngineError::damaged_by(page, error))),
    };
    let mut assembled = Vec::new();
    for record in slots.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => return Ok(Err(EngineError::damaged_by(page, error))),
        };
        let bytes = match record.kind {
            RecordKind::Document => record.bytes,
            RecordKind::Head => {
                assembled.clear();
                if let Err(error) = assemble(owner, page, record.bytes, pages, &mut assembled) {
                    if !is_lost(&error) {
                        return Ok(Err(error));
                    }
                    report.lost(Some(collection), &error);
                    continue;
                }
                &assembled
            }
            _ => continue,
        };
        store(Salvaged::Document { collection, bytes }, report)?;
    }
    Ok(Ok(()))
}
