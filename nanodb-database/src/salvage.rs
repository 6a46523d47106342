//! Copying whatever can be read of a damaged file into another database.
//!
//! A file that opens is read as always, page by page past what is damaged. One that does not,
//! because its header, its list of collections or its log can't be read, is read by what its pages
//! say of themselves: whose they are, and which of two is the newer.

use std::path::Path;
use std::sync::Arc;

use nanodb_collection::{
    APPLICATION, EngineError, ProblemKind, SalvageReport, Salvaged, is_lost, salvage_pages, why,
};
use nanodb_document::{DocView, DocumentError, ErrorKind, ErrorParts, record_key};
use nanodb_pager::{FileStorage, LockHolders, ReadOnly, Salvage, Storage};

use crate::database::Database;
use crate::error::{Error, Result};
use crate::open::OPEN_FILES;

/// So many documents are stored at once.
const BATCH_DOCUMENTS: usize = 1000;

/// More problems are not told of one by one.
const PROBLEMS_MAX: usize = 100_000;

/// When so many bytes of documents have come together they are stored.
const BATCH_BYTES: usize = 4 << 20;

impl Database {
    /// Copies whatever can be read of the database at `path`, however damaged, into this one, and
    /// reports what could not be read.
    ///
    /// The file at `path` is opened [read-only](crate::Options::read_only): nothing is written to
    /// it or beside it. If it is open elsewhere, this waits as long as this database's
    /// [`lock_timeout`](crate::Options::lock_timeout). Sectors that the device cannot read cost the
    /// documents on them; reading goes on behind them.
    ///
    /// Documents keep their ids. If one is found twice, which happens if the file's lists are lost,
    /// the newer one is copied. A document whose id exists here already is left out: salvage into
    /// an empty database.
    ///
    /// ```no_run
    /// # extern crate nanodb_database as nanodb;
    /// use nanodb::Database;
    ///
    /// # fn main() -> Result<(), nanodb::Error> {
    /// let saved = Database::open("saved.nanodb")?;
    /// let report = saved.salvage("damaged.nanodb")?;
    /// println!("{} documents saved, {} problems", report.documents(), report.problems.len());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// An error that names the file, if it does not exist or cannot be read, another process has it
    /// open, it is this database's own file, or it has a newer format; [`Io`](crate::ErrorKind::Io)
    /// if this database cannot be written to. What was copied until then stays.
    pub fn salvage(&self, path: impl AsRef<Path>) -> Result<SalvageReport> {
        self.opening().check_writable()?;
        let path = path.as_ref();
        let failed = |source| EngineError::Open { path: path.to_owned(), source };
        let storage = FileStorage::open_read_only(path).map_err(|source| {
            let doing = "opening the file".to_owned();
            failed(nanodb_pager::Error::Io { path: None, doing, source })
        })?;
        if let Some(source) = storage.id().ok().and_then(|id| OPEN_FILES.find(&id)) {
            // It was joined.
            let source = Self::new(source);
            if Arc::ptr_eq(source.engine(), self.engine()) {
                let holders = LockHolders::current();
                return Err(failed(nanodb_pager::Error::Locked { holders }).into());
            }
            return self.salvage_opened(&source);
        }
        self.salvage_from(Arc::new(storage), failed)
    }

    /// Copies whatever can be read of the database that a [`Storage`] holds; see
    /// [`salvage`](Self::salvage).
    ///
    /// # Errors
    ///
    /// Same as [`salvage`](Self::salvage).
    pub fn salvage_on(&self, storage: Arc<dyn Storage>) -> Result<SalvageReport> {
        self.opening().check_writable()?;
        self.salvage_from(storage, EngineError::from)
    }

    fn salvage_from(
        &self,
        storage: Arc<dyn Storage>,
        failed: impl Fn(nanodb_pager::Error) -> EngineError,
    ) -> Result<SalvageReport> {
        let storage: Arc<dyn Storage> = Arc::new(ReadOnly::new(storage));
        let options = Self::options().read_only(true).allow_missing_log(true);
        let options = options.lock_timeout(self.engine().lock_timeout());
        let refused = match options.try_open_on(Arc::clone(&storage)) {
            Ok(source) => {
                let mut report = self.salvage_opened(&source)?;
                if source.open_report().log_lost {
                    let why = "its log is not beside it, so what was written last is missing";
                    let kind = ProblemKind::DamagedFile { why: why.to_owned() };
                    report.add(None, None, kind);
                }
                return Ok(report);
            }
            Err(EngineError::Storage(error)) => failed(error),
            Err(error) => error,
        };
        if !is_lost(&refused) {
            return Err(refused.into());
        }
        let pages = Salvage::open(storage, &APPLICATION).map_err(failed)?;
        let mut batch: Option<Batch<'_>> = None;
        salvage_pages(&pages, &refused, |found, report| {
            match found {
                Salvaged::Document { collection, bytes } => {
                    let new = || Batch::new(self, collection);
                    batch.get_or_insert_with(new).add(bytes, report)?;
                }
                Salvaged::End { collection, expected } => {
                    let new = || Batch::new(self, collection);
                    let documents = batch.take().unwrap_or_else(new).finish(report)?;
                    report.add_collection(collection, documents, expected);
                }
            }
            Ok(())
        })
    }

    fn salvage_opened(&self, source: &Self) -> Result<SalvageReport> {
        let mut report = SalvageReport::default();
        let snapshot = source.snapshot();
        for info in snapshot.collections()? {
            let mut batch = Batch::new(self, &info.name);
            for document in snapshot.collection(&info.name).iter()? {
                match document {
                    Ok(document) => batch.add(document.as_bytes(), &mut report)?,
                    // A device that has gone for good would fill the memory with its errors.
                    Err(error) => match lost(&error) {
                        Some(lost) if report.problems.len() < PROBLEMS_MAX => {
                            report.lost(Some(&info.name), lost);
                        }
                        _ => return Err(error),
                    },
                }
            }
            let documents = batch.finish(&mut report)?;
            let expected = Some(info.count);
            report.add_collection(&info.name, documents, expected);
        }
        Ok(report)
    }
}

/// Documents on their way into a collection.
struct Batch<'a> {
    db: &'a Database,
    name: String,
    documents: Vec<Vec<u8>>,
    bytes: usize,
    stored: u64,
}

impl<'a> Batch<'a> {
    fn new(db: &'a Database, name: &str) -> Self {
        let name = name.to_owned();
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
        let collection = self.db.collection(&self.name);
        let inserted =
            collection.insert_many(documents.iter().map(|bytes| DocView::from_bytes(bytes)));
        match inserted {
            Ok(_) => self.stored += documents.len() as u64,
            Err(error) if is_refusal(&error) => {
                // All or none: which it was shows one by one.
                let (stored, refused) = self.db.write(|tx| {
                    let collection = tx.collection(&self.name);
                    let (mut stored, mut refused) = (0, Vec::new());
                    for bytes in &documents {
                        match collection.insert(DocView::from_bytes(bytes)) {
                            Ok(_) => stored += 1,
                            Err(error) if error.kind() == ErrorKind::DuplicateId => {}
                            Err(error) if is_refusal(&error) => {
                                refused.push(describe(bytes, &error))
                            }
                            Err(error) => return Err(error),
                        }
                    }
                    Ok((stored, refused))
                })?;
                self.stored += stored;
                for why in refused {
                    let kind = ProblemKind::DamagedDocument { why };
                    report.add(Some(&self.name), None, kind);
                }
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

/// Whether a document was refused for what it is.
fn is_refusal(error: &Error) -> bool {
    let breaks_a_rule = || error.internal().is_some_and(|internal| internal.is::<DocumentError>());
    error.kind() == ErrorKind::DuplicateId || breaks_a_rule()
}

/// What is lost, if an error of the source only loses what could not be read.
fn lost(error: &Error) -> Option<&EngineError> {
    error.internal()?.downcast_ref().filter(|&error| is_lost(error))
}

fn describe(bytes: &[u8], error: &Error) -> String {
    let id = record_key(bytes).and_then(nanodb_document::Id::from_key);
    match id {
        Some(id) => format!("the one with the id {id}: {}", why(error)),
        None => why(error),
    }
}
