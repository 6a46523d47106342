//! Which pages were met already: no page is followed twice, so that every walk ends.

use std::collections::BTreeMap;

/// A set of pages: 64 of them a word, and only words that have one.
#[derive(Default)]
pub(super) struct Claims {
    words: BTreeMap<u32, u64>,
}

impl Claims {
    /// Adds a page; returns whether it is new.
    pub(super) fn claim(&mut self, page: u32) -> bool {
        let word = self.words.entry(page / 64).or_default();
        let is_new = *word & bit(page) == 0;
        *word |= bit(page);
        is_new
    }

    pub(super) fn contains(&self, page: u32) -> bool {
        self.words.get(&(page / 64)).is_some_and(|word| word & bit(page) != 0)
    }
}

fn bit(page: u32) -> u64 {
    1 << (page % 64)
}
