//! The one error that every call of `nanodb` returns.
//!
//! It stands in the lowest crate whose types programs hold, so that the crates above return it or
//! convert into it. Inside them, errors are enums with fields that code matches on; a conversion
//! makes a text of such an error and keeps it as the cause.
//!
//! # Invariants
//!
//! 1. The text is whole: it tells the reason, with the reasons behind it, each once.
//! 2. [`source`](std::error::Error::source) is nothing that the text tells. Whoever prints an error
//!    with all its sources prints nothing twice.
//! 3. An error is one word, so that the `Result` of a read is as small as what is read. All of it
//!    is made on paths that are not taken.

use std::error::Error as StdError;
use std::fmt::{self, Write as _};
use std::io;
use std::iter;
use std::path::{Path, PathBuf};

use nanodb_msgpack::json::{JsonError, JsonProblem, Position};

/// The result of a call of this library.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The reason why a call failed.
///
/// Printed with `{}`, it says the whole reason on one line, and a `main` that returns it prints the
/// same. [`kind`](Self::kind) says what to do about it; the other methods return what the text
/// names.
///
/// ```
/// # extern crate nanodb_document as nanodb;
/// use nanodb::{Document, ErrorKind};
///
/// let error = Document::parse_json(r#"{"a": {"$date": "soon"}}"#).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Invalid);
/// assert_eq!(error.position().map(|position| position.column), Some(7));
/// assert!(error.to_string().ends_with("at line 1, column 7"));
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    text: String,
    collection: Option<Box<str>>,
    /// In MessagePack, as ids are a room further up.
    id: Option<Box<[u8]>>,
    path: Option<Box<str>>,
    page: Option<u32>,
    position: Option<Position>,
    operation: Option<usize>,
    file: Option<PathBuf>,
    cause: Option<Cause>,
    /// Whether this is damage to a document, and nobody has said yet to which.
    is_unnamed_damage: bool,
}

type Cause = Box<dyn StdError + Send + Sync>;

impl Error {
    /// Returns the kind of this error, which says what to do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns the name of the collection that the text names.
    #[must_use]
    pub fn collection(&self) -> Option<&str> {
        self.0.collection.as_deref()
    }

    /// Returns the path of the field that is wrong: names and array indexes joined by dots.
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        self.0.path.as_deref()
    }

    /// Returns the number of the damaged page; it lies at 4,096 times that in the file.
    #[must_use]
    pub fn page(&self) -> Option<u32> {
        self.0.page
    }

    /// Returns the place in the text that was read, such as JSON or a query.
    #[must_use]
    pub fn position(&self) -> Option<Position> {
        self.0.position
    }

    /// Returns whether a text of JSON ends too early, so that more of it might make it right.
    ///
    /// ```
    /// # extern crate nanodb_document as nanodb;
    /// use nanodb::Document;
    ///
    /// assert!(Document::parse_json(r#"{"a": [1, "#).unwrap_err().is_incomplete());
    /// assert!(!Document::parse_json(r#"{"a": ]"#).unwrap_err().is_incomplete());
    /// ```
    #[must_use]
    pub fn is_incomplete(&self) -> bool {
        self.causes().any(|cause| {
            let error = cause.downcast_ref().is_some_and(JsonError::is_incomplete);
            error || cause.downcast_ref().is_some_and(JsonProblem::is_incomplete)
        })
    }

    /// Returns which operation of a bulk write failed, counted from 0.
    #[must_use]
    pub fn operation(&self) -> Option<usize> {
        self.0.operation
    }

    /// Returns the path of the file that the text names.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        self.0.file.as_deref()
    }

    /// Returns what the operating system answered, if that is the cause.
    ///
    /// The text says it already; this is for programs that look at [`std::io::ErrorKind`], or at
    /// the system's code. Of several it is the one with a code, as for a full disk, of which the
    /// database has said more.
    #[must_use]
    pub fn io_error(&self) -> Option<&io::Error> {
        let errors = || self.causes().filter_map(|cause| cause.downcast_ref::<io::Error>());
        errors().find(|error| error.raw_os_error().is_some()).or_else(|| errors().next())
    }

    /// Returns the cause, and the causes behind it.
    fn causes(&self) -> impl Iterator<Item = &(dyn StdError + 'static)> {
        let first = self.0.cause.as_deref().map(|cause| cause as &(dyn StdError + 'static));
        iter::successors(first, |cause| (*cause).source())
    }

    /// Returns the bytes of the id.
    pub(crate) fn id_bytes(&self) -> Option<&[u8]> {
        self.0.id.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.text)
    }
}

/// What `main` prints: the text, the kind, and each source that the text does not tell.
///
/// `{:#?}` lists all that is known.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        if f.alternate() {
            return f
                .debug_struct("Error")
                .field("kind", &inner.kind)
                .field("text", &inner.text)
                .field("collection", &inner.collection)
                .field("id", &self.id())
                .field("path", &inner.path)
                .field("page", &inner.page)
                .field("position", &inner.position)
                .field("operation", &inner.operation)
                .field("file", &inner.file)
                .field("cause", &inner.cause)
                .finish();
        }
        write!(f, "{} [{:?}]", inner.text, inner.kind)?;
        iter::successors(StdError::source(self), |source| (*source).source())
            .try_for_each(|source| write!(f, "\n  because: {source}"))
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        // What comes before a cause that is told is told by it, in other words.
        self.causes().fold(None, |untold, cause| {
            if self.0.text.contains(&cause.to_string()) { None } else { untold.or(Some(cause)) }
        })
    }
}

/// What to do about an [`Error`]; returned by [`Error::kind`].
///
/// ```
/// # extern crate nanodb_document as nanodb;
/// use nanodb::{Document, ErrorKind};
///
/// match Document::parse_json("{") {
///     Err(error) if error.kind() == ErrorKind::Invalid => println!("mend the text: {error}"),
///     other => drop(other.unwrap()),
/// }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A document, an id, a name, a filter or an update breaks a rule: change it.
    Invalid,
    /// The id is taken: choose another, or replace the document.
    DuplicateId,
    /// There is no such collection, or no such field: check the name.
    NotFound,
    /// The name is taken: choose another, or drop the collection.
    AlreadyExists,
    /// The document does not have the shape of the Rust type asked for, or a value is of another
    /// type: ask for another type, or change the document.
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
    /// `Database::close` has closed the database: open it again.
    Closed,
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
    /// The operating system refused a read or a write: see [`Error::io_error`].
    Io,
    /// An earlier write failed, so nothing more is written: reopen the database.
    Poisoned,
}

/// Prints the name of the variant, as the end of a printed [`Error`] has it.
impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{self:?}"))
    }
}

/// Builds an [`Error`], for the crates of the workspace.
///
/// ```
/// # extern crate nanodb_document as nanodb;
/// use nanodb::{Error, ErrorBuilder, ErrorKind, IdRef};
///
/// let error: Error = ErrorBuilder::new(ErrorKind::DuplicateId, "5 is taken")
///     .collection("users")
///     .id(IdRef::from(5))
///     .into();
/// assert_eq!(error.id(), Some(5.into()));
/// assert_eq!(format!("{error:?}"), "5 is taken [DuplicateId]");
/// ```
#[derive(Debug)]
#[must_use = "`into` makes the error"]
pub struct ErrorBuilder(Error);

impl ErrorBuilder {
    /// Begins an error that says `text`.
    #[cold]
    pub fn new(kind: ErrorKind, text: impl Into<String>) -> Self {
        Self(Error(Box::new(Inner {
            kind,
            text: text.into(),
            collection: None,
            id: None,
            path: None,
            page: None,
            position: None,
            operation: None,
            file: None,
            cause: None,
            is_unnamed_damage: false,
        })))
    }

    /// Begins an error that says what its cause says, and what the causes behind that say.
    #[cold]
    pub fn telling(kind: ErrorKind, cause: impl Into<Cause>) -> Self {
        let cause = cause.into();
        Self::new(kind, cause.to_string()).because(cause)
    }

    /// Goes on with another error, of which the text is to say more in front of what it says.
    #[cold]
    pub fn before(error: Error, text: impl fmt::Display) -> Self {
        let mut builder = Self(error);
        builder.0.0.text.insert_str(0, &text.to_string());
        builder
    }

    /// Sets the collection.
    pub fn collection(mut self, name: &str) -> Self {
        self.0.0.collection = Some(name.into());
        self
    }

    pub(crate) fn id_bytes(mut self, bytes: &[u8]) -> Self {
        self.0.0.id = Some(bytes.into());
        self
    }

    /// Sets the path of the field.
    pub fn path(mut self, path: &str) -> Self {
        self.0.0.path = Some(path.into());
        self
    }

    /// Sets the page.
    pub fn page(mut self, page: u32) -> Self {
        self.0.0.page = Some(page);
        self
    }

    /// Sets the place in a text.
    pub fn position(mut self, position: Position) -> Self {
        self.0.0.position = Some(position);
        self
    }

    /// Sets the operation of a bulk write.
    pub fn operation(mut self, operation: usize) -> Self {
        self.0.0.operation = Some(operation);
        self
    }

    /// Sets the file.
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.0.0.file = Some(path.into());
        self
    }

    /// Keeps a cause, and appends what it says, and what the causes behind it say, unless that was
    /// said.
    pub fn because(mut self, cause: impl Into<Cause>) -> Self {
        let cause = cause.into();
        let mut link: Option<&(dyn StdError + 'static)> = Some(&*cause);
        while let Some(error) = link {
            let said = error.to_string();
            if !self.0.0.text.contains(&said) {
                // A string takes all that is written.
                let _fits = write!(self.0.0.text, ": {said}");
            }
            link = error.source();
        }
        self.source(cause)
    }

    /// Keeps a cause, and leaves the text as it is. What the text does not say of it is the error's
    /// `source`.
    pub fn source(mut self, cause: impl Into<Cause>) -> Self {
        self.0.0.cause = Some(cause.into());
        self
    }

    pub(crate) fn unnamed_damage(mut self) -> Self {
        self.0.0.is_unnamed_damage = true;
        self
    }
}

impl From<ErrorBuilder> for Error {
    fn from(builder: ErrorBuilder) -> Self {
        builder.0
    }
}

/// What an [`Error`] keeps for the crates of the workspace; programs don't see it.
pub trait ErrorParts {
    /// Returns the error that this one was made of.
    fn internal(&self) -> Option<&(dyn StdError + 'static)>;

    /// Returns the same, by value.
    fn into_internal(self) -> Option<Cause>;

    /// Returns whether this is damage to a document, and nobody has said yet to which.
    fn is_unnamed_damage(&self) -> bool;
}

impl ErrorParts for Error {
    fn internal(&self) -> Option<&(dyn StdError + 'static)> {
        self.causes().next()
    }

    fn into_internal(self) -> Option<Cause> {
        self.0.cause
    }

    fn is_unnamed_damage(&self) -> bool {
        self.0.is_unnamed_damage
    }
}

#[cfg(test)]
mod tests;
