//! How a database is opened.

use std::time::Duration;

use nanodb_pager::{Access, Durability};

/// How a database is opened, to be changed before it is.
///
/// ```
/// # extern crate nanodb_database as nanodb;
/// use nanodb::Database;
///
/// # fn main() -> Result<(), nanodb::Error> {
/// let db = Database::options().cache_bytes_max(16 << 20).in_memory()?;
/// # drop(db);
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
    /// The write that would make it longer ends in [`Error::QuotaExceeded`](crate::Error::QuotaExceeded), and nothing of it is
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
}
