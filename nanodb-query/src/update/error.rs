//! Why an update can't be applied to a document.

use nanodb_msgpack::{Malformed, TypeBracket};

use crate::error::QueryError;

/// Why an update can't be applied to a document, which then stays as it is.
///
/// An `operator` is named as the update has it, and a `path` too.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UpdateError {
    /// The document is no well-formed MessagePack, or not a map.
    #[error("the document is no well-formed MessagePack map")]
    Malformed(#[from] Malformed),
    /// The filter of an upsert was built of what is refused.
    #[error(transparent)]
    Filter(Box<QueryError>),
    /// The field is of a type that the operator can't be applied to.
    #[error("`{operator}` on `{path}` needs {expected}, and the field is {found}")]
    Target {
        /// The operator.
        operator: &'static str,
        /// The field.
        path: String,
        /// What it needs.
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
        /// What it would be created in.
        found: TypeBracket,
    },
    /// A number leaves what 64 bits hold.
    #[error("`{operator}` on `{path}` leads to an integer of more than 64 bits")]
    Overflow {
        /// The operator.
        operator: &'static str,
        /// The field.
        path: String,
    },
    /// A field would be renamed that is an element of an array or below one, or to such a field.
    #[error("`$rename` on `{path}` leads through an array at `{through}`")]
    RenameInArray {
        /// The field's name before.
        path: String,
        /// The path, of the two, that leads through an array.
        through: String,
    },
    /// The `$` of a path stands for the element by which the document passed the filter, and there
    /// is none.
    #[error("`{path}` needs a filter that looks into the array: `$` is the element found there")]
    NoMatch {
        /// The field.
        path: String,
    },
    /// Two changes meet in one field, of this document.
    #[error("updating the path `{path}` would create a conflict at `{at}`")]
    Conflict {
        /// The path of the second one.
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
    /// An array would be filled up with too many nulls.
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
    /// `_id` would be another one.
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
        /// The limit, as it was given.
        bytes_max: usize,
    },
}
