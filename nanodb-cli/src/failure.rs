//! Why a command failed, and the exit code that says so.
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

/// Why a command failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The database refused.
    Database(nanodb::Error),
    /// There is no such file, or it is none.
    NoDatabase { path: PathBuf, why: &'static str },
    /// There is no such collection.
    NoCollection { name: String, others: Vec<String> },
    /// A filter, an order or an update makes no sense.
    Query { what: &'static str, source: nanodb::QueryError },
    /// There is no such document, or no such id.
    NoDocument(String),
    /// The input could not be opened.
    OpenInput { path: PathBuf, source: io::Error },
    /// The input is not documents.
    Input { name: String, source: JsonError },
    /// A document of the input can't be stored.
    Refused { name: String, at: Position, why: String },
    /// What was to be printed could not be.
    Output(io::Error),
    /// Something about a file other than the database's.
    File { doing: &'static str, path: PathBuf, source: io::Error },
    /// A format can't hold a value, and no other was asked for.
    Inexact(String),
    /// Damage was found; where was said before.
    Damaged { problems: u64 },
    /// What was read is not what was written.
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

    /// What went wrong, on one line.
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

    /// The line of the input that is to blame.
    pub(crate) fn line(&self) -> Option<u64> {
        match self {
            Self::Refused { at, .. } => Some(at.line),
            Self::Input { source: JsonError::Syntax { at, .. }, .. } => Some(at.line),
            _ => None,
        }
    }
}

/// Some of the names, for a list that helps someone who mistyped one.
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

/// An error with all its causes.
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

/// Commands that write elsewhere than to their output say so themselves.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}
