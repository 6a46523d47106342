//! A name that is reserved until the commit that gives it to a collection.

use std::sync::Arc;

use nanodb_pager::Seq;

use super::binding::NameBinding;
use super::names::NameTable;

/// A collection that a name was reserved for and that no commit has made yet. Dropped, it
/// gives the name up.
pub(crate) struct NameReservation {
    names: Arc<NameTable>,
    binding: Option<Arc<NameBinding>>,
}

impl NameReservation {
    /// A name that was reserved for that collection.
    pub(super) fn new(names: &Arc<NameTable>, binding: &Arc<NameBinding>) -> Self {
        Self { names: Arc::clone(names), binding: Some(Arc::clone(binding)) }
    }

    /// The name.
    pub(crate) fn name(&self) -> &str {
        self.binding.as_ref().map_or("", |binding| &binding.name)
    }

    /// Commit `since` has made the collection, or given it the name.
    pub(crate) fn made(&mut self, since: Seq) {
        if let Some(binding) = self.binding.take() {
            self.names.begin(&binding, since);
        }
    }
}

impl Drop for NameReservation {
    fn drop(&mut self) {
        // Its number is not given to another: a transaction writes pages before it commits, and
        // those carry it.
        if let Some(binding) = self.binding.take() {
            self.names.release(&binding);
        }
    }
}
