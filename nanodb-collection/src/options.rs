//! How a database is opened.

use std::path::Path;
use std::sync::Arc;

use nanodb_pager::{Durability, FileStorage, MemoryStorage, Pager, Storage};

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
    index_bytes_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        let pager = nanodb_pager::Options::default();
        Self { pager, create: true, index_bytes_max: usize::MAX }
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

    /// How many bytes of the indexes of ids are kept in memory at most; no limit by default.
    ///
    /// An index takes about 11 bytes for each document whose part of it was needed since the
    /// database was opened, parts of some 3,000 documents. With a limit, parts go when others
    /// are needed, and are read from the file again: some microseconds where the operating
    /// system has them in memory. What has changed since the file was last brought up to date comes
    /// on top, 16 bytes for each document that came, went or moved, and 64 bytes for each part.
    /// At least one part of each collection stays.
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

    /// How many bytes the database's file may have; no limit by default. Sensible from 128 KiB up.
    ///
    /// The write that would make it longer ends in
    /// [`Error::QuotaExceeded`], and nothing of it is done; a transaction is rolled back. Deleting,
    /// dropping and [`compact`](crate::Database::compact) go on, and what they free can be used
    /// again. A part of the file is kept back for that and for saving the index of ids: some 5
    /// bytes for each document, and 16 KiB. A file that is longer already is opened, and does
    /// not grow.
    ///
    /// What lies beside the file while it is open does not count: the logs, which
    /// [`log_bytes_max`](Self::log_bytes_max) limits, and the images of pages that
    /// are written to be safe from torn writes, about half the cache at most. Saving
    /// the index may pass the limit by a little where documents are of 20 bytes and less.
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

    /// Opens the database in the file at `path`.
    ///
    /// A file that this process has open already is shared, with the options it was
    /// opened with first.
    ///
    /// # Errors
    ///
    /// [`Error::Open`]: [`Locked`](crate::ErrorKind::Locked) if another process has it open,
    /// [`NotADatabase`](crate::ErrorKind::NotADatabase) and
    /// [`NewerFormat`](crate::ErrorKind::NewerFormat) or
    /// [`OlderFormat`](crate::ErrorKind::OlderFormat) if it holds something else,
    /// [`Misplaced`](crate::ErrorKind::Misplaced) if its log is not beside it, or only its log is there,
    /// [`Damaged`](crate::ErrorKind::Damaged), [`Io`](crate::ErrorKind::Io). A file that is
    /// refused is not touched. [`Error::Catalog`].
    pub fn open(&self, path: impl AsRef<Path>) -> Result<Database> {
        let path = path.as_ref();
        registry::open(path, |registration| {
            let open = if self.create { FileStorage::open } else { FileStorage::open_existing };
            let storage = open(path).map_err(|source| Error::Open {
                path: path.to_owned(),
                source: nanodb_pager::Error::Io { doing: "opening the file".to_owned(), source },
            })?;
            let (indexes, shrinker) = (self.indexes(), Arc::default());
            let pager = self.open_pager(Arc::new(storage), &indexes, &shrinker);
            let pager = pager.map_err(|source| Error::Open { path: path.to_owned(), source })?;
            Database::over(pager, indexes, shrinker, Some(registration))
        })
    }

    /// Makes a database that is in memory alone, and gone with its last handle.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open), none of which is to be expected.
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
        Database::over(self.open_pager(storage, &indexes, &shrinker)?, indexes, shrinker, None)
    }

    fn indexes(&self) -> Arc<Indexes> {
        Arc::new(Indexes::new(self.index_bytes_max))
    }

    fn open_pager(
        &self,
        storage: Arc<dyn Storage>,
        indexes: &Arc<Indexes>,
        shrinker: &Arc<Shrinker>,
    ) -> nanodb_pager::Result<Pager> {
        let folder = CatalogFolder::new(Arc::clone(indexes), Arc::clone(shrinker));
        Pager::open(storage, Arc::new(folder), self.pager.clone())
    }
}
