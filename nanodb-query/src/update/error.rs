//! Errors of applying updates.

use nanodb_document::{DamagedDocument, Error, ErrorBuilder, ErrorKind};
use nanodb_msgpack::{Malformed, TypeBracket};

use crate::error::QueryError;

/// The reason why an update can't be applied to a document, which then stays as it is.
///
/// `operator` and `path` are as written in the update.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UpdateError {
    /// The document is not well-formed MessagePack, or not a map.
    #[error("the document is no well-formed MessagePack map")]
    Malformed(#[from] Malformed),
    /// The filter of an upsert was built of something that is refused.
    #[error(transparent)]
    Filter(Box<QueryError>),
    /// The update was built of something that is refused.
    #[error(transparent)]
    Refused(Box<QueryError>),
    /// The field is of a type that the operator can't be applied to.
    #[error("`{operator}` on `{path}` needs {expected}, and the field is {found}")]
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
    #[error("`{operator}` on `{path}` can't create `{name}` in {found}")]
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
    #[error("`{operator}` on `{path}` leads to an integer of more than 64 bits")]
    Overflow {
        /// The operator.
        operator: &'static str,
        /// The field.
        path: String,
    },
    /// A `$rename` concerns an element of an array or a field below one.
    #[error("`$rename` on `{path}` leads through an array at `{through}`")]
    RenameInArray {
        /// The old path of the field.
        path: String,
        /// The one of the two paths that leads through an array.
        through: String,
    },
    /// A path contains `$`, which means the array element by which the document matched the filter,
    /// and the filter looks into no array.
    #[error("`{path}` needs a filter that looks into the array: `$` is the element found there")]
    NoMatch {
        /// The field.
        path: String,
    },
    /// Two changes meet in one field of this document.
    #[error("updating the path `{path}` would create a conflict at `{at}`")]
    Conflict {
        /// The path of the second change.
        path: String,
        /// The field.
        at: String,
    },
    /// `$[]` and `$[id]` stand for too many elements of this document.
    #[error("`$[]` leads to more than {steps_max} elements and fields")]
    TooManySteps {
        /// The limit, [`UPDATE_STEPS_MAX`](crate::UPDATE_STEPS_MAX).
        steps_max: usize,
    },
    /// An array would be padded with too many nulls.
    #[error(
        "`{path}` would fill an array up with {count} nulls, and at most {nulls_max} are allowed: a \
         number on a path is the index of an array's element"
    )]
    TooManyNulls {
        /// The field.
        path: String,
        /// How many nulls.
        count: u32,
        /// The limit, [`UPDATE_NULLS_MAX`](crate::UPDATE_NULLS_MAX).
        nulls_max: u32,
    },
    /// `_id` would change.
    #[error("an update can't change `_id`")]
    ChangesId,
    /// The document would nest deeper than [`DEPTH_MAX`](crate::DEPTH_MAX).
    #[error("the document would nest deeper than {depth_max} levels")]
    TooDeep {
        /// The limit.
        depth_max: usize,
    },
    /// The document would become too large.
    #[error("the document would become larger than {bytes_max} bytes")]
    TooLarge {
        /// The limit, from [`UpdateContext::bytes_max`](crate::UpdateContext::bytes_max).
        bytes_max: usize,
    },
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
