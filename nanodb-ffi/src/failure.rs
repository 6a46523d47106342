//! Why a call failed, until it is written into the caller's error.

use std::borrow::Cow;

use nanodb::{Document, Error, Value};

use crate::status::{self, NANODB_INVALID, NANODB_MISUSE};
use crate::types::nanodb_status;

/// The result of what is done within a call.
pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

/// Why a call failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The database says so.
    Database(Error),
    /// The same, of one of several documents, counted from 0.
    Document(usize, Error),
    /// This interface says so.
    Own(nanodb_status, Cow<'static, str>),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Database(error)
    }
}

impl Failure {
    /// A rule of this interface is broken.
    #[cold]
    pub(crate) fn misuse(text: impl Into<Cow<'static, str>>) -> Self {
        Self::Own(NANODB_MISUSE, text.into())
    }

    /// What was handed in breaks a rule.
    #[cold]
    pub(crate) fn invalid(text: impl Into<Cow<'static, str>>) -> Self {
        Self::Own(NANODB_INVALID, text.into())
    }

    /// Returns the number for it.
    pub(crate) fn status(&self) -> nanodb_status {
        match self {
            Self::Database(error) | Self::Document(_, error) => status::of_kind(error.kind()),
            Self::Own(status, _) => *status,
        }
    }

    /// Returns the whole reason on one line, whatever the names in it hold.
    pub(crate) fn message(&self) -> Cow<'_, str> {
        let text = self.text();
        if !text.chars().any(char::is_control) {
            return text;
        }
        // A zero byte would end C's text, too.
        let mut line = String::with_capacity(text.len());
        for letter in text.chars() {
            match letter.is_control() {
                true => line.extend(letter.escape_debug()),
                false => line.push(letter),
            }
        }
        line.into()
    }

    fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Database(error) => error.to_string().into(),
            Self::Document(at, error) => {
                format!("document {at} of those given, counted from 0: {error}").into()
            }
            Self::Own(_, text) => Cow::Borrowed(text),
        }
    }

    /// Returns what the message names, as a JSON object.
    pub(crate) fn details(&self) -> String {
        let mut details = Document::new();
        details.insert("status", status::name(self.status()));
        let mut add = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                details.insert(name, value);
            }
        };
        if let Self::Database(error) | Self::Document(_, error) = self {
            let position = error.position();
            let operation = match self {
                Self::Document(at, _) => Some(*at),
                _ => error.operation(),
            };
            add("collection", error.collection().map(Value::from));
            add("id", error.id().map(|id| Value::from(id.to_owned())));
            add("path", error.path().map(Value::from));
            add("operation", operation.and_then(|at| u64::try_from(at).ok()).map(Value::from));
            add("line", position.and_then(|at| u64::try_from(at.line).ok()).map(Value::from));
            add("column", position.and_then(|at| u64::try_from(at.column).ok()).map(Value::from));
            add("page", error.page().map(Value::from));
            add("file", error.file().map(|path| path.to_string_lossy().into_owned().into()));
            let os_error = error.io_error().and_then(std::io::Error::raw_os_error);
            add("os_error", os_error.map(Value::from));
        }
        // What it holds are values that can be stored.
        details.to_json().unwrap_or_else(|_| "{}".to_owned())
    }
}
