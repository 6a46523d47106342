//! A search for text that every match contains, before the filter is evaluated.
//!
//! If a filter demands a certain string at some path, every match contains the bytes of that
//! string, whatever the path and in whatever form the string's length is written. Searching for
//! them takes a fraction of the time of a walk over the fields, and most documents do not contain
//! them.

use std::sync::Arc;

use memchr::memmem::Finder;

use super::tree::Conjunction;

/// Shorter texts occur in most documents by chance.
const TEXT_BYTES_MIN: usize = 3;

/// In a larger document a walk may need few bytes, while a search reads all.
const DOCUMENT_BYTES_MAX: usize = 4096;

/// Text to be searched for. Clones share it.
#[derive(Clone)]
pub(super) struct Prefilter(Arc<Finder<'static>>);

impl Prefilter {
    /// Returns the search for the longest string that a path must lead to, if there is one.
    pub(super) fn of(root: &Conjunction) -> Option<Self> {
        let texts = root.equalities().filter_map(|(_, operand)| operand.text());
        let longest = texts.max_by_key(|text| text.len())?;
        let is_searched = (TEXT_BYTES_MIN..=DOCUMENT_BYTES_MAX).contains(&longest.len());
        is_searched.then(|| Self(Arc::new(Finder::new(longest).into_owned())))
    }

    /// Returns whether a document is known not to match. `false` means that the filter must be
    /// evaluated.
    #[inline]
    pub(super) fn excludes(&self, document: &[u8]) -> bool {
        document.len() <= DOCUMENT_BYTES_MAX && self.0.find(document).is_none()
    }
}
