//! Putting together documents that are stored in several pieces.
//!
//! Each piece is proved to belong to the collection; the chain is followed no further
//! than the document's stated length, which is held against the limit first. A chain that
//! runs in a cycle is left after few rounds, and one of many tiny pieces is refused: a
//! writer fills its pieces. So a damaged or hostile chain costs no more time than a document
//! of the greatest size, and no more memory than the pages that it has.

use nanodb_page::RecordKind;
use nanodb_page::overflow::{Head, Next, Piece, overflow_len_max};
use nanodb_pager::{BODY_SIZE, Owner, PageId};

use crate::error::{EngineError, Result};
use crate::pages::source::{PageSource, StoredPage, page_of};
use nanodb_document::DOCUMENT_BYTES_MAX;

/// So many bytes each piece has on average at least. Writers fill every overflow page but
/// the last; half of that leaves them room to do otherwise one day.
const PIECE_BYTES_MIN: usize = overflow_len_max(BODY_SIZE) / 2;

/// Calls `piece` with each piece after the head: where it is, and its bytes. The pages
/// are those of `pages`.
///
/// Ends with an error unless the pieces have exactly the bytes that the head announced.
pub(crate) fn for_each_piece(
    owner: Owner,
    head_page: PageId,
    record: &[u8],
    pages: &impl PageSource,
    mut piece: impl FnMut(Next, &[u8]),
) -> Result<()> {
    let head = Head::decode(record).map_err(|e| EngineError::damaged_by(head_page, e))?;
    let total = usize::try_from(head.total_len).unwrap_or(usize::MAX);
    // The decoder knows that a head has less than the whole.
    let mut left = total.saturating_sub(head.bytes.len());
    if total > DOCUMENT_BYTES_MAX {
        return Err(EngineError::damaged(head_page));
    }
    let count_max = left / PIECE_BYTES_MIN + 2;
    let mut next = Some(head.next);
    let mut at = head_page;
    let mut count = 0_usize;
    // A place passed before (Brent): in a cycle it is come by again.
    let mut passed = None;
    while let Some(here) = next {
        at = page_of(here);
        count += 1;
        if count > count_max || passed == Some(here) {
            return Err(EngineError::damaged(at));
        }
        if count.is_power_of_two() {
            passed = Some(here);
        }
        let held = pages.with_piece(owner, here)?;
        let found = decode_piece(here, &held)?;
        left = left.checked_sub(found.bytes.len()).ok_or_else(|| EngineError::damaged(at))?;
        piece(here, found.bytes);
        next = found.next;
    }
    if left == 0 { Ok(()) } else { Err(EngineError::damaged(at)) }
}

/// Appends the whole document to `out`, whose head is `record` on `head_page`.
pub(crate) fn assemble(
    owner: Owner,
    head_page: PageId,
    record: &[u8],
    pages: &impl PageSource,
    out: &mut Vec<u8>,
) -> Result<()> {
    let head = Head::decode(record).map_err(|e| EngineError::damaged_by(head_page, e))?;
    out.extend_from_slice(head.bytes);
    for_each_piece(owner, head_page, record, pages, |_, bytes| out.extend_from_slice(bytes))
}

fn decode_piece(piece: Next, held: &impl StoredPage) -> Result<Piece<'_>> {
    let page = page_of(piece);
    let damaged_by = |e| EngineError::damaged_by(page, e);
    match piece {
        Next::Overflow { .. } => Piece::decode_overflow(held.body()).map_err(damaged_by),
        Next::Fragment { slot, .. } => match held.slots(page)?.get(slot).map_err(damaged_by)? {
            Some(record) if record.kind == RecordKind::Fragment => {
                Piece::decode_fragment(record.bytes).map_err(damaged_by)
            }
            _ => Err(EngineError::damaged(page)),
        },
    }
}
