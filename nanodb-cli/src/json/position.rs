//! Places in a text, and what is wrong there.

use std::fmt;
use std::io;

/// A place in a text, as editors count: from line 1, column 1. Columns count bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Position {
    pub(crate) line: u64,
    pub(crate) column: u64,
}

impl Position {
    pub(crate) const START: Self = Self { line: 1, column: 1 };

    /// The place after `text`, which stands here.
    pub(crate) fn after(self, text: &[u8]) -> Self {
        // Two simple passes: the first is done 32 bytes at a time.
        let newlines = text.iter().filter(|&&byte| byte == b'\n').count() as u64;
        match text.iter().rposition(|&byte| byte == b'\n') {
            None => Self { line: self.line, column: self.column + text.len() as u64 },
            Some(last) => Self { line: self.line + newlines, column: (text.len() - last) as u64 },
        }
    }

    /// The place that is `line` and `column` (both from 1) of a text which stands here.
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

/// Why no more documents come out of a text.
#[derive(Debug)]
pub(crate) enum JsonError {
    /// The text could not be read, or not be decompressed.
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
