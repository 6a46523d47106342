//! What an index can do for a search: pure functions of a filter, a sort and the description of an
//! index.
//!
//! A filter becomes [`IndexBounds`]: ranges of keys such that every document that matches has a key
//! in them. So an index can be asked instead of all documents; the whole filter is still asked of
//! each document that it yields. Nothing here counts entries: where there is a choice, all
//! alternatives are returned, and who knows the entries chooses.
//!
//! # Invariants
//!
//! 1. *Superset.* If a document matches, and the index has entries of it, one of them is within
//!    each alternative of [`index_bounds`].
//! 2. *Presence.* If a document matches and [`index_bounds`] does not refuse, the index has entries
//!    of it.
//! 3. *Exactness.* Where [`IndexBounds::covers_filter`] is true, a document matches if and only if
//!    its one entry is within the bounds.
//!
//! `tests/it/bounds.rs` proves them on random documents and filters.

mod bounds;
mod compound;
mod implies;
mod order;
mod ranges;
mod reason;
mod tests_of_values;

pub use self::bounds::index_bounds;
pub use self::compound::{IndexBounds, KeyPosition};
pub use self::implies::{implies, missing_condition};
pub use self::order::{OrderedBy, sort_order};
pub use self::ranges::{KeyRange, KeyRanges};
pub use self::reason::NotUsed;

use crate::filter::{Filter, Junction};

/// Returns the branches of each `$or` that a filter must match one of, as filters of their own.
///
/// A document that matches the filter matches a branch of each list; so the documents that the
/// branches find, each by its own index, are all.
///
/// ```
/// use nanodb_query::{field, plan};
///
/// let filter = field("a").eq(1).or(field("b").gt(2));
/// assert_eq!(plan::branches(&filter), [[field("a").eq(1), field("b").gt(2)]]);
/// ```
#[must_use]
pub fn branches(filter: &Filter) -> Vec<Vec<Filter>> {
    let lists = filter.root().others.iter().filter_map(|junction| match junction {
        Junction::Or(branches) => Some(branches.iter().map(Filter::of_branch).collect()),
        Junction::Nor(_) => None,
    });
    lists.collect()
}
