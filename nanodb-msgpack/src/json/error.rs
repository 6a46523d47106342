//! What can be wrong with a text, and where.

use std::fmt;

/// Why a text was refused, and where that shows.
#[derive(Debug, thiserror::Error)]
#[error("{problem} at {position}")]
pub struct JsonError {
    problem: JsonProblem,
    position: Position,
}

impl JsonError {
    pub(super) fn new(problem: JsonProblem, position: Position) -> Self {
        Self { problem, position }
    }

    /// What is wrong.
    #[must_use]
    pub fn problem(&self) -> &JsonProblem {
        &self.problem
    }

    /// Where it is.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// What is wrong, and where it is.
    #[must_use]
    pub fn into_parts(self) -> (JsonProblem, Position) {
        (self.problem, self.position)
    }
}

/// What is wrong with a text.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JsonProblem {
    /// The text is no JSON.
    #[error("{message}")]
    Syntax {
        /// What the parser says.
        message: String,
    },
    /// An object like `{"$date": ...}`, by which JSON says what it has no type for, is wrong.
    #[error("`{form}` must be {expected}")]
    Form {
        /// Its name.
        form: &'static str,
        /// What it should hold.
        expected: &'static str,
    },
    /// An object names a field twice.
    #[error("the field `{name}` occurs twice")]
    DuplicateField {
        /// The field.
        name: String,
    },
    /// The text nests too deep.
    #[error("the text nests deeper than {depth_max} levels")]
    TooDeep {
        /// The limit, [`DEPTH_MAX`](crate::DEPTH_MAX).
        depth_max: usize,
    },
    /// The text has too many values.
    #[error("the text has more than {values_max} values")]
    TooManyValues {
        /// The limit that the caller set.
        values_max: usize,
    },
}

/// A place in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Bytes before it.
    pub offset: usize,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in bytes.
    pub column: usize,
}

impl Position {
    pub(crate) fn of(text: &str, offset: usize) -> Self {
        let before = text.as_bytes().get(..offset).unwrap_or(text.as_bytes());
        let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
        let column = before.iter().rev().take_while(|&&byte| byte != b'\n').count() + 1;
        Self { offset, line, column }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}
