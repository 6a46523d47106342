//! The search for a text anywhere in another, in a library without the feature `regex`.

use std::sync::Arc;

/// A text to be searched for. Clones share it.
#[derive(Clone)]
pub(super) struct Needle(Arc<str>);

impl Needle {
    pub(super) fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// Returns whether the text is in `text`, in time linear in both.
    pub(super) fn is_in(&self, text: &[u8]) -> bool {
        // What is stored is UTF-8, and the standard library searches that in linear time.
        String::from_utf8_lossy(text).contains(&*self.0)
    }
}
