//! Which element of an array made a document match: what `$` means in an update.

use super::tree::{Condition, Conjunction, Junction, Test};
use crate::path::{Part, step};
use nanodb_msgpack::{Malformed, RawValue};

impl Conjunction {
    /// Returns the index found by the last condition that looks into an array, in a container that
    /// matches.
    pub(super) fn matched_element(
        &self,
        container: RawValue<'_>,
    ) -> Result<Option<u32>, Malformed> {
        let mut matched = None;
        for Condition { path, test } in self.groups.iter().flat_map(|group| &group.conditions) {
            matched = test.matched_element(container, path.parts())?.or(matched);
        }
        for junction in &self.others {
            // A container that matches no branch of `$nor` did not match by an element.
            let Junction::Or(branches) = junction else { continue };
            for branch in branches {
                if branch.matches(container)? {
                    matched = branch.matched_element(container)?.or(matched);
                    break;
                }
            }
        }
        Ok(matched)
    }
}

impl Test {
    /// Returns the index in the outermost array that the path leads through, or to.
    fn matched_element(
        &self,
        container: RawValue<'_>,
        parts: &[Part],
    ) -> Result<Option<u32>, Malformed> {
        match self {
            Self::Not(_) | Self::Exists(false) => return Ok(None),
            Self::All(tests) => {
                let mut matched = None;
                for test in tests {
                    matched = test.matched_element(container, parts)?.or(matched);
                }
                return Ok(matched);
            }
            Self::Equal(_)
            | Self::Greater(_)
            | Self::GreaterOrEqual(_)
            | Self::Less(_)
            | Self::LessOrEqual(_)
            | Self::In(_)
            | Self::Exists(true)
            | Self::Type(_)
            | Self::Regex(_)
            | Self::Size(_)
            | Self::Mod { .. }
            | Self::Bits(_)
            | Self::ElementDocument(_)
            | Self::ElementValue(_) => {}
        }
        let mut value = container;
        let mut parts = parts;
        while let Some((first, rest)) = parts.split_first() {
            let Some(below) = step(value, first)? else { return Ok(None) };
            (value, parts) = (below, rest);
            if value.is_array() {
                break;
            }
        }
        for (index, element) in (0_u32..).zip(value.elements().into_iter().flatten()) {
            if self.holds_by(element?, index, parts)? {
                return Ok(Some(index));
            }
        }
        Ok(None)
    }

    /// Returns whether this holds of an element, or of what the rest of the path leads to from it.
    fn holds_by(
        &self,
        element: RawValue<'_>,
        index: u32,
        parts: &[Part],
    ) -> Result<bool, Malformed> {
        let Some((first, rest)) = parts.split_first() else {
            return match self {
                Self::ElementDocument(conjunction) => conjunction.matches_element(element),
                Self::ElementValue(tests) => {
                    for test in tests {
                        if !test.matches_value(Some(element))? {
                            return Ok(false);
                        }
                    }
                    Ok(true)
                }
                Self::Size(_) | Self::Exists(_) => Ok(false),
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
                | Self::Not(_) => self.matches_value(Some(element)),
            };
        };
        if element.is_map() && self.matches_below(element, parts)? {
            return Ok(true);
        }
        Ok(first.index() == Some(index) && self.matches_from(Some(element), rest)?)
    }
}
