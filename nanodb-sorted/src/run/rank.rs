//! Counting the entries of a run below a key, by one descent.

use super::{HEIGHT_MAX, Run};
use crate::error::{Damage, DamagedPage};
use crate::inner::InnerHeader;
use crate::leaf::{Boundary, LeafCursor};
use crate::pages::{PageKind, Pages};

/// Returns the net of all entries of a run in front of a boundary.
pub(crate) fn net_before<P: Pages>(
    pages: &P,
    index: u32,
    run: &Run,
    boundary: Boundary<'_>,
) -> Result<i64, P::Error> {
    let (mut number, mut net) = (run.root, 0_i64);
    let damaged = |page, damage| P::Error::from(DamagedPage { page, damage });
    if run.height == 0 || run.height > HEIGHT_MAX {
        return Err(damaged(number, Damage::Level));
    }
    for level in (1..run.height).rev() {
        let page = pages.page(number, PageKind::Inner)?;
        let (child, before) = step(page.as_ref(), index, level, boundary)
            .map_err(|damage| damaged(number, damage))?;
        net = net.checked_add(before).ok_or_else(|| damaged(number, Damage::Count))?;
        number = child;
    }
    let page = pages.page(number, PageKind::Leaf)?;
    let in_leaf =
        in_leaf(page.as_ref(), index, boundary).map_err(|damage| damaged(number, damage))?;
    net.checked_add(in_leaf).ok_or_else(|| damaged(number, Damage::Count))
}

/// The page of the child that a descent takes, and the net of those before it.
fn step(body: &[u8], index: u32, level: u8, boundary: Boundary<'_>) -> Result<(u32, i64), Damage> {
    let header = InnerHeader::parse(body, index, level)?;
    let child = header.child(body, boundary)?;
    Ok((header.page(body, child)?, header.before(body, child)?))
}

fn in_leaf(body: &[u8], index: u32, boundary: Boundary<'_>) -> Result<i64, Damage> {
    let mut cursor = LeafCursor::default();
    cursor.open(body, index)?;
    cursor.net_before(body, boundary)
}
