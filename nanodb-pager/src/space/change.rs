//! A change to which pages are in use.

use crate::ids::{Extent, Seq};

/// A change to which pages are in use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum SpaceChange {
    Allocated(Extent),
    Freed(Seq, Extent),
}
