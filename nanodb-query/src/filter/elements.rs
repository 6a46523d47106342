//! Which elements of an array are meant: `$elemMatch` of a projection, `$pull` of an update.

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

/// Which elements of an array are meant.
#[derive(Clone, Debug, PartialEq)]
pub struct ElementFilter {
    wanted: Wanted,
}

#[derive(Clone, Debug, PartialEq)]
enum Wanted {
    /// Documents, or arrays as if their indexes were names, that pass a filter.
    Document(Conjunction),
    /// Values of which operators hold.
    Value(Vec<Test>),
    /// Values that are equal.
    Equal(Operand),
}

impl ElementFilter {
    /// The operand of `$pull`: that of `$elemMatch`, or any other value, to be equal to.
    ///
    /// `value` is within a query that was checked to be well-formed. `path` is named by errors.
    ///
    /// # Errors
    ///
    /// What [`Filter::parse`](super::Filter::parse) refuses.
    pub fn parse(path: &str, value: RawValue<'_>) -> Result<Self, Problem> {
        check_patterns(value).map_err(|fault| fault.problem)?;
        Self::parse_fault(path, value).map_err(|fault| fault.problem)
    }

    pub(crate) fn parse_fault<'a>(path: &str, value: RawValue<'a>) -> Result<Self, Fault<'a>> {
        let wanted = if !value.is_map() {
            Wanted::Equal(operand(value)?)
        } else if let Some(pattern) = parse_regex_form(path, value)? {
            Wanted::Value(vec![Test::Regex(pattern)])
        } else if is_value_filter(value) {
            are_operators(path, value)?;
            Wanted::Value(parse_operators(path, value)?)
        } else {
            Wanted::Document(parse_conjunction(value)?)
        };
        Ok(Self { wanted })
    }

    /// Whether an element is meant.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if the bytes are wrong where they were looked at.
    pub fn matches(&self, element: RawValue<'_>) -> Result<bool, Malformed> {
        match &self.wanted {
            Wanted::Document(conjunction) => conjunction.matches_element(element),
            Wanted::Equal(operand) => operand.equals(Some(element)),
            Wanted::Value(tests) => {
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
    /// Whether `$pull` takes an element out. Unlike for `$elemMatch`, operators hold of an array if
    /// they hold of an element of it, and fields are those of documents alone.
    pub(crate) fn pulls(&self, element: RawValue<'_>) -> Result<bool, Malformed> {
        match &self.wanted {
            Wanted::Document(conjunction) => {
                Ok(element.is_map() && conjunction.matches_element(element)?)
            }
            Wanted::Equal(operand) => operand.equals(Some(element)),
            Wanted::Value(tests) => {
                for test in tests {
                    if !test.matches_from(Some(element), &[])? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
        }
    }

    /// Prints the operand that this was read from.
    pub(crate) fn print(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        match &self.wanted {
            Wanted::Document(conjunction) => print::print_conjunction(conjunction, out),
            Wanted::Value(tests) => print::print_tests(tests, out),
            Wanted::Equal(operand) => print_value(operand.value(), out),
        }
    }
}
