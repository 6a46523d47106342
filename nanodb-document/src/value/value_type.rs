//! The types of values, as errors and messages name them.

use std::fmt;

/// The type of a value, without the value.
///
/// ```
/// # extern crate nanodb_document as nanodb;
/// use nanodb::{Value, ValueType};
///
/// assert_eq!(Value::from(5).value_type(), ValueType::Integer);
/// assert_eq!(ValueType::Integer.to_string(), "integer");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ValueType {
    /// Nothing.
    Null,
    /// True or false.
    Bool,
    /// An integer of either sign.
    Integer,
    /// A float.
    Float,
    /// Text.
    String,
    /// Bytes.
    Binary,
    /// An ObjectId.
    ObjectId,
    /// A UUID.
    Uuid,
    /// Values in order.
    Array,
    /// Named values in order.
    Document,
    /// A point in time.
    Timestamp,
    /// A MessagePack extension.
    Extension,
}

impl fmt::Display for ValueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "null",
            Self::Bool => "boolean",
            Self::Integer => "integer",
            Self::Float => "float",
            Self::String => "string",
            Self::Binary => "binary",
            Self::ObjectId => "ObjectId",
            Self::Uuid => "UUID",
            Self::Array => "array",
            Self::Document => "document",
            Self::Timestamp => "timestamp",
            Self::Extension => "extension",
        })
    }
}

impl ValueType {
    /// Returns the name of this type as a sentence has it.
    pub(crate) fn with_article(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool => "a boolean",
            Self::Integer => "an integer",
            Self::Float => "a float",
            Self::String => "a string",
            Self::Binary => "binary",
            Self::ObjectId => "an ObjectId",
            Self::Uuid => "a UUID",
            Self::Array => "an array",
            Self::Document => "a document",
            Self::Timestamp => "a timestamp",
            Self::Extension => "an extension",
        }
    }
}
