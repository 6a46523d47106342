//! The reasons why commands fail, and their exit codes.
//!
//! ```text
//! code  meaning
//! ----  ----------------------------------------
//!    0  done
//!    1  failed, or not found
//!    2  the command line makes no sense (by clap)
//!    3  another process has the database open, and keeps this one out
//!    4  the database is damaged
//! ```

use std::error::Error as _;
use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use nanodb::ErrorKind;

use crate::json::{JsonError, Position};

/// The result of a command.
pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

/// The reason why a command failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The database returned an error.
    Database(nanodb::Error),
    /// The file does not exist, or is not a database.
    NoDatabase { path: PathBuf, why: &'static str },
    /// The collection does not exist.
    NoCollection { name: String, others: Vec<String> },
    /// A filter, a sort, a projection or an update is wrong.
    Query { what: &'static str, source: nanodb::Error },
    /// There is no such document, or the id is not one.
    NoDocument(String),
    /// The input could not be opened.
    OpenInput { path: PathBuf, source: io::Error },
    /// The input does not consist of documents.
    Input { name: String, source: JsonError },
    /// A document of the input can't be stored.
    Refused { name: String, at: Position, why: String },
    /// The output could not be written.
    Output(io::Error),
    /// A question could not be asked, or the answer not read.
    Asking { source: io::Error },
    /// There is nobody to ask, and the command line does not say yes.
    NotSure { what: String },
    /// The answer was no.
    Declined,
    /// An order that is neither JSON nor names of fields.
    Order(String),
    /// Something about a file other than the database's.
    File { doing: &'static str, path: PathBuf, source: io::Error },
    /// A format can't hold a value, and --inexact does not say what to do.
    Inexact(String),
    /// Damage was found; messages before said where.
    Damaged { problems: u64 },
    /// What was read differs from what was written.
    Different(String),
}

impl Failure {
    pub(crate) fn exit_code(&self) -> ExitCode {
        let code = match self {
            Self::Database(error) => match error.kind() {
                ErrorKind::Locked => 3,
                ErrorKind::Damaged => 4,
                _ => 1,
            },
            Self::Damaged { .. } => 4,
            _ => 1,
        };
        ExitCode::from(code)
    }

    pub(crate) fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// Returns what went wrong, on one line.
    pub(crate) fn message(&self) -> String {
        match self {
            Self::Database(error) if error.kind() == ErrorKind::Locked => {
                format!("{}; with --wait SECONDS this command does", describe(error))
            }
            Self::Database(error) => describe(error),
            Self::NoDatabase { path, why } => format!("{}: {why}", path.display()),
            Self::NoCollection { name, others } if others.is_empty() => {
                format!("there is no collection {name:?}; the database has none at all")
            }
            Self::NoCollection { name, others } => {
                format!("there is no collection {name:?}; there are: {}", list(others))
            }
            Self::Query { what, source } => format!("the {what}: {source}"),
            Self::Order(message) => format!("the order: {message}"),
            Self::Asking { source } => format!("asking what to do: {source}"),
            Self::NotSure { what } => format!("to {what} without being asked, add --yes"),
            Self::Declined => "nothing was changed".to_owned(),
            Self::NoDocument(message) | Self::Different(message) => message.clone(),
            Self::Inexact(message) => format!("{message} (see --inexact)"),
            Self::OpenInput { path, source } => format!("{}: {source}", path.display()),
            Self::Input { name, source: JsonError::Read(error) } => format!("{name}: {error}"),
            Self::Input { name, source } => format!("{name}, {source}"),
            Self::Refused { name, at, why } => format!("{name}, {at}: {why}"),
            Self::Output(error) => format!("writing the output: {error}"),
            Self::File { doing, path, source } => format!("{doing} {}: {source}", path.display()),
            Self::Damaged { problems: 1 } => "the database is damaged in one place".to_owned(),
            Self::Damaged { problems } => format!("the database is damaged in {problems} places"),
        }
    }

    /// Returns the line of the input that caused the failure.
    pub(crate) fn line(&self) -> Option<u64> {
        match self {
            Self::Refused { at, .. } => Some(at.line),
            Self::Input { source: JsonError::Syntax { at, .. }, .. } => Some(at.line),
            _ => None,
        }
    }
}

/// Returns some of the names, for a message to someone who mistyped one.
fn list(names: &[String]) -> String {
    const SHOWN_MAX: usize = 8;
    let mut text = String::new();
    for (index, name) in names.iter().take(SHOWN_MAX).enumerate() {
        let comma = if index == 0 { "" } else { ", " };
        // Writing to a string never fails.
        let _ = write!(text, "{comma}{name:?}");
    }
    if let Some(more @ 1..) = names.len().checked_sub(SHOWN_MAX) {
        let _ = write!(text, " and {more} more");
    }
    text
}

/// Returns an error with all its causes.
pub(crate) fn describe(error: &nanodb::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}

impl From<nanodb::Error> for Failure {
    fn from(error: nanodb::Error) -> Self {
        Self::Database(error)
    }
}

/// Commands that write to files other than their output report that themselves.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}
