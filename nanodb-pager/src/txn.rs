//! Write transactions: private copies of pages, installed all at once, and published in order.

pub(crate) mod commit;
mod conflicts;
pub(crate) mod dirty_ranges;
mod early_write;
pub(crate) mod installed;
pub(crate) mod page;
mod page_set;
pub(crate) mod publication;
pub(crate) mod view;
pub(crate) mod write_tx;
