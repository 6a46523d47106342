//! Storing what was found.

use nanodb_document::{DocView, ErrorBuilder, ErrorKind, doc};

use super::census::Census;
use super::file::GoFile;
use super::layout::{GoCollection, for_each_page};
use super::problems::Problems;
use super::record::{self, Content};
use super::report::{GoImportReport, GoImportedCollection};
use crate::database::Database;
use crate::error::Result;

/// So many documents are stored at once.
const BATCH_DOCUMENTS: usize = 1000;

/// When so many bytes of documents have come together they are stored.
const BATCH_BYTES: usize = 4 << 20;

/// A file of which all was looked at.
pub(super) struct Checked {
    collections: Vec<(GoCollection, Census)>,
    problems: Problems,
}

impl Checked {
    /// Looks at a whole file; fails if something is damaged and that is not to be skipped.
    pub(super) fn new(file: &GoFile<'_>, skip_damaged: bool) -> Result<Self> {
        let mut problems = Problems::new(skip_damaged);
        let mut collections = Vec::new();
        for collection in super::layout::read(file, &mut problems)? {
            let census = Census::take(file, &collection, &mut problems)?;
            collections.push((collection, census));
        }
        Ok(Self { collections, problems })
    }

    /// Stores all of it, or nothing: what was stored is dropped again if something fails.
    pub(super) fn store(self, file: &GoFile<'_>, db: &Database) -> Result<GoImportReport> {
        self.check_names(db)?;
        let mut report = GoImportReport { problems: self.problems.list, ..Default::default() };
        for (at, (collection, census)) in self.collections.iter().enumerate() {
            let stored = store(file, collection, census, db);
            if let Err(error) = stored {
                for (collection, _) in self.collections.iter().take(at + 1) {
                    // What led here is what counts.
                    let _ = db.drop_collection(&collection.name);
                }
                return Err(error);
            }
            report.collections.push(GoImportedCollection {
                name: collection.name.clone(),
                documents: census.documents,
                older_versions: census.older_versions,
                vector_lists: census.vector_lists,
                same_name: collection.chains.len().max(1) as u64,
            });
        }
        Ok(report)
    }

    /// Refuses to import into collections that are there.
    fn check_names(&self, db: &Database) -> Result<()> {
        let there = db.collections()?;
        let is_there = |name: &str| there.iter().any(|info| info.name == name);
        match self.collections.iter().find(|(collection, _)| is_there(&collection.name)) {
            None => Ok(()),
            Some((GoCollection { name, .. }, _)) => {
                let text = format!("there is a collection {name:?} already; rename or drop it");
                Err(ErrorBuilder::new(ErrorKind::AlreadyExists, text).collection(name).into())
            }
        }
    }
}

fn store(
    file: &GoFile<'_>,
    collection: &GoCollection,
    census: &Census,
    db: &Database,
) -> Result<()> {
    if census.documents == 0 {
        make_empty(db, &collection.name)?;
    }
    let mut batch = Batch::new(db, &collection.name);
    let mut document = Vec::new();
    for_each_page(file, collection, |page, records, _| {
        for record in records.slots().flatten().filter(|record| !record.is_deleted) {
            let read = record::read(record.id, record.data, &mut document);
            let is_document = matches!(read, Ok(Content::Document));
            if is_document && census.counts(record.id, (page, record.slot)) {
                batch.add(&document)?;
            }
        }
        Ok(())
    })?;
    let stored = batch.finish()?;
    if stored == census.documents {
        return Ok(());
    }
    let text = "it was written to while it was read; end the Go program";
    Err(ErrorBuilder::new(ErrorKind::Damaged, text).collection(&collection.name).into())
}

/// Makes a collection without documents.
fn make_empty(db: &Database, name: &str) -> Result<()> {
    db.write(|tx| {
        let collection = tx.collection(name);
        let id = collection.insert(doc! { "_id": "" })?;
        collection.delete(&id).map(drop)
    })
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

    fn add(&mut self, document: &[u8]) -> Result<()> {
        self.bytes += document.len();
        self.documents.push(document.to_vec());
        if self.documents.len() >= BATCH_DOCUMENTS || self.bytes >= BATCH_BYTES {
            self.store()?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<u64> {
        self.store()?;
        Ok(self.stored)
    }

    fn store(&mut self) -> Result<()> {
        self.bytes = 0;
        let documents = std::mem::take(&mut self.documents);
        if documents.is_empty() {
            return Ok(());
        }
        let documents_read = documents.iter().map(|bytes| DocView::from_bytes(bytes));
        self.db.collection(self.name).insert_many(documents_read)?;
        self.stored += documents.len() as u64;
        Ok(())
    }
}
