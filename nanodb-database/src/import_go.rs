//! Importing the files of the Go program of the same name.
//!
//! A file is read three times, a page at a time: which pages belong to which collection (`layout`),
//! what is to be stored of each (`census`), and then to store it (`store`). So nothing is stored of
//! a file of which something is damaged, however large it is.
//!
//! | module | what |
//! |---|---|
//! | `page`, `file`, `record` | the bytes: pages of records, the header, what a record holds |
//! | `problems` | what is wrong: an error, or a line of the report |
//! | `claims`, `layout` | which page is whose |
//! | `census` | which records count |
//! | `store` | storing them |
//! | `convert` | a file of this library in the place of the old one |
//! | `report` | options and results |

mod census;
mod claims;
mod convert;
mod file;
mod layout;
mod page;
mod problems;
mod record;
mod report;
mod store;

use std::path::Path;
use std::sync::Arc;

use nanodb_collection::EngineError;
use nanodb_document::ErrorBuilder;
use nanodb_pager::{Access, FileStorage, LockWait, Storage};

use self::file::GoFile;
use self::store::Checked;
use crate::database::Database;
use crate::error::{Error, Result};

pub use self::convert::GoConversion;
pub use self::report::{GoImportOptions, GoImportReport, GoImportedCollection};

impl Database {
    /// Imports all collections of a file of the Go program NanoDB, of either version.
    ///
    /// The documents are read from the pages that hold them, and not found by the file's index,
    /// which is wrong once the program has reopened the file. Documents keep their ids and fields;
    /// `_id` comes first. Numbers stay what the program made of all of them: floats. Nothing is
    /// written to the file, and the program must not have it open.
    ///
    /// All of the file is checked before anything is stored. If something is damaged, nothing is
    /// imported; [`import_go_with`](Self::import_go_with) can skip it. A collection that exists
    /// here already is an error, too. If storing fails, the new collections are dropped again, so
    /// nobody else may write to them meanwhile; a crash during the import may leave some of the
    /// documents here. Import into a new file and give it its name when it is complete, as
    /// `nanodb import-go` does, or [convert the file](Self::convert_go_file).
    ///
    /// What the program has made a mistake with is repaired as follows; the report counts it.
    ///
    /// * If an id has several documents, the newest one is imported. The file has no dates; what is
    ///   newer follows from where the documents are, and may be wrong, above all where there are
    ///   more than two.
    /// * Of collections of the same name, all documents go into the one.
    /// * The document in which the program keeps a list of vectors (`_id` 1, of the type
    ///   `bucket_config`) is left out.
    ///
    /// It takes 8 bytes of memory for each document of the largest collection.
    ///
    /// ```no_run
    /// # extern crate nanodb_database as nanodb;
    /// use nanodb::Database;
    ///
    /// # fn main() -> Result<(), nanodb::Error> {
    /// let db = Database::open("new.nanodb")?;
    /// for collection in db.import_go("old.db")?.collections {
    ///     println!("{}: {} documents", collection.name, collection.documents);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// An error that names the [file](crate::Error::file), of which the kind is
    ///
    /// * [`NotADatabase`](crate::ErrorKind::NotADatabase) if it is not a file of the Go program;
    /// * [`Damaged`](crate::ErrorKind::Damaged), with the [page](crate::Error::page), if a page, a
    ///   document or the list of collections is, if a collection has a name that is not allowed
    ///   here, or if the file is written to meanwhile;
    /// * [`AlreadyExists`](crate::ErrorKind::AlreadyExists) if a collection does;
    /// * [`Locked`](crate::ErrorKind::Locked) if the file is imported or converted elsewhere;
    /// * [`Io`](crate::ErrorKind::Io) if the file does not exist or cannot be read.
    ///
    /// Same as [`Collection::insert_many`](crate::Collection::insert_many) for what cannot be
    /// stored.
    pub fn import_go(&self, path: impl AsRef<Path>) -> Result<GoImportReport> {
        self.import_go_with(path, &GoImportOptions::new())
    }

    /// Imports a file as [`import_go`](Self::import_go) does, and skips and reports what is damaged
    /// if the options say so.
    ///
    /// What follows a damaged page in its collection is found by what is on the pages. If several
    /// collections are damaged, such documents go into a collection named `lost documents`. A
    /// collection whose name is not allowed here is named by the number of its first page:
    /// `collection 7`.
    ///
    /// ```no_run
    /// # extern crate nanodb_database as nanodb;
    /// use nanodb::{Database, GoImportOptions};
    ///
    /// # fn main() -> Result<(), nanodb::Error> {
    /// let db = Database::open("new.nanodb")?;
    /// let report = db.import_go_with("old.db", &GoImportOptions::new().skip_damaged(true))?;
    /// for problem in &report.problems {
    ///     println!("{problem}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Same as [`import_go`](Self::import_go); damage only if there are more than 100,000 problems.
    pub fn import_go_with(
        &self,
        path: impl AsRef<Path>,
        options: &GoImportOptions,
    ) -> Result<GoImportReport> {
        self.opening().check_writable()?;
        let path = path.as_ref();
        let imported = open_to_read(path, options).and_then(|s| self.import_go_from(&s, options));
        imported.map_err(|error| of_file(error, path))
    }

    /// Imports the file of the Go program that a [`Storage`] holds; see
    /// [`import_go_with`](Self::import_go_with).
    ///
    /// # Errors
    ///
    /// Same as [`import_go_with`](Self::import_go_with).
    pub fn import_go_on(
        &self,
        storage: Arc<dyn Storage>,
        options: &GoImportOptions,
    ) -> Result<GoImportReport> {
        self.opening().check_writable()?;
        self.import_go_from(&*storage, options)
    }

    fn import_go_from(
        &self,
        storage: &dyn Storage,
        options: &GoImportOptions,
    ) -> Result<GoImportReport> {
        let file = GoFile::open(storage)?;
        Checked::new(&file, options.skip_damaged)?.store(&file, self)
    }
}

/// Opens the file at `path` to be read, beside others that do the same.
fn open_to_read(path: &Path, options: &GoImportOptions) -> Result<FileStorage> {
    let storage = FileStorage::open_read_only(path).map_err(|error| failed("opening it", error))?;
    // Who has a database of this library open keeps its lock: the format is the better reason.
    GoFile::open(&storage)?;
    lock(&storage, Access::Read, options)?;
    Ok(storage)
}

/// Locks a file, waiting for it as long as the options say.
fn lock(storage: &FileStorage, access: Access, options: &GoImportOptions) -> Result<()> {
    let mut wait = LockWait::new(options.lock_timeout);
    loop {
        let locked = match access {
            Access::Read => storage.lock_shared(),
            Access::Write => storage.lock(),
        };
        if locked.map_err(|error| failed("locking it", error))? {
            return Ok(());
        }
        if !wait.pause() {
            let holders = storage.lock_holders();
            return Err(EngineError::from(nanodb_pager::Error::Locked { holders }).into());
        }
    }
}

/// The operating system has refused something.
fn failed(doing: &str, source: std::io::Error) -> Error {
    EngineError::from(nanodb_pager::Error::Io { path: None, doing: doing.to_owned(), source })
        .into()
}

/// Says of which file an error is.
fn of_file(error: Error, path: &Path) -> Error {
    let text = format!("importing {}: ", path.display());
    let names_another = error.file().is_some();
    let error = ErrorBuilder::before(error, text);
    if names_another { error.into() } else { error.file(path).into() }
}
