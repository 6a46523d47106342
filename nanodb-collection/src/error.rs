//! What can go wrong, as code within the engine tells it apart.
//!
//! Users get [`nanodb_document::Error`], which `convert` makes of it.

mod convert;

use std::fmt;
use std::path::PathBuf;

use nanodb_document::{DamagedDocument, DocView, Error, ErrorKind, ErrorParts, Id, IdRef};
use nanodb_pager::PageId;

use crate::ids::{ASSIGNED_ID_MAX, COLLECTION_NAME_BYTES_MAX};

/// The result of an operation of the engine.
pub type Result<T, E = EngineError> = std::result::Result<T, E>;

/// Why an operation of the engine failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum EngineError {
    /// The collection already has a document with that id.
    DuplicateId {
        /// The collection.
        collection: String,
        /// The id.
        id: Id,
    },
    /// The largest integer that can be assigned as an id has been used.
    IdsExhausted {
        /// The collection.
        collection: String,
    },
    /// A collection's name is empty, too long, or has a NUL in it.
    CollectionName {
        /// The name, cut to a readable length.
        name: String,
    },
    /// No collection has that name.
    NoCollection {
        /// The name.
        name: String,
    },
    /// A collection already has that name.
    CollectionExists {
        /// The name.
        name: String,
    },
    /// The database has had as many collections as it can number.
    CollectionsExhausted,
    /// Waiting for a collection's lock would be a deadlock: its holder waits for this thread, or is
    /// another transaction of this thread.
    Conflict {
        /// The collection.
        collection: String,
    },
    /// The transaction has been committed or rolled back; a statement that fails in the middle
    /// rolls it back as well.
    TransactionOver,
    /// A page cannot be read that has, or may have, what was asked for.
    DamagedPage {
        /// The page's number; it lies at 4,096 times that in the file.
        page: u32,
        /// What is wrong with it.
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// A stored document's bytes are not valid, although its page is as it was written.
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
    Catalog(CatalogError),
    /// The database could not be opened.
    Open {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: nanodb_pager::Error,
    },
    /// The file would grow beyond its limit. Nothing was changed, and a transaction is rolled back.
    QuotaExceeded {
        /// The file, if the database is in one.
        path: Option<PathBuf>,
        /// The limit, `Options::file_bytes_max`.
        bytes_max: u64,
    },
    /// The database is open read-only (`Options::read_only`) and cannot be written to.
    ReadOnly {
        /// The file, if the database is in one.
        path: Option<PathBuf>,
    },
    /// `Database::close` has closed the database.
    Closed {
        /// The file, if the database is in one.
        path: Option<PathBuf>,
    },
    /// Code that a call of a database runs can't close one: that waits for calls to end.
    CloseWithinCall,
    /// The database's file could not be read or written.
    Storage(nanodb_pager::Error),
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DuplicateId { collection, id } => {
                write!(f, "collection {collection:?} already has a document with the id {id}")
            }
            Self::IdsExhausted { collection } => write!(
                f,
                "collection {collection:?} has no ids left to assign: {ASSIGNED_ID_MAX} was used; \
                 give documents an `_id` of their own"
            ),
            Self::CollectionName { name } => write!(
                f,
                "{name:?} cannot name a collection: names have 1 to {COLLECTION_NAME_BYTES_MAX} \
                 bytes \
                 and no NUL"
            ),
            Self::NoCollection { name } => write!(f, "there is no collection {name:?}"),
            Self::CollectionExists { name } => write!(f, "there is a collection {name:?} already"),
            Self::CollectionsExhausted => {
                write!(f, "the database has had 2^32 collections and can make no more")
            }
            Self::Conflict { collection } => write!(
                f,
                "collection {collection:?} is locked by a transaction that waits for this one, or \
                 by \
                 another transaction of this thread"
            ),
            Self::TransactionOver => write!(f, "the transaction is over"),
            Self::DamagedPage { page, .. } => {
                write!(f, "page {page} is damaged, and what was asked for may be on it")
            }
            Self::DamagedDocument { collection, id, page } => {
                write!(f, "{}", damaged(collection, id.as_ref(), *page))
            }
            Self::Catalog(_) => write!(f, "the list of collections is damaged"),
            Self::Open { path, .. } => write!(f, "opening {}", path.display()),
            Self::QuotaExceeded { path, bytes_max } => write!(
                f,
                "{}the database's file would grow past its limit of {bytes_max} bytes; delete \
                 documents \
                 or drop collections, compact, or set a higher limit",
                OfFile(path)
            ),
            Self::ReadOnly { path } => write!(
                f,
                "{}the database is open read-only, so nothing is written to it; open it without \
                 `read_only` \
                 to do that",
                OfFile(path)
            ),
            Self::Closed { path } => {
                write!(f, "{} was closed by `close`; open it again", ClosedFile(path))
            }
            Self::CloseWithinCall => f.write_str(
                "a database can't be closed by code that a call of a database runs, such as a \
                 `Serialize`: close it when the call is over",
            ),
            Self::Storage(_) => write!(f, "reading or writing the database's file"),
        }
    }
}

impl std::error::Error for EngineError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::DamagedPage { source, .. } => source.as_deref().map(|source| source as _),
            Self::Catalog(source) => Some(source),
            Self::Open { source, .. } => Some(source),
            Self::Storage(source) => Some(source),
            _ => None,
        }
    }
}

impl From<CatalogError> for EngineError {
    fn from(error: CatalogError) -> Self {
        Self::Catalog(error)
    }
}

impl EngineError {
    /// Returns the kind of this error, which says what to do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::CollectionName { .. } => ErrorKind::Invalid,
            Self::DuplicateId { .. } => ErrorKind::DuplicateId,
            Self::NoCollection { .. } => ErrorKind::NotFound,
            Self::CollectionExists { .. } => ErrorKind::AlreadyExists,
            Self::IdsExhausted { .. } | Self::CollectionsExhausted => ErrorKind::Exhausted,
            Self::QuotaExceeded { .. } => ErrorKind::QuotaExceeded,
            Self::ReadOnly { .. } => ErrorKind::ReadOnly,
            Self::Conflict { .. } | Self::CloseWithinCall => ErrorKind::Conflict,
            Self::Closed { .. } => ErrorKind::Closed,
            Self::TransactionOver => ErrorKind::TransactionOver,
            Self::Catalog(error) => catalog_kind(error),
            Self::DamagedPage { .. } | Self::DamagedDocument { .. } => ErrorKind::Damaged,
            Self::Open { source, .. } | Self::Storage(source) => storage_kind(source),
        }
    }

    /// Returns the number of the damaged page, if damage to one page is the cause.
    #[must_use]
    pub fn page(&self) -> Option<u32> {
        match self {
            Self::DamagedPage { page, .. } => Some(*page),
            Self::DamagedDocument { page, .. } => *page,
            Self::Open { source: nanodb_pager::Error::Corrupt(corruption), .. } => {
                Some(corruption.page().get())
            }
            _ => None,
        }
    }

    /// What is stored of a document is not what was stored. Which one it is says
    /// [`OfDocument`], further up.
    #[cold]
    pub(crate) fn malformed() -> Self {
        Self::DamagedDocument { collection: String::new(), id: None, page: None }
    }

    /// A collection that cannot be waited for.
    pub(crate) fn conflict(collection: &str) -> Self {
        Self::Conflict { collection: collection.to_owned() }
    }

    /// A page that does not hold what belongs there.
    #[doc(hidden)]
    pub fn damaged(page: PageId) -> Self {
        Self::DamagedPage { page: page.get(), source: None }
    }

    /// A page whose slots or records are wrong.
    pub(crate) fn damaged_by(page: PageId, source: nanodb_page::PageError) -> Self {
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

/// `data.nanodb`, or what is said where there is no file.
struct ClosedFile<'a>(&'a Option<PathBuf>);

impl fmt::Display for ClosedFile<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(path) => write!(f, "{}", path.display()),
            None => f.write_str("the database"),
        }
    }
}

fn damaged<'a>(collection: &'a str, id: Option<&'a Id>, page: Option<u32>) -> DamagedDocument<'a> {
    DamagedDocument { collection, id: id.map(Id::as_ref), page }
}

/// An error that may be of a document, and says which one if it is and does not say yet.
pub trait OfDocument {
    /// Says which document can't be read, if that is what the error says.
    #[must_use]
    fn of_document(self, collection: &str, document: &DocView, on: Option<PageId>) -> Self;
}

impl OfDocument for EngineError {
    #[cold]
    fn of_document(self, collection: &str, document: &DocView, on: Option<PageId>) -> Self {
        match self {
            Self::DamagedDocument { collection: said, id: None, page: None } if said.is_empty() => {
                Self::DamagedDocument {
                    collection: collection.to_owned(),
                    id: document.id().map(IdRef::to_owned),
                    page: on.map(PageId::get),
                }
            }
            other => other,
        }
    }
}

impl OfDocument for Error {
    #[cold]
    fn of_document(self, collection: &str, document: &DocView, on: Option<PageId>) -> Self {
        if self.is_unnamed_damage() {
            EngineError::malformed().of_document(collection, document, on).into()
        } else {
            self
        }
    }
}

/// Why stored bytes are no catalog.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum CatalogError {
    /// Another version than this library's.
    Version {
        /// The version found.
        found: u64,
        /// The version this library knows.
        supported: u64,
    },
    /// A section that came after this library.
    Section {
        /// The section's tag.
        tag: u64,
    },
    /// The bytes end in the middle of something, or say what cannot be.
    Malformed,
    /// A collection has pages that the file does not, or more than others leave it.
    Pages {
        /// The collection's number.
        collection: u32,
    },
    /// The bytes of a commit's edits end in the middle of something, or say what cannot be.
    MalformedEdits,
    /// An edit speaks of a collection that there is not, or makes one that there is.
    Collection {
        /// The collection's number.
        collection: u32,
    },
}

impl fmt::Display for CatalogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version { found, supported } => write!(
                f,
                "version {found} of the catalog is not {supported}, the only one this library reads"
            ),
            Self::Section { tag } => write!(
                f,
                "section {tag} of the catalog is not known to this library; a newer one wrote it"
            ),
            Self::Malformed => write!(f, "the catalog's bytes make no sense"),
            Self::Pages { collection } => {
                write!(f, "collection {collection} claims pages that the file does not have")
            }
            Self::MalformedEdits => write!(f, "a commit's edits make no sense"),
            Self::Collection { collection } => write!(
                f,
                "a commit's edits do not agree with the catalog on collection {collection}"
            ),
        }
    }
}

impl std::error::Error for CatalogError {}

impl From<nanodb_pager::Error> for EngineError {
    fn from(error: nanodb_pager::Error) -> Self {
        match error {
            nanodb_pager::Error::Corrupt(corruption) => {
                Self::DamagedPage { page: corruption.page().get(), source: Some(corruption.into()) }
            }
            nanodb_pager::Error::QuotaExceeded { path, bytes_max } => {
                Self::QuotaExceeded { path, bytes_max }
            }
            nanodb_pager::Error::ReadOnly { path } => Self::ReadOnly { path },
            nanodb_pager::Error::Closed => Self::Closed { path: None },
            other => Self::Storage(other),
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
        Pager::Poisoned { .. } => ErrorKind::Poisoned,
        Pager::Closed => ErrorKind::Closed,
        Pager::Full { .. } => ErrorKind::Exhausted,
        Pager::QuotaExceeded { .. } => ErrorKind::QuotaExceeded,
        Pager::TransactionTooLarge { .. } => ErrorKind::TooLarge,
        _ => ErrorKind::Io,
    }
}
