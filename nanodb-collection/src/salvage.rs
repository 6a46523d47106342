//! Copying whatever can be read of a damaged file into another database.
//!
//! A file that opens is read as always, page by page past what is damaged. One that does not,
//! because its header, its list of collections or its log can't be read, is read by what its pages say of
//! themselves: whose they are, and which of two is the newer.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use nanodb_page::{PageRef, RecordKind};
use nanodb_pager::{
    Extent, FileStorage, FoundPage, LockHolders, Owner, PageId, ReadOnly, Salvage, Storage,
};

use crate::check::{Problem, ProblemKind, why};
use crate::database::Database;
use crate::error::{Error, ErrorKind, Result};
use crate::folder::fold;
use crate::layout::Layout;
use crate::registry;
use crate::root::Root;
use crate::spill::{SLOTTED, assemble};
use nanodb_document::DocView;
use nanodb_document::record_key;

/// So many documents are stored at once.
const BATCH_DOCUMENTS: usize = 1000;

/// More problems are not told of one by one.
const PROBLEMS_MAX: usize = 100_000;

/// When so many bytes of documents have come together they are stored.
const BATCH_BYTES: usize = 4 << 20;

/// What [`Database::salvage`] has saved, and what not.
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
    /// By its pages, each of which is whole, and what the log says of them. If the log is damaged, or
    /// the header is, what was written since the last checkpoint may be missing. What was deleted
    /// or never committed may be there if the report is [uncertain](SalvageReport::uncertain).
    ByPages,
    /// The same, but nothing says any more what the pages' checksums begin from, so that documents may be
    /// damaged without anybody noticing.
    Unverified,
}

/// A collection of which something was saved.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct SalvagedCollection {
    /// Its name; `collection 7` for one whose name is lost.
    pub name: String,
    /// Documents saved.
    pub documents: u64,
    /// How many it had, where that is known.
    pub expected: Option<u64>,
}

impl SalvageReport {
    /// Whether all was saved, as far as anybody can tell.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        let all = |collection: &SalvagedCollection| {
            collection.expected.is_none_or(|expected| expected == collection.documents)
        };
        self.how == SalvageMode::Opened
            && self.problems.is_empty()
            && self.collections.iter().all(all)
    }

    /// Documents saved.
    #[must_use]
    pub fn documents(&self) -> u64 {
        self.collections.iter().map(|collection| collection.documents).sum()
    }

    fn add(&mut self, page: Option<u32>, kind: ProblemKind) {
        self.problems.push(Problem { collection: None, page, kind });
    }

    fn lost(&mut self, collection: Option<&str>, error: &Error) {
        let (page, why) = (error.page(), why(error));
        let kind = match page {
            Some(_) => ProblemKind::DamagedPage { why },
            None => ProblemKind::DamagedFile { why },
        };
        self.problems.push(Problem { collection: collection.map(str::to_owned), page, kind });
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

impl Database {
    /// Copies whatever can be read of the database at `path`, however damaged, into this one,
    /// and says what could not. The file at `path` is opened [read-only](crate::Options::read_only): nothing is
    /// written to it, or beside it. If it is open elsewhere, this waits as long as the
    /// [`lock_timeout`](crate::Options::lock_timeout) of this database says.
    ///
    /// What the device can't read costs the documents on those pages; reading goes on behind them.
    ///
    /// Documents keep their ids. Of those found twice, which happens if the file's lists are lost, the
    /// newer one counts. Documents that can't be stored here, because their collection has one with that id
    /// already, are left out: salvage into an empty database.
    ///
    /// ```no_run
    /// use nanodb_collection::Database;
    ///
    /// # fn main() -> Result<(), nanodb_collection::Error> {
    /// let saved = Database::open("saved.nanodb")?;
    /// let report = saved.salvage("damaged.nanodb")?;
    /// println!("{} documents saved, {} problems", report.documents(), report.problems.len());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Open`] if there is no such file, it can't be read, another process has it open, it is this
    /// database's own, or it is of a newer format; [`Error::Storage`] if this database can't be written to. What was
    /// saved by then stays.
    pub fn salvage(&self, path: impl AsRef<Path>) -> Result<SalvageReport> {
        self.shared().check_access()?;
        let path = path.as_ref();
        let failed = |source| Error::Open { path: path.to_owned(), source };
        let storage = FileStorage::open_read_only(path).map_err(|source| {
            failed(nanodb_pager::Error::Io { doing: "opening the file".to_owned(), source })
        })?;
        if let Some(source) = storage.id().ok().and_then(|id| registry::opened(&id)) {
            if Arc::ptr_eq(source.shared(), self.shared()) {
                let holders = LockHolders::current();
                return Err(failed(nanodb_pager::Error::Locked { holders }));
            }
            return self.salvage_opened(&source);
        }
        self.salvage_from(Arc::new(storage), failed)
    }

    /// The same for a database that `storage` holds.
    ///
    /// # Errors
    ///
    /// As [`salvage`](Self::salvage), with [`Error::Storage`] in place of [`Error::Open`].
    pub fn salvage_on(&self, storage: Arc<dyn Storage>) -> Result<SalvageReport> {
        self.shared().check_access()?;
        self.salvage_from(storage, Error::from)
    }

    fn salvage_from(
        &self,
        storage: Arc<dyn Storage>,
        failed: impl Fn(nanodb_pager::Error) -> Error,
    ) -> Result<SalvageReport> {
        let storage: Arc<dyn Storage> = Arc::new(ReadOnly::new(storage));
        let options = Self::options().read_only(true).without_log(true);
        let options = options.lock_timeout(self.lock_timeout());
        let refused = match options.open_on(Arc::clone(&storage)) {
            Ok(source) => {
                let mut report = self.salvage_opened(&source)?;
                if source.open_report().log_lost {
                    let why = "its log is not beside it, so what was written last is missing";
                    let kind = ProblemKind::DamagedFile { why: why.to_owned() };
                    report.problems.push(Problem { collection: None, page: None, kind });
                }
                return Ok(report);
            }
            Err(Error::Storage(error)) => failed(error),
            Err(error) => error,
        };
        if !is_lost(&refused) {
            return Err(refused);
        }
        let pages = Salvage::open(storage).map_err(failed)?;
        self.salvage_pages(&pages, &refused)
    }

    fn salvage_opened(&self, source: &Self) -> Result<SalvageReport> {
        let mut report = SalvageReport::default();
        let snapshot = source.snapshot();
        for info in snapshot.collections() {
            let mut batch = Batch::new(self, &info.name);
            for document in snapshot.collection(&info.name).iter()? {
                match document {
                    Ok(document) => batch.add(document.as_bytes(), &mut report)?,
                    // A device that has gone for good would fill the memory with its errors.
                    Err(error) if is_lost(&error) && report.problems.len() < PROBLEMS_MAX => {
                        report.lost(Some(&info.name), &error);
                    }
                    Err(error) => return Err(error),
                }
            }
            let documents = batch.finish(&mut report)?;
            let expected = Some(info.count);
            report.collections.push(SalvagedCollection { name: info.name, documents, expected });
        }
        Ok(report)
    }

    fn salvage_pages(&self, pages: &Salvage, refused: &Error) -> Result<SalvageReport> {
        let how = if pages.is_verified() { SalvageMode::ByPages } else { SalvageMode::Unverified };
        let mut report = SalvageReport { how, ..SalvageReport::default() };
        report.lost(None, refused);
        for corruption in pages.damaged() {
            report.lost(None, &nanodb_pager::Error::from(corruption.clone()).into());
        }
        for unreadable in pages.unreadable() {
            let (lost, why) = (unreadable.pages, unreadable.why.clone());
            let kind = ProblemKind::UnreadablePages { pages: lost.pages, why };
            report.add(Some(lost.start.get()), kind);
        }
        for missed in pages.missed().iter().map(|error| why(error)) {
            if !why(refused).contains(&missed) {
                report.add(None, ProblemKind::DamagedFile { why: missed });
            }
        }
        if pages.left_out() > 0 {
            report.add(None, ProblemKind::LeftOut { pages: pages.left_out() });
        }
        let current = pages.root().and_then(|root| fold(root, &mut pages.notes(), |_, _| ()).ok());
        let is_current = current.is_some();
        let listed = match current {
            Some(root) => root,
            None => newest_root(pages, &mut report).unwrap_or_default(),
        };
        report.uncertain = !is_current && !pages.knows_free_pages();
        let mut by_owner: BTreeMap<Owner, Vec<FoundPage>> = BTreeMap::new();
        for &found in pages.pages().iter().filter(|found| found.kind == SLOTTED) {
            by_owner.entry(found.owner).or_default().push(found);
        }
        for (owner, mut found) in by_owner {
            let stored = listed.collections.get(&owner.get());
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
                keep_used(&mut found, &stored.layout);
            }
            // Of two documents with one id, what comes first stays.
            found.sort_unstable_by_key(|found| std::cmp::Reverse((found.seq, found.page)));
            let mut batch = Batch::new(self, &name);
            for found in found {
                match salvage_page(pages, owner, found.page, &mut batch, &mut report)? {
                    Err(error) if is_lost(&error) => report.lost(Some(&name), &error),
                    done => done?,
                }
            }
            let documents = batch.finish(&mut report)?;
            let expected = stored.filter(|_| is_current).map(|stored| stored.count);
            report.collections.push(SalvagedCollection { name, documents, expected });
        }
        report.collections.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Ok(report)
    }
}

/// Whether an error of the source costs what could not be read, and nothing else.
fn is_lost(error: &Error) -> bool {
    let failed_read = match error {
        Error::Storage(source) | Error::Open { source, .. } => source.is_failed_read(),
        _ => false,
    };
    failed_read || matches!(error.kind(), ErrorKind::Damaged | ErrorKind::NotADatabase)
}

/// Leaves only pages that the layout has in use.
fn keep_used(found: &mut Vec<FoundPage>, layout: &Layout) {
    let mut used: Vec<Extent> = layout.used().collect();
    used.sort_unstable_by_key(|extent| extent.start);
    found.retain(|found| {
        let before = used.partition_point(|extent| extent.start <= found.page);
        before.checked_sub(1).is_some_and(|at| used[at].contains(found.page))
    });
}

/// The newest list of collections that any page holds.
fn newest_root(pages: &Salvage, report: &mut SalvageReport) -> Option<Root> {
    for bytes in pages.possible_roots() {
        match bytes {
            Ok(bytes) => {
                if let Some(root) = Root::decode_first(&bytes) {
                    return Some(root);
                }
            }
            Err(error) => report.lost(None, &error.into()),
        }
    }
    None
}

/// Saves the documents of a page. What fails is the target; inside, the source.
fn salvage_page(
    pages: &Salvage,
    owner: Owner,
    page: PageId,
    batch: &mut Batch<'_>,
    report: &mut SalvageReport,
) -> Result<Result<()>> {
    let held = match pages.page(page) {
        Ok(held) => held,
        Err(error) => return Ok(Err(error.into())),
    };
    let slots = match PageRef::parse(held.body()) {
        Ok(slots) => slots,
        Err(error) => return Ok(Err(Error::damaged_by(page, error))),
    };
    let mut assembled = Vec::new();
    for record in slots.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => return Ok(Err(Error::damaged_by(page, error))),
        };
        let bytes = match record.kind {
            RecordKind::Document => record.bytes,
            RecordKind::Head => {
                assembled.clear();
                let read = |page| Ok(pages.page(page)?);
                if let Err(error) = assemble(owner, page, record.bytes, read, &mut assembled) {
                    if !is_lost(&error) {
                        return Ok(Err(error));
                    }
                    report.lost(Some(batch.name), &error);
                    continue;
                }
                &assembled
            }
            _ => continue,
        };
        batch.add(bytes, report)?;
    }
    Ok(Ok(()))
}

/// Documents on their way into a collection.
struct Batch<'a> {
    db: &'a Database,
    name: &'a str,
    documents: Vec<Vec<u8>>,
    bytes: usize,
    stored: u64,
}

impl<'a> Batch<'a> {
    fn new(db: &'a Database, name: &'a str) -> Self {
        Self { db, name, documents: Vec::new(), bytes: 0, stored: 0 }
    }

    fn add(&mut self, document: &[u8], report: &mut SalvageReport) -> Result<()> {
        self.bytes += document.len();
        self.documents.push(document.to_vec());
        if self.documents.len() >= BATCH_DOCUMENTS || self.bytes >= BATCH_BYTES {
            self.store(report)?;
        }
        Ok(())
    }

    fn finish(mut self, report: &mut SalvageReport) -> Result<u64> {
        self.store(report)?;
        Ok(self.stored)
    }

    fn store(&mut self, report: &mut SalvageReport) -> Result<()> {
        self.bytes = 0;
        let documents = std::mem::take(&mut self.documents);
        let collection = self.db.collection(self.name);
        let inserted =
            collection.insert_many(documents.iter().map(|bytes| DocView::from_bytes(bytes)));
        match inserted {
            Ok(_) => self.stored += documents.len() as u64,
            Err(error) if is_refusal(&error) => {
                // All or none: which it was shows one by one.
                let (stored, refused) = self.db.write(|tx| {
                    let collection = tx.collection(self.name);
                    let (mut stored, mut refused) = (0, Vec::new());
                    for bytes in &documents {
                        match collection.insert(DocView::from_bytes(bytes)) {
                            Ok(_) => stored += 1,
                            Err(Error::DuplicateId { .. }) => {}
                            Err(error) if is_refusal(&error) => {
                                refused.push(describe(bytes, &error))
                            }
                            Err(error) => return Err(error),
                        }
                    }
                    Ok((stored, refused))
                })?;
                self.stored += stored;
                report.problems.extend(refused.into_iter().map(|why| Problem {
                    collection: Some(self.name.to_owned()),
                    page: None,
                    kind: ProblemKind::DamagedDocument { why },
                }));
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

/// Whether a document was refused for what it is.
fn is_refusal(error: &Error) -> bool {
    matches!(error, Error::DuplicateId { .. } | Error::Document(_))
}

fn describe(bytes: &[u8], error: &Error) -> String {
    let id = record_key(bytes).and_then(nanodb_document::Id::from_key);
    match id {
        Some(id) => format!("the one with the id {id}: {}", why(error)),
        None => why(error),
    }
}
