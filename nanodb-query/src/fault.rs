//! What is wrong with a query, and at which of its bytes.

use nanodb_msgpack::{RawValue, TypeBracket};

use crate::error::Problem;

/// A problem, and the bytes from the name or value on that has it.
#[derive(Debug)]
pub(crate) struct Fault<'a> {
    pub(crate) problem: Problem,
    pub(crate) tail: &'a [u8],
}

/// A problem with the value that `at` begins with.
pub(crate) fn fault(problem: Problem, at: RawValue<'_>) -> Fault<'_> {
    Fault { problem, tail: at.tail() }
}

/// Says that an operator can't take what it was given.
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
