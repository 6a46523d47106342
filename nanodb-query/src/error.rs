//! Errors of reading and using queries, as this crate knows them within itself.

use std::fmt;

use nanodb_document::{DamagedDocument, Error, ErrorBuilder, ErrorKind};
use nanodb_msgpack::json::{JsonError, JsonProblem, Position};
use nanodb_msgpack::{Malformed, TypeBracket};

/// The reason why a filter, a sort, a projection or an update is refused.
///
/// [`problem`](Self::problem) says what is wrong. If the query was text,
/// [`position`](Self::position) says where.
///
/// ```
/// use nanodb_query::bytes::FilterBytes;
/// use nanodb_query::{Filter, Problem};
///
/// // {"age": {"$gtt": 30}}
/// let error = <Filter as FilterBytes>::parse(b"\x81\xa3age\x81\xa4$gtt\x1e").unwrap_err();
/// assert_eq!(error.to_string(), "unknown operator `$gtt` on `age`");
/// assert!(matches!(error.problem(), Problem::UnknownOperator { .. }));
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

    /// Returns what is wrong.
    #[must_use]
    pub fn problem(&self) -> &Problem {
        &self.problem
    }

    /// Returns where it is, if the query was text.
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
/// A `path` is the path of the field that the operator is applied to, as written in the query; it
/// is empty if there is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The text is not valid JSON.
    #[error("{message}")]
    Json {
        /// The message of the JSON parser.
        message: String,
    },
    /// A query given as MessagePack is not well-formed, or nests deeper than
    /// [`DEPTH_MAX`](crate::DEPTH_MAX).
    #[error("the query is no well-formed MessagePack, or nests too deep")]
    Malformed,
    /// A query given as a document breaks a rule of documents.
    #[error("{reason}")]
    Document {
        /// The rule, and where it is broken.
        reason: String,
    },
    /// An object like `{"$date": ...}`, the form of a value that JSON has no type for, is wrong.
    #[error("`{form}` must be {expected}")]
    Form {
        /// The name of the form.
        form: &'static str,
        /// What the form must hold.
        expected: &'static str,
    },
    /// An object names a field twice.
    #[error("the field `{name}` occurs twice")]
    DuplicateField {
        /// The name of the field.
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
        /// What was expected, such as `a filter`.
        what: &'static str,
        /// What was given instead.
        found: TypeBracket,
    },
    /// A part of the query must be an array.
    #[error("{what} must be an array, not {found}")]
    NotAnArray {
        /// What was expected.
        what: &'static str,
        /// What was given instead.
        found: TypeBracket,
    },
    /// Two changes of an update have the same path, or one is below the other.
    #[error("updating the path `{path}` would create a conflict at `{at}`")]
    Conflict {
        /// The path of the second change.
        path: String,
        /// The path at which they meet.
        at: String,
    },
    /// A path of an update can't lead to a field.
    #[error("the path `{path}` {problem}")]
    UpdatePath {
        /// The path.
        path: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// An array filter is wrong.
    #[error("an array filter{} {problem}", NameSuffix(identifier))]
    ArrayFilter {
        /// Its identifier; empty if it has none.
        identifier: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// An update contains no operator. To replace a document, use
    /// [`Update::replacement`](crate::Update::replacement).
    #[error("an update must have operators")]
    NoOperators,
    /// The operator does not exist, or not at this place.
    #[error("unknown operator `{operator}`{}", PathSuffix(path))]
    UnknownOperator {
        /// The name of the operator.
        operator: String,
        /// The field.
        path: String,
    },
    /// A feature of MongoDB that runs code or expressions, or needs something that NanoDB lacks.
    #[error("`{operator}` is not supported{}", PathSuffix(path))]
    Unsupported {
        /// The name of the operator.
        operator: String,
        /// The field.
        path: String,
    },
    /// An operator was given an operand of a wrong type, or a wrong value of the right type.
    #[error("`{operator}`{} takes {expected}, not {found}", PathSuffix(path))]
    Operand {
        /// The operator.
        operator: String,
        /// The field.
        path: String,
        /// What the operator takes.
        expected: &'static str,
        /// The type of what was given; if it is the right one, the value is wrong.
        found: TypeBracket,
    },
    /// A field's name stands among operators, or an operator among names.
    #[error("`{name}` can't stand beside operators{}", PathSuffix(path))]
    Mixed {
        /// The name.
        name: String,
        /// The field.
        path: String,
    },
    /// A regular expression is wrong, is not supported, or takes too much memory.
    #[error("the regular expression `{pattern}`{} is refused: {reason}", PathSuffix(path))]
    Regex {
        /// The expression.
        pattern: String,
        /// The field.
        path: String,
        /// The reason.
        reason: String,
    },
    /// A value is a document that begins like an operator, or like the form of a type that JSON
    /// lacks, and is neither.
    #[error("`{name}` is no value's form; a document that begins so is written within `$literal`")]
    UnknownForm {
        /// The first name of the document.
        name: String,
    },
    /// A document within `$literal` stands where operators are expected, and its bytes would be
    /// taken for operators.
    #[error("`$literal` is a value, and here operators may stand: {instead}")]
    LiteralOfOperators {
        /// What to write.
        instead: &'static str,
    },
    /// An operator that compares was given a regular expression.
    #[error(
        "`{operator}`{} takes no regular expression: use `$regex`, or `$not` with it for what does \
         not match",
        PathSuffix(path)
    )]
    RegexOperand {
        /// The operator.
        operator: String,
        /// The field.
        path: String,
    },
    /// A value that a program gave can't be encoded, so that no document can contain it.
    #[error("a value to compare with can't be encoded: {reason}")]
    Value {
        /// The reason.
        reason: String,
    },
    /// A replacement document contains the name of an operator.
    #[error(
        "a replacement can't have the field `{name}`: what has operators is an update, and changes \
         the fields that it names"
    )]
    OperatorInReplacement {
        /// The name.
        name: String,
    },
    /// A projection contains `$`, which means the array element by which the document matched the
    /// filter, and the filter looks into no array.
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
        /// The first field that differs from those before it.
        path: String,
    },
    /// Two paths of a projection are the same, or one leads through the other.
    #[error("the paths `{first}` and `{second}` collide")]
    PathCollision {
        /// The first path.
        first: String,
        /// The second path.
        second: String,
    },
}

/// Prints ` `name``, unless the name is empty.
struct NameSuffix<'a>(&'a str);

impl fmt::Display for NameSuffix<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, " `{}`", self.0) }
    }
}

/// Prints ` on `path``, unless the path is empty.
struct PathSuffix<'a>(&'a str);

impl fmt::Display for PathSuffix<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, " on `{}`", self.0) }
    }
}

/// The reason why a query can't be applied to a document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ApplyError {
    /// The bytes of the document that were read are not valid MessagePack.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// The query was built of something that is refused, such as a value that can't be encoded.
    #[error(transparent)]
    Query(Box<QueryError>),
}

impl From<&QueryError> for ApplyError {
    #[cold]
    fn from(error: &QueryError) -> Self {
        Self::Query(Box::new(error.clone()))
    }
}

impl Problem {
    /// Returns the path that it names.
    fn path(&self) -> Option<&str> {
        let (Self::PathTooLong { path, .. }
        | Self::Conflict { path, .. }
        | Self::UpdatePath { path, .. }
        | Self::UnknownOperator { path, .. }
        | Self::Unsupported { path, .. }
        | Self::Operand { path, .. }
        | Self::Mixed { path, .. }
        | Self::Regex { path, .. }
        | Self::RegexOperand { path, .. }
        | Self::NoMatch { path }
        | Self::Direction { path }
        | Self::MixedProjection { path }
        | Self::PathCollision { second: path, .. }) = self
        else {
            return None;
        };
        (!path.is_empty()).then_some(path)
    }
}

impl From<QueryError> for Error {
    #[cold]
    fn from(error: QueryError) -> Self {
        let mut builder = ErrorBuilder::telling(ErrorKind::Invalid, error.clone());
        if let Some(position) = error.position {
            builder = builder.position(position);
        }
        if let Some(path) = error.problem.path() {
            builder = builder.path(path);
        }
        builder.into()
    }
}

impl From<Problem> for Error {
    #[cold]
    fn from(problem: Problem) -> Self {
        QueryError::from(problem).into()
    }
}

impl From<ApplyError> for Error {
    #[cold]
    fn from(error: ApplyError) -> Self {
        match error {
            ApplyError::Malformed(_) => DamagedDocument::default().into(),
            ApplyError::Query(error) => (*error).into(),
        }
    }
}
