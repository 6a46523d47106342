//! What can be wrong with a query, and where.

use std::fmt;

use nanodb_msgpack::json::{JsonError, JsonProblem, Position};
use nanodb_msgpack::{Malformed, TypeBracket};

/// Why a filter, a sort, a projection or an update was refused.
///
/// [`problem`](Self::problem) says what is wrong; where the query was text,
/// [`position`](Self::position) says where.
///
/// ```
/// # mod nanodb {
/// #     pub use nanodb_query::{Filter, Problem as QueryProblem};
/// # }
/// # fn main() {
/// use nanodb::{Filter, QueryProblem};
///
/// let error = Filter::parse_json(r#"{"age": {"$gtt": 30}}"#).unwrap_err();
/// assert_eq!(error.to_string(), "unknown operator `$gtt` on `age` at line 1, column 10");
/// assert!(matches!(error.problem(), QueryProblem::UnknownOperator { operator, .. } if operator == "$gtt"));
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct QueryError {
    #[source]
    problem: Box<Problem>,
    position: Option<Position>,
}

impl QueryError {
    pub(crate) fn new(problem: Problem, position: Option<Position>) -> Self {
        Self { problem: Box::new(problem), position }
    }

    /// What is wrong.
    #[must_use]
    pub fn problem(&self) -> &Problem {
        &self.problem
    }

    /// Where it is, if the query was text.
    #[must_use]
    pub fn position(&self) -> Option<Position> {
        self.position
    }
}

impl From<Problem> for QueryError {
    fn from(problem: Problem) -> Self {
        Self::new(problem, None)
    }
}

impl From<JsonError> for QueryError {
    fn from(error: JsonError) -> Self {
        let (problem, position) = error.into_parts();
        let problem = match problem {
            JsonProblem::Form { form, expected } => Problem::Form { form, expected },
            JsonProblem::DuplicateField { name } => Problem::DuplicateField { name },
            JsonProblem::TooDeep { depth_max } => Problem::TooDeep { depth_max },
            JsonProblem::TooManyValues { values_max } => {
                Problem::TooManyNodes { nodes_max: values_max }
            }
            other => Problem::Json { message: other.to_string() },
        };
        Self::new(problem, Some(position))
    }
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.problem)?;
        match self.position {
            Some(position) => write!(f, " at {position}"),
            None => Ok(()),
        }
    }
}

/// What is wrong with a query.
///
/// A `path` is that of the field that an operator is applied to, as the query has it; it is empty
/// where there is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The text is no JSON.
    #[error("{message}")]
    Json {
        /// What the parser says.
        message: String,
    },
    /// A query given as MessagePack is not well-formed, or nests deeper than
    /// [`DEPTH_MAX`](crate::DEPTH_MAX).
    #[error("the query is no well-formed MessagePack, or nests too deep")]
    Malformed,
    /// A query given as a document breaks a rule of documents.
    #[error("{reason}")]
    Document {
        /// Which one, and where.
        reason: String,
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
    /// The query nests too deep.
    #[error("the query nests deeper than {depth_max} levels")]
    TooDeep {
        /// The limit, [`DEPTH_MAX`](crate::DEPTH_MAX).
        depth_max: usize,
    },
    /// The query has too many values.
    #[error("the query has more than {nodes_max} values")]
    TooManyNodes {
        /// The limit, [`QUERY_NODES_MAX`](crate::QUERY_NODES_MAX).
        nodes_max: usize,
    },
    /// The query has too many regular expressions.
    #[error("the query has more than {regexes_max} regular expressions")]
    TooManyRegexes {
        /// The limit, [`QUERY_REGEXES_MAX`](crate::QUERY_REGEXES_MAX).
        regexes_max: usize,
    },
    /// A path has too many parts.
    #[error("the path `{path}` has more than {parts_max} parts, or {numbers_max} that are numbers")]
    PathTooLong {
        /// The path.
        path: String,
        /// The limit, [`DEPTH_MAX`](crate::DEPTH_MAX).
        parts_max: usize,
        /// The limit, [`PATH_NUMBERS_MAX`](crate::PATH_NUMBERS_MAX).
        numbers_max: usize,
    },
    /// The query itself must be a document.
    #[error("{what} must be a document, not {found}")]
    NotADocument {
        /// What it was to be.
        what: &'static str,
        /// What was there instead.
        found: TypeBracket,
    },
    /// A part of the query must be an array.
    #[error("{what} must be an array, not {found}")]
    NotAnArray {
        /// What it was to be.
        what: &'static str,
        /// What was there instead.
        found: TypeBracket,
    },
    /// Two changes of an update are at the same path, or one below the other.
    #[error("updating the path `{path}` would create a conflict at `{at}`")]
    Conflict {
        /// The path of the second one.
        path: String,
        /// Where they meet.
        at: String,
    },
    /// A path of an update leads to no field that there may be.
    #[error("the path `{path}` {problem}")]
    UpdatePath {
        /// The path.
        path: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// An array filter is wrong.
    #[error("an array filter{} {problem}", Named(identifier))]
    ArrayFilter {
        /// Its identifier, empty if it has none.
        identifier: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// An update has no operator. A new document in place of the old one is
    /// [`Update::replacement`](crate::Update::replacement).
    #[error("an update must have operators")]
    NoOperators,
    /// There is no such operator, or not at this place.
    #[error("unknown operator `{operator}`{}", On(path))]
    UnknownOperator {
        /// Its name.
        operator: String,
        /// The field.
        path: String,
    },
    /// Something of MongoDB's that runs code or expressions, or needs what this crate lacks.
    #[error("`{operator}` is not supported{}", On(path))]
    Unsupported {
        /// Its name.
        operator: String,
        /// The field.
        path: String,
    },
    /// An operator's operand is of a wrong type, or a wrong value of the right one.
    #[error("`{operator}`{} takes {expected}, not {found}", On(path))]
    Operand {
        /// The operator.
        operator: String,
        /// The field.
        path: String,
        /// What it takes.
        expected: &'static str,
        /// What it was given; of the right type, its value is wrong.
        found: TypeBracket,
    },
    /// A name stands among operators, or an operator among names.
    #[error("`{name}` can't stand beside operators{}", On(path))]
    Mixed {
        /// The name.
        name: String,
        /// The field.
        path: String,
    },
    /// A regular expression is wrong, is not supported, or takes too much memory.
    #[error("the regular expression `{pattern}`{} is refused: {reason}", On(path))]
    Regex {
        /// The expression.
        pattern: String,
        /// The field.
        path: String,
        /// Why.
        reason: String,
    },
    /// A value is a document that begins like an operator, or like a type that JSON has no word for, and is
    /// neither.
    #[error("`{name}` is no value's form; a document that begins so is written within `$literal`")]
    UnknownForm {
        /// Its first name.
        name: String,
    },
    /// A document within `$literal` where operators may stand, and it begins like them.
    #[error("`$literal` is a value, and here operators may stand: {instead}")]
    LiteralOfOperators {
        /// What to write.
        instead: &'static str,
    },
    /// An operator that compares was given a regular expression.
    #[error(
        "`{operator}`{} takes no regular expression: use `$regex`, or `$not` with it for what does \
         not match",
        On(path)
    )]
    RegexOperand {
        /// The operator.
        operator: String,
        /// The field.
        path: String,
    },
    /// A value of a program can't be encoded, so that no document can have it.
    #[error("a value to compare with can't be encoded: {reason}")]
    Value {
        /// Why.
        reason: String,
    },
    /// A replacement has a name that is an operator's.
    #[error(
        "a replacement can't have the field `{name}`: what has operators is an update, and changes \
         the fields that it names"
    )]
    OperatorInReplacement {
        /// The name.
        name: String,
    },
    /// The `$` of a projection stands for the element by which the document passed the filter, and
    /// there is none.
    #[error("`{path}` needs a filter that looks into the array: `$` is the element found there")]
    NoMatch {
        /// The field.
        path: String,
    },
    /// A sort's direction is neither 1 nor -1.
    #[error("`{path}` must be sorted by 1 or -1")]
    Direction {
        /// The field.
        path: String,
    },
    /// A projection includes some fields and excludes others.
    #[error(
        "the projection of `{path}` can't stand beside the others: fields are either included or excluded"
    )]
    MixedProjection {
        /// The first field that is not like those before.
        path: String,
    },
    /// Two paths of a projection or a sort are the same, or one leads through the other.
    #[error("the paths `{first}` and `{second}` collide")]
    PathCollision {
        /// The one.
        first: String,
        /// The other one.
        second: String,
    },
}

/// ` `name``, unless that is empty.
struct Named<'a>(&'a str);

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, " `{}`", self.0) }
    }
}

/// ` on `path``, unless that is empty.
struct On<'a>(&'a str);

impl fmt::Display for On<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, " on `{}`", self.0) }
    }
}

/// Why a query can't be applied to a document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ApplyError {
    /// The document's bytes are wrong where they were looked at.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// The query was built of what is refused, such as a value that can't be encoded.
    #[error(transparent)]
    Query(Box<QueryError>),
}

impl From<&QueryError> for ApplyError {
    #[cold]
    fn from(error: &QueryError) -> Self {
        Self::Query(Box::new(error.clone()))
    }
}
