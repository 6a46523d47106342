//! Errors of reading JSON text, with their place.

use std::fmt;

/// The reason why a text is refused, and the place.
#[derive(Debug, thiserror::Error)]
#[error("{problem} at {position}")]
pub struct JsonError {
    problem: JsonProblem,
    position: Position,
}

impl JsonError {
    pub(super) fn syntax(message: impl Into<String>, position: Position) -> Self {
        Self::new(JsonProblem::Syntax { message: message.into() }, position)
    }

    pub(super) fn new(problem: JsonProblem, position: Position) -> Self {
        Self { problem, position }
    }

    /// Returns an error about a text as a whole.
    #[must_use]
    pub fn of_whole(problem: &dyn fmt::Display) -> Self {
        let start = Position { offset: 0, line: 1, column: 1 };
        Self::syntax(problem.to_string(), start)
    }

    /// Returns what is wrong.
    #[must_use]
    pub fn problem(&self) -> &JsonProblem {
        &self.problem
    }

    /// Returns where it is.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// Returns what is wrong, and where it is.
    #[must_use]
    pub fn into_parts(self) -> (JsonProblem, Position) {
        (self.problem, self.position)
    }
}

/// What is wrong with a text.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JsonProblem {
    /// The text is not valid JSON.
    #[error("{message}")]
    Syntax {
        /// What is wrong.
        message: String,
    },
    /// The text ends too early.
    #[error("EOF while parsing {within}")]
    Ended {
        /// What has no end.
        within: &'static str,
    },
    /// `NaN` or `Infinity` stands without a form around it.
    #[error("JSON has no {name}; write {{\"$numberDouble\": \"{name}\"}}")]
    NotANumber {
        /// The name, as the form has it.
        name: &'static str,
    },
    /// A string contains half of a surrogate pair, which is not a character.
    #[error(
        "`\\u{half:04x}` is half of a surrogate pair and stands for no character; mend the text, \
         or have such halves replaced by U+FFFD"
    )]
    Surrogate {
        /// The half.
        half: u16,
    },
    /// An object like `{"$date": ...}`, the form of a value that JSON has no type for, is wrong.
    #[error("`{form}` must be {expected}")]
    Form {
        /// The name of the form.
        form: &'static str,
        /// What the form must hold.
        expected: &'static str,
    },
    /// A value of MongoDB that has no counterpart here.
    #[error("`{form}` is no value here: {instead}")]
    NoValue {
        /// The name of its form.
        form: &'static str,
        /// What to do instead.
        instead: &'static str,
    },
    /// An object begins with a dollar and is not a known form.
    #[error(
        "unknown form `{name}`; a document whose first name begins with `$` is written as \
         {{\"$literal\": {{...}}}}"
    )]
    UnknownForm {
        /// Its first name.
        name: String,
    },
    /// An object names a field twice.
    #[error("the field `{name}` occurs twice")]
    DuplicateField {
        /// The name of the field.
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
    /// The number of bytes before it.
    pub offset: usize,
    /// The line, counted from 1.
    pub line: usize,
    /// The column, counted from 1, in bytes.
    pub column: usize,
}

impl Position {
    pub(crate) fn of(text: &[u8], offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
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
