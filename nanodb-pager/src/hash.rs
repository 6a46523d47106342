//! The hash of maps that live in memory: ahash, with a key of this process.
//!
//! Left to itself, ahash would ask the operating system for its key by a crate of its own. The
//! standard library has asked already: its maps are keyed at random, so what they hash is a key.
//!
//! `nanodb-document` has the same. Neither crate knows the other, and no crate of the project is
//! below both.

use std::hash::BuildHasher;
use std::sync::OnceLock;

/// Hashes with the key of this process, which nobody outside can know.
///
/// Never for what reaches the disk: the values differ from process to process.
#[derive(Clone, Debug)]
pub struct RandomState(ahash::RandomState);

impl Default for RandomState {
    /// Returns the state with the key of this process; all have the same.
    fn default() -> Self {
        static KEYED: OnceLock<RandomState> = OnceLock::new();
        KEYED.get_or_init(Self::keyed).clone()
    }
}

impl RandomState {
    /// Draws a key.
    #[cold]
    fn keyed() -> Self {
        let drawn = || std::hash::RandomState::new().hash_one(0);
        Self(ahash::RandomState::with_seeds(drawn(), drawn(), drawn(), drawn()))
    }
}

impl BuildHasher for RandomState {
    type Hasher = ahash::AHasher;

    #[inline]
    fn build_hasher(&self) -> Self::Hasher {
        self.0.build_hasher()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_holds_for_the_process_and_no_other_is_the_same() {
        let hash = |state: RandomState| state.hash_one("a name");
        assert_eq!(hash(RandomState::default()), hash(RandomState::default()));
        assert_ne!(hash(RandomState::keyed()), hash(RandomState::keyed()));
    }
}
