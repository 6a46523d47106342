//! Errors of reading JSON text, with their place.

use std::error::Error;
use std::fmt;

/// The reason why a text is refused, and the place.
#[derive(Debug)]
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

    /// Returns this error with its place `bytes` to the left, for a text that was read with as many
    /// in front of it.
    #[must_use]
    pub fn moved_left(mut self, bytes: usize) -> Self {
        let Position { offset, line, column } = &mut self.position;
        *offset = offset.saturating_sub(bytes);
        if *line == 1 {
            *column = column.saturating_sub(bytes).max(1);
        }
        self
    }

    /// Returns what is wrong.
    #[must_use]
    pub fn problem(&self) -> &JsonProblem {
        &self.problem
    }

    /// Returns whether the text ends too early, so that more of it might make it right.
    #[must_use]
    pub fn is_incomplete(&self) -> bool {
        self.problem.is_incomplete()
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
#[derive(Debug)]
#[non_exhaustive]
pub enum JsonProblem {
    /// The text is not valid JSON.
    Syntax {
        /// What is wrong.
        message: String,
    },
    /// The text ends too early.
    Ended {
        /// What has no end.
        within: &'static str,
    },
    /// `NaN` or `Infinity` stands without a form around it.
    NotANumber {
        /// The name, as the form has it.
        name: &'static str,
    },
    /// A string contains half of a surrogate pair, which is not a character.
    Surrogate {
        /// The half.
        half: u16,
    },
    /// An object like `{"$date": ...}`, the form of a value that JSON has no type for, is wrong.
    Form {
        /// The name of the form.
        form: &'static str,
        /// What the form must hold.
        expected: &'static str,
    },
    /// A value of MongoDB that has no counterpart here.
    NoValue {
        /// The name of its form.
        form: &'static str,
        /// What to do instead.
        instead: &'static str,
    },
    /// An object begins with a dollar and is not a known form.
    UnknownForm {
        /// Its first name.
        name: String,
    },
    /// An object names a field twice.
    DuplicateField {
        /// The name of the field.
        name: String,
    },
    /// The text nests too deep.
    TooDeep {
        /// The limit, [`DEPTH_MAX`](crate::DEPTH_MAX).
        depth_max: usize,
    },
    /// The text has too many values.
    TooManyValues {
        /// The limit that the caller set.
        values_max: usize,
    },
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.problem, self.position)
    }
}

impl Error for JsonError {}

impl fmt::Display for JsonProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax { message } => f.write_str(message),
            Self::Ended { within } => write!(f, "EOF while parsing {within}"),
            Self::NotANumber { name } => {
                write!(f, "JSON has no {name}; write {{\"$numberDouble\": \"{name}\"}}")
            }
            Self::Surrogate { half } => write!(
                f,
                "`\\u{half:04x}` is half of a surrogate pair and stands for no character; mend the \
                 text, or have such halves replaced by U+FFFD"
            ),
            Self::Form { form, expected } => write!(f, "`{form}` must be {expected}"),
            Self::NoValue { form, instead } => write!(f, "`{form}` is no value here: {instead}"),
            Self::UnknownForm { name } => write!(
                f,
                "unknown form `{name}`; a document whose first name begins with `$` is written as \
                 {{\"$literal\": {{...}}}}"
            ),
            Self::DuplicateField { name } => write!(f, "the field `{name}` occurs twice"),
            Self::TooDeep { depth_max } => {
                write!(f, "the text nests deeper than {depth_max} levels")
            }
            Self::TooManyValues { values_max } => {
                write!(f, "the text has more than {values_max} values")
            }
        }
    }
}

impl Error for JsonProblem {}

impl JsonProblem {
    /// Returns whether the text ends too early, so that more of it might make it right.
    #[must_use]
    pub fn is_incomplete(&self) -> bool {
        matches!(self, Self::Ended { .. })
    }
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
