//! How a database is opened.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use nanodb_pager::{Access, Durability, FileStorage, LockWait, MemoryStorage, Pager, Storage};

use crate::database::Database;
use crate::error::{Error, Result};
use crate::folder::CatalogFolder;
use crate::indexes::Indexes;
use crate::registry;
use crate::shrink::Shrinker;

/// How a database is opened, to be changed before it is.
///
/// ```
/// use nanodb_collection::Database;
///
/// # fn main() -> Result<(), nanodb_collection::Error> {
/// let db = Database::options().cache_bytes_max(16 << 20).in_memory()?;
/// # drop(db);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "options do nothing until a database is opened with them"]
pub struct Options {
    pager: nanodb_pager::Options,
    create: bool,
    access: Access,
    lock_timeout: Duration,
    index_bytes_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        let pager = nanodb_pager::Options::default();
        let (access, lock_timeout) = (Access::Write, Duration::ZERO);
        Self { pager, create: true, access, lock_timeout, index_bytes_max: usize::MAX }
    }
}

impl Options {
    /// How many bytes of pages are kept in memory at most; 64 MiB by default.
    ///
    /// The index of ids comes on top ([`index_bytes_max`](Self::index_bytes_max)), and what
    /// writes in progress have changed.
    pub fn cache_bytes_max(mut self, bytes: usize) -> Self {
        self.pager = self.pager.cache_bytes_max(bytes);
        self
    }

    /// How many bytes of the indexes of ids are kept in memory at most, of all collections together; no
    /// limit by default.
    ///
    /// An index takes about 11 bytes for each document whose part of it was needed since the
    /// database was opened, parts of some 3,000 documents. With a limit, parts go when others
    /// are needed, and are read from the file again: some microseconds where the operating
    /// system has them in memory. Those go that were not looked at for longest, roughly, of whatever
    /// collection they are; a collection with few documents (less than some 100) is not counted. What has changed since the file was last brought up to date comes
    /// on top, 16 bytes for each document that came, went or moved, and 64 bytes for each part.
    /// The part that is just needed always has room.
    pub fn index_bytes_max(mut self, bytes: usize) -> Self {
        self.index_bytes_max = bytes;
        self
    }

    /// What a write has survived once it returns; [`Durability::Immediate`] by default:
    /// a power cut.
    pub fn durability(mut self, durability: Durability) -> Self {
        self.pager = self.pager.durability(durability);
        self
    }

    /// How long a log grows before the file is brought up to date; 64 MiB by default.
    ///
    /// Bounds how long opening takes after a crash, and how much the log takes on disk:
    /// twice this, and more only where a single write is larger or the disk is full.
    pub fn log_bytes_max(mut self, bytes: u64) -> Self {
        self.pager = self.pager.log_bytes_max(bytes);
        self
    }

    /// How many bytes of pages that were there before one transaction, or one call, may change; 256 MiB by
    /// default, 64 KiB at least. What changes more is refused with
    /// [`TooLarge`](crate::ErrorKind::TooLarge), and changes nothing.
    ///
    /// A page has 4,096 bytes and is counted whole however little of it changes. Until the transaction
    /// ends, pages are in memory as they were and as they will be: up to twice as many bytes on top of
    /// the cache. New pages do not count, so what is inserted does not; nor is there a limit for a database in
    /// memory.
    pub fn transaction_bytes_max(mut self, bytes: usize) -> Self {
        self.pager = self.pager.transaction_bytes_max(bytes);
        self
    }

    /// How many bytes the database's file may have; no limit by default, 96 KiB at the least.
    ///
    /// The write that would make it longer ends in [`Error::QuotaExceeded`], and nothing of it is
    /// done; a transaction is rolled back. Deleting, dropping and
    /// [`compact`](crate::Database::compact) go on, and what they free can be used again. A part of
    /// the file is kept back for that and for saving the index of ids: some 5 bytes for each
    /// document, and 48 KiB. The file is never longer than its limit. One that is longer already is
    /// opened; it does not grow, but for what a checkpoint needs to make it shorter.
    ///
    /// What lies beside the file while it is open does not count: the logs, which
    /// [`log_bytes_max`](Self::log_bytes_max) limits, and the images of pages that are written to
    /// be safe from torn writes, about half the cache at most. Where there is no room left to save
    /// the index, it is given up until there is: opening then takes longer, as all pages are read.
    pub fn file_bytes_max(mut self, bytes: u64) -> Self {
        self.pager = self.pager.file_bytes_max(bytes);
        self
    }

    /// After how many milliseconds at most a [`Durability::Relaxed`] write is on stable
    /// storage; 1000 by default. What it then takes to write and sync comes on top.
    pub fn relaxed_flush_interval_ms(mut self, milliseconds: u64) -> Self {
        self.pager = self.pager.relaxed_flush_interval_ms(milliseconds);
        self
    }

    /// Whether the file is brought up to date, and relaxed writes are flushed, by threads in
    /// the background, a few for the whole process; yes by default.
    ///
    /// Without it, the write that fills the log brings the file up to date before it returns,
    /// and relaxed writes wait for 64 KiB, a stronger write or
    /// [`checkpoint`](crate::Database::checkpoint), however long that takes.
    pub fn background(mut self, background: bool) -> Self {
        self.pager = self.pager.background(background);
        self
    }

    /// Whether a file is made where there is none; yes by default.
    ///
    /// If not, an empty file is none either: [`NotADatabase`](crate::ErrorKind::NotADatabase).
    pub fn create(mut self, create: bool) -> Self {
        self.create = create;
        self.pager = self.pager.create(create);
        self
    }

    /// Whether a database is opened although its log is not beside it; no by default.
    ///
    /// The file says whether there is a log. If that is missing, or another's, opening fails with
    /// [`Misplaced`](crate::ErrorKind::Misplaced), since what was written last is in it. With this the
    /// database is as of its last checkpoint, [`open_report`](crate::Database::open_report) says
    /// `log_lost`, and the rest is lost for good once anything is written.
    pub fn without_log(mut self, without_log: bool) -> Self {
        self.pager = self.pager.without_log(without_log);
        self
    }

    /// Whether the file is opened for reading alone; no by default.
    ///
    /// Nothing at all is written then, to the file or beside it. So it may be one that nobody has permission
    /// to write, in a directory or on media where that is so; after a crash, too: what the logs beside
    /// the file hold is read from there. Any number of processes may have a file open like that
    /// at once, as long as none has it open for writing: each excludes the other.
    ///
    /// All that reads works. What writes, whatever it would come to, is refused with
    /// [`ReadOnly`](crate::ErrorKind::ReadOnly), and so are `checkpoint` and `compact`; `close` has nothing
    /// to do. Sorts that need a temporary file have it in the system's directory for such
    /// files. There must be a database: none is made.
    ///
    /// ```
    /// use nanodb_collection::{Database, ErrorKind, doc};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = tempfile::tempdir()?;
    /// # let path = dir.path().join("data.nanodb");
    /// Database::open(&path)?.collection("users").insert(doc! { "_id": 101 })?;
    ///
    /// let db = Database::options().read_only(true).open(&path)?;
    /// assert!(db.collection("users").contains(101)?);
    /// let refused = db.collection("users").delete(101).unwrap_err();
    /// assert_eq!(refused.kind(), ErrorKind::ReadOnly);
    /// # Ok(())
    /// # }
    /// ```
    pub fn read_only(mut self, read_only: bool) -> Self {
        self.access = if read_only { Access::Read } else { Access::Write };
        self.pager = self.pager.read_only(read_only);
        self
    }

    /// How long opening waits for others to close the file, where they have it open in a way
    /// that excludes this; not at all by default.
    ///
    /// Whoever waits asks again up to ten times a second, and has no place in a queue: a writer may
    /// wait in vain for readers that come and go. When the time is over, the answer is
    /// [`Locked`](crate::ErrorKind::Locked).
    pub fn lock_timeout(mut self, timeout: Duration) -> Self {
        self.lock_timeout = timeout;
        self
    }

    /// Opens the database in the file at `path`.
    ///
    /// A file that this process has open already is shared, with the options it was
    /// opened with first; but one that it has open for writing is not opened
    /// [for reading alone](Self::read_only), nor the other way round.
    ///
    /// Waits for a thread that opens or closes the same file, and for no other.
    ///
    /// # Errors
    ///
    /// [`Error::Open`]: [`Locked`](crate::ErrorKind::Locked) if another process, which is named where the
    /// system tells, or this one otherwise, has it open,
    /// [`NotADatabase`](crate::ErrorKind::NotADatabase) and
    /// [`NewerFormat`](crate::ErrorKind::NewerFormat) or
    /// [`OlderFormat`](crate::ErrorKind::OlderFormat) if it holds something else,
    /// [`Misplaced`](crate::ErrorKind::Misplaced) if its log is not beside it, or only its log is there,
    /// [`Damaged`](crate::ErrorKind::Damaged), [`Io`](crate::ErrorKind::Io). A file that is
    /// refused is not touched. [`Error::Catalog`].
    pub fn open(&self, path: impl AsRef<Path>) -> Result<Database> {
        self.open_through(path.as_ref(), |storage| Arc::new(storage))
    }

    /// The same, with what a test puts in front of the file.
    pub(crate) fn open_through(
        &self,
        path: &Path,
        through: impl Fn(FileStorage) -> Arc<dyn Storage>,
    ) -> Result<Database> {
        let failed = |source| Error::Open { path: path.to_owned(), source };
        let file = || {
            let file = match self.access {
                Access::Read => FileStorage::open_read_only(path),
                Access::Write if self.create => FileStorage::open(path),
                Access::Write => FileStorage::open_existing(path),
            };
            file.map_err(|source| {
                failed(nanodb_pager::Error::Io { doing: "opening the file".to_owned(), source })
            })
        };
        let open = |storage, registration: Option<_>| {
            let (indexes, shrinker) = (self.indexes(), Arc::default());
            let storage = through(storage);
            // Whoever waits for other processes must not keep the threads of this one waiting.
            let pager = self.open_pager(storage, Duration::ZERO, &indexes, &shrinker);
            Database::over(
                pager.map_err(failed)?,
                indexes,
                shrinker,
                self.lock_timeout,
                registration,
            )
        };
        let locked = |holders| failed(nanodb_pager::Error::Locked { holders });
        registry::open(self.access, LockWait::new(self.lock_timeout), file, open, locked)
    }

    /// Makes a database that is in memory alone, and gone with its last handle.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open), none of which is to be expected, but for options that make no sense
    /// here: with [`read_only`](Self::read_only) there is
    /// [no database](crate::ErrorKind::NotADatabase) to read.
    pub fn in_memory(&self) -> Result<Database> {
        self.open_on(Arc::new(MemoryStorage::new()))
    }

    /// Opens the database that `storage` holds: for storage of one's own, and for tests.
    ///
    /// # Errors
    ///
    /// [`Error::Storage`], [`Error::DamagedPage`], [`Error::Catalog`].
    pub fn open_on(&self, storage: Arc<dyn Storage>) -> Result<Database> {
        let (indexes, shrinker) = (self.indexes(), Arc::default());
        let pager = self.open_pager(storage, self.lock_timeout, &indexes, &shrinker)?;
        Database::over(pager, indexes, shrinker, self.lock_timeout, None)
    }

    fn indexes(&self) -> Arc<Indexes> {
        Arc::new(Indexes::new(self.index_bytes_max))
    }

    fn open_pager(
        &self,
        storage: Arc<dyn Storage>,
        lock_timeout: Duration,
        indexes: &Arc<Indexes>,
        shrinker: &Arc<Shrinker>,
    ) -> nanodb_pager::Result<Pager> {
        let folder = CatalogFolder::new(Arc::clone(indexes), Arc::clone(shrinker));
        Pager::open(storage, Arc::new(folder), self.pager.clone().lock_timeout(lock_timeout))
    }
}
