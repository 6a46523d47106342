//! The search for a text anywhere in another.

use std::sync::Arc;

use memchr::memmem::Finder;

/// A text to be searched for. Clones share it.
#[derive(Clone)]
pub(super) struct Needle(Arc<Finder<'static>>);

impl Needle {
    pub(super) fn new(text: &str) -> Self {
        Self(Arc::new(Finder::new(text).into_owned()))
    }

    /// Returns whether the text is in `text`, in time linear in both.
    #[inline]
    pub(super) fn is_in(&self, text: &[u8]) -> bool {
        self.0.find(text).is_some()
    }
}
