//! What can go wrong, told apart by what to do about it.

use std::fmt;
use std::path::PathBuf;

use nanodb_query::{QueryError, UpdateError};

use crate::ids::{ASSIGNED_ID_MAX, COLLECTION_NAME_BYTES_MAX};
use nanodb_document::{DocView, DocumentError, Id, IdRef};

/// The result of a database operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an operation failed.
///
/// [`kind`](Self::kind) says what to do about it;
/// [`source`](std::error::Error::source) leads to the cause.
///
/// ```
/// # extern crate nanodb_database as nanodb;
/// use nanodb::{Database, Error, ErrorKind, doc};
///
/// # fn main() -> Result<(), Error> {
/// let users = Database::in_memory()?.collection("users");
/// users.insert(doc! { "_id": "alice" })?;
/// match users.insert(doc! { "_id": "alice" }) {
///     Err(error) if error.kind() == ErrorKind::DuplicateId => println!("taken: {error}"),
///     other => drop(other?),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A document breaks a rule, or does not have the shape of the Rust type that was asked for.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// The collection already has a document with that id.
    #[error("collection {collection:?} already has a document with the id {id}")]
    DuplicateId {
        /// The collection.
        collection: String,
        /// The id.
        id: Id,
    },
    /// The new document of a replacement has another id than the one to be replaced.
    #[error("the document has the id {found}, but is to replace the one with the id {id}")]
    IdMismatch {
        /// The id of the document to be replaced.
        id: Id,
        /// The id that the new one carries.
        found: Id,
    },
    /// A filter, a sort, a projection or an update is not valid.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// An update cannot be applied to a document.
    #[error("updating {}", OfDocument(id))]
    Update {
        /// The document; none if it was to be inserted.
        id: Option<Id>,
        /// Why not.
        source: UpdateError,
    },
    /// An operation of a bulk write failed.
    #[error("operation {position} of the bulk write, counted from 0")]
    BulkWrite {
        /// Which one, counted from 0.
        position: usize,
        /// Why.
        source: Box<Error>,
    },
    /// A sort needed a temporary file, which could not be created, written or read.
    #[error(
        "a sort of more than {bytes_max} bytes needs a temporary file; \
         make room for it, give the sort a limit, or allow it more memory"
    )]
    Sort {
        /// How many bytes the sort could keep in memory.
        bytes_max: usize,
        /// What happened to the file.
        source: StorageError,
    },
    /// The sort key of a document is too long.
    #[error("the key that a document is sorted by has {bytes} bytes; {bytes_max} at most")]
    SortKeyTooLarge {
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        bytes_max: u32,
    },
    /// The largest integer that can be assigned as an id has been used.
    #[error(
        "collection {collection:?} has no ids left to assign: {ASSIGNED_ID_MAX} was used; \
         give documents an `_id` of their own"
    )]
    IdsExhausted {
        /// The collection.
        collection: String,
    },
    /// A collection's name is empty, too long, or has a NUL in it.
    #[error(
        "{name:?} cannot name a collection: names have 1 to {COLLECTION_NAME_BYTES_MAX} bytes \
         and no NUL"
    )]
    CollectionName {
        /// The name, cut to a readable length.
        name: String,
    },
    /// No collection has that name.
    #[error("there is no collection {name:?}")]
    NoCollection {
        /// The name.
        name: String,
    },
    /// A collection already has that name.
    #[error("there is a collection {name:?} already")]
    CollectionExists {
        /// The name.
        name: String,
    },
    /// The database has had as many collections as it can number.
    #[error("the database has had 2^32 collections and can make no more")]
    CollectionsExhausted,
    /// Waiting for a collection's lock would be a deadlock: its holder waits for this thread, or is
    /// another transaction of this thread.
    #[error(
        "collection {collection:?} is locked by a transaction that waits for this one, or by \
         another transaction of this thread"
    )]
    Conflict {
        /// The collection.
        collection: String,
    },
    /// The transaction has been committed or rolled back; a statement that fails in the middle
    /// rolls it back as well.
    #[error("the transaction is over")]
    TransactionOver,
    /// A page cannot be read that has, or may have, what was asked for.
    #[error("page {page} is damaged, and what was asked for may be on it")]
    DamagedPage {
        /// The page's number; it lies at 4,096 times that in the file.
        page: u32,
        /// What is wrong with it.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// A stored document's bytes are not valid, although its page is as it was written.
    #[error(
        "{}is damaged: its bytes are not what was stored; replace or delete it",
        OfDamaged { collection, id, page }
    )]
    DamagedDocument {
        /// The collection; empty where it is not known, as of a document that was read before.
        collection: String,
        /// The document's id, if that can be read.
        id: Option<Id>,
        /// The number of the page that the document, or its beginning, lies on, where it is known;
        /// it lies at 4,096 times that in the file.
        page: Option<u32>,
    },
    /// The file's list of collections is damaged.
    #[error("the list of collections is damaged")]
    Catalog(#[from] CatalogError),
    /// The database could not be opened.
    #[error("opening {}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: StorageError,
    },
    /// The file would grow beyond its limit. Nothing was changed, and a transaction is rolled back.
    #[error(
        "{}the database's file would grow past its limit of {bytes_max} bytes; delete documents \
         or drop collections, compact, or set a higher limit",
        OfFile(path)
    )]
    QuotaExceeded {
        /// The file, if the database is in one.
        path: Option<PathBuf>,
        /// The limit, `Options::file_bytes_max`.
        bytes_max: u64,
    },
    /// The database is open read-only (`Options::read_only`) and cannot be written to.
    #[error(
        "{}the database is open read-only, so nothing is written to it; open it without `read_only` \
         to do that",
        OfFile(path)
    )]
    ReadOnly {
        /// The file, if the database is in one.
        path: Option<PathBuf>,
    },
    /// The database's file could not be read or written.
    #[error("reading or writing the database's file")]
    Storage(#[source] StorageError),
}

/// Why a file could not be opened, read or written.
///
/// The cause of [`Error::Open`], [`Error::Storage`] and [`Error::Sort`]. Its text names what
/// was being done and to which file; [`kind`](Self::kind) says what to do about it, and
/// [`source`](std::error::Error::source) is what the operating system answered, a
/// [`std::io::Error`], where that is the cause.
///
/// ```
/// # extern crate nanodb_database as nanodb;
/// use std::error::Error as _;
///
/// use nanodb::{Database, Error, ErrorKind};
///
/// # let directory = tempfile::tempdir().unwrap();
/// let missing = directory.path().join("no such directory").join("data.nanodb");
/// let Err(Error::Open { source, .. }) = Database::open(missing) else { panic!() };
/// assert_eq!(source.kind(), ErrorKind::Io);
/// let cause = source.source().and_then(|cause| cause.downcast_ref::<std::io::Error>());
/// assert_eq!(cause.map(|cause| cause.kind()), Some(std::io::ErrorKind::NotFound));
/// ```
#[derive(Debug)]
pub struct StorageError(nanodb_pager::Error);

impl StorageError {
    /// Returns the kind of this error, which says what to do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        storage_kind(&self.0)
    }

    /// Returns the pager's error, for the crates of the workspace.
    #[doc(hidden)]
    #[must_use]
    pub fn pager_error(&self) -> &nanodb_pager::Error {
        &self.0
    }

    /// The same, to be turned into an error of another kind.
    #[doc(hidden)]
    #[must_use]
    pub fn into_pager_error(self) -> nanodb_pager::Error {
        self.0
    }
}

impl fmt::Display for StorageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl std::error::Error for StorageError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}

impl From<nanodb_pager::Error> for StorageError {
    fn from(error: nanodb_pager::Error) -> Self {
        Self(error)
    }
}

/// What to do about an [`Error`]; returned by [`Error::kind`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A document, an id, a name, a filter or an update breaks a rule: change it.
    Invalid,
    /// The id is taken: choose another, or replace the document.
    DuplicateId,
    /// There is no such collection: check the name.
    NotFound,
    /// The name is taken: choose another, or drop the collection.
    AlreadyExists,
    /// The document does not have the shape of the Rust type asked for: ask for another type, or
    /// change the document.
    WrongType,
    /// A number has reached its maximum. If ids can no longer be assigned, give documents ids of
    /// their own; if collections or pages cannot be numbered, continue in another file.
    Exhausted,
    /// The file would grow beyond its limit: delete or drop something, or raise
    /// `Options::file_bytes_max`.
    QuotaExceeded,
    /// Two transactions, or a transaction and another write, deadlocked, and this one was rolled
    /// back: run it again, as `Database::write` does. Within one thread it always happens again:
    /// end the one transaction before the other writes.
    Conflict,
    /// The transaction has ended, or failed before: begin another.
    TransactionOver,
    /// One call or transaction exceeds a limit: split it into several transactions, or raise
    /// `Options::transaction_bytes_max`; if it is a sort key, sort by a shorter value.
    TooLarge,
    /// The file is damaged: `Database::check` lists the damage; the rest of the data stays
    /// readable.
    Damaged,
    /// The file is open elsewhere in a way that excludes this one: close it there, or wait for it
    /// (`Options::lock_timeout`). Any number of processes may read a file that none has open for
    /// writing.
    Locked,
    /// The database is open read-only: open it for writing.
    ReadOnly,
    /// The file holds something else: check the path.
    NotADatabase,
    /// The file was written by a newer version: update this program.
    NewerFormat,
    /// The file was written by an older version: export its documents with that version, and import
    /// them.
    OlderFormat,
    /// A file is not where it belongs: a database without its log, a log without its database, a
    /// foreign file with a name that is needed, or a database that was moved while it was open.
    /// Move the file that the text names.
    Misplaced,
    /// The operating system refused a read or a write: see the cause.
    Io,
    /// An earlier write failed, so nothing more is written: reopen the database.
    Poisoned,
}

impl Error {
    /// Returns the kind of this error, which says what to do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Document(DocumentError::Deserialize(_)) => ErrorKind::WrongType,
            Self::Document(_)
            | Self::IdMismatch { .. }
            | Self::CollectionName { .. }
            | Self::Query(_)
            | Self::Update { .. } => ErrorKind::Invalid,
            Self::DuplicateId { .. } => ErrorKind::DuplicateId,
            Self::NoCollection { .. } => ErrorKind::NotFound,
            Self::CollectionExists { .. } => ErrorKind::AlreadyExists,
            Self::IdsExhausted { .. } | Self::CollectionsExhausted => ErrorKind::Exhausted,
            Self::SortKeyTooLarge { .. } => ErrorKind::TooLarge,
            Self::BulkWrite { source, .. } => source.kind(),
            Self::Sort { source, .. } => source.kind(),
            Self::QuotaExceeded { .. } => ErrorKind::QuotaExceeded,
            Self::ReadOnly { .. } => ErrorKind::ReadOnly,
            Self::Conflict { .. } => ErrorKind::Conflict,
            Self::TransactionOver => ErrorKind::TransactionOver,
            Self::Catalog(error) => catalog_kind(error),
            Self::DamagedPage { .. } | Self::DamagedDocument { .. } => ErrorKind::Damaged,
            Self::Open { source, .. } | Self::Storage(source) => source.kind(),
        }
    }

    /// Returns the number of the damaged page, if damage to one page is the cause.
    #[must_use]
    pub fn page(&self) -> Option<u32> {
        match self {
            Self::BulkWrite { source, .. } => source.page(),
            Self::DamagedPage { page, .. } => Some(*page),
            Self::DamagedDocument { page, .. } => *page,
            Self::Open { source, .. } => match source.pager_error() {
                nanodb_pager::Error::Corrupt(corruption) => Some(corruption.page().get()),
                _ => None,
            },
            _ => None,
        }
    }

    /// What is stored of a document is not what was stored. Which one it is says
    /// [`of_document`](Self::of_document), further up.
    #[cold]
    #[doc(hidden)]
    pub fn malformed() -> Self {
        Self::DamagedDocument { collection: String::new(), id: None, page: None }
    }

    /// Says which document can't be read, if the error is of that kind and does not say yet.
    #[cold]
    pub(crate) fn of_document(
        self,
        name: &str,
        document: &DocView,
        on: Option<nanodb_pager::PageId>,
    ) -> Self {
        match self {
            Self::DamagedDocument { collection, id: None, page: None } if collection.is_empty() => {
                Self::DamagedDocument {
                    collection: name.to_owned(),
                    id: document.id().map(IdRef::to_owned),
                    page: on.map(nanodb_pager::PageId::get),
                }
            }
            other => other,
        }
    }

    /// A collection that cannot be waited for.
    pub(crate) fn conflict(collection: &str) -> Self {
        Self::Conflict { collection: collection.to_owned() }
    }

    /// A page that does not hold what belongs there.
    #[doc(hidden)]
    pub fn damaged(page: nanodb_pager::PageId) -> Self {
        Self::DamagedPage { page: page.get(), source: None }
    }

    /// A page whose slots or records are wrong.
    pub(crate) fn damaged_by(page: nanodb_pager::PageId, source: nanodb_page::PageError) -> Self {
        Self::DamagedPage { page: page.get(), source: Some(source.into()) }
    }
}

/// `data.nanodb: `, if there is a file.
struct OfFile<'a>(&'a Option<PathBuf>);

impl fmt::Display for OfFile<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_ref().map_or(Ok(()), |path| write!(f, "{}: ", path.display()))
    }
}

/// `the document with the id 5`.
struct OfDocument<'a>(&'a Option<Id>);

impl fmt::Display for OfDocument<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(id) => write!(f, "the document with the id {id}"),
            None => f.write_str("the document to be inserted"),
        }
    }
}

/// `the document with the id 5 in collection "users", on page 7, `, as far as that is known.
struct OfDamaged<'a> {
    collection: &'a str,
    id: &'a Option<Id>,
    page: &'a Option<u32>,
}

impl fmt::Display for OfDamaged<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.id {
            Some(id) => write!(f, "the document with the id {id}")?,
            None => f.write_str("a document")?,
        }
        if !self.collection.is_empty() {
            write!(f, " in collection {:?}", self.collection)?;
        }
        self.page.map_or(Ok(()), |page| write!(f, ", on page {page},"))?;
        f.write_str(" ")
    }
}

/// Why stored bytes are no catalog.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CatalogError {
    /// Another version than this library's.
    #[error("version {found} of the catalog is not {supported}, the only one this library reads")]
    Version {
        /// The version found.
        found: u64,
        /// The version this library knows.
        supported: u64,
    },
    /// A section that came after this library.
    #[error("section {tag} of the catalog is not known to this library; a newer one wrote it")]
    Section {
        /// The section's tag.
        tag: u64,
    },
    /// The bytes end in the middle of something, or say what cannot be.
    #[error("the catalog's bytes make no sense")]
    Malformed,
    /// A collection has pages that the file does not, or more than others leave it.
    #[error("collection {collection} claims pages that the file does not have")]
    Pages {
        /// The collection's number.
        collection: u32,
    },
    /// The bytes of a commit's edits end in the middle of something, or say what cannot be.
    #[error("a commit's edits make no sense")]
    MalformedEdits,
    /// An edit speaks of a collection that there is not, or makes one that there is.
    #[error("a commit's edits do not agree with the catalog on collection {collection}")]
    Collection {
        /// The collection's number.
        collection: u32,
    },
}

impl From<nanodb_pager::Error> for Error {
    fn from(error: nanodb_pager::Error) -> Self {
        match error {
            nanodb_pager::Error::Corrupt(corruption) => {
                Self::DamagedPage { page: corruption.page().get(), source: Some(corruption.into()) }
            }
            nanodb_pager::Error::QuotaExceeded { path, bytes_max } => {
                Self::QuotaExceeded { path, bytes_max }
            }
            nanodb_pager::Error::ReadOnly { path } => Self::ReadOnly { path },
            other => Self::Storage(other.into()),
        }
    }
}

fn catalog_kind(error: &CatalogError) -> ErrorKind {
    match error {
        CatalogError::Version { found, supported } if found < supported => ErrorKind::OlderFormat,
        CatalogError::Version { .. } | CatalogError::Section { .. } => ErrorKind::NewerFormat,
        _ => ErrorKind::Damaged,
    }
}

fn storage_kind(error: &nanodb_pager::Error) -> ErrorKind {
    use nanodb_pager::Error as Pager;
    match error {
        Pager::Locked { .. } | Pager::Forked { .. } => ErrorKind::Locked,
        Pager::ReadOnly { .. } => ErrorKind::ReadOnly,
        Pager::LogLost { .. }
        | Pager::LogWithoutFile { .. }
        | Pager::ForeignFile { .. }
        | Pager::Displaced { .. } => ErrorKind::Misplaced,
        Pager::OlderFormat { .. } => ErrorKind::OlderFormat,
        Pager::NotADatabase
        | Pager::OtherFormat { .. }
        | Pager::OtherApplication { .. }
        | Pager::Empty => ErrorKind::NotADatabase,
        Pager::NewerFormat { .. } | Pager::NewerFeatures { .. } => ErrorKind::NewerFormat,
        // The catalog's hooks read the catalog before the engine does, if a log goes on from it.
        Pager::Metadata(cause) => {
            cause.downcast_ref::<CatalogError>().map_or(ErrorKind::Damaged, catalog_kind)
        }
        Pager::Truncated { .. } | Pager::Corrupt(_) => ErrorKind::Damaged,
        Pager::NotAllocated { .. } => ErrorKind::Damaged,
        Pager::Poisoned { .. } | Pager::Closed => ErrorKind::Poisoned,
        Pager::Full { .. } => ErrorKind::Exhausted,
        Pager::QuotaExceeded { .. } => ErrorKind::QuotaExceeded,
        Pager::TransactionTooLarge { .. } => ErrorKind::TooLarge,
        _ => ErrorKind::Io,
    }
}
