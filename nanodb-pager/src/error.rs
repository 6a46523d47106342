//! What can go wrong, told apart by what to do about it.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::file::storage::{Displaced, LockHolders};
use crate::ids::{PageId, Seq};

/// The result of a pager operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a pager operation did not happen.
///
/// Damage to the file is [`Error::Corrupt`]; everything else is about the
/// request, the operating system or another user of the file.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// A transaction has changed more pages than it may; see
    /// [`Options::transaction_bytes_max`](crate::Options::transaction_bytes_max). Or its record in
    /// the log would pass 4 GiB.
    TransactionTooLarge {
        /// Bytes of changed pages, or bytes that the log would have to hold.
        bytes: usize,
        /// How many there may be.
        bytes_max: usize,
    },
    /// The operating system refused a call.
    Io {
        /// The database's file, where it is known and has a name.
        path: Option<PathBuf>,
        /// What was being done, as in "reading page 7".
        doing: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// The file is open in a way that excludes this one: for writing, or, if it was to be opened
    /// for writing, at all.
    Locked {
        /// Who has it open, as far as is known.
        holders: LockHolders,
    },
    /// Something was to be written through a handle that reads alone; see
    /// [`Options::read_only`](crate::Options::read_only).
    ReadOnly {
        /// The file, if it has a name.
        path: Option<PathBuf>,
    },
    /// The file holds something else.
    NotADatabase,
    /// The file begins like one of another program; see
    /// [`Application::other_formats`](crate::Application::other_formats).
    OtherFormat {
        /// What the file is.
        name: &'static str,
    },
    /// The file's pages belong to another application; see
    /// [`Application::id`](crate::Application::id).
    OtherApplication {
        /// The id that the pager was opened with.
        expected: [u8; 8],
        /// The id that the file states.
        found: [u8; 8],
    },
    /// The file uses something of its format that came after this library.
    NewerFeatures {
        /// The unknown bits.
        bits: u64,
        /// Whether only writing is refused.
        to_write: bool,
    },
    /// The file is of a format that came after this library.
    NewerFormat {
        /// The version the file states.
        found: u32,
        /// The newest version this library knows.
        supported: u32,
    },
    /// The file is of a format that came before this library.
    OlderFormat {
        /// The version the file states.
        found: u32,
        /// The version this library knows.
        supported: u32,
    },
    /// The file is empty, and was not to be made.
    Empty,
    /// The file is new, or empty, but what lies beside it was written by a database of its name.
    LogWithoutFile {
        /// The log, or the double-write buffer.
        log: String,
    },
    /// The header says that commits are in a log, and that log is not beside the file.
    LogLost {
        /// The log that is needed.
        log: String,
        /// What is there in its place.
        loss: LogLoss,
    },
    /// A file has the name of one that the database needs beside it, and is something else.
    ForeignFile {
        /// The file.
        file: String,
    },
    /// The file is shorter than its header says.
    Truncated {
        /// The bytes the header promises.
        expected: u64,
        /// The bytes there are.
        found: u64,
    },
    /// The file's contents are not what was written.
    Corrupt(Corruption),
    /// No version of the page as old as asked for exists (any more).
    ///
    /// Only an unregistered read meets this; it tries again at a newer commit. A
    /// [`Snapshot`](crate::Snapshot) meets it for pages that were first written later.
    NoVersion {
        /// The page asked for.
        page: PageId,
        /// The commit asked for.
        at: Seq,
    },
    /// Another transaction has changed the page since this one first read it.
    WriteConflict {
        /// The page both wrote.
        page: PageId,
    },
    /// An earlier write or sync failed, so nothing more is written until the file is reopened.
    Poisoned {
        /// The file, if it has a name.
        path: Option<PathBuf>,
        /// The failure that poisoned the handle.
        cause: Arc<Error>,
    },
    /// The file is not where it was opened. What is beside it by now is another's, so nothing there
    /// is touched, and nothing more is written.
    Displaced {
        /// Where it was opened.
        path: PathBuf,
    },
    /// This process was forked from the one that has opened the file, which goes on using it.
    Forked {
        /// The process that has opened it.
        opened_by: u32,
    },
    /// The pager was closed through another handle, or the file released.
    Closed,
    /// The file has no page numbers left (16 TiB).
    Full {
        /// How many pages were asked for.
        asked: u32,
    },
    /// The file would become longer than it may; see
    /// [`Options::file_bytes_max`](crate::Options::file_bytes_max).
    QuotaExceeded {
        /// The file, if it has a name.
        path: Option<PathBuf>,
        /// The limit.
        bytes_max: u64,
    },
    /// A transaction named a page it may not write: not allocated by it, or the pager's own.
    NotAllocated {
        /// The page named.
        page: PageId,
        /// What was to be done with it.
        doing: &'static str,
    },
    /// The layer above could not apply the metadata of commits to the root, or has panicked over
    /// it.
    Metadata(Box<dyn std::error::Error + Send + Sync>),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TransactionTooLarge { bytes, bytes_max } => write!(
                f,
                "the transaction is too large: {bytes} bytes of changes, {bytes_max} at most; do \
                 it in parts, or open the file with a larger `transaction_bytes_max`"
            ),
            Self::Io { path, doing, .. } => {
                write!(f, "{}input/output failed while {doing}", Of(path))
            }
            Self::Locked { holders } => write!(
                f,
                "the file is open in {holders}; one process alone may write it, or any number may \
                 read it: close it there, or wait for it"
            ),
            Self::ReadOnly { path } => write!(f, "{}the file is open read-only", Of(path)),
            Self::NotADatabase => f.write_str("not a NanoDB file"),
            Self::OtherFormat { name } => f.write_str(name),
            Self::OtherApplication { expected, found } => write!(
                f,
                "the file belongs to the application \"{}\", not to \"{}\"",
                found.escape_ascii(),
                expected.escape_ascii()
            ),
            Self::NewerFeatures { bits, to_write } => write!(
                f,
                "the file has features ({bits:#x}) that this library does not know{}; open it with \
                 the program that wrote it",
                if *to_write { ", and so must not write; it may be opened read-only" } else { "" }
            ),
            Self::NewerFormat { found, supported } => write!(
                f,
                "format version {found} is newer than {supported}, the newest this library reads"
            ),
            Self::OlderFormat { found, supported } => write!(
                f,
                "format version {found} is older than {supported}, the only one this library \
                 reads; export the documents with the program that wrote the file, and import them \
                 into a new one"
            ),
            Self::Empty => f.write_str("the file is empty, and so is no database"),
            Self::LogWithoutFile { log } => write!(
                f,
                "the file is empty, but beside it is {log}, with what a database of that name has \
                 written: put that database back, or, to begin anew, move the log away"
            ),
            Self::LogLost { log, loss } => write!(
                f,
                "{loss}: what was committed last was in {log}; it may have stayed where the file \
                 was before, or beside another name (hard link) of it. Put it there, or copy what \
                 there is without it by salvage, or open the file with `allow_missing_log`"
            ),
            Self::ForeignFile { file } => write!(
                f,
                "{file} has the name of a file that the database needs, and is not one of its own: \
                 move it away, or give it another name"
            ),
            Self::Truncated { expected, found } => {
                write!(f, "the file is cut short: {expected} bytes by its header, {found} found")
            }
            Self::Corrupt(cause) => fmt::Display::fmt(cause, f),
            Self::NoVersion { page, at } => write!(f, "{page} has no version as of {at}"),
            Self::WriteConflict { page } => {
                write!(f, "{page} was changed by another transaction meanwhile")
            }
            Self::Poisoned { path, .. } => write!(
                f,
                "{}writes are refused until the file is reopened, since an earlier one failed",
                Of(path)
            ),
            Self::Displaced { path } => write!(
                f,
                "{} was moved, removed or replaced while it was open, so nothing more is written \
                 to it; let go of it, put it and its logs together under one name, and open it \
                 there",
                path.display()
            ),
            Self::Forked { opened_by } => write!(
                f,
                "the file was opened by process {opened_by}, of which this one is a fork: let go \
                 of it here, and open it anew once that process has closed it"
            ),
            Self::Closed => f.write_str("the file is closed"),
            Self::Full { asked } => {
                write!(f, "the file is full: {asked} more pages pass its limit of 2^32 pages")
            }
            Self::QuotaExceeded { path, bytes_max } => {
                write!(f, "{}the file would grow past its limit of {bytes_max} bytes", Of(path))
            }
            Self::NotAllocated { page, doing } => {
                write!(f, "{page} is not for this transaction to {doing}")
            }
            Self::Metadata(_) => {
                f.write_str("the metadata of commits could not be applied to the metadata root")
            }
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            Self::Poisoned { cause, .. } => Some(cause),
            Self::Metadata(cause) => Some(&**cause),
            _ => None,
        }
    }
}

impl From<Corruption> for Error {
    fn from(cause: Corruption) -> Self {
        Self::Corrupt(cause)
    }
}

/// Why a log that is needed can't be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum LogLoss {
    /// There is no such file.
    Missing,
    /// It is the log of another database.
    OfAnotherDatabase,
    /// It is a log of this database, but not the one that continues from what the file holds.
    OfAnotherTime,
}

impl fmt::Display for LogLoss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "the log is missing",
            Self::OfAnotherDatabase => "the log belongs to another database",
            Self::OfAnotherTime => "the log does not continue from what the file holds",
        })
    }
}

/// Whether the operating system had no room left for a write: on the device, in what the user may
/// have of it, or in a file, which some file systems keep to a length.
///
/// A record that the log takes in no file has no system's code.
pub(crate) fn is_full_disk(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    match error.kind() {
        StorageFull | QuotaExceeded => true,
        FileTooLarge => error.raw_os_error().is_some(),
        _ => false,
    }
}

/// A call that had no room: how many bytes more there must be.
pub(crate) fn no_room(error: &io::Error, bytes: u64) -> io::Error {
    let text = format!("the disk is full, {bytes} bytes more are needed: {error}");
    // With the system's code goes what tells a file at its limit from a record that is too long.
    let kind = match error.kind() {
        io::ErrorKind::FileTooLarge => io::ErrorKind::StorageFull,
        kind => kind,
    };
    let answer = system_code(error).map(io::Error::from_raw_os_error);
    io::Error::new(kind, NoRoom { text, answer })
}

/// What the operating system alone has said of a full disk.
pub(crate) fn plain_answer(error: &io::Error) -> io::Error {
    system_code(error).map_or_else(|| error.kind().into(), io::Error::from_raw_os_error)
}

/// The system's code, also of what [`no_room`] has made.
fn system_code(error: &io::Error) -> Option<i32> {
    let behind = || error.get_ref()?.downcast_ref::<NoRoom>()?.answer.as_ref()?.raw_os_error();
    error.raw_os_error().or_else(behind)
}

/// Why there was no room. Behind it is what the system answered, for programs that look at that.
#[derive(Debug)]
struct NoRoom {
    text: String,
    answer: Option<io::Error>,
}

impl fmt::Display for NoRoom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for NoRoom {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.answer.as_ref().map(|answer| answer as _)
    }
}

impl Error {
    /// Returns whether the operating system had no room left for a write.
    pub(crate) fn is_full_disk(&self) -> bool {
        matches!(self, Self::Io { source, .. } if is_full_disk(source))
    }

    /// Returns whether the operating system failed to read some bytes of the file or of a sidecar.
    pub fn is_failed_read(&self) -> bool {
        matches!(self, Self::Io { doing, .. } if doing.starts_with("reading "))
    }

    /// Returns whether room is missing: on the disk, or within the file's limit.
    pub fn is_out_of_space(&self) -> bool {
        self.is_full_disk() || matches!(self, Self::QuotaExceeded { .. })
    }

    pub(crate) fn io(doing: impl Into<String>, source: io::Error) -> Self {
        match Displaced::in_error(&source) {
            Some(path) => Self::Displaced { path: path.to_owned() },
            None => Self::Io { path: None, doing: doing.into(), source },
        }
    }

    /// Says which file it is about, if it does not say so yet.
    #[cold]
    pub(crate) fn in_file(self, file: Option<&Path>) -> Self {
        match self {
            Self::Io { path: None, doing, source } => {
                Self::Io { path: file.map(Path::to_owned), doing, source }
            }
            other => other,
        }
    }
}

/// `data.nanodb: `, if there is a name.
struct Of<'a>(&'a Option<PathBuf>);

impl fmt::Display for Of<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_ref().map_or(Ok(()), |path| write!(f, "{}: ", path.display()))
    }
}

/// Bytes of the file that are not what the pager once wrote.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Corruption {
    /// Both copies of the header fail their checksum.
    Header,
    /// One copy of the header fails its checksum; the other one serves.
    HeaderCopy {
        /// The copy's page: 0 or 1.
        page: PageId,
    },
    /// A header with a valid checksum states what can't be.
    HeaderField {
        /// The field.
        field: &'static str,
        /// What it states.
        value: u64,
    },
    /// A page's bytes do not have the checksum it carries.
    Checksum {
        /// The page.
        page: PageId,
        /// The checksum it carries.
        stored: u64,
        /// The checksum of its bytes.
        computed: u64,
    },
    /// A page carries another page's number: it was written to the wrong place.
    Misplaced {
        /// Where it was read.
        page: PageId,
        /// The number it carries.
        found: u32,
    },
    /// A page is newer than the newest checkpoint the header knows of.
    FromTheFuture {
        /// The page.
        page: PageId,
        /// The commit it carries.
        seq: u64,
        /// The newest commit the file has by its header.
        newest: u64,
    },
    /// An older version of a page did not come back from the temporary file as it went.
    ///
    /// Concerns a [`Snapshot`](crate::Snapshot) only; what is in the file is not touched by it.
    Spilled {
        /// The page.
        page: PageId,
        /// The commit that wrote the version.
        seq: u64,
    },
    /// A reference leads behind the end of the file.
    OutOfBounds {
        /// The page referred to.
        page: PageId,
        /// How many pages there are.
        page_count: u32,
    },
    /// A chain of stream pages does not hold what the header says.
    Stream {
        /// The page at which it shows.
        page: PageId,
        /// Which stream: "metadata root" or "free map".
        stream: &'static str,
    },
    /// A page is sound, but not the one that a checkpoint has written there.
    CheckpointPage {
        /// The page.
        page: PageId,
    },
    /// A log is damaged where its bytes were known to be on stable storage.
    Log {
        /// Which log: what is appended to the database's name.
        log: &'static str,
        /// Where the damage begins, as an offset in the log file.
        offset: u64,
    },
    /// The free map can't be read. It was rebuilt from what the root says is in use; the next
    /// checkpoint saves it.
    FreeMapLost {
        /// The page at which it shows.
        page: PageId,
        /// What is wrong.
        why: String,
    },
    /// The free map is damaged, and can't be rebuilt: by the root a page is in use by two.
    InUseTwice {
        /// The page.
        page: PageId,
    },
    /// The free map contradicts itself or the header.
    FreeMap {
        /// The page at which it shows.
        page: PageId,
    },
}

impl fmt::Display for Corruption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header => f.write_str("both copies of the header (pages 0 and 1) are damaged"),
            Self::HeaderCopy { page } => write!(f, "the copy of the header on {page} is damaged"),
            Self::HeaderField { field, value } => {
                write!(f, "the header states an impossible {field}: {value}")
            }
            Self::Checksum { page, stored, computed } => write!(
                f,
                "{page} is damaged: checksum {stored:#018x} stored, {computed:#018x} computed"
            ),
            Self::Misplaced { page, found } => {
                write!(f, "{page} is misplaced: it carries the number {found}")
            }
            Self::FromTheFuture { page, seq, newest } => write!(
                f,
                "{page} was written by commit {seq}, the header knows of {newest} commits"
            ),
            Self::Spilled { page, seq } => write!(
                f,
                "the version of {page} that commit {seq} wrote is damaged in the temporary file"
            ),
            Self::OutOfBounds { page, page_count } => {
                write!(f, "{page} is referred to, but the file has only {page_count} pages")
            }
            Self::Stream { page, stream } => {
                write!(f, "{page}, part of the {stream}, is inconsistent with the header")
            }
            Self::CheckpointPage { page } => {
                write!(f, "{page} is not what a checkpoint has written there")
            }
            Self::Log { log, offset } => {
                write!(f, "the log {log} is damaged at byte {offset}, below what was synced")
            }
            Self::FreeMapLost { why, .. } => write!(
                f,
                "the free map is damaged, which costs nothing and ends with the next checkpoint: \
                 {why}"
            ),
            Self::InUseTwice { page } => {
                write!(f, "the free map is damaged, and {page} is in use by two")
            }
            Self::FreeMap { page } => write!(f, "the free map is inconsistent at {page}"),
        }
    }
}

impl std::error::Error for Corruption {}

impl Corruption {
    /// Returns the page at which the damage shows; page 0 for the header and the log.
    pub fn page(&self) -> PageId {
        match *self {
            Self::Header | Self::HeaderField { .. } | Self::Log { .. } => PageId::new(0),
            Self::HeaderCopy { page }
            | Self::Checksum { page, .. }
            | Self::Misplaced { page, .. }
            | Self::FromTheFuture { page, .. }
            | Self::Spilled { page, .. }
            | Self::OutOfBounds { page, .. }
            | Self::Stream { page, .. }
            | Self::CheckpointPage { page }
            | Self::FreeMapLost { page, .. }
            | Self::InUseTwice { page }
            | Self::FreeMap { page } => page,
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_file_at_the_systems_limit_is_a_full_disk_and_a_record_too_long_is_not() {
        for code in [libc::ENOSPC, libc::EDQUOT, libc::EFBIG] {
            let error = io::Error::from_raw_os_error(code);
            assert!(is_full_disk(&error), "{code}");
            let no_room_once = no_room(&error, 1);
            assert!(is_full_disk(&no_room_once), "{code}");
            // However often it is told, the code stays.
            for told in [&no_room(&no_room_once, 2), &no_room(&plain_answer(&no_room_once), 2)] {
                let answer = std::error::Error::source(told).and_then(|e| e.downcast_ref());
                assert_eq!(answer.and_then(io::Error::raw_os_error), Some(code));
            }
        }
        assert!(!is_full_disk(&io::Error::from_raw_os_error(libc::EIO)));
        assert!(!is_full_disk(&io::ErrorKind::FileTooLarge.into()));
    }
}
