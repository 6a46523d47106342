//! Errors of applying updates.

use std::fmt;

use nanodb_document::{DamagedDocument, Error, ErrorBuilder, ErrorKind};
use nanodb_msgpack::{Malformed, TypeBracket};

use crate::error::QueryError;

/// The reason why an update can't be applied to a document, which then stays as it is.
///
/// `operator` and `path` are as written in the update.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UpdateError {
    /// The document is not well-formed MessagePack, or not a map.
    Malformed(Malformed),
    /// The filter of an upsert was built of something that is refused.
    Filter(Box<QueryError>),
    /// The update was built of something that is refused.
    Refused(Box<QueryError>),
    /// The field is of a type that the operator can't be applied to.
    Target {
        /// The operator.
        operator: &'static str,
        /// The field.
        path: String,
        /// What the operator needs.
        expected: &'static str,
        /// What the field is.
        found: TypeBracket,
    },
    /// The path goes on where nothing can be below: from a scalar, or from an array by a name.
    NotViable {
        /// The operator.
        operator: &'static str,
        /// The field.
        path: String,
        /// The part of the path that would be created.
        name: String,
        /// The value that it would be created in.
        found: TypeBracket,
    },
    /// A number exceeds 64 bits.
    Overflow {
        /// The operator.
        operator: &'static str,
        /// The field.
        path: String,
    },
    /// A `$rename` concerns an element of an array or a field below one.
    RenameInArray {
        /// The old path of the field.
        path: String,
        /// The one of the two paths that leads through an array.
        through: String,
    },
    /// A path contains `$`, which means the array element by which the document matched the filter,
    /// and the filter looks into no array.
    NoMatch {
        /// The field.
        path: String,
    },
    /// Two changes meet in one field of this document.
    Conflict {
        /// The path of the second change.
        path: String,
        /// The field.
        at: String,
    },
    /// `$[]` and `$[id]` stand for too many elements of this document.
    TooManySteps {
        /// The limit, [`UPDATE_STEPS_MAX`](crate::UPDATE_STEPS_MAX).
        steps_max: usize,
    },
    /// An array would be padded with too many nulls.
    TooManyNulls {
        /// The field.
        path: String,
        /// How many nulls.
        count: u32,
        /// The limit, [`UPDATE_NULLS_MAX`](crate::UPDATE_NULLS_MAX).
        nulls_max: u32,
    },
    /// `_id` would change.
    ChangesId,
    /// The document would nest deeper than [`DEPTH_MAX`](crate::DEPTH_MAX).
    TooDeep {
        /// The limit.
        depth_max: usize,
    },
    /// The document would become too large.
    TooLarge {
        /// The limit, from [`UpdateContext::bytes_max`](crate::UpdateContext::bytes_max).
        bytes_max: usize,
    },
}

impl fmt::Display for UpdateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(_) => write!(f, "the document is no well-formed MessagePack map"),
            Self::Filter(inner) => fmt::Display::fmt(inner, f),
            Self::Refused(inner) => fmt::Display::fmt(inner, f),
            Self::Target { operator, path, expected, found } => {
                write!(f, "`{operator}` on `{path}` needs {expected}, and the field is {found}")
            }
            Self::NotViable { operator, path, name, found } => {
                write!(f, "`{operator}` on `{path}` can't create `{name}` in {found}")
            }
            Self::Overflow { operator, path } => {
                write!(f, "`{operator}` on `{path}` leads to an integer of more than 64 bits")
            }
            Self::RenameInArray { path, through } => {
                write!(f, "`$rename` on `{path}` leads through an array at `{through}`")
            }
            Self::NoMatch { path } => write!(
                f,
                "`{path}` needs a filter that looks into the array: `$` is the element found there"
            ),
            Self::Conflict { path, at } => {
                write!(f, "updating the path `{path}` would create a conflict at `{at}`")
            }
            Self::TooManySteps { steps_max } => {
                write!(f, "`$[]` leads to more than {steps_max} elements and fields")
            }
            Self::TooManyNulls { path, count, nulls_max } => write!(
                f,
                "`{path}` would fill an array up with {count} nulls, and at most {nulls_max} are \
                 allowed: a \
                 number on a path is the index of an array's element"
            ),
            Self::ChangesId => write!(f, "an update can't change `_id`"),
            Self::TooDeep { depth_max } => {
                write!(f, "the document would nest deeper than {depth_max} levels")
            }
            Self::TooLarge { bytes_max } => {
                write!(f, "the document would become larger than {bytes_max} bytes")
            }
        }
    }
}

impl std::error::Error for UpdateError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Malformed(source) => Some(source),
            Self::Filter(inner) => inner.source(),
            Self::Refused(inner) => inner.source(),
            _ => None,
        }
    }
}

impl From<Malformed> for UpdateError {
    fn from(error: Malformed) -> Self {
        Self::Malformed(error)
    }
}

impl UpdateError {
    /// Returns the path that it names.
    fn path(&self) -> Option<&str> {
        match self {
            Self::Target { path, .. }
            | Self::NotViable { path, .. }
            | Self::Overflow { path, .. }
            | Self::RenameInArray { path, .. }
            | Self::NoMatch { path }
            | Self::Conflict { path, .. }
            | Self::TooManyNulls { path, .. } => Some(path),
            _ => None,
        }
    }
}

impl From<UpdateError> for Error {
    #[cold]
    fn from(error: UpdateError) -> Self {
        match error {
            UpdateError::Malformed(_) => DamagedDocument::default().into(),
            UpdateError::Filter(error) | UpdateError::Refused(error) => (*error).into(),
            error => {
                let builder = ErrorBuilder::telling(ErrorKind::Invalid, error.clone());
                match error.path() {
                    Some(path) => builder.path(path).into(),
                    None => builder.into(),
                }
            }
        }
    }
}
