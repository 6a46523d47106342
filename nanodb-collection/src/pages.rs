//! Documents on pages: where a collection has its pages, and how documents lie on them.
//!
//! Knows no names, no locks and no commits.

pub(crate) mod extent_list;
pub(crate) mod extent_set;
pub(crate) mod extents;
pub(crate) mod free_space;
pub(crate) mod overflow;
pub(crate) mod page_order;
pub(crate) mod records;
pub(crate) mod source;
pub(crate) mod stored_doc;
