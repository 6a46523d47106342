//! Replacing `$`, `$[]` and `$[id]` by the indexes that they stand for in one document.

use std::cell::Cell;

use super::error::UpdateError;
use super::filters::ArrayFilter;
use super::operator::Change;
use super::tree::{Children, Node, Step};
use crate::path::{Part, step_of_update};
use nanodb_msgpack::{Malformed, RawValue};
use nanodb_msgpack::{write_map_len, write_string};

/// The most elements and fields that `$[]` and `$[id]` may stand for in one document.
pub const UPDATE_STEPS_MAX: usize = 200_000;

/// The replacement of the steps of a tree by indexes.
pub(super) struct Expansion<'u> {
    changes: &'u [Change],
    filters: &'u [ArrayFilter],
    /// The element by which the document matched the filter.
    matched: Option<u32>,
    /// The number of steps made so far.
    made: Cell<usize>,
}

impl<'u> Expansion<'u> {
    pub(super) fn new(
        changes: &'u [Change],
        filters: &'u [ArrayFilter],
        matched: Option<u32>,
    ) -> Self {
        Self { changes, filters, matched, made: Cell::new(0) }
    }

    /// Returns the tree for a field with that value, of names only.
    fn expand(&self, node: &Node, value: Option<RawValue<'_>>) -> Result<Node, UpdateError> {
        Ok(match node {
            Node::Leaf(leaf) => Node::Leaf(*leaf),
            Node::Below(children) => Node::Below(self.expand_children(children, value)?),
        })
    }

    /// Returns the tree below a document or array, of names only.
    pub(super) fn expand_children(
        &self,
        children: &Children,
        value: Option<RawValue<'_>>,
    ) -> Result<Children, UpdateError> {
        // A patch contains no `$`.
        let mut plain = Children::default();
        for (step, below) in children.iter() {
            match step {
                Step::Name(part) => self.add_name(&mut plain, part.clone(), below, value)?,
                Step::Matched => {
                    let Some(index) = self.matched else {
                        return Err(UpdateError::NoMatch { path: self.path(below) });
                    };
                    self.add_name(&mut plain, Part::of_index(index), below, value)?;
                }
                Step::Each(filter) => self.add_each(&mut plain, *filter, below, value)?,
            }
        }
        Ok(plain)
    }

    fn add_each(
        &self,
        plain: &mut Children,
        filter: Option<usize>,
        below: &Node,
        value: Option<RawValue<'_>>,
    ) -> Result<(), UpdateError> {
        let Some(elements) = value.and_then(RawValue::elements) else {
            return Err(self.no_array(below, value)?);
        };
        let filter = filter.and_then(|filter| self.filters.get(filter));
        for (index, element) in (0_u32..).zip(elements) {
            let element = element?;
            if filter.map_or(Ok(true), |filter| passes(filter, element))? {
                self.add(plain, Part::of_index(index), below, Some(element))?;
            }
        }
        Ok(())
    }

    fn add_name(
        &self,
        plain: &mut Children,
        part: Part,
        below: &Node,
        container: Option<RawValue<'_>>,
    ) -> Result<(), UpdateError> {
        // A plain tree is the same for every value.
        let container = container.filter(|_| !below.is_plain());
        let value =
            container.map(|container| step_of_update(container, &part)).transpose()?.flatten();
        self.add(plain, part, below, value)
    }

    fn add(
        &self,
        plain: &mut Children,
        part: Part,
        below: &Node,
        value: Option<RawValue<'_>>,
    ) -> Result<(), UpdateError> {
        let made = self.made.get() + 1;
        self.made.set(made);
        if made > UPDATE_STEPS_MAX {
            return Err(UpdateError::TooManySteps { steps_max: UPDATE_STEPS_MAX });
        }
        let node = self.expand(below, value)?;
        let text = part.name().to_owned();
        plain
            .add(&text, Step::Name(part), node)
            .map_err(|at| UpdateError::Conflict { path: self.path(below), at })
    }

    fn no_array(
        &self,
        below: &Node,
        value: Option<RawValue<'_>>,
    ) -> Result<UpdateError, UpdateError> {
        let leaf = below.any_leaf().and_then(|leaf| self.changes.get(leaf.change));
        let operator = leaf.map_or("", |change| change.operator.name());
        let found = value.map_or(Ok(crate::TypeBracket::Null), RawValue::bracket)?;
        let expected = "an array for `$[]` to go through";
        Ok(UpdateError::Target { operator, path: self.path(below), expected, found })
    }

    fn path(&self, node: &Node) -> String {
        let change = node.any_leaf().and_then(|leaf| self.changes.get(leaf.change));
        change.map(|change| change.path.to_string()).unwrap_or_default()
    }
}

/// Returns whether an element matches: the filter is evaluated on a document that contains it under
/// its name.
fn passes(filter: &ArrayFilter, element: RawValue<'_>) -> Result<bool, UpdateError> {
    let mut document = Vec::new();
    write_map_len(&mut document, 1);
    // A name too long for MessagePack is refused when it is parsed.
    let _ = write_string(&mut document, &filter.identifier);
    document.extend_from_slice(element.bytes()?);
    // It was parsed, so nothing in it is refused.
    filter.filter.matches(&document).map_err(|_| Malformed.into())
}
