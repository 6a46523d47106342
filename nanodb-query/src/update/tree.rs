//! The changes of an update as a tree of the names on their paths, so that one walk over a document
//! makes all of them.
//!
//! # Invariants
//!
//! 1. No two changes are at the same path, and none is below another: that is a conflict.
//! 2. Below one name either all steps are `$[...]` or none is.
//! 3. The tree that a document is walked with has names only: `$` and `$[...]` were replaced by the
//!    indexes that they stand for in this document ([`expand`](super::expand)).

use std::collections::BTreeMap;

use crate::path::Part;

/// What becomes of a field and what is below it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Leaf(Leaf),
    Below(Children),
}

/// A change, by its number in the update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Leaf {
    pub(super) change: usize,
    /// Whether this is the field that `$rename` takes away, and not the one that it makes.
    pub(super) renamed: bool,
}

/// The names below a field, in the order in which the update has them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Children {
    list: Vec<(Step, Node)>,
    /// Where a step is in the list, by its text.
    places: BTreeMap<Box<str>, usize>,
    /// Whether whatever is no document becomes one, as a merge patch has it.
    pub(super) is_patch: bool,
}

/// One part of a path.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    /// A name or index.
    Name(Part),
    /// `$`, the element by which the document passed the filter.
    Matched,
    /// `$[]`, all elements, or `$[id]`, those that pass the array filter of that number.
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

    /// Any change in or below this.
    pub(super) fn any_leaf(&self) -> Option<Leaf> {
        match self {
            Self::Leaf(leaf) => Some(*leaf),
            Self::Below(children) => children.iter().find_map(|(_, node)| node.any_leaf()),
        }
    }

    /// Whether no step in this tree depends on the document.
    pub(super) fn is_plain(&self) -> bool {
        match self {
            Self::Leaf(_) => true,
            Self::Below(children) => {
                children.iter().all(|(step, node)| matches!(step, Step::Name(_)) && node.is_plain())
            }
        }
    }

    /// Whether `$` is in this tree.
    pub(super) fn needs_match(&self) -> bool {
        match self {
            Self::Leaf(_) => false,
            Self::Below(children) => {
                children.iter().any(|(step, node)| *step == Step::Matched || node.needs_match())
            }
        }
    }

    /// Makes one tree of two that are for the same field. If they conflict, says where: the steps
    /// from here.
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

    /// Where the child of that name is in the list.
    pub(super) fn place(&self, name: &str) -> Option<usize> {
        self.places.get(name).copied()
    }

    /// Adds what becomes of one child, whose step reads `text`. If that conflicts, says at which
    /// path below.
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
