//! The changes of an update as a tree of the names on their paths, so that one walk over a document
//! makes all of them.
//!
//! # Invariants
//!
//! 1. No two changes have the same path, and none is below another: that is a conflict.
//! 2. Below one name either all steps are `$[...]` or none is.
//! 3. The tree that a document is walked with contains names only: `$` and `$[...]` have been
//!    replaced by the indexes that they stand for in this document ([`expand`](super::expand)).

use std::collections::BTreeMap;

use crate::path::Part;

/// What happens to a field and below it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Leaf(Leaf),
    Below(Children),
}

/// A change, by its number in the update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Leaf {
    pub(super) change: usize,
    /// Whether this is the field that `$rename` removes, and not the one that it creates.
    pub(super) renamed: bool,
}

/// The names below a field, in the order of the update.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Children {
    list: Vec<(Step, Node)>,
    /// The place of a step in the list, by its text.
    places: BTreeMap<Box<str>, usize>,
    /// Whether a value that is not a document becomes one, as in a merge patch.
    pub(super) is_patch: bool,
}

/// One part of a path.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    /// A name or index.
    Name(Part),
    /// `$`, the element by which the document matched the filter.
    Matched,
    /// `$[]`, all elements, or `$[id]`, those that match the array filter with that number.
    Each(Option<usize>),
}

impl Step {
    fn is_each(&self) -> bool {
        matches!(self, Self::Each(_))
    }
}

impl Node {
    pub(super) fn leaf(change: usize) -> Self {
        Self::Leaf(Leaf { change, renamed: false })
    }

    /// Returns any change in or below this.
    pub(super) fn any_leaf(&self) -> Option<Leaf> {
        match self {
            Self::Leaf(leaf) => Some(*leaf),
            Self::Below(children) => children.iter().find_map(|(_, node)| node.any_leaf()),
        }
    }

    /// Returns whether no step in this tree depends on the document.
    pub(super) fn is_plain(&self) -> bool {
        match self {
            Self::Leaf(_) => true,
            Self::Below(children) => {
                children.iter().all(|(step, node)| matches!(step, Step::Name(_)) && node.is_plain())
            }
        }
    }

    /// Returns whether `$` is in this tree.
    pub(super) fn needs_match(&self) -> bool {
        match self {
            Self::Leaf(_) => false,
            Self::Below(children) => {
                children.iter().any(|(step, node)| *step == Step::Matched || node.needs_match())
            }
        }
    }

    /// Merges two trees for the same field. If they conflict, returns where: the steps from here.
    pub(super) fn merge(&mut self, other: Self) -> Result<(), String> {
        match (self, other) {
            (Self::Below(own), Self::Below(other)) => {
                for (text, step, node) in other.into_entries() {
                    own.add(&text, step, node)?;
                }
                Ok(())
            }
            _ => Err(String::new()),
        }
    }
}

impl Children {
    pub(super) fn of_patch() -> Self {
        Self { is_patch: true, ..Self::default() }
    }

    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = (&Step, &Node)> {
        self.list.iter().map(|(step, node)| (step, node))
    }

    pub(super) fn get(&self, place: usize) -> Option<&Node> {
        self.list.get(place).map(|(_, node)| node)
    }

    /// Returns where the child with that name is in the list.
    pub(super) fn place(&self, name: &str) -> Option<usize> {
        self.places.get(name).copied()
    }

    /// Adds a child, whose step reads `text`. If that conflicts, returns the path below.
    pub(super) fn add(&mut self, text: &str, step: Step, node: Node) -> Result<(), String> {
        let below =
            |at: String| if at.is_empty() { text.to_owned() } else { format!("{text}.{at}") };
        if let Some((_, there)) = self.places.get(text).and_then(|&place| self.list.get_mut(place))
        {
            return there.merge(node).map_err(below);
        }
        if self.list.first().is_some_and(|(first, _)| first.is_each() != step.is_each()) {
            return Err(text.to_owned());
        }
        self.places.insert(text.into(), self.list.len());
        self.list.push((step, node));
        Ok(())
    }

    fn into_entries(self) -> impl Iterator<Item = (Box<str>, Step, Node)> {
        let mut texts: Vec<(usize, Box<str>)> =
            self.places.into_iter().map(|(text, place)| (place, text)).collect();
        texts.sort_unstable();
        texts.into_iter().zip(self.list).map(|((_, text), (step, node))| (text, step, node))
    }
}
