//! How a database is opened.

use std::time::Duration;

use nanodb_pager::{Access, Durability};

/// The options that a database is opened with.
///
/// Made by [`Database::options`](crate::Database::options). Each method sets one option, and
/// [`open`](Self::open), [`in_memory`](Self::in_memory) or [`open_on`](Self::open_on) opens the
/// database. What is not set has the default that its method states; a number below the minimum
/// that its method states is raised to it, without an error.
///
/// ```
/// # extern crate nanodb_database as nanodb;
/// use nanodb::{Database, Durability, doc};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("data.nanodb");
/// let db = Database::options()
///     .cache_bytes_max(16 << 20)
///     .durability(Durability::Buffered)
///     .log_bytes_max(8 << 20)
///     .open(path)?;
/// db.collection("events").insert(doc! { "what": "started" })?;
/// db.close()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "options do nothing until a database is opened with them"]
pub struct Options {
    pub(crate) pager: nanodb_pager::Options,
    pub(crate) create: bool,
    pub(crate) access: Access,
    pub(crate) lock_timeout: Duration,
    pub(crate) index_bytes_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        let pager = nanodb_pager::Options::default();
        let (access, lock_timeout) = (Access::Write, Duration::ZERO);
        Self { pager, create: true, access, lock_timeout, index_bytes_max: usize::MAX }
    }
}

impl Options {
    /// Sets how many bytes of pages are kept in memory at most. Default 64 MiB, minimum 64 KiB.
    ///
    /// Not included: the id index ([`index_bytes_max`](Self::index_bytes_max)), and pages that open
    /// transactions have changed.
    pub fn cache_bytes_max(mut self, bytes: usize) -> Self {
        self.pager = self.pager.cache_bytes_max(bytes);
        self
    }

    /// Sets how many bytes the id indexes of all collections together take in memory at most.
    /// Default: no limit.
    ///
    /// An index is loaded in parts of some 3,000 documents, each when it is first needed, and takes
    /// about 11 bytes per document of the loaded parts. With a limit, the parts that were not used
    /// for longest, roughly, make room for others and are read from the file again when they are
    /// needed: a few microseconds if the operating system has them in memory. Not included in the
    /// limit:
    ///
    /// * 16 bytes per document inserted, deleted or moved since the last checkpoint, and 64 bytes
    ///   per part;
    /// * collections of fewer than some 100 documents;
    /// * the part in use, which always has room.
    pub fn index_bytes_max(mut self, bytes: usize) -> Self {
        self.index_bytes_max = bytes;
        self
    }

    /// Sets what a write survives once the call has returned. Default
    /// [`Immediate`](Durability::Immediate): a power failure.
    ///
    /// [`Transaction::set_durability`](crate::Transaction::set_durability) overrides it for one
    /// transaction.
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use nanodb::{Database, Durability, doc};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("data.nanodb");
    /// let db = Database::options().durability(Durability::Relaxed).open(path)?;
    /// db.collection("events").insert(doc! { "n": 1 })?; // does not wait for the disk
    /// db.sync()?; // survives a power failure from here on
    /// # Ok(())
    /// # }
    /// ```
    pub fn durability(mut self, durability: Durability) -> Self {
        self.pager = self.pager.durability(durability);
        self
    }

    /// Sets how large the log grows before a checkpoint writes it into the file. Default 64 MiB,
    /// minimum 64 KiB.
    ///
    /// It bounds how long opening takes after a crash, and how much disk space the logs take: twice
    /// this, and more only if a single write is larger or the disk is full.
    pub fn log_bytes_max(mut self, bytes: u64) -> Self {
        self.pager = self.pager.log_bytes_max(bytes);
        self
    }

    /// Sets how many bytes of existing pages one transaction, or one call outside a transaction,
    /// may change. Default 256 MiB, minimum 64 KiB.
    ///
    /// Beyond the limit the write fails with [`TooLarge`](crate::ErrorKind::TooLarge) and changes
    /// nothing. A page has 4,096 bytes and counts whole, however little of it changes. Until the
    /// transaction ends, changed pages are in memory as they were and as they will be: up to twice
    /// as many bytes, in addition to the cache. New pages do not count, so inserted documents do
    /// not. A database in memory has no limit.
    pub fn transaction_bytes_max(mut self, bytes: usize) -> Self {
        self.pager = self.pager.transaction_bytes_max(bytes);
        self
    }

    /// Sets how many bytes the database's file may have. Default: no limit; minimum 96 KiB.
    ///
    /// The write that would make it longer fails with
    /// [`QuotaExceeded`](crate::ErrorKind::QuotaExceeded) and changes nothing; a transaction is
    /// rolled back. Deleting, dropping and [`compact`](crate::Database::compact) still work, and
    /// what they free can be used again. For them, and for saving the id index, a part of the file
    /// is kept in reserve: 48 KiB, and some 5 bytes per document. A file that is longer than the
    /// limit already is opened; it grows only as far as a checkpoint needs to make it shorter.
    ///
    /// Files beside the database do not count: the logs, which
    /// [`log_bytes_max`](Self::log_bytes_max) limits, and the page images that protect against torn
    /// writes, at most about half the cache. Where no room is left to save the id index, it is
    /// dropped until there is; opening then takes longer, since all pages are read.
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use nanodb::{Database, ErrorKind, doc};
    ///
    /// # fn main() -> Result<(), nanodb::Error> {
    /// let db = Database::options().file_bytes_max(1 << 20).in_memory()?;
    /// let logs = db.collection("logs");
    /// let refused = (0..).find_map(|_| logs.insert(doc! { "line": ("x".repeat(10_000)) }).err());
    /// assert_eq!(refused.map(|error| error.kind()), Some(ErrorKind::QuotaExceeded));
    /// assert!(logs.delete(1)?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn file_bytes_max(mut self, bytes: u64) -> Self {
        self.pager = self.pager.file_bytes_max(bytes);
        self
    }

    /// Sets after how much time a [`Durability::Relaxed`] write is on stable storage, plus the time
    /// that writing and syncing take. Default a second.
    pub fn relaxed_flush_interval(mut self, interval: Duration) -> Self {
        self.pager = self.pager.relaxed_flush_interval(interval);
        self
    }

    /// Sets whether background threads, a few for the whole process, make checkpoints and flush
    /// relaxed writes. Default true.
    ///
    /// Without them, the write that fills the log makes the checkpoint before it returns, and
    /// relaxed writes stay in memory until 64 KiB have gathered or a stronger write, a
    /// [`sync`](crate::Database::sync) or a [`checkpoint`](crate::Database::checkpoint) comes.
    pub fn background(mut self, background: bool) -> Self {
        self.pager = self.pager.background(background);
        self
    }

    /// Sets whether a missing file is created. Default true.
    ///
    /// If not, opening a missing file fails with [`Io`](crate::ErrorKind::Io), and opening an empty
    /// one with [`NotADatabase`](crate::ErrorKind::NotADatabase).
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use nanodb::{Database, ErrorKind};
    ///
    /// # let directory = tempfile::tempdir().unwrap();
    /// # let path = directory.path().join("data.nanodb");
    /// let refused = Database::options().create(false).open(path).unwrap_err();
    /// assert_eq!(refused.kind(), ErrorKind::Io);
    /// ```
    pub fn create(mut self, create: bool) -> Self {
        self.create = create;
        self.pager = self.pager.create(create);
        self
    }

    /// Sets whether a database is opened although its log is missing. Default false.
    ///
    /// The file records whether there is a log. If that is missing, or belongs to another database,
    /// opening fails with [`Misplaced`](crate::ErrorKind::Misplaced), since the log holds the last
    /// writes. With this option the database opens as of its last checkpoint,
    /// [`open_report`](crate::Database::open_report) says `log_lost`, and the later writes are lost
    /// for good once anything is written.
    pub fn allow_missing_log(mut self, allow: bool) -> Self {
        self.pager = self.pager.allow_missing_log(allow);
        self
    }

    /// Sets whether the file is opened for reading only. Default false.
    ///
    /// Nothing is written to the file or beside it. It may therefore be one that this process has
    /// no permission to write, in a directory or on media that cannot be written, even after a
    /// crash: what its logs hold is read from there. Any number of processes may read a file at
    /// once, as long as none has it open for writing; readers and a writer exclude each other.
    ///
    /// All reading works. Every write fails with [`ReadOnly`](crate::ErrorKind::ReadOnly), and so
    /// do `checkpoint` and `compact`; `close` has nothing to do. Sorts that need a temporary file
    /// create it in the system's directory for such files. The file must exist.
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use nanodb::{Database, ErrorKind, doc};
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

    /// Sets how long opening waits for others to close the file, if they have it open in a way that
    /// excludes this one. Default zero: it does not wait.
    ///
    /// Waiting polls up to ten times a second and does not queue: a writer may time out while
    /// readers open and close the file. After the timeout opening fails with
    /// [`Locked`](crate::ErrorKind::Locked).
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use std::time::Duration;
    ///
    /// use nanodb::{Database, ErrorKind};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = tempfile::tempdir()?;
    /// # let path = dir.path().join("data.nanodb");
    /// let writer = Database::open(&path)?;
    /// let reader = Database::options().read_only(true).lock_timeout(Duration::from_millis(10));
    /// assert_eq!(reader.open(&path).unwrap_err().kind(), ErrorKind::Locked);
    /// writer.close()?;
    /// reader.open(&path)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn lock_timeout(mut self, timeout: Duration) -> Self {
        self.lock_timeout = timeout;
        self
    }
}
