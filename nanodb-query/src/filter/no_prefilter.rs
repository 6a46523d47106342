//! What stands for the prefilter in a library without the feature `regex`, which has no search for
//! a text: every filter is evaluated.

use super::tree::Conjunction;

#[derive(Clone)]
pub(super) enum Prefilter {}

impl Prefilter {
    pub(super) fn of(_root: &Conjunction) -> Option<Self> {
        None
    }

    #[inline]
    pub(super) fn excludes(&self, _document: &[u8]) -> bool {
        match *self {}
    }
}
