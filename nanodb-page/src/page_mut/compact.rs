//! Packing the records of a page.

use crate::layout::{self, BODY_LEN_MAX, HEADER_SIZE, Header, RawSlot, SLOT_SIZE, Span};
use crate::{Corruption, PageError, SlotId};

/// Packs the records of `body` against its end in slot order and returns the header
/// that now belongs to it, but does not store it. With `except`, that slot's record is
/// left out and its slot made dead; `header` must no longer count its bytes.
///
/// The new page is put together in a buffer on the stack and copied over the old one
/// only when every record was found sound, so that damage changes nothing.
pub(super) fn compact(
    body: &mut [u8],
    header: &Header,
    except: Option<SlotId>,
) -> Result<Header, PageError> {
    let mut buffer = [0; BODY_LEN_MAX];
    let packed = &mut buffer[..usize::from(header.body_len)];
    let mut records_start = header.body_len;

    for (slot, raw) in layout::live_slots(layout::slots(body, header)) {
        if Some(slot) == except {
            continue;
        }
        // The released record may have been the lowest; all others are above it.
        let (kind, old) = raw.decode(slot, header)?;
        let offset = match records_start.checked_sub(old.len) {
            Some(offset) if offset >= header.slots_end() => offset,
            _ => return Err(accounting(header, records_start).into()),
        };
        records_start = offset;
        let new = Span { offset, len: old.len };
        packed[new.range()].copy_from_slice(&body[old.range()]);
        let word = HEADER_SIZE + SLOT_SIZE * usize::from(slot.get());
        packed[word..word + SLOT_SIZE]
            .copy_from_slice(bytemuck::bytes_of(&RawSlot::new(kind, new)));
    }
    if header.body_len - records_start + header.dead_bytes != header.record_bytes() {
        return Err(accounting(header, records_start).into());
    }

    let slots = HEADER_SIZE..usize::from(header.slots_end());
    let records = usize::from(records_start)..usize::from(header.body_len);
    body[slots.clone()].copy_from_slice(&packed[slots]);
    body[records.clone()].copy_from_slice(&packed[records]);
    Ok(Header { records_start, dead_bytes: 0, ..*header })
}

#[cold]
fn accounting(header: &Header, records_start: u16) -> Corruption {
    Corruption::Accounting {
        live: header.body_len - records_start,
        dead_bytes: header.dead_bytes,
        record_bytes: header.record_bytes(),
    }
}
