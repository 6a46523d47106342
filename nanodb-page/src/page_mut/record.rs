//! The bytes of one record, given in parts.

use core::ops::Range;

use crate::PageError;

/// The length of a record; `None` if it is too long for any page.
#[inline]
pub(super) fn len(parts: &[&[u8]]) -> Result<Option<u16>, PageError> {
    let len = parts.iter().fold(0usize, |sum, part| sum.saturating_add(part.len()));
    if len == 0 {
        return Err(PageError::EmptyRecord);
    }
    Ok(u16::try_from(len).ok())
}

/// Fills `record` with `parts`, which together are as long.
#[inline]
pub(super) fn copy(mut record: &mut [u8], parts: &[&[u8]]) {
    for part in parts {
        let (target, rest) = record.split_at_mut(part.len());
        target.copy_from_slice(part);
        record = rest;
    }
}

/// Fills `record` with `parts`, which together are as long, and reports for each part
/// the range from the first to the last byte that changed.
///
/// An update of a field by a value of the same size thus dirties a few bytes, not
/// the document.
pub(super) fn copy_changed(
    record: &mut [u8],
    parts: &[&[u8]],
    mut report: impl FnMut(Range<usize>),
) {
    let mut start = 0;
    for part in parts {
        let target = &mut record[start..start + part.len()];
        if let Some(changed) = difference(target, part) {
            target[changed.clone()].copy_from_slice(&part[changed.clone()]);
            report(start + changed.start..start + changed.end);
        }
        start += part.len();
    }
}

/// The range from the first to the last byte in which two slices of one length differ.
fn difference(a: &[u8], b: &[u8]) -> Option<Range<usize>> {
    let differs = |(x, y): (&u8, &u8)| x != y;
    let first = a.iter().zip(b).position(differs)?;
    let last = a.iter().zip(b).rposition(differs)?;
    Some(first..last + 1)
}
