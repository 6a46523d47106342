//! The names seen so far in one map: exact, and linear in time for maps of any size.

use hashbrown::HashSet;

use crate::hash::RandomState;

/// The most names that are compared one by one; above it they are hashed.
const LINEAR_MAX: usize = 16;

/// The names seen so far in one map, to refuse a repeated one.
///
/// A sketch of 64 bits, one set for each name by its length and ends, makes comparisons unnecessary
/// for most new names.
pub(crate) struct SeenNames<'a> {
    sketch: u64,
    few: [&'a [u8]; LINEAR_MAX],
    len: usize,
    many: Option<HashSet<&'a [u8], RandomState>>,
}

impl<'a> SeenNames<'a> {
    #[inline]
    pub(crate) fn new() -> Self {
        Self { sketch: 0, few: [&[]; LINEAR_MAX], len: 0, many: None }
    }

    /// Adds `name`; returns false if it was there.
    #[inline]
    pub(crate) fn insert(&mut self, name: &'a [u8]) -> bool {
        let bit = sketch_bit(name);
        if self.sketch & bit != 0 && self.has(name) {
            return false;
        }
        self.sketch |= bit;
        match self.few.get_mut(self.len) {
            Some(next) => {
                *next = name;
                self.len += 1;
            }
            None => self.insert_many(name),
        }
        true
    }

    fn has(&self, name: &[u8]) -> bool {
        match &self.many {
            Some(many) => many.contains(name),
            None => self.few.iter().take(self.len).any(|&seen| seen == name),
        }
    }

    #[cold]
    fn insert_many(&mut self, name: &'a [u8]) {
        self.many.get_or_insert_with(|| self.few.into_iter().collect()).insert(name);
    }
}

#[inline]
fn sketch_bit(name: &[u8]) -> u64 {
    let ends = match (name.first(), name.last()) {
        (Some(first), Some(last)) => u64::from(*first) ^ (u64::from(*last) << 2),
        _ => 0,
    };
    1 << ((ends ^ (name.len() as u64) << 1) & 63)
}
