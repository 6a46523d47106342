//! Text that a document must have somewhere to pass a filter.
//!
//! Where a filter says that a path leads to a certain string, the bytes of that string are among those of
//! every document that passes, whatever the path and whatever form the string's length is written in.
//! Searching for them takes a fraction of the time that a walk over a document's fields does, and
//! most documents do not have them.

use std::sync::Arc;

use memchr::memmem::Finder;

use super::tree::Conjunction;

/// Shorter texts are in most documents by chance.
const TEXT_BYTES_MIN: usize = 3;

/// Of a larger document a walk may see little, and a search would see all.
const DOCUMENT_BYTES_MAX: usize = 4096;

/// Text to be searched for. Clones share it.
#[derive(Clone)]
pub(super) struct Prefilter(Arc<Finder<'static>>);

impl Prefilter {
    /// The longest string that a path must lead to, if there is one.
    pub(super) fn of(root: &Conjunction) -> Option<Self> {
        let texts = root.equalities().filter_map(|(_, operand)| operand.text());
        let longest = texts.max_by_key(|text| text.len())?;
        let is_searched = (TEXT_BYTES_MIN..=DOCUMENT_BYTES_MAX).contains(&longest.len());
        is_searched.then(|| Self(Arc::new(Finder::new(longest).into_owned())))
    }

    /// Whether a document is known not to pass. `false` says nothing.
    #[inline]
    pub(super) fn excludes(&self, document: &[u8]) -> bool {
        document.len() <= DOCUMENT_BYTES_MAX && self.0.find(document).is_none()
    }
}
