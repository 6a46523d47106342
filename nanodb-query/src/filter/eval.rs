//! Evaluating a filter on a document's bytes.
//!
//! A walk over a document reads each name once, compares it with the names in the filter by length
//! and bytes, and tests the value in place. It ends at the first condition that fails, or when all
//! names have been found.

use super::tree::{Choice, Condition, Conjunction, FieldGroup, Junction, Test};
use crate::path::{AtEnd, Part, walk, walk_on};
use nanodb_msgpack::{Cursor, Token};
use nanodb_msgpack::{Malformed, RawValue};

/// How many names one walk looks for; each further name takes a walk of its own.
const GROUPS_AT_ONCE: usize = 64;

impl Conjunction {
    /// Returns whether all conditions hold of a document, or of an array as if its indexes were
    /// names.
    pub(super) fn matches(&self, container: RawValue<'_>) -> Result<bool, Malformed> {
        let (at_once, rest) = match self.groups.split_at_checked(GROUPS_AT_ONCE) {
            Some((at_once, rest)) => (at_once, rest),
            None => (self.groups.as_slice(), [].as_slice()),
        };
        if !at_once.is_empty() && !matches_groups(at_once, container)? {
            return Ok(false);
        }
        for condition in rest.iter().flat_map(|group| &group.conditions) {
            if !condition.test.matches_below(container, condition.path.parts())? {
                return Ok(false);
            }
        }
        for junction in &self.others {
            if !junction.matches(container)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl Junction {
    fn matches(&self, container: RawValue<'_>) -> Result<bool, Malformed> {
        let (branches, wanted) = match self {
            Self::Or(branches) => (branches, true),
            Self::Nor(branches) => (branches, false),
        };
        for branch in branches {
            if branch.matches(container)? {
                return Ok(wanted);
            }
        }
        Ok(!wanted)
    }
}

impl FieldGroup {
    #[inline]
    fn first_part(&self) -> Option<&Part> {
        self.conditions.first().and_then(|condition| condition.path.parts().first())
    }

    /// Returns whether the conditions hold, given the value that the first name led to.
    #[inline]
    fn matches(&self, found: Option<RawValue<'_>>) -> Result<bool, Malformed> {
        for Condition { path, test } in &self.conditions {
            let rest = path.parts().get(1..).unwrap_or_default();
            if !test.matches_from(found, rest)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Returns whether the conditions of at most [`GROUPS_AT_ONCE`] groups hold, in one walk.
fn matches_groups(groups: &[FieldGroup], container: RawValue<'_>) -> Result<bool, Malformed> {
    let mut cursor = Cursor::new(container.tail());
    let Some(len) = cursor.read_map_len() else {
        // An array found by `$elemMatch`, or something that is not a document.
        for condition in groups.iter().flat_map(|group| &group.conditions) {
            if !condition.test.matches_below(container, condition.path.parts())? {
                return Ok(false);
            }
        }
        return Ok(true);
    };
    // One bit for each group that has not been found yet.
    let mut pending = u64::MAX >> (GROUPS_AT_ONCE - groups.len());
    for _ in 0..len {
        let wanted = groups.iter().enumerate().find(|(index, group)| {
            pending & (1 << index) != 0 && group.name.is_at(cursor, group.first_part())
        });
        cursor.read_string_bytes().ok_or(Malformed)?;
        if let Some((index, group)) = wanted {
            if !group.matches(Some(RawValue::new(cursor.rest())))? {
                return Ok(false);
            }
            pending &= !(1 << index);
            if pending == 0 {
                return Ok(true);
            }
        }
        cursor.skip().ok_or(Malformed)?;
    }
    for (index, group) in groups.iter().enumerate() {
        if pending & (1 << index) != 0 && !group.matches(None)? {
            return Ok(false);
        }
    }
    Ok(true)
}

impl Test {
    /// Returns how this test looks at an array at the end of a path.
    fn at_end(&self) -> AtEnd {
        match self {
            Self::Exists(_) | Self::Size(_) | Self::ElementDocument(_) | Self::ElementValue(_) => {
                AtEnd::Whole
            }
            Self::Equal(_)
            | Self::Greater(_)
            | Self::GreaterOrEqual(_)
            | Self::Less(_)
            | Self::LessOrEqual(_)
            | Self::In(_)
            | Self::Type(_)
            | Self::Regex(_)
            | Self::Mod { .. }
            | Self::Bits(_)
            | Self::All(_)
            | Self::Not(_) => AtEnd::Elements,
        }
    }

    /// Returns whether this holds of the values that a path leads to from a container.
    pub(super) fn matches_below(
        &self,
        container: RawValue<'_>,
        parts: &[Part],
    ) -> Result<bool, Malformed> {
        match self {
            Self::Not(tests) => {
                all(tests, |test| test.matches_below(container, parts)).map(|holds| !holds)
            }
            Self::All(tests) => {
                Ok(!tests.is_empty() && all(tests, |test| test.matches_below(container, parts))?)
            }
            Self::Exists(false) => {
                walk(container, parts, AtEnd::Whole, &mut |value| Ok(value.is_some()))
                    .map(|any| !any)
            }
            _ => walk(container, parts, self.at_end(), &mut |value| self.matches_value(value)),
        }
    }

    /// Returns whether this holds of the values that the rest of a path leads to, from the value
    /// that its first part led to.
    #[inline]
    pub(super) fn matches_from(
        &self,
        found: Option<RawValue<'_>>,
        rest: &[Part],
    ) -> Result<bool, Malformed> {
        match self {
            Self::Not(tests) => {
                all(tests, |test| test.matches_from(found, rest)).map(|holds| !holds)
            }
            Self::All(tests) => {
                Ok(!tests.is_empty() && all(tests, |test| test.matches_from(found, rest))?)
            }
            Self::Exists(false) => {
                walk_on(found, rest, AtEnd::Whole, &mut |value| Ok(value.is_some())).map(|any| !any)
            }
            _ => walk_on(found, rest, self.at_end(), &mut |value| self.matches_value(value)),
        }
    }

    /// Returns whether this holds of one value, or of a missing one; an array is only itself here.
    #[inline]
    pub(super) fn matches_value(&self, stored: Option<RawValue<'_>>) -> Result<bool, Malformed> {
        Ok(match self {
            Self::Equal(operand) => operand.equals(stored)?,
            Self::Greater(operand) => operand.compared(stored)?.is_some_and(|order| order.is_gt()),
            Self::GreaterOrEqual(operand) => {
                operand.compared(stored)?.is_some_and(|order| order.is_ge())
            }
            Self::Less(operand) => operand.compared(stored)?.is_some_and(|order| order.is_lt()),
            Self::LessOrEqual(operand) => {
                operand.compared(stored)?.is_some_and(|order| order.is_le())
            }
            _ => self.matches_value_otherwise(stored)?,
        })
    }

    fn matches_value_otherwise(&self, stored: Option<RawValue<'_>>) -> Result<bool, Malformed> {
        let Some(value) = stored else {
            return match self {
                Self::In(choice) => Ok(choice.has_null()),
                Self::Exists(wanted) => Ok(!wanted),
                Self::Not(tests) => all(tests, |test| test.matches_value(None)).map(|holds| !holds),
                Self::All(tests) => {
                    Ok(!tests.is_empty() && all(tests, |test| test.matches_value(None))?)
                }
                Self::Equal(_)
                | Self::Greater(_)
                | Self::GreaterOrEqual(_)
                | Self::Less(_)
                | Self::LessOrEqual(_)
                | Self::Type(_)
                | Self::Regex(_)
                | Self::Size(_)
                | Self::Mod { .. }
                | Self::Bits(_)
                | Self::ElementDocument(_)
                | Self::ElementValue(_) => Ok(false),
            };
        };
        Ok(match self {
            Self::In(choice) => choice.contains(value)?,
            Self::Exists(wanted) => *wanted,
            Self::Type(types) => types.contain(value.token()?),
            Self::Regex(pattern) => match value.token()? {
                Token::String(text) => pattern.is_match(text),
                _ => false,
            },
            Self::Size(len) => matches!(value.token()?, Token::Array(found) if found == *len),
            Self::Mod { divisor, remainder } => {
                let whole = value.token()?.number().and_then(|number| number.truncated());
                whole.is_some_and(|whole| whole % i128::from(*divisor) == i128::from(*remainder))
            }
            Self::Bits(bits) => bits.hold_of(value)?,
            Self::All(tests) => !tests.is_empty() && all(tests, |test| test.matches_value(stored))?,
            Self::Not(tests) => !all(tests, |test| test.matches_value(stored))?,
            Self::ElementDocument(conjunction) => {
                any_element(value, |element| conjunction.matches_element(element))?
            }
            Self::ElementValue(tests) => {
                any_element(value, |element| all(tests, |test| test.matches_value(Some(element))))?
            }
            // `matches_value` has dealt with these.
            Self::Equal(_)
            | Self::Greater(_)
            | Self::GreaterOrEqual(_)
            | Self::Less(_)
            | Self::LessOrEqual(_) => false,
        })
    }
}

impl Conjunction {
    /// Returns whether an element of an array is a document or an array of which this holds.
    pub(super) fn matches_element(&self, element: RawValue<'_>) -> Result<bool, Malformed> {
        Ok((element.is_map() || element.is_array()) && self.matches(element)?)
    }
}

impl Choice {
    fn has_null(&self) -> bool {
        // Null sorts before all other values.
        self.values.first().is_some_and(|value| value.is_null())
    }

    fn contains(&self, value: RawValue<'_>) -> Result<bool, Malformed> {
        let mut malformed = Ok(());
        let found = self.values.binary_search_by(|operand| {
            nanodb_msgpack::compare(operand.value(), value).unwrap_or_else(|error| {
                malformed = Err(error);
                std::cmp::Ordering::Equal
            })
        });
        malformed?;
        if found.is_ok() {
            return Ok(true);
        }
        if self.patterns.is_empty() {
            return Ok(false);
        }
        Ok(match value.token()? {
            Token::String(text) => self.patterns.iter().any(|pattern| pattern.is_match(text)),
            _ => false,
        })
    }
}

#[inline]
fn all(
    tests: &[Test],
    mut holds: impl FnMut(&Test) -> Result<bool, Malformed>,
) -> Result<bool, Malformed> {
    for test in tests {
        if !holds(test)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Returns whether `holds` is true of an element of an array.
fn any_element<'a>(
    array: RawValue<'a>,
    mut holds: impl FnMut(RawValue<'a>) -> Result<bool, Malformed>,
) -> Result<bool, Malformed> {
    for element in array.elements().into_iter().flatten() {
        if holds(element?)? {
            return Ok(true);
        }
    }
    Ok(false)
}
