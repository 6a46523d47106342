//! A problem, with the place in the query's bytes.

use nanodb_msgpack::{RawValue, TypeBracket};

use crate::error::Problem;

/// A problem, and the bytes that begin with the name or value that has it.
#[derive(Debug)]
pub(crate) struct Fault<'a> {
    pub(crate) problem: Problem,
    #[cfg_attr(not(feature = "json"), allow(dead_code, reason = "a place in a text"))]
    pub(crate) tail: &'a [u8],
}

/// Returns a problem with the value that `at` begins with.
pub(crate) fn fault(problem: Problem, at: RawValue<'_>) -> Fault<'_> {
    Fault { problem, tail: at.tail() }
}

/// Returns the fault that an operator does not accept its operand.
pub(crate) fn refuse<'a>(
    operator: &str,
    path: &str,
    expected: &'static str,
    value: RawValue<'a>,
) -> Fault<'a> {
    let found = value.bracket().unwrap_or(TypeBracket::Null);
    let (operator, path) = (operator.to_owned(), path.to_owned());
    fault(Problem::Operand { operator, path, expected, found }, value)
}
