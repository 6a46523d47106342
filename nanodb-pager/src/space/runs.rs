//! Runs of pages in a map from the first page's number to the length.

use std::collections::BTreeMap;

use crate::ids::Extent;

/// Whether any of `runs` shares a page with `extent`.
pub(crate) fn overlaps(runs: &BTreeMap<u32, u32>, extent: Extent) -> bool {
    let end = u32::try_from(extent.end()).unwrap_or(u32::MAX);
    runs.range(..end).next_back().is_some_and(|(&start, &len)| start + len > extent.start.get())
}
