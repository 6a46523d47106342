//! Why a request failed, as JavaScript is told.

use std::any::Any;

use nanodb::{Document, Error, ErrorKind, Value, doc};

/// Why a request failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The database's error.
    Error(Error),
    /// An error that was met here, by its code.
    Own { code: &'static str, text: String },
    /// The same of an operation of a bulk write, counted from 0.
    At(u64, Box<Failure>),
}

/// The result of a request.
pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl Failure {
    /// What was asked for is not what the package's JavaScript asks for.
    pub(crate) fn request(what: &str) -> Self {
        Self::Own { code: "NANODB_INVALID", text: format!("the request lacks {what}") }
    }

    /// An option or an argument cannot be.
    pub(crate) fn invalid(text: impl Into<String>) -> Self {
        Self::Own { code: "NANODB_INVALID", text: text.into() }
    }

    /// The object was closed, or never existed.
    pub(crate) fn closed(what: &str) -> Self {
        Self::Own { code: "NANODB_CLOSED", text: format!("the {what} is closed") }
    }

    /// The transaction was committed or rolled back.
    pub(crate) fn over() -> Self {
        Self::Own {
            code: "NANODB_TRANSACTION_OVER",
            text: "the transaction has ended: begin another".to_owned(),
        }
    }

    /// The code panicked, which is a fault of NanoDB's.
    pub(crate) fn panicked(payload: &(dyn Any + Send)) -> Self {
        let why = payload
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_default();
        let text = format!("NanoDB has failed, by a fault of its own: {why}");
        Self::Own { code: "NANODB_PANIC", text }
    }

    /// Says which operation of a bulk write has failed.
    pub(crate) fn at(self, position: u64) -> Self {
        Self::At(position, Box::new(self))
    }

    /// Returns the kind, if it is the database's error.
    pub(crate) fn kind(&self) -> Option<ErrorKind> {
        match self {
            Self::Error(error) => Some(error.kind()),
            Self::Own { .. } => None,
            Self::At(_, failure) => failure.kind(),
        }
    }

    /// Returns what is told: a document.
    pub(crate) fn to_document(&self) -> Document {
        match self {
            Self::Error(error) => told(error),
            Self::Own { code, text } => doc! { "code": (*code), "text": (text.as_str()) },
            Self::At(position, failure) => {
                let mut document = failure.to_document();
                document.insert("operation", *position);
                document
            }
        }
    }
}

fn told(error: &Error) -> Document {
    let mut document = doc! { "code": code(error.kind()), "text": (error.to_string()) };
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            document.insert(name, value);
        }
    };
    put("collection", error.collection().map(Value::from));
    put("id", error.id().map(Value::from));
    put("path", error.path().map(Value::from));
    put("page", error.page().map(Value::from));
    put("operation", error.operation().and_then(|at| u64::try_from(at).ok()).map(Value::from));
    put("file", error.file().map(|path| Value::from(path.to_string_lossy().into_owned())));
    let system = error.io_error().and_then(|error| {
        // A full disk is also told by an error of the engine's own. The number is that of `ENOSPC`.
        let is_full = error.kind() == std::io::ErrorKind::StorageFull;
        error.raw_os_error().or(is_full.then_some(28))
    });
    put("errno", system.map(Value::from));
    document
}

/// Returns the code of a kind. Codes are frozen: programs compare them.
fn code(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Invalid => "NANODB_INVALID",
        ErrorKind::DuplicateId => "NANODB_DUPLICATE_KEY",
        ErrorKind::NotFound => "NANODB_NOT_FOUND",
        ErrorKind::AlreadyExists => "NANODB_ALREADY_EXISTS",
        ErrorKind::WrongType => "NANODB_WRONG_TYPE",
        ErrorKind::Exhausted => "NANODB_EXHAUSTED",
        ErrorKind::QuotaExceeded => "NANODB_QUOTA_EXCEEDED",
        ErrorKind::Conflict => "NANODB_CONFLICT",
        ErrorKind::TransactionOver => "NANODB_TRANSACTION_OVER",
        ErrorKind::TooLarge => "NANODB_TOO_LARGE",
        ErrorKind::Damaged => "NANODB_DAMAGED",
        ErrorKind::Locked => "NANODB_LOCKED",
        ErrorKind::Closed => "NANODB_CLOSED",
        ErrorKind::ReadOnly => "NANODB_READ_ONLY",
        ErrorKind::NotADatabase => "NANODB_NOT_A_DATABASE",
        ErrorKind::NewerFormat => "NANODB_NEWER_FORMAT",
        ErrorKind::OlderFormat => "NANODB_OLDER_FORMAT",
        ErrorKind::Misplaced => "NANODB_MISPLACED",
        ErrorKind::Io => "NANODB_IO",
        ErrorKind::Poisoned => "NANODB_POISONED",
        _ => "NANODB_ERROR",
    }
}
