//! Errors of reading and using queries, as this crate knows them within itself.

mod index_problem;

use std::fmt;

pub use self::index_problem::IndexProblem;
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryError {
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

impl std::error::Error for QueryError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.problem)
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
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// The text is not valid JSON.
    Json {
        /// The message of the JSON parser.
        message: String,
    },
    /// A query given as MessagePack is not well-formed, or nests deeper than
    /// [`DEPTH_MAX`](crate::DEPTH_MAX).
    Malformed,
    /// A query given as a document breaks a rule of documents.
    Document {
        /// The rule, and where it is broken.
        reason: String,
    },
    /// An object like `{"$date": ...}`, the form of a value that JSON has no type for, is wrong.
    Form {
        /// The name of the form.
        form: &'static str,
        /// What the form must hold.
        expected: &'static str,
    },
    /// An object names a field twice.
    DuplicateField {
        /// The name of the field.
        name: String,
    },
    /// The query nests too deep.
    TooDeep {
        /// The limit, [`DEPTH_MAX`](crate::DEPTH_MAX).
        depth_max: usize,
    },
    /// The query has too many values.
    TooManyNodes {
        /// The limit, [`QUERY_NODES_MAX`](crate::QUERY_NODES_MAX).
        nodes_max: usize,
    },
    /// The query has too many regular expressions.
    TooManyRegexes {
        /// The limit, [`QUERY_REGEXES_MAX`](crate::QUERY_REGEXES_MAX).
        regexes_max: usize,
    },
    /// A path has too many parts.
    PathTooLong {
        /// The path.
        path: String,
        /// The limit, [`DEPTH_MAX`](crate::DEPTH_MAX).
        parts_max: usize,
        /// The limit, [`PATH_NUMBERS_MAX`](crate::PATH_NUMBERS_MAX).
        numbers_max: usize,
    },
    /// The query itself must be a document.
    NotADocument {
        /// What was expected, such as `a filter`.
        what: &'static str,
        /// What was given instead.
        found: TypeBracket,
    },
    /// A part of the query must be an array.
    NotAnArray {
        /// What was expected.
        what: &'static str,
        /// What was given instead.
        found: TypeBracket,
    },
    /// Two changes of an update have the same path, or one is below the other.
    Conflict {
        /// The path of the second change.
        path: String,
        /// The path at which they meet.
        at: String,
    },
    /// A path of an update can't lead to a field.
    UpdatePath {
        /// The path.
        path: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// An array filter is wrong.
    ArrayFilter {
        /// Its identifier; empty if it has none.
        identifier: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// An update contains no operator. To replace a document, use
    /// [`Update::replacement`](crate::Update::replacement).
    NoOperators,
    /// An update has the name of a field where operators stand. It is a document, perhaps, that was
    /// to replace another.
    NotAnOperator {
        /// The name.
        name: String,
    },
    /// A filter without a condition on text was to ignore the case of letters.
    NoText,
    /// A condition on a field has the name of an operator. As text it would be that operator.
    OperatorAsField {
        /// The name.
        name: String,
    },
    /// The operator does not exist, or not at this place.
    UnknownOperator {
        /// The name of the operator.
        operator: String,
        /// The field.
        path: String,
    },
    /// A feature of MongoDB that runs code or expressions, or needs something that NanoDB lacks.
    Unsupported {
        /// The name of the operator.
        operator: String,
        /// The field.
        path: String,
    },
    /// An operator was given an operand of a wrong type, or a wrong value of the right type.
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
    Mixed {
        /// The name.
        name: String,
        /// The field.
        path: String,
    },
    /// A regular expression is wrong, is not supported, or takes too much memory.
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
    UnknownForm {
        /// The first name of the document.
        name: String,
    },
    /// A document within `$literal` stands where operators are expected, and its bytes would be
    /// taken for operators.
    LiteralOfOperators {
        /// What to write.
        instead: &'static str,
    },
    /// An operator that compares was given a regular expression.
    RegexOperand {
        /// The operator.
        operator: String,
        /// The field.
        path: String,
    },
    /// A value that a program gave can't be encoded, so that no document can contain it.
    Value {
        /// The reason.
        reason: String,
    },
    /// An index is wrong.
    Index(IndexProblem),
    /// A replacement document contains the name of an operator.
    OperatorInReplacement {
        /// The name.
        name: String,
    },
    /// A projection contains `$`, which means the array element by which the document matched the
    /// filter, and the filter looks into no array.
    NoMatch {
        /// The field.
        path: String,
    },
    /// A sort's direction is neither 1 nor -1.
    Direction {
        /// The field.
        path: String,
    },
    /// A projection includes some fields and excludes others.
    MixedProjection {
        /// The first field that differs from those before it.
        path: String,
    },
    /// Two paths of a projection are the same, or one leads through the other.
    PathCollision {
        /// The first path.
        first: String,
        /// The second path.
        second: String,
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json { message } => write!(f, "{message}"),
            Self::Malformed => {
                write!(f, "the query is no well-formed MessagePack, or nests too deep")
            }
            Self::Document { reason } => write!(f, "{reason}"),
            Self::Form { form, expected } => write!(f, "`{form}` must be {expected}"),
            Self::DuplicateField { name } => write!(f, "the field `{name}` occurs twice"),
            Self::TooDeep { depth_max } => {
                write!(f, "the query nests deeper than {depth_max} levels")
            }
            Self::TooManyNodes { nodes_max } => {
                write!(f, "the query has more than {nodes_max} values")
            }
            Self::TooManyRegexes { regexes_max } => {
                write!(f, "the query has more than {regexes_max} regular expressions")
            }
            Self::PathTooLong { path, parts_max, numbers_max } => write!(
                f,
                "the path `{path}` has more than {parts_max} parts, or {numbers_max} that are \
                 numbers"
            ),
            Self::NotADocument { what, found } => {
                write!(f, "{what} must be a document, not {found}")
            }
            Self::NotAnArray { what, found } => write!(f, "{what} must be an array, not {found}"),
            Self::Conflict { path, at } => {
                write!(f, "updating the path `{path}` would create a conflict at `{at}`")
            }
            Self::UpdatePath { path, problem } => write!(f, "the path `{path}` {problem}"),
            Self::ArrayFilter { identifier, problem } => {
                write!(f, "an array filter{} {problem}", NameSuffix(identifier))
            }
            Self::NoOperators => write!(f, "an update must have operators"),
            Self::NotAnOperator { name } => write!(
                f,
                "unknown operator `{name}`: an update's names are operators such as `$set`; to replace a \
                 document use `replace_one` or `Update::replacement`"
            ),
            Self::NoText => f.write_str(
                "`ignoring_case` is for conditions on text, such as `contains`, and the filter has \
                 none",
            ),
            Self::OperatorAsField { name } => {
                write!(f, "`{name}` is the name of no field: it begins with `$`, as operators do")
            }
            Self::UnknownOperator { operator, path } => {
                write!(f, "unknown operator `{operator}`{}", PathSuffix(path))
            }
            Self::Unsupported { operator, path } => {
                write!(f, "`{operator}` is not supported{}", PathSuffix(path))
            }
            Self::Operand { operator, path, expected, found } => {
                write!(f, "`{operator}`{} takes {expected}, not {found}", PathSuffix(path))
            }
            Self::Mixed { name, path } => {
                write!(f, "`{name}` can't stand beside operators{}", PathSuffix(path))
            }
            Self::Regex { pattern, path, reason } => write!(
                f,
                "the regular expression `{pattern}`{} is refused: {reason}",
                PathSuffix(path)
            ),
            Self::UnknownForm { name } => write!(
                f,
                "`{name}` is no value's form; a document that begins so is written within \
                 `$literal`"
            ),
            Self::LiteralOfOperators { instead } => {
                write!(f, "`$literal` is a value, and here operators may stand: {instead}")
            }
            Self::RegexOperand { operator, path } => write!(
                f,
                "`{operator}`{} takes no regular expression: use `$regex`, or `$not` with it for \
                 what does \
                 not match",
                PathSuffix(path)
            ),
            Self::Value { reason } => {
                write!(f, "a value to compare with can't be encoded: {reason}")
            }
            Self::Index(problem) => fmt::Display::fmt(problem, f),
            Self::OperatorInReplacement { name } => write!(
                f,
                "a replacement can't have the field `{name}`: what has operators is an update, \
                 and changes \
                 the fields that it names"
            ),
            Self::NoMatch { path } => write!(
                f,
                "`{path}` needs a filter that looks into the array: `$` is the element found there"
            ),
            Self::Direction { path } => write!(f, "`{path}` must be sorted by 1 or -1"),
            Self::MixedProjection { path } => write!(
                f,
                "the projection of `{path}` can't stand beside the others: fields are either \
                 included or excluded"
            ),
            Self::PathCollision { first, second } => {
                write!(f, "the paths `{first}` and `{second}` collide")
            }
        }
    }
}

impl std::error::Error for Problem {}

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
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ApplyError {
    /// The bytes of the document that were read are not valid MessagePack.
    Malformed(Malformed),
    /// The query was built of something that is refused, such as a value that can't be encoded.
    Query(Box<QueryError>),
}

impl fmt::Display for ApplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(inner) => fmt::Display::fmt(inner, f),
            Self::Query(inner) => fmt::Display::fmt(inner, f),
        }
    }
}

impl std::error::Error for ApplyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Malformed(inner) => inner.source(),
            Self::Query(inner) => inner.source(),
        }
    }
}

impl From<Malformed> for ApplyError {
    fn from(error: Malformed) -> Self {
        Self::Malformed(error)
    }
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
