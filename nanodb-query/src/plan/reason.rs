//! Why an index is not used.

use std::fmt;

/// The reason why an index can't be used for a search, or not for its order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotUsed {
    /// The filter says nothing of the first field of the index.
    FirstField {
        /// The path of the field.
        path: String,
    },
    /// What the filter says of the first field does not narrow the index.
    Operator {
        /// The path of the field.
        path: String,
        /// The operator.
        operator: &'static str,
    },
    /// An operator compares the first field with a whole array, which is no key.
    ArrayOperand {
        /// The path of the field.
        path: String,
        /// The operator.
        operator: &'static str,
    },
    /// The index is partial, and documents without entries could match.
    Partial {
        /// The condition of the partial filter that the filter does not imply.
        condition: String,
    },
    /// The index is sparse, and documents without entries could match.
    Sparse,
    /// The filter is the error of every use.
    Refused,
    /// The fields of the sort are not those of the index, or not in its order.
    SortFields,
    /// The sort's directions are neither those of the index nor their opposite.
    SortDirections,
    /// The index has arrays at a path that is sorted by.
    SortMultikey {
        /// The path.
        path: String,
    },
    /// A path that is sorted by has a part that may be the index of an array.
    SortNumber {
        /// The path.
        path: String,
    },
}

impl fmt::Display for NotUsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FirstField { path } => {
                write!(f, "the filter says nothing of `{path}`, its first field")
            }
            Self::Operator { path, operator } => {
                write!(f, "`{operator}` on `{path}`, its first field, does not narrow it")
            }
            Self::ArrayOperand { path, operator } => write!(
                f,
                "`{operator}` compares `{path}`, its first field, with an array, and it has only \
                 their elements"
            ),
            Self::Partial { condition } => {
                write!(f, "it is partial, and the filter does not say that {condition}")
            }
            Self::Sparse => {
                f.write_str("it is sparse, and documents without its fields could match")
            }
            Self::Refused => f.write_str("the filter can't be used"),
            Self::SortFields => f.write_str("its fields are in another order than the sort's"),
            Self::SortDirections => f.write_str("its directions are not those of the sort"),
            Self::SortMultikey { path } => {
                write!(f, "it has arrays at `{path}`, which is sorted by")
            }
            Self::SortNumber { path } => {
                write!(f, "`{path}`, which is sorted by, may name an element of an array")
            }
        }
    }
}
