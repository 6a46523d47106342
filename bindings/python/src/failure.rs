//! From errors to exceptions.
//!
//! The classes are in the package (`nanodb/errors.py`), whose function `_make` chooses one.

use nanodb::{Error, ErrorKind};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::python::known;
use crate::scalars::id_to_python;

/// Why a call failed: an error of the engine, or what only this module finds wrong.
#[derive(Debug)]
pub(crate) enum Failure {
    Engine(Error),
    /// This process was forked from the one that has opened the database.
    Forked,
    /// The transaction was committed or rolled back.
    Over,
    /// The snapshot was closed, or the cursor.
    Released(&'static str),
    /// A snapshot is written to.
    Snapshot,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Engine(error)
    }
}

/// What was being done, which decides between classes of one kind.
#[derive(Clone, Copy, Debug)]
pub(crate) enum About {
    Database,
    Document,
    Query,
    Update,
}

impl About {
    fn name(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Document => "document",
            Self::Query => "query",
            Self::Update => "update",
        }
    }
}

impl Failure {
    /// Makes the exception.
    #[cold]
    pub(crate) fn raise(self, py: Python<'_>, about: About) -> PyErr {
        let error = match &self {
            Self::Engine(error) => error,
            Self::Forked => {
                let text = "the database was opened by the process that this one was forked from; \
                            open it in this process, once that one has closed it";
                return plain(py, "forked", about, text);
            }
            Self::Over => {
                return plain(py, "transaction_over", about, "the transaction is over");
            }
            Self::Released(what) => {
                return plain(py, "closed", about, &format!("the {what} is closed"));
            }
            Self::Snapshot => {
                return plain(py, "read_only", about, "a snapshot can't be written to");
            }
        };
        let made = details(py, error).and_then(|details| {
            make(py, name_of(error.kind()), about, &error.to_string(), Some(&details))
        });
        made.unwrap_or_else(|failed| failed)
    }
}

/// Returns the name of a kind, in the words of the list of steps that all languages run.
pub(crate) fn name_of(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Invalid => "invalid",
        ErrorKind::DuplicateId => "duplicate_id",
        ErrorKind::NotFound => "not_found",
        ErrorKind::AlreadyExists => "already_exists",
        ErrorKind::WrongType => "wrong_type",
        ErrorKind::Exhausted => "exhausted",
        ErrorKind::QuotaExceeded => "quota_exceeded",
        ErrorKind::Conflict => "conflict",
        ErrorKind::TransactionOver => "transaction_over",
        ErrorKind::TooLarge => "too_large",
        ErrorKind::Damaged => "damaged",
        ErrorKind::Locked => "locked",
        ErrorKind::Closed => "closed",
        ErrorKind::ReadOnly => "read_only",
        ErrorKind::NotADatabase => "not_a_database",
        ErrorKind::NewerFormat => "newer_format",
        ErrorKind::OlderFormat => "older_format",
        ErrorKind::Misplaced => "misplaced",
        ErrorKind::Io => "io",
        ErrorKind::Poisoned => "poisoned",
        // A kind that is newer than this list.
        _ => "other",
    }
}

/// What an error knows besides its text.
fn details<'py>(py: Python<'py>, error: &Error) -> PyResult<Bound<'py, PyDict>> {
    let details = PyDict::new(py);
    if let Some(collection) = error.collection() {
        details.set_item("collection", collection)?;
    }
    if let Some(id) = error.id() {
        details.set_item("id", id_to_python(py, &id)?)?;
    }
    if let Some(path) = error.path() {
        details.set_item("path", path)?;
    }
    if let Some(page) = error.page() {
        details.set_item("page", page)?;
    }
    if let Some(operation) = error.operation() {
        details.set_item("operation", operation)?;
    }
    if let Some(file) = error.file() {
        details.set_item("file", file.as_os_str())?;
    }
    if let Some(errno) = error.io_error().and_then(errno) {
        details.set_item("errno", errno)?;
    }
    Ok(details)
}

/// The system's number of an error.
fn errno(error: &std::io::Error) -> Option<i32> {
    // A full disk is also told by an error of the engine's own. The number is that of `ENOSPC`.
    let is_full = error.kind() == std::io::ErrorKind::StorageFull;
    error.raw_os_error().or(is_full.then_some(28))
}

/// Makes an exception that knows nothing besides its text.
#[cold]
pub(crate) fn plain(py: Python<'_>, kind: &str, about: About, text: &str) -> PyErr {
    make(py, kind, about, text, None).unwrap_or_else(|failed| failed)
}

/// Makes an exception.
pub(crate) fn make(
    py: Python<'_>,
    kind: &str,
    about: About,
    text: &str,
    details: Option<&Bound<'_, PyDict>>,
) -> PyResult<PyErr> {
    let make = known(py)?.make_error.bind(py);
    Ok(PyErr::from_value(make.call1((kind, about.name(), text, details))?))
}
