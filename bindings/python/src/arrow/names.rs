//! The names of a document's fields, each with its position.

use std::collections::HashMap;

/// Names in the order in which they were first seen.
#[derive(Default)]
pub(super) struct Names {
    names: Vec<Box<[u8]>>,
    positions: HashMap<Box<[u8]>, usize>,
}

impl Names {
    /// Returns where a name is. `guess` is looked at first: documents of a collection mostly have
    /// their fields in the same order.
    #[inline]
    pub(super) fn find(&self, name: &[u8], guess: usize) -> Option<usize> {
        if self.names.get(guess).is_some_and(|there| **there == *name) {
            return Some(guess);
        }
        self.positions.get(name).copied()
    }

    /// Adds a name that is not there, and returns where it is.
    pub(super) fn add(&mut self, name: &[u8]) -> usize {
        let position = self.names.len();
        self.names.push(name.into());
        self.positions.insert(name.into(), position);
        position
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.names.iter().map(|name| &**name)
    }
}
