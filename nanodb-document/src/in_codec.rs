//! Whether a thread runs the codec of this crate.
//!
//! serde's own adapters, for `flatten` and for tagged enums, say of every format that it is for
//! people. So while the codec runs, no format is.

use std::cell::Cell;

thread_local! {
    static IN_CODEC: Cell<bool> = const { Cell::new(false) };
}

/// Says that the codec runs, until it is dropped.
pub(crate) struct InCodec {
    before: bool,
}

impl InCodec {
    #[inline]
    pub(crate) fn enter() -> Self {
        Self { before: IN_CODEC.replace(true) }
    }
}

impl Drop for InCodec {
    #[inline]
    fn drop(&mut self) {
        IN_CODEC.set(self.before);
    }
}

/// Returns whether values are to be written and read as forms and texts, given what the format says
/// of itself.
#[inline]
pub(crate) fn is_for_people(is_human_readable: bool) -> bool {
    is_human_readable && !IN_CODEC.get()
}
