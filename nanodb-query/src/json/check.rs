//! What is refused in a text although the query that it says is sound, and where something is.

use nanodb_msgpack::RawValue;

use super::{KNOWN, Text};
use crate::entries::{elements, entries};
use crate::error::{Problem, QueryError};

impl Text<'_> {
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
    pub(super) fn is_literal(&self, value: RawValue<'_>) -> bool {
        self.0.is_literal(value.tail())
    }

    /// Returns the error of a problem at `tail`, a name or value of [`value`](Self::value) and all
    /// bytes after it, with its place in the text.
    pub(crate) fn locate(&self, problem: Problem, tail: &[u8]) -> QueryError {
        QueryError::new(problem, Some(self.0.position_of(tail)))
    }
}
