//! Selecting elements of an array: `$elemMatch` of a projection, `$pull` of an update.

use std::fmt;

use super::operand::Operand;
use super::parse::{
    are_operators, is_value_filter, operand, parse_conjunction, parse_operators, parse_regex_form,
};
use super::print;
use super::tree::{Conjunction, Test};
use crate::error::Problem;
use crate::fault::Fault;
use crate::json::print_value;
use crate::limits::check_patterns;
use nanodb_msgpack::{Malformed, RawValue};

/// Selects elements of an array.
#[derive(Clone, Debug, PartialEq)]
pub struct ElementFilter {
    test: ElementTest,
}

#[derive(Clone, Debug, PartialEq)]
enum ElementTest {
    /// Documents, or arrays as if their indexes were names, that match a filter.
    Document(Conjunction),
    /// Values that pass all tests.
    Value(Vec<Test>),
    /// Values that are equal to this one.
    Equal(Operand),
}

impl ElementFilter {
    /// Reads the operand of `$pull`: that of `$elemMatch`, or any other value, to be equal to.
    ///
    /// `value` must lie in a query that has been checked to be well-formed. Errors name `path`.
    ///
    /// # Errors
    ///
    /// Whatever [`Filter::parse`](crate::bytes::FilterBytes::parse) refuses.
    pub fn parse(path: &str, value: RawValue<'_>) -> Result<Self, Problem> {
        check_patterns(value).map_err(|fault| fault.problem)?;
        Self::parse_fault(path, value).map_err(|fault| fault.problem)
    }

    pub(crate) fn parse_fault<'a>(path: &str, value: RawValue<'a>) -> Result<Self, Fault<'a>> {
        let test = if !value.is_map() {
            ElementTest::Equal(operand(value)?)
        } else if let Some(pattern) = parse_regex_form(path, value)? {
            ElementTest::Value(vec![Test::Regex(pattern)])
        } else if is_value_filter(value) {
            are_operators(path, value)?;
            ElementTest::Value(parse_operators(path, value)?)
        } else {
            ElementTest::Document(parse_conjunction(value)?)
        };
        Ok(Self { test })
    }

    /// Returns whether an element is selected.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if the bytes that were read are not valid MessagePack.
    pub fn matches(&self, element: RawValue<'_>) -> Result<bool, Malformed> {
        match &self.test {
            ElementTest::Document(conjunction) => conjunction.matches_element(element),
            ElementTest::Equal(operand) => operand.equals(Some(element)),
            ElementTest::Value(tests) => {
                for test in tests {
                    if !test.matches_value(Some(element))? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
        }
    }
}

impl ElementFilter {
    /// Returns whether `$pull` removes an element. Unlike with `$elemMatch`, operators hold of an
    /// array if they hold of one of its elements, and conditions on fields select documents only.
    pub(crate) fn pulls(&self, element: RawValue<'_>) -> Result<bool, Malformed> {
        match &self.test {
            ElementTest::Document(conjunction) => {
                Ok(element.is_map() && conjunction.matches_element(element)?)
            }
            ElementTest::Equal(operand) => operand.equals(Some(element)),
            ElementTest::Value(tests) => {
                for test in tests {
                    if !test.matches_from(Some(element), &[])? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
        }
    }

    /// Prints the operand from which this was read.
    pub(crate) fn print(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        match &self.test {
            ElementTest::Document(conjunction) => print::print_conjunction(conjunction, out),
            ElementTest::Value(tests) => print::print_tests(tests, out),
            ElementTest::Equal(operand) => print_value(operand.value(), out),
        }
    }
}
