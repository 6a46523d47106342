//! Queries as JSON text: read to MessagePack, with the places kept, and printed.

mod literals;

use nanodb_msgpack::RawValue;
use nanodb_msgpack::json::{self, ReadOptions};
pub(crate) use nanodb_msgpack::json::{print_string, print_value};

use crate::entries::{elements, entries};
use crate::error::{Problem, QueryError};
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

    /// Refuses documents whose first name begins with `$` and is unknown: an unknown form, or a
    /// typing mistake. A document that is meant so stands within `$literal`.
    ///
    /// Runs after the query has been parsed, which has named unknown operators by then.
    pub(crate) fn check_values(&self) -> Result<(), QueryError> {
        self.check_value(self.value())
    }

    fn check_value(&self, value: RawValue<'_>) -> Result<(), QueryError> {
        let first = entries(value).next().map(|entry| entry.name);
        let unknown = first.filter(|name| name.starts_with('$') && !KNOWN.contains(name));
        if let Some(name) = unknown.filter(|_| !self.is_literal(value)) {
            return Err(self.locate(Problem::UnknownForm { name: name.to_owned() }, value.tail()));
        }
        entries(value).try_for_each(|entry| self.check_value(entry.value))?;
        elements(value).try_for_each(|element| self.check_value(element))
    }

    /// Returns whether a value stands within `$literal`.
    fn is_literal(&self, value: RawValue<'_>) -> bool {
        self.0.is_literal(value.tail())
    }

    /// Returns the error of a problem at `tail`, a name or value of [`value`](Self::value) and all
    /// bytes after it, with its place in the text.
    pub(crate) fn locate(&self, problem: Problem, tail: &[u8]) -> QueryError {
        QueryError::new(problem, Some(self.0.position_of(tail)))
    }
}
