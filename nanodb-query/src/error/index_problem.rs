//! What is wrong with the description of an index.

use std::fmt;

use super::Problem;

/// The reason why an index is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IndexProblem {
    /// It names no field.
    NoFields,
    /// It has too many fields.
    TooManyFields {
        /// The limit, [`INDEX_FIELDS_MAX`](crate::INDEX_FIELDS_MAX).
        fields_max: usize,
    },
    /// It names a field twice.
    FieldTwice {
        /// The path.
        path: String,
    },
    /// A path has an empty part, or one that begins with `$`.
    Path {
        /// The path.
        path: String,
    },
    /// The name is empty or too long.
    Name {
        /// The name.
        name: String,
        /// The limit, [`INDEX_NAME_BYTES_MAX`](crate::INDEX_NAME_BYTES_MAX).
        bytes_max: usize,
    },
    /// It is both sparse and partial.
    SparseAndPartial,
    /// The partial filter has an operator that it can't have.
    PartialOperator {
        /// The operator.
        operator: String,
        /// The field; empty if there is none.
        path: String,
    },
    /// Documents are to expire by several fields.
    ExpiresByFields,
    /// Documents are to expire after too long a time.
    ExpireAfter {
        /// The limit, [`INDEX_EXPIRE_AFTER_MAX`](crate::INDEX_EXPIRE_AFTER_MAX).
        seconds_max: u64,
    },
    /// A kind of index, or an option, that NanoDB does not have.
    NotSupported {
        /// What it is.
        what: String,
    },
    /// The document has a name that is no option of an index.
    UnknownOption {
        /// The name.
        name: String,
    },
    /// A stored index is of a newer version, or its bytes are damaged.
    Stored {
        /// What is wrong.
        problem: &'static str,
    },
}

impl fmt::Display for IndexProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoFields => f.write_str("an index must name a field"),
            Self::TooManyFields { fields_max } => {
                write!(f, "an index has at most {fields_max} fields")
            }
            Self::FieldTwice { path } => write!(f, "the index names the field `{path}` twice"),
            Self::Path { path } => write!(
                f,
                "`{path}` can't be indexed: a part of the path is empty, or begins with `$`"
            ),
            Self::Name { name, bytes_max } if name.is_empty() => {
                write!(f, "the name of an index has 1 to {bytes_max} bytes")
            }
            Self::Name { name, bytes_max } => write!(
                f,
                "the name of an index has 1 to {bytes_max} bytes, and that of this one {}: give it \
                 a shorter name",
                name.len()
            ),
            Self::SparseAndPartial => f.write_str(
                "an index is sparse or partial: the partial filter may say `{\"$exists\": true}`",
            ),
            Self::PartialOperator { operator, path } => {
                write!(f, "a partial filter can't have `{operator}`")?;
                if !path.is_empty() {
                    write!(f, " on `{path}`")?;
                }
                f.write_str(
                    ": it has `$eq`, `$gt`, `$gte`, `$lt`, `$lte`, `$in`, `$type`, \
                     `{\"$exists\": true}`, `$and` and `$or`",
                )
            }
            Self::ExpiresByFields => f.write_str("documents expire by one field"),
            Self::ExpireAfter { seconds_max } => {
                write!(f, "documents expire after 0 to {seconds_max} seconds")
            }
            Self::NotSupported { what } => write!(f, "{what} is not supported in an index"),
            Self::UnknownOption { name } => write!(f, "`{name}` is no option of an index"),
            Self::Stored { problem } => write!(f, "a stored index {problem}"),
        }
    }
}

impl std::error::Error for IndexProblem {}

impl From<IndexProblem> for Problem {
    fn from(problem: IndexProblem) -> Self {
        Self::Index(problem)
    }
}
