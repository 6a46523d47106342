//! Queries as JSON text: read to MessagePack, with the places kept, and printed.

#[cfg(feature = "json")]
mod check;
#[cfg(feature = "json")]
mod literals;

use nanodb_msgpack::RawValue;
use nanodb_msgpack::json::{self, ReadOptions};
pub(crate) use nanodb_msgpack::json::{print_string, print_value};

use crate::entries::entries;
use crate::error::QueryError;
use crate::limits::QUERY_NODES_MAX;

/// The names with a dollar that a document in a query may begin with: operators, what stands next
/// to them, and those of a reference, which is an ordinary document to MongoDB, too.
const KNOWN: &[&str] = &[
    "$eq",
    "$ne",
    "$gt",
    "$gte",
    "$lt",
    "$lte",
    "$in",
    "$nin",
    "$and",
    "$or",
    "$nor",
    "$not",
    "$exists",
    "$type",
    "$regex",
    "$options",
    "$regularExpression",
    "$size",
    "$all",
    "$elemMatch",
    "$mod",
    "$bitsAllSet",
    "$bitsAllClear",
    "$bitsAnySet",
    "$bitsAnyClear",
    "$comment",
    "$set",
    "$setOnInsert",
    "$unset",
    "$inc",
    "$mul",
    "$min",
    "$max",
    "$currentDate",
    "$rename",
    "$bit",
    "$push",
    "$addToSet",
    "$pull",
    "$pullAll",
    "$pop",
    "$each",
    "$position",
    "$sort",
    "$slice",
    "$mergePatch",
    "$replaceWith",
    "$ref",
    "$id",
];

/// Those that are not operators.
const REFERENCE: &[&str] = &["$ref", "$id"];

/// Returns whether a value is a document that begins with an operator.
pub(crate) fn begins_with_operator(value: RawValue<'_>) -> bool {
    let first = entries(value).next();
    first.is_some_and(|first| KNOWN.contains(&first.name) && !REFERENCE.contains(&first.name))
}

/// A query as text, and as the bytes that mean the same.
#[derive(Debug)]
pub(crate) struct Text<'a>(json::Text<'a>);

impl<'a> Text<'a> {
    /// Reads a text that is one JSON value.
    pub(crate) fn parse(text: &'a str) -> Result<Self, QueryError> {
        let options = ReadOptions::new().operators(true).values_max(QUERY_NODES_MAX);
        Ok(Self(json::Text::parse(text.as_bytes(), &options)?))
    }

    /// Returns the value of the text.
    pub(crate) fn value(&self) -> RawValue<'_> {
        self.0.value()
    }
}
