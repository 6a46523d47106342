//! Queries as JSON text: read to MessagePack with the places kept, and printed.

use nanodb_msgpack::RawValue;
use nanodb_msgpack::json::{self, ReadOptions};
pub(crate) use nanodb_msgpack::json::{print_string, print_value};

use crate::QUERY_NODES_MAX;
use crate::error::{Problem, QueryError};

/// A query as text, and as the bytes that mean the same.
#[derive(Debug)]
pub(crate) struct Text<'a>(json::Text<'a>);

impl<'a> Text<'a> {
    /// Reads a text that is one value of JSON.
    pub(crate) fn parse(text: &'a str) -> Result<Self, QueryError> {
        let options = ReadOptions::new().operators(true).values_max(QUERY_NODES_MAX);
        Ok(Self(json::Text::parse(text.as_bytes(), &options)?))
    }

    /// What the text says.
    pub(crate) fn value(&self) -> RawValue<'_> {
        self.0.value()
    }

    /// Says of a problem at `tail`, a name or value of [`value`](Self::value) and all after it,
    /// where that is in the text.
    pub(crate) fn locate(&self, problem: Problem, tail: &[u8]) -> QueryError {
        QueryError::new(problem, Some(self.0.position_of(tail)))
    }
}
