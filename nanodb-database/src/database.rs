//! The database: a file and the collections in it.

use std::fmt;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use nanodb_pager::OpenReport;

use crate::collection::Collection;
use crate::error::Result;
use crate::info::CollectionInfo;
use crate::retry;
use crate::snapshot::Snapshot;
use crate::transaction::Transaction;
#[cfg(feature = "serde")]
use crate::typed::TypedCollection;
use nanodb_collection::CompactProgress;
use nanodb_collection::NameBinding;
use nanodb_collection::Stats;
use nanodb_collection::{CheckProgress, CheckReport};
use nanodb_collection::{Closed, Engine, EngineError, Opening};

/// A database, open in this process. Clones are handles of the same database.
///
/// It can be used from any number of threads. Opening the same file twice in one process shares the
/// database; another process finds it [locked](crate::ErrorKind::Locked). Any number of processes
/// may [read](crate::Options::read_only) a file that none has open for writing.
///
/// Every write is logged before it returns, and survives what its [`Durability`](crate::Durability)
/// says: by default a power failure. After a crash the next opening finds everything that was
/// promised, and no write in part. While the database is open up to three files lie beside it
/// (`-log0`, `-log1`, `-dwb`); a clean close removes them. After a crash they belong to the
/// database: move or copy them together.
///
/// ```
/// # extern crate nanodb_database as nanodb;
/// use nanodb::{Database, doc};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("data.nanodb");
/// let db = Database::open(&path)?;
/// db.collection("users").insert(doc! { "_id": 101, "name": "Alice" })?;
/// db.close()?;
///
/// let db = Database::open(&path)?;
/// let alice = db.collection("users").get(101)?.expect("stored above");
/// assert_eq!(alice.get_str("name")?, "Alice");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Database {
    opening: Arc<Opening>,
}

impl Database {
    /// Begins an opening of an engine that was made for it, or joined.
    pub(crate) fn new(engine: Arc<Engine>) -> Self {
        Self { opening: Opening::new(engine) }
    }

    pub(crate) fn engine(&self) -> &Arc<Engine> {
        self.opening.engine()
    }

    pub(crate) fn opening(&self) -> &Arc<Opening> {
        &self.opening
    }

    /// Returns the collection of that name, which need not exist yet: the first insert creates it.
    #[must_use]
    pub fn collection(&self, name: &str) -> Collection {
        Collection::new(Arc::clone(&self.opening), name)
    }

    /// Returns the collection of that name as one of values of a Rust type; see
    /// [`TypedCollection`].
    #[must_use]
    #[cfg(feature = "serde")]
    pub fn typed<T>(&self, name: &str) -> TypedCollection<T> {
        TypedCollection::new(self.collection(name))
    }

    /// Returns a view of all collections as they are now, which stays the same whatever is written
    /// later; see [`Snapshot`].
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::new(&self.opening)
    }

    /// Begins a transaction, which ends with [`commit`](Transaction::commit) or
    /// [`rollback`](Transaction::rollback).
    ///
    /// See [`Transaction`], and [`write`](Self::write), which runs a transaction again after a
    /// conflict.
    pub fn begin_write(&self) -> Transaction {
        Transaction::new(Arc::clone(&self.opening))
    }

    /// Runs a transaction: commits it if `run` returns `Ok`, and rolls it back if `run` returns an
    /// error or panics. In both cases, what `run` has read is durable by then as its writers asked,
    /// and visible to others.
    ///
    /// If the transaction loses a deadlock ([`Conflict`](crate::ErrorKind::Conflict)), `run` is
    /// called again with a new one, even if it swallowed the error. `run` must therefore be safe to
    /// repeat. The next attempt first locks the collections that were refused. The number of
    /// attempts is not limited; at each conflict another transaction makes progress.
    ///
    /// Inside `run`, write through the transaction only. A write through the database to a
    /// collection that the transaction has locked, or a second transaction on it, conflicts with
    /// the own thread: repeating cannot resolve that, and the conflict is returned.
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use nanodb::{Database, doc};
    ///
    /// # fn main() -> nanodb::Result<()> {
    /// let db = Database::in_memory()?;
    /// let id = db.write(|tx| {
    ///     let id = tx.collection("orders").insert(doc! { "item": "tea" })?;
    ///     tx.collection("log").insert(doc! { "ordered": (id.clone()) })?;
    ///     Ok(id)
    /// })?;
    /// assert!(db.collection("orders").contains(&id)?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those that `run` returns; same as [`Transaction::commit`].
    pub fn write<T>(&self, run: impl FnMut(&Transaction) -> Result<T>) -> Result<T> {
        retry::write(&self.opening, || self.begin_write(), run)
    }

    /// Runs a transaction as [`write`](Self::write) does, whose errors are those of a program.
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use nanodb::{Database, Error, doc};
    ///
    /// #[derive(Debug)]
    /// enum Refused {
    ///     Empty,
    ///     Database(Error),
    /// }
    ///
    /// impl From<Error> for Refused {
    ///     fn from(error: Error) -> Self {
    ///         Self::Database(error)
    ///     }
    /// }
    ///
    /// # fn main() -> Result<(), Refused> {
    /// let db = Database::in_memory()?;
    /// db.collection("stock").insert(doc! { "_id": "tea", "count": 0 })?;
    /// let taken = db.write_with(|tx| {
    ///     let stock = tx.collection("stock");
    ///     let left = doc! { "_id": "tea", "count": { "$gt": 0 } };
    ///     match stock.update_one(left, doc! { "$inc": { "count": -1 } })?.modified {
    ///         0 => Err(Refused::Empty),
    ///         _ => Ok(()),
    ///     }
    /// });
    /// assert!(matches!(taken, Err(Refused::Empty)));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Same as [`write`](Self::write).
    pub fn write_with<T, E: From<crate::Error>>(
        &self,
        run: impl FnMut(&Transaction) -> Result<T, E>,
    ) -> Result<T, E> {
        retry::write(&self.opening, || self.begin_write(), run)
    }

    /// Returns all collections, by name.
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use nanodb::{Database, doc};
    ///
    /// # fn main() -> Result<(), nanodb::Error> {
    /// let db = Database::in_memory()?;
    /// db.collection("users").insert(doc! {})?;
    /// let all = db.collections()?;
    /// assert_eq!((all[0].name.as_str(), all[0].count), ("users", 1));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Closed`](crate::ErrorKind::Closed).
    pub fn collections(&self) -> Result<Vec<CollectionInfo>> {
        self.opening.check_open()?;
        let info = |binding: Arc<NameBinding>| CollectionInfo {
            name: binding.name().to_string(),
            count: binding.store().count(),
        };
        Ok(self.engine().all_published().into_iter().map(info).collect())
    }

    /// Renames a collection.
    ///
    /// Handles refer to names: those of the old name read as empty from then on, and handles of the
    /// new name have the documents.
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use nanodb::{Database, doc};
    ///
    /// # fn main() -> Result<(), nanodb::Error> {
    /// let db = Database::in_memory()?;
    /// db.collection("users").insert(doc! { "_id": 1 })?;
    /// db.rename_collection("users", "people")?;
    /// assert!(db.collection("people").contains(1)?);
    /// assert_eq!(db.collection("users").count()?, 0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound),
    /// [`AlreadyExists`](crate::ErrorKind::AlreadyExists),
    /// [`Invalid`](crate::ErrorKind::Invalid) if the new name breaks a rule; those of
    /// [`drop_collection`](Self::drop_collection).
    pub fn rename_collection(&self, from: &str, to: &str) -> Result<()> {
        let _call = self.opening.enter()?;
        Ok(self.engine().rename_collection(from, to)?)
    }

    /// Drops a collection and all of its documents; returns false if there is none of that name.
    ///
    /// The cost depends on how many pieces it has in the file, not on its documents. Cursors and
    /// documents that were read before stay as they are.
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use nanodb::{Database, doc};
    ///
    /// # fn main() -> Result<(), nanodb::Error> {
    /// let db = Database::in_memory()?;
    /// db.collection("users").insert(doc! { "_id": 1 })?;
    /// assert!(db.drop_collection("users")?);
    /// assert!(!db.drop_collection("users")?);
    /// assert!(db.collections()?.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ReadOnly`](crate::ErrorKind::ReadOnly), [`Closed`](crate::ErrorKind::Closed),
    /// [`Conflict`](crate::ErrorKind::Conflict) if waiting for the collection would deadlock, as it
    /// does if a transaction of this thread holds it; [`Io`](crate::ErrorKind::Io).
    pub fn drop_collection(&self, name: &str) -> Result<bool> {
        let _call = self.opening.enter()?;
        Ok(self.engine().drop_collection(name)?)
    }

    /// Returns once everything written so far would survive a power failure, whatever
    /// [`Durability`](crate::Durability) it was written with.
    ///
    /// Costs one sync of the log, shared with writes of other threads, and none if nothing has been
    /// written since the last one. It is not a [`checkpoint`](Self::checkpoint). Of an open
    /// [transaction](Self::begin_write) nothing is saved before it commits.
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use nanodb::{Database, Durability, doc};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("data.nanodb");
    /// let db = Database::options().durability(Durability::Relaxed).open(path)?;
    /// let events = db.collection("events");
    /// for n in 0..1000 {
    ///     events.insert(doc! { "n": n })?;
    /// }
    /// db.sync()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Io`](crate::ErrorKind::Io). After a failed write or sync nothing more is
    /// written until the database is reopened.
    pub fn sync(&self) -> Result<()> {
        let _call = self.opening.enter()?;
        Ok(self.engine().pager().sync().map_err(EngineError::from)?)
    }

    /// Writes everything that is in the log into the file, and syncs it.
    ///
    /// Checkpoints also happen on their own, when the log has grown to
    /// [`Options::log_bytes_max`](crate::Options::log_bytes_max). If at least a quarter of the file
    /// was unused at each of the last four checkpoints, this one also moves some documents toward
    /// the front and truncates the file.
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
    /// db.checkpoint()?; // opening it after a crash has nothing to recover from here on
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Io`](crate::ErrorKind::Io): after a failed write or sync nothing more is
    /// written until the database is reopened. [`ReadOnly`](crate::ErrorKind::ReadOnly).
    pub fn checkpoint(&self) -> Result<()> {
        let _call = self.opening.enter()?;
        Ok(self.engine().pager().checkpoint().map_err(EngineError::from)?)
    }

    /// Makes the file as short as possible, at once. Checkpoints shorten it as well, but slowly and
    /// never as far.
    ///
    /// Moves documents to the front of the file, a few at a time, and truncates it. Reads every
    /// page once and writes what it moves; readers and writers go on meanwhile. Pages that a
    /// snapshot needs stay where they are as long as the snapshot exists.
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use nanodb::{Database, doc};
    ///
    /// # fn main() -> Result<(), nanodb::Error> {
    /// let db = Database::in_memory()?;
    /// let logs = db.collection("logs");
    /// for n in 0..1000 {
    ///     logs.insert(doc! { "_id": n, "line": ("x".repeat(100)) })?;
    /// }
    /// for n in 0..990 {
    ///     logs.delete(n)?;
    /// }
    /// let before = db.stats()?.page_count;
    /// db.compact()?;
    /// assert!(db.stats()?.page_count < before / 2);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Same as [`checkpoint`](Self::checkpoint); [`Damaged`](crate::ErrorKind::Damaged);
    /// [`Conflict`](crate::ErrorKind::Conflict) if a transaction of this thread is open. What
    /// was moved until then stays moved. If the disk is full,
    /// [`Io`](crate::ErrorKind::Io) before anything is moved, with how many bytes are
    /// needed: 512 KiB for each of the two logs.
    pub fn compact(&self) -> Result<()> {
        Ok(self.opening.compact()?)
    }

    /// Compacts the file like [`compact`](Self::compact), and calls `progress` now and then, which
    /// decides whether to go on.
    ///
    /// Returns `Break` if `progress` did. What was moved until then is moved.
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use std::ops::ControlFlow;
    ///
    /// use nanodb::{Database, doc};
    ///
    /// # fn main() -> Result<(), nanodb::Error> {
    /// let db = Database::in_memory()?;
    /// db.collection("logs").insert_many((0..1000).map(|n| doc! { "_id": n }))?;
    /// let done = db.compact_with(|at| match at.round {
    ///     1 => ControlFlow::Continue(()),
    ///     _ => ControlFlow::Break(()), // one round is enough
    /// })?;
    /// println!("{}", if done.is_continue() { "compacted" } else { "stopped" });
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Same as [`compact`](Self::compact).
    pub fn compact_with(
        &self,
        mut progress: impl FnMut(CompactProgress) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>> {
        Ok(self.opening.compact_with(&mut progress)?)
    }

    /// Returns what opening the file found: whether it had been closed cleanly, or what was
    /// recovered.
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use nanodb::{Database, doc};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = tempfile::tempdir()?;
    /// # let path = dir.path().join("data.nanodb");
    /// let db = Database::open(&path)?;
    /// let report = db.open_report();
    /// assert!(report.clean);
    /// assert_eq!(report.commits_replayed, 0);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn open_report(&self) -> OpenReport {
        self.engine().pager().open_report()
    }

    /// Returns figures of the file and of each collection.
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use nanodb::{Database, doc};
    ///
    /// # fn main() -> Result<(), nanodb::Error> {
    /// let db = Database::in_memory()?;
    /// db.collection("users").insert_many((0..1000).map(|n| doc! { "_id": n }))?;
    /// let stats = db.stats()?;
    /// println!("{} pages, {} of them free", stats.page_count, stats.free_pages);
    /// assert!(stats.page_count > stats.free_pages);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Io`](crate::ErrorKind::Io) if the operating system does not tell the file's
    /// length.
    pub fn stats(&self) -> Result<Stats> {
        let _call = self.opening.enter()?;
        Ok(self.engine().stats()?)
    }

    /// Reads everything and reports what is wrong, as of the newest write when it begins.
    ///
    /// Does not block readers or writers, with two short exceptions: all commits wait while the
    /// list of free pages is copied, and writers of the collection being checked wait while up to
    /// 3,000 of its index entries are compared.
    ///
    /// * Old versions of pages that change meanwhile are kept until it is done, as for a
    ///   [snapshot](Self::snapshot).
    /// * The id indexes are read into memory, completely or [a part at a
    ///   time](crate::Options::index_bytes_max).
    /// * It takes 12 bytes of memory per document, 48 MiB at most: the pages of a collection of
    ///   more than four million documents are read more than once.
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use nanodb::{Database, doc};
    ///
    /// # fn main() -> Result<(), nanodb::Error> {
    /// let db = Database::in_memory()?;
    /// db.collection("users").insert(doc! { "_id": 1 })?;
    /// let report = db.check()?;
    /// assert!(report.is_clean(), "{report}");
    /// assert_eq!(report.documents, 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Io`](crate::ErrorKind::Io) if the operating system refuses to read;
    /// [`Conflict`](crate::ErrorKind::Conflict) if a transaction of this thread is open and
    /// holds the collection. Damage is not an error; it is in the report.
    pub fn check(&self) -> Result<CheckReport> {
        Ok(self.opening.check()?)
    }

    /// Checks the file like [`check`](Self::check), and calls `progress` after each page, which
    /// decides whether to go on.
    ///
    /// Returns `Break`, and no report, if `progress` did. Nothing is locked meanwhile: `progress`
    /// may use the database.
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use std::ops::ControlFlow;
    ///
    /// use nanodb::{Database, doc};
    ///
    /// # fn main() -> Result<(), nanodb::Error> {
    /// let db = Database::in_memory()?;
    /// db.collection("users").insert(doc! { "_id": 1 })?;
    /// let report = db.check_with(|at| {
    ///     println!("{} of {} pages", at.pages_done, at.pages);
    ///     ControlFlow::Continue(())
    /// })?;
    /// assert!(report.continue_value().is_some_and(|report| report.is_clean()));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Same as [`check`](Self::check).
    pub fn check_with(
        &self,
        mut progress: impl FnMut(CheckProgress) -> ControlFlow<()>,
    ) -> Result<ControlFlow<(), CheckReport>> {
        let report = self.opening.check_with(&mut progress)?;
        Ok(report.map_or(ControlFlow::Break(()), ControlFlow::Continue))
    }

    /// Returns where the database's file is, without links; none if it is in memory. Also once the
    /// database is closed.
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use nanodb::Database;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = tempfile::tempdir()?;
    /// # let path = dir.path().join("data.nanodb");
    /// let db = Database::open(&path)?;
    /// assert_eq!(db.path(), Some(path.canonicalize()?.as_path()));
    /// assert_eq!(Database::in_memory()?.path(), None);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.opening.path()
    }

    /// Closes the database: writes everything into the file, syncs and shortens it, removes its
    /// logs and unlocks it. One file is left, which another process can open.
    ///
    /// All handles that come from this one's opening are closed with it: clones, collections,
    /// snapshots, cursors. What is called on them returns an error of the kind
    /// [`Closed`](crate::ErrorKind::Closed). Open transactions are rolled back. Documents that were
    /// handed out stay readable.
    ///
    /// Waits for calls of other threads that are under way. Calls that run code of the program's in
    /// between are not waited for and end with that error: [`write`](Self::write),
    /// [`check_with`](Self::check_with), [`compact_with`](Self::compact_with) and
    /// [`Scan::for_each`](crate::Scan::for_each). That code may close the database.
    ///
    /// If the file was opened several times in this process, the other openings go on, and the last
    /// one that is closed closes the file; see [`Closed`]. A database whose handles are all dropped
    /// is closed as well, but what fails in that is not reported. Nothing is lost by it: the next
    /// opening reads the logs.
    ///
    /// A [read-only](crate::Options::read_only) database has nothing to write: files that a crash
    /// has left beside it stay.
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use nanodb::{Closed, Database, ErrorKind, doc};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = tempfile::tempdir()?;
    /// # let path = dir.path().join("data.nanodb");
    /// let db = Database::open(&path)?;
    /// let users = db.collection("users");
    /// users.insert(doc! { "_id": 1, "name": "Alice" })?;
    /// assert_eq!(db.close()?, Closed::File);
    /// assert_eq!(path.parent().expect("a directory").read_dir()?.count(), 1); // the one file
    /// assert_eq!(users.get(1).unwrap_err().kind(), ErrorKind::Closed);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Same as [`checkpoint`](Self::checkpoint); then the database is closed all the same, and
    /// unlocked. [`Closed`](crate::ErrorKind::Closed) if it was closed before.
    /// [`Conflict`](crate::ErrorKind::Conflict), and the database stays open, if a call of a
    /// database on this thread runs the code that closes it, as a `Serialize` of a document that
    /// is to replace another.
    pub fn close(self) -> Result<Closed> {
        Ok(self.opening.close()?)
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").field("pager", self.engine().pager()).finish_non_exhaustive()
    }
}
