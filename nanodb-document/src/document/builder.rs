//! Filling a document with fields whose names may repeat.

use std::hash::BuildHasher;

use hashbrown::HashTable;

use super::Document;
use crate::hash::RandomState;
use crate::value::Value;

/// The most names that are compared one by one; above it they are hashed.
const LINEAR_MAX: usize = 16;

/// A document being filled with fields whose names may repeat: the last value wins, at the place of
/// the first one.
pub(super) struct Builder<'d> {
    document: &'d mut Document,
    hasher: RandomState,
    positions: HashTable<usize>,
}

impl<'d> Builder<'d> {
    pub(super) fn new(document: &'d mut Document) -> Self {
        Self { document, hasher: RandomState::default(), positions: HashTable::new() }
    }

    pub(super) fn push(&mut self, name: String, value: Value) {
        if self.document.fields.len() < LINEAR_MAX {
            self.document.insert(name, value);
            return;
        }
        let Self { document: Document { fields }, hasher, positions } = self;
        let hash_at = |index: &usize| {
            fields.get(*index).map_or(0, |(name, _)| hasher.hash_one(name.as_str()))
        };
        // Adds the fields that were there before the table was needed.
        for index in positions.len()..fields.len() {
            positions.insert_unique(hash_at(&index), index, hash_at);
        }
        let hash = hasher.hash_one(name.as_str());
        let found = positions
            .find(hash, |index| fields.get(*index).is_some_and(|(other, _)| *other == name));
        match found.and_then(|index| fields.get_mut(*index)) {
            Some((_, old)) => *old = value,
            None => fields.push((name, value)),
        }
    }
}
