//! What can be chosen when a file is opened.

use std::time::Duration;

use crate::application::Application;
use crate::durability::Durability;
use crate::file::storage::Access;

/// How a pager is opened. [`Options::default`] is right for most.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    pub(crate) application: Application,
    pub(crate) cache_bytes_max: usize,
    pub(crate) durability: Durability,
    pub(crate) log_bytes_max: u64,
    pub(crate) relaxed_flush_interval: Duration,
    pub(crate) transaction_bytes_max: usize,
    pub(crate) background: bool,
    pub(crate) file_bytes_max: Option<u64>,
    pub(crate) create: bool,
    pub(crate) allow_missing_log: bool,
    pub(crate) access: Access,
    pub(crate) lock_timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            application: Application::default(),
            cache_bytes_max: 64 * 1024 * 1024,
            durability: Durability::default(),
            log_bytes_max: 64 * 1024 * 1024,
            relaxed_flush_interval: Duration::from_secs(1),
            transaction_bytes_max: 256 * 1024 * 1024,
            background: true,
            file_bytes_max: None,
            create: true,
            allow_missing_log: false,
            access: Access::Write,
            lock_timeout: Duration::ZERO,
        }
    }
}

/// The least limit of a file, in bytes.
const FILE_BYTES_MIN: u64 = 96 * 1024;

impl Options {
    /// Sets the application whose files are opened; by default one without a name.
    #[must_use]
    pub fn application(mut self, application: Application) -> Self {
        self.application = application;
        self
    }

    /// Sets how many bytes of pages are kept in memory at most. Default 64 MiB, minimum 64 KiB.
    ///
    /// Older versions that snapshots want count against it. When memory is short they go to
    /// a temporary file in the database's directory, which has no name and is gone with the
    /// process; a snapshot reads them from there. Where that file can't be written, as on a
    /// full disk, and for a database in memory, they stay above the budget. When half of the
    /// budget waits for a checkpoint, commits' metadata and what the layer above keeps for it
    /// included, one is made; commits wait for it at three quarters.
    ///
    /// On top come the pages that open transactions have changed (each up to
    /// [`transaction_bytes_max`](Self::transaction_bytes_max); of pages it has taken itself up to a
    /// quarter of the budget), until a checkpoint has written them, and those of documents that are
    /// held, two megabytes of buffers while a checkpoint is under way, and a little for each page
    /// that was ever read (32 bytes).
    #[must_use]
    pub fn cache_bytes_max(mut self, bytes: usize) -> Self {
        self.cache_bytes_max = bytes;
        self
    }

    /// Sets what a commit survives if its transaction does not override it. Default
    /// [`Durability::Immediate`].
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// Sets how long a log grows, in bytes. Default 64 MiB, minimum 64 KiB.
    ///
    /// Bounds the time that opening takes after a crash. A checkpoint is due a little before the
    /// log is so long, and commits go on in a second log of the same length meanwhile; if that is
    /// full too they wait. So both take twice this, and more only where a single
    /// transaction's record is longer or the disk is full.
    #[must_use]
    pub fn log_bytes_max(mut self, bytes: u64) -> Self {
        self.log_bytes_max = bytes.max(64 * 1024);
        self
    }

    /// Sets how many bytes of existing pages one transaction may change. Default 256 MiB, minimum
    /// 64 KiB. One that changes more is refused with
    /// [`Error::TransactionTooLarge`](crate::Error::TransactionTooLarge).
    ///
    /// They are in memory until the transaction ends, as they were and as they will be, so up to
    /// twice as many bytes, and after that as they are until a checkpoint has written them. Pages
    /// that a transaction has taken itself do not count: they are written to the file when too many
    /// gather. Nor is there a limit for a storage in memory.
    #[must_use]
    pub fn transaction_bytes_max(mut self, bytes: usize) -> Self {
        self.transaction_bytes_max = bytes.max(64 * 1024);
        self
    }

    /// Sets after how much time at most a [`Durability::Relaxed`] commit is written to stable
    /// storage. Default a second. What it then takes to write and sync comes on top, and where
    /// five or more files of the process are to be flushed at that moment, up to 50 ms for each.
    /// What the disks of other files do adds nothing to that.
    #[must_use]
    pub fn relaxed_flush_interval(mut self, interval: Duration) -> Self {
        self.relaxed_flush_interval = interval;
        self
    }

    /// Sets whether threads in the background make the checkpoints that are due and flush relaxed
    /// commits, a few threads for the whole process. Default yes.
    ///
    /// Without it, the commit that makes a checkpoint due makes it before it returns, and relaxed
    /// commits wait for 64 KiB, a stronger commit or a checkpoint, however long that takes.
    /// The same holds where no thread can be started.
    #[must_use]
    pub fn background(mut self, background: bool) -> Self {
        self.background = background;
        self
    }

    /// Sets whether an empty storage is made a file of pages. Default yes.
    ///
    /// If not, opening one fails with [`Error::Empty`](crate::Error::Empty).
    #[must_use]
    pub fn create(mut self, create: bool) -> Self {
        self.create = create;
        self
    }

    /// Sets whether a file is opened although its log is missing. Default no.
    ///
    /// The header says whether there is a log. If that is missing, or another's, opening fails with
    /// [`Error::LogLost`](crate::Error::LogLost). With this the file is as of its last checkpoint,
    /// and what was committed since is lost for good once anything is written. The
    /// [report](crate::OpenReport::log_lost) says whether it was so.
    #[must_use]
    pub fn allow_missing_log(mut self, allow: bool) -> Self {
        self.allow_missing_log = allow;
        self
    }

    /// Limits the length of the file, in bytes. Default no limit, minimum 96 KiB.
    ///
    /// A transaction that needs pages beyond gets [`Error::QuotaExceeded`](crate::Error). Some are
    /// kept back, for checkpoints and for transactions that [make
    /// room](crate::WriteTx::may_use_reserve): as many as the root, the free map and what the layer
    /// above saves take, and a few. The file is never longer, checkpoints included. One that is
    /// longer already is opened; it grows by no more than its checkpoints need then.
    ///
    /// Only the file itself counts. Beside it lie the logs, which
    /// [`log_bytes_max`](Self::log_bytes_max) limits, and page images while a checkpoint is under
    /// way.
    #[must_use]
    pub fn file_bytes_max(mut self, bytes: u64) -> Self {
        self.file_bytes_max = Some(bytes.max(FILE_BYTES_MIN));
        self
    }

    /// Sets whether the file is opened for reading only. Default no.
    ///
    /// Nothing at all is written then, to the file or beside it, so no permission to write is
    /// needed, given a [`FileStorage::open_read_only`](crate::FileStorage::open_read_only). What a
    /// crash has left in logs beside the file is read from there as long as it is open. Any number
    /// of processes may have a file open like that as long as none has it open for writing. What
    /// would write is refused with [`Error::ReadOnly`](crate::Error::ReadOnly); closing has nothing
    /// to do. Temporary files are in the system's directory for them.
    #[must_use]
    pub fn read_only(mut self, read_only: bool) -> Self {
        self.access = if read_only { Access::Read } else { Access::Write };
        self
    }

    /// Sets how long opening waits for others to close the file, where they have it open in a way
    /// that excludes this. Default not at all.
    ///
    /// It asks again up to ten times a second. There is no queue: while readers keep opening the
    /// file, a writer may never get it.
    #[must_use]
    pub fn lock_timeout(mut self, timeout: Duration) -> Self {
        self.lock_timeout = timeout;
        self
    }
}
