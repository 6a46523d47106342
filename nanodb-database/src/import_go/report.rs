//! What an import is asked for, and what it answers.

use std::time::Duration;

use nanodb_collection::Problem;

/// How a file of the Go program is imported; see
/// [`Database::import_go_with`](crate::Database::import_go_with).
///
/// ```
/// # extern crate nanodb_database as nanodb;
/// use std::sync::Arc;
///
/// use nanodb::storage::{MemoryStorage, Storage};
/// use nanodb::{Database, ErrorKind, GoImportOptions};
///
/// # fn main() -> nanodb::Result<()> {
/// // Such a file, of which only the first page is there.
/// let old = Arc::new(MemoryStorage::new());
/// let mut page = [0; 4096];
/// page[..10].copy_from_slice(b"AAMN\x01\0\0\x10\0\0");
/// old.write_at(&page, 0).expect("memory does not fail");
///
/// let db = Database::in_memory()?;
/// let strict = GoImportOptions::new();
/// let error = db.import_go_on(old.clone(), &strict).unwrap_err();
/// assert_eq!((error.kind(), error.page()), (ErrorKind::Damaged, Some(1)));
///
/// let report = db.import_go_on(old, &strict.skip_damaged(true))?;
/// assert_eq!(report.problems[0].to_string(), "page 1: lies behind the end of the file");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "options do nothing until a file is imported with them"]
pub struct GoImportOptions {
    pub(super) skip_damaged: bool,
    pub(super) lock_timeout: Duration,
}

impl GoImportOptions {
    /// Returns the defaults: damage is an error, and nothing is waited for.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets whether an import goes on behind damaged pages and documents, and reports them. By
    /// default the first one is an error, and nothing is imported.
    pub fn skip_damaged(mut self, skip: bool) -> Self {
        self.skip_damaged = skip;
        self
    }

    /// Sets how long to wait while another import, or conversion, of the file is under way. Default
    /// zero.
    ///
    /// The Go program itself locks nothing: end it before.
    pub fn lock_timeout(mut self, timeout: Duration) -> Self {
        self.lock_timeout = timeout;
        self
    }
}

/// The result of an import from a file of the Go program.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct GoImportReport {
    /// The collections, in the order in which the file lists them.
    pub collections: Vec<GoImportedCollection>,
    /// What is damaged, and was skipped. Pages are numbered from 0 and have 4,096 bytes.
    pub problems: Vec<Problem>,
}

/// A collection that was imported.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct GoImportedCollection {
    /// Its name.
    pub name: String,
    /// How many documents were imported.
    pub documents: u64,
    /// How many documents were left out because the file has a newer one with the same id: the Go
    /// program, when it changed a document, did not always delete the old one.
    pub older_versions: u64,
    /// How many lists of the collection's vectors were left out: documents with the `_id` 1 that
    /// the Go program made for itself.
    pub vector_lists: u64,
    /// How many collections of this name the file has. If there are several, which is a mistake of
    /// the Go program, the documents of all are in the one.
    pub same_name: u64,
}

impl GoImportReport {
    /// Returns whether nothing is damaged.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.problems.is_empty()
    }

    /// Returns how many documents were imported.
    #[must_use]
    pub fn documents(&self) -> u64 {
        self.collections.iter().map(|collection| collection.documents).sum()
    }
}
