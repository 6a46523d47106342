//! Places in a text, and errors with a place.

use std::fmt;
use std::io;

/// A place in a text, as in editors: from line 1, column 1. Columns count bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Position {
    pub(crate) line: u64,
    pub(crate) column: u64,
}

impl Position {
    pub(crate) const START: Self = Self { line: 1, column: 1 };

    /// Returns the place after `text`, which begins here.
    pub(crate) fn after(self, text: &[u8]) -> Self {
        // Two simple passes: the first handles 32 bytes at a time.
        let newlines = text.iter().filter(|&&byte| byte == b'\n').count() as u64;
        match text.iter().rposition(|&byte| byte == b'\n') {
            None => Self { line: self.line, column: self.column + text.len() as u64 },
            Some(last) => Self { line: self.line + newlines, column: (text.len() - last) as u64 },
        }
    }

    /// Returns the place at `line` and `column` (both from 1) of a text that begins here.
    pub(crate) fn within(self, line: usize, column: usize) -> Self {
        let (line, column) = (line as u64, (column as u64).max(1));
        if line <= 1 {
            Self { line: self.line, column: self.column + column - 1 }
        } else {
            Self { line: self.line + line - 1, column }
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// The reason why a text contains no further document.
#[derive(Debug)]
pub(crate) enum JsonError {
    /// The text could not be read or decompressed.
    Read(io::Error),
    /// It is not JSON, or not documents.
    Syntax { at: Position, message: String },
}

impl JsonError {
    pub(crate) fn syntax(at: Position, message: impl Into<String>) -> Self {
        Self::Syntax { at, message: message.into() }
    }
}

impl From<io::Error> for JsonError {
    fn from(error: io::Error) -> Self {
        Self::Read(error)
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(error) => write!(f, "{error}"),
            Self::Syntax { at, message } => write!(f, "{at}: {message}"),
        }
    }
}
