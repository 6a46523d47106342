//! Errors of the codec: what is wrong, and the path to the place.

use std::fmt::{self, Display};

use crate::DOCUMENT_DEPTH_MAX;

/// The reason why a value of a Rust type can't be written or read, with the path to it.
///
/// The path is built on the way back up, so that values without errors pay nothing for it.
pub struct CodecError(Box<Inner>);

struct Inner {
    path: String,
    text: String,
    is_too_deep: bool,
}

impl CodecError {
    #[cold]
    pub(super) fn new(text: impl Display) -> Self {
        Self(Box::new(Inner { path: String::new(), text: text.to_string(), is_too_deep: false }))
    }

    #[cold]
    pub(super) fn too_deep() -> Self {
        let text = format_args!("it nests deeper than {DOCUMENT_DEPTH_MAX} levels").to_string();
        Self(Box::new(Inner { path: String::new(), text, is_too_deep: true }))
    }

    #[cold]
    pub(super) fn malformed() -> Self {
        Self::new("not MessagePack, or cut off")
    }

    #[cold]
    pub(super) fn too_long() -> Self {
        Self::new("it is too long for a document")
    }

    /// Adds a field to the front of the path.
    #[cold]
    pub(super) fn at_field(mut self, name: &str) -> Self {
        let path = &mut self.0.path;
        if !path.is_empty() {
            path.insert(0, '.');
        }
        path.insert_str(0, name);
        self
    }

    /// Adds an element to the front of the path.
    #[cold]
    pub(super) fn at_index(self, index: impl Display) -> Self {
        self.at_field(&index.to_string())
    }

    /// Returns the path from the document to the value: names and indexes, joined by dots. It is
    /// empty for the document itself.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.0.path
    }

    /// Returns whether the value nests deeper than documents may.
    pub(crate) fn is_too_deep(&self) -> bool {
        self.0.is_too_deep
    }
}

impl Display for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.path.is_empty() {
            write!(f, "`{}`: ", self.0.path)?;
        }
        f.write_str(&self.0.text)
    }
}

impl fmt::Debug for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CodecError({self})")
    }
}

impl std::error::Error for CodecError {}

impl serde_core::ser::Error for CodecError {
    fn custom<T: Display>(text: T) -> Self {
        Self::new(text)
    }
}

impl serde_core::de::Error for CodecError {
    fn custom<T: Display>(text: T) -> Self {
        Self::new(text)
    }
}
