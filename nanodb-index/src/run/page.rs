//! One page of a run: packing as many changes as fit, and unpacking them.

use super::bits::{BitReader, BitWriter};
use crate::change::Change;
use crate::key_hash::KeyHash;
use crate::record_id::{RecordId, SLOT_BITS};

/// The most entries on one page.
pub const PAGE_COUNT_MAX: usize = 2048;

const HEADER_SIZE: usize = 16;

/// The bytes are not a valid page of a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct RunDamage;

impl std::fmt::Display for RunDamage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the bytes are no page of an id index")
    }
}

impl std::error::Error for RunDamage {}

/// How the entries of a page are packed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Widths {
    rice_bits: u32,
    page_base: u32,
    page_bits: u32,
    slot_bits: u32,
    has_removed: bool,
}

/// Packs changes into a page's body, as many from the first on as fit; returns how many.
///
/// The changes are in strictly rising order of key and record id, and their slots are below
/// [`RecordId::SLOTS`]. At most [`PAGE_COUNT_MAX`] of them are looked at. None fit a body of fewer
/// than 32 bytes.
pub fn encode_page(changes: &[Change], body: &mut [u8]) -> usize {
    body.fill(0);
    let Some((header, bits)) = body.split_first_chunk_mut::<HEADER_SIZE>() else { return 0 };
    let changes = changes.get(..PAGE_COUNT_MAX).unwrap_or(changes);
    let (count, widths) = fitting(changes, bits.len() * 8);
    let Some(changes) = changes.get(..count) else { return 0 };
    let Some(first) = changes.first() else { return 0 };

    let mut writer = BitWriter::new(bits);
    let mut before = first.key.bits();
    for change in changes {
        let difference = change.key.bits() - before;
        before = change.key.bits();
        writer.put_ones(difference >> widths.rice_bits);
        writer.put(difference & low_bits(widths.rice_bits), widths.rice_bits);
        writer.put(change.record_id.page - widths.page_base, widths.page_bits);
        writer.put(u32::from(change.record_id.slot), widths.slot_bits);
        if widths.has_removed {
            writer.put(u32::from(change.removed), 1);
        }
    }

    let [k0, k1, k2, k3] = first.key.bits().to_le_bytes();
    let [b0, b1, b2, b3] = widths.page_base.to_le_bytes();
    let [c0, c1] = u16::try_from(count).unwrap_or(u16::MAX).to_le_bytes();
    let [rice, page, slot] =
        [widths.rice_bits, widths.page_bits, widths.slot_bits].map(|bits| bits.to_le_bytes()[0]);
    let removed = u8::from(widths.has_removed);
    *header = [k0, k1, k2, k3, b0, b1, b2, b3, c0, c1, rice, page, slot, removed, 0, 0];
    count
}

/// How many of the changes fit in so many bits, and how they are packed.
fn fitting(changes: &[Change], bits: usize) -> (usize, Widths) {
    let rice_bits = rice_bits(changes);
    let mut fitting = (0, Widths { rice_bits, ..Widths::NONE });
    let Some(first) = changes.first() else { return fitting };
    let (mut page_min, mut page_max, mut slot_max) =
        (first.record_id.page, first.record_id.page, 0);
    let mut has_removed = false;
    let mut key_bits = 0;
    let mut before = first.key.bits();
    for (change, count) in changes.iter().zip(1..) {
        page_min = page_min.min(change.record_id.page);
        page_max = page_max.max(change.record_id.page);
        slot_max = slot_max.max(change.record_id.slot);
        has_removed |= change.removed;
        key_bits += ((change.key.bits() - before) >> rice_bits) as usize + 1 + rice_bits as usize;
        before = change.key.bits();
        let widths = Widths {
            rice_bits,
            page_base: page_min,
            page_bits: width(page_max - page_min),
            slot_bits: width(slot_max.into()),
            has_removed,
        };
        let each = widths.page_bits + widths.slot_bits + u32::from(has_removed);
        if key_bits + count * each as usize > bits {
            break;
        }
        fitting = (count, widths);
    }
    fitting
}

/// The number of low bits with which keys so far apart take the least room.
fn rice_bits(changes: &[Change]) -> u32 {
    let (Some(first), Some(last)) = (changes.first(), changes.last()) else { return 0 };
    let mean =
        (last.key.bits() - first.key.bits()) / u32::try_from(changes.len()).unwrap_or(u32::MAX);
    // The best parameter for differences that are spread as those of random keys are is the
    // logarithm of 0.69 times the mean; all that matters is the nearest whole number.
    (mean - mean / 3).checked_ilog2().unwrap_or(0)
}

impl Widths {
    const NONE: Self =
        Self { rice_bits: 0, page_base: 0, page_bits: 0, slot_bits: 0, has_removed: false };
}

/// How many bits a number takes.
fn width(number: u32) -> u32 {
    number.checked_ilog2().map_or(0, |log| log + 1)
}

fn low_bits(count: u32) -> u32 {
    u32::MAX.checked_shr(u32::BITS - count).unwrap_or(0)
}

/// Returns the key of the first entry of a page.
///
/// # Errors
///
/// [`RunDamage`] if there is none.
pub fn first_key(body: &[u8]) -> Result<KeyHash, RunDamage> {
    let bits = body.first_chunk().map(|bytes| u32::from_le_bytes(*bytes));
    bits.and_then(KeyHash::from_stored).ok_or(RunDamage)
}

/// Unpacks a page and appends its changes to `out`.
///
/// # Errors
///
/// [`RunDamage`] if the bytes can't have been made by [`encode_page`]; then some changes may
/// have been appended.
pub fn decode_page(body: &[u8], out: &mut Vec<Change>) -> Result<(), RunDamage> {
    let Some((header, bits)) = body.split_first_chunk::<HEADER_SIZE>() else {
        return Err(RunDamage);
    };
    let &[k0, k1, k2, k3, b0, b1, b2, b3, c0, c1, rice, page, slot, removed, r0, r1] = header;
    let count = usize::from(u16::from_le_bytes([c0, c1]));
    let widths = Widths {
        rice_bits: rice.into(),
        page_base: u32::from_le_bytes([b0, b1, b2, b3]),
        page_bits: page.into(),
        slot_bits: slot.into(),
        has_removed: removed == 1,
    };
    let sound = (1..=PAGE_COUNT_MAX).contains(&count)
        && widths.rice_bits < u32::BITS
        && widths.page_bits <= u32::BITS
        && widths.slot_bits <= SLOT_BITS
        && removed <= 1
        && [r0, r1] == [0, 0];
    if !sound {
        return Err(RunDamage);
    }
    out.reserve(count);
    let mut reader = BitReader::new(bits);
    let mut before: Option<Change> = None;
    let first_key = u32::from_le_bytes([k0, k1, k2, k3]);
    for _ in 0..count {
        let key = before.map_or(first_key, |before| before.key.bits());
        let change = decode_entry(&mut reader, widths, key).ok_or(RunDamage)?;
        if before.is_some_and(|before| before.entry() >= change.entry()) {
            return Err(RunDamage);
        }
        before = Some(change);
        out.push(change);
    }
    Ok(())
}

#[inline]
fn decode_entry(reader: &mut BitReader<'_>, widths: Widths, before: u32) -> Option<Change> {
    let upper = reader.take_ones()?;
    let lower = reader.take(widths.rice_bits)?;
    let upper = u32::try_from(u64::from(upper) << widths.rice_bits).ok()?;
    let key = before.checked_add(upper | lower)?;
    let page = widths.page_base.checked_add(reader.take(widths.page_bits)?)?;
    let slot = u16::try_from(reader.take(widths.slot_bits)?).ok()?;
    let removed = widths.has_removed && reader.take(1)? == 1;
    let key = KeyHash::from_stored(key)?;
    Some(Change { key, record_id: RecordId { page, slot }, removed })
}

#[cfg(test)]
mod tests;
