//! Opening a database: from options to a handle.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use nanodb_pager::{Access, FileStorage, LockWait, MemoryStorage, Storage};

use crate::database::Database;
use crate::error::Result;
use crate::options::Options;
use nanodb_collection::{Engine, EngineError};
use nanodb_collection::{OpenFile, OpenFiles};

/// The databases that this process has open.
pub(crate) static OPEN_FILES: OpenFiles<Engine> = OpenFiles::new();

impl Database {
    /// Opens the database in the file at `path`, and creates the file if there is none.
    ///
    /// Reads the catalog and the free map, whose size depends on the number of collections and of
    /// separate runs of pages, not of documents; after a crash also the log. The id index is read
    /// piece by piece, as it is needed.
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use nanodb::{Database, doc};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = tempfile::tempdir()?;
    /// # let path = dir.path().join("data.nanodb");
    /// let db = Database::open(&path)?;
    /// db.collection("users").insert(doc! { "name": "Alice" })?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Same as [`Options::open`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Options::default().open(path)
    }

    /// Creates a database that exists in memory only, until its last handle is dropped.
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use nanodb::{Database, doc};
    ///
    /// # fn main() -> Result<(), nanodb::Error> {
    /// let db = Database::in_memory()?;
    /// db.collection("users").insert(doc! { "name": "Alice" })?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Same as [`Options::in_memory`].
    pub fn in_memory() -> Result<Self> {
        Options::default().in_memory()
    }

    /// Returns the default options, to be changed before a database is opened with them.
    pub fn options() -> Options {
        Options::default()
    }
}

impl Options {
    /// Opens the database in the file at `path`.
    ///
    /// A file that this process has open already is shared, with the options that it was first
    /// opened with. A file that is open for writing cannot be opened [read-only](Self::read_only),
    /// nor the other way round.
    ///
    /// Waits for threads that are opening or closing the same file, but not for those of other
    /// files.
    ///
    /// # Errors
    ///
    /// An error that names the [file](crate::Error::file), of which the kind is
    ///
    /// * [`Locked`](crate::ErrorKind::Locked) if another process, which is named if the system
    ///   tells, or this one has it open in a way that excludes this one;
    /// * [`NotADatabase`](crate::ErrorKind::NotADatabase),
    ///   [`NewerFormat`](crate::ErrorKind::NewerFormat) or
    ///   [`OlderFormat`](crate::ErrorKind::OlderFormat) if it holds something else;
    /// * [`Misplaced`](crate::ErrorKind::Misplaced) if its log is not beside it, or only its log is
    ///   there;
    /// * [`Damaged`](crate::ErrorKind::Damaged) or [`Io`](crate::ErrorKind::Io).
    ///
    /// [`Damaged`](crate::ErrorKind::Damaged) if the list of collections is. A file that is refused
    /// is not changed.
    pub fn open(&self, path: impl AsRef<Path>) -> Result<Database> {
        self.open_through(path.as_ref(), |storage| Arc::new(storage))
    }

    /// The same, with what a test puts in front of the file.
    pub(crate) fn open_through(
        &self,
        path: &Path,
        through: impl Fn(FileStorage) -> Arc<dyn Storage>,
    ) -> Result<Database> {
        let failed = |source| EngineError::Open { path: path.to_owned(), source };
        let file = || {
            let file = match self.access {
                Access::Read => FileStorage::open_read_only(path),
                Access::Write if self.create => FileStorage::open(path),
                Access::Write => FileStorage::open_existing(path),
            };
            file.map_err(|source| {
                let doing = "opening the file".to_owned();
                failed(nanodb_pager::Error::Io { path: None, doing, source })
            })
        };
        let open = |storage, open_file: Option<_>| {
            // Whoever waits for other processes must not keep the threads of this one waiting.
            self.open_engine(through(storage), Duration::ZERO, open_file, failed)
        };
        let locked = |holders| failed(nanodb_pager::Error::Locked { holders });
        let wait = LockWait::new(self.lock_timeout);
        Ok(Database::new(OPEN_FILES.open(self.access, wait, file, open, locked)?))
    }

    /// Creates a database that exists in memory only, until its last handle is dropped.
    ///
    /// # Errors
    ///
    /// None in practice, except for options that make no sense here: with
    /// [`read_only`](Self::read_only) there is [no database](crate::ErrorKind::NotADatabase) to
    /// read.
    pub fn in_memory(&self) -> Result<Database> {
        self.open_on(Arc::new(MemoryStorage::new()))
    }

    /// Opens the database that a [`Storage`] holds; see [`storage`](crate::storage).
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open), as far as the storage can give cause for them:
    /// [`Locked`](crate::ErrorKind::Locked),
    /// [`NotADatabase`](crate::ErrorKind::NotADatabase),
    /// [`NewerFormat`](crate::ErrorKind::NewerFormat),
    /// [`OlderFormat`](crate::ErrorKind::OlderFormat),
    /// [`Misplaced`](crate::ErrorKind::Misplaced), [`Damaged`](crate::ErrorKind::Damaged) and
    /// [`Io`](crate::ErrorKind::Io).
    pub fn open_on(&self, storage: Arc<dyn Storage>) -> Result<Database> {
        Ok(self.try_open_on(storage)?)
    }

    /// The same, for who looks at why it does not open.
    pub(crate) fn try_open_on(&self, storage: Arc<dyn Storage>) -> Result<Database, EngineError> {
        self.open_engine(storage, self.lock_timeout, None, EngineError::from).map(Database::new)
    }

    fn open_engine(
        &self,
        storage: Arc<dyn Storage>,
        lock_timeout: Duration,
        open_file: Option<Arc<OpenFile<Engine>>>,
        failed: impl FnOnce(nanodb_pager::Error) -> EngineError,
    ) -> Result<Arc<Engine>, EngineError> {
        let pager = self.pager.clone().lock_timeout(lock_timeout);
        let index_bytes_max = self.index_bytes_max;
        Engine::open(storage, pager, index_bytes_max, self.lock_timeout, open_file, failed)
    }
}

#[cfg(test)]
mod tests;
