//! Where the records of a document go.
//!
//! Documents are appended to the tail page. One that does not fit in what the tail has
//! left begins a new tail page, if that wastes little. Else it becomes an *overflow document*: its
//! head fills what is left, whole overflow pages take the bulk, and the last piece becomes a
//! fragment on the new tail page, where other documents join it:
//!
//! ```text
//! old tail           overflow pages               new tail
//! [ ... | head ] ->  [ piece ] -> [ piece ]  ->   [ fragment | next documents ... ]
//! ```
//!
//! So whatever the size of documents, a page is filled to seven eighths at least.
//! [Which page](super::placement) is the tail, or takes its place, is not decided here.

use std::iter::Peekable;
use std::num::NonZeroU32;

use nanodb_index::{KeyHash, RecordId};
use nanodb_page::layout::record_len_max;
use nanodb_page::overflow::{
    FRAGMENT_HEADER_SIZE, HEAD_HEADER_SIZE, Head, Next, Piece, overflow_len_max,
};
use nanodb_page::{PageMut, RecordKind, SlotId};
use nanodb_pager::{BODY_SIZE, PageId};

use super::statement::Statement;
use crate::error::{EngineError, Result};
use crate::pages::free_space::SpaceClass;
use crate::pages::overflow::for_each_piece;
use crate::pages::source::{OVERFLOW, PageSource, StoredPage, page_of, slotted_mut};
use nanodb_document::record_key;

/// The longest record that a page takes.
pub(super) const RECORD_BYTES_MAX: usize = record_len_max(BODY_SIZE);

/// The most bytes of a document on one overflow page.
const OVERFLOW_BYTES_MAX: usize = overflow_len_max(BODY_SIZE);

/// A page is given up as full when less than this is left of it: an eighth.
const WASTE_BYTES_MAX: usize = 512;

impl Statement<'_> {
    /// Stores documents, each given with the hash of its key, and notes where each is.
    pub(crate) fn append_all<'d>(
        &mut self,
        documents: impl Iterator<Item = (KeyHash, &'d [u8])>,
    ) -> Result<()> {
        let mut documents = documents.peekable();
        loop {
            self.fill_up(&mut documents)?;
            let Some((hash, document)) = documents.next() else { return Ok(()) };
            let record_id = self.append_slow(document)?;
            self.write_set.add_entry(hash, record_id);
        }
    }

    /// Stores documents in the fill page as long as it takes them.
    #[inline]
    fn fill_up<'d>(
        &mut self,
        documents: &mut Peekable<impl Iterator<Item = (KeyHash, &'d [u8])>>,
    ) -> Result<()> {
        let fits = |&(_, document): &(KeyHash, &[u8])| document.len() <= RECORD_BYTES_MAX;
        let Some(page) = self.fill().filter(|_| documents.peek().is_some_and(fits)) else {
            return Ok(());
        };
        let Self { store, tx, write_set, .. } = self;
        let mut held = slotted_mut(tx, store.owner, page)?;
        let (body, dirty) = held.split();
        let mut slots = PageMut::parse(body, |range| dirty.mark(range))
            .map_err(|e| EngineError::damaged_by(page, e))?;
        while let Some(&(hash, document)) = documents.peek().filter(|next| fits(next)) {
            let slot = match slots.insert(RecordKind::Document, &[document]) {
                Ok(Some(slot)) => slot,
                Ok(None) => break,
                Err(_) => {
                    self.give_up_fill();
                    break;
                }
            };
            write_set.add_entry(hash, record_at(page, slot));
            documents.next();
        }
        Ok(())
    }

    /// Stores a document in the fill page, or where it fits.
    pub(crate) fn append(&mut self, document: &[u8]) -> Result<RecordId> {
        if document.len() <= RECORD_BYTES_MAX
            && let Some(fill) = self.fill()
        {
            match self.insert_record(fill, RecordKind::Document, &[document]) {
                Ok(Some(slot)) => return Ok(record_at(fill, slot)),
                Ok(None) => {}
                Err(EngineError::DamagedPage { .. }) => self.give_up_fill(),
                Err(error) => return Err(error),
            }
        }
        self.append_slow(document)
    }

    fn append_slow(&mut self, document: &[u8]) -> Result<RecordId> {
        let (tail, free) = match self.fill() {
            Some(fill) => match self.look(fill)?.1 {
                free if free >= head_len_min(document) => (fill, free),
                _ => self.next_fill(head_len_min(document))?,
            },
            None => self.next_fill(head_len_min(document))?,
        };
        if document.len() > free {
            return self.append_in_pieces(tail, free, document);
        }
        match self.insert_record(tail, RecordKind::Document, &[document])? {
            Some(slot) => Ok(record_at(tail, slot)),
            None => Err(EngineError::damaged(tail)),
        }
    }

    /// Stores a document that is larger than the `free` bytes of the tail page.
    fn append_in_pieces(&mut self, tail: PageId, free: usize, document: &[u8]) -> Result<RecordId> {
        let head_len = free.saturating_sub(HEAD_HEADER_SIZE);
        let (bytes, rest) = document.split_at_checked(head_len).unwrap_or_default();
        let next = self.write_rest(rest, None)?;
        let header = Head { total_len: total_len(document), next, bytes }.header();
        match self.insert_record(tail, RecordKind::Head, &[&header, bytes])? {
            Some(slot) => Ok(record_at(tail, slot)),
            None => Err(EngineError::damaged(tail)),
        }
    }

    /// Stores what does not fit into a head; returns where it begins. The last piece goes to
    /// one of `pages` if it fits there, else to a new tail page.
    fn write_rest(&mut self, rest: &[u8], pages: impl IntoIterator<Item = PageId>) -> Result<Next> {
        let last_len = match rest.len() % OVERFLOW_BYTES_MAX {
            // Nearly a page: a page of its own wastes less than it costs to look elsewhere.
            len if len + WASTE_BYTES_MAX > OVERFLOW_BYTES_MAX => 0,
            len => len,
        };
        let (bulk, last) = rest.split_at(rest.len() - last_len);
        let fragment = if last.is_empty() { None } else { Some(self.write_last(last, pages)?) };
        let first = self.write_overflow(bulk, fragment)?;
        // A head has less than the whole, so there is something.
        first.or(fragment).ok_or(EngineError::damaged(PageId::new(0)))
    }

    /// Stores the last piece of a document as a fragment.
    fn write_last(
        &mut self,
        bytes: &[u8],
        pages: impl IntoIterator<Item = PageId>,
    ) -> Result<Next> {
        for page in pages {
            if let Some(next) = self.write_fragment(page, bytes)? {
                return Ok(next);
            }
        }
        let page = match self.page_for(FRAGMENT_HEADER_SIZE + bytes.len()) {
            Some(page) => page,
            None => self.new_tail()?,
        };
        self.write_fragment(page, bytes)?.ok_or_else(|| EngineError::damaged(page))
    }

    /// Stores a piece of a document on a page, if it fits there.
    fn write_fragment(&mut self, page: PageId, bytes: &[u8]) -> Result<Option<Next>> {
        let header = Piece { next: None, bytes }.fragment_header();
        let slot = self.insert_record(page, RecordKind::Fragment, &[&header, bytes])?;
        let Some(slot) = slot else { return Ok(None) };
        let page = NonZeroU32::new(page.get()).ok_or_else(|| EngineError::damaged(page))?;
        Ok(Some(Next::Fragment { page, slot }))
    }

    /// Fills overflow pages with `bulk`; the last leads on to `next`. Returns the first.
    fn write_overflow(&mut self, bulk: &[u8], next: Option<Next>) -> Result<Option<Next>> {
        let page_count = bulk.len().div_ceil(OVERFLOW_BYTES_MAX);
        let Ok(count @ 1..) = u32::try_from(page_count) else { return Ok(None) };
        let mut pages = self.take_overflow(count)?.into_iter().peekable();
        let overflow = |page: Option<&PageId>| {
            let page = NonZeroU32::new(page?.get())?;
            Some(Next::Overflow { page })
        };
        let first = overflow(pages.peek());
        for bytes in bulk.chunks(OVERFLOW_BYTES_MAX) {
            let Some(page) = pages.next() else { break };
            let next = overflow(pages.peek()).or(next);
            let mut held = self.tx.init_page(page, OVERFLOW, self.store.owner)?;
            let (body, dirty) = held.split();
            let piece = Piece { next, bytes };
            dirty.mark(piece.encode_overflow(body).map_err(|e| EngineError::damaged_by(page, e))?);
        }
        Ok(first)
    }

    #[inline]
    fn insert_record(
        &mut self,
        page: PageId,
        kind: RecordKind,
        parts: &[&[u8]],
    ) -> Result<Option<SlotId>> {
        let mut held = slotted_mut(self.tx, self.store.owner, page)?;
        let (body, dirty) = held.split();
        PageMut::parse(body, |range| dirty.mark(range))
            .and_then(|mut slots| slots.insert(kind, parts))
            .map_err(|e| EngineError::damaged_by(page, e))
    }

    /// Stores `document` in place of the record at `at`; returns which record it is now.
    ///
    /// It stays in its page if all of it fits there, or if it takes several pieces
    /// anyway and the old record's bytes do for a head. Else it moves to the tail.
    pub(crate) fn replace_at(&mut self, at: RecordId, document: &[u8]) -> Result<RecordId> {
        let (page, slot) = page_and_slot(at)?;
        let old = self.free_pieces(page, slot)?;
        if document.len() <= RECORD_BYTES_MAX {
            if self.replace_record(page, slot, RecordKind::Document, &[document])? {
                return Ok(at);
            }
        } else if old.record_len >= head_len_min(document) {
            let head_len = old.record_len - HEAD_HEADER_SIZE;
            let (bytes, rest) = document.split_at_checked(head_len).unwrap_or_default();
            let fill = self.fill();
            let next = self.write_rest(rest, old.fragment_page.into_iter().chain(fill))?;
            let header = Head { total_len: total_len(document), next, bytes }.header();
            if self.replace_record(page, slot, RecordKind::Head, &[&header, bytes])? {
                return Ok(at);
            }
            return Err(EngineError::damaged(page));
        }
        self.remove_record(page, slot)?;
        self.append(document)
    }

    fn replace_record(
        &mut self,
        page: PageId,
        slot: SlotId,
        kind: RecordKind,
        parts: &[&[u8]],
    ) -> Result<bool> {
        let mut held = slotted_mut(self.tx, self.store.owner, page)?;
        let (body, dirty) = held.split();
        let mut slots = PageMut::parse(body, |range| dirty.mark(range))
            .map_err(|e| EngineError::damaged_by(page, e))?;
        let before = SpaceClass::of(&slots.view());
        let done =
            slots.replace(slot, kind, parts).map_err(|e| EngineError::damaged_by(page, e))?;
        let after = SpaceClass::of(&slots.view());
        self.note_space(page, before, after);
        Ok(done)
    }

    /// Removes the document that begins in that record.
    pub(crate) fn remove_at(&mut self, at: RecordId) -> Result<()> {
        let (page, slot) = page_and_slot(at)?;
        let _old = self.free_pieces(page, slot)?;
        self.remove_record(page, slot)
    }

    fn remove_record(&mut self, page: PageId, slot: SlotId) -> Result<()> {
        let mut held = slotted_mut(self.tx, self.store.owner, page)?;
        let (body, dirty) = held.split();
        let mut slots = PageMut::parse(body, |range| dirty.mark(range))
            .map_err(|e| EngineError::damaged_by(page, e))?;
        let before = SpaceClass::of(&slots.view());
        let removed = slots.remove(slot).map_err(|e| EngineError::damaged_by(page, e))?;
        let after = SpaceClass::of(&slots.view());
        self.note_space(page, before, after);
        if removed { Ok(()) } else { Err(EngineError::damaged(page)) }
    }

    /// Gives back all pieces of a document but the record in `slot`.
    fn free_pieces(&mut self, page: PageId, slot: SlotId) -> Result<OldRecord> {
        let mut pieces = Vec::new();
        let mut old = OldRecord { record_len: 0, fragment_page: None };
        {
            let tx = &*self.tx;
            let held = tx.slotted(self.store.owner, page)?;
            let slots = held.slots(page)?;
            let record = slots.get(slot).map_err(|e| EngineError::damaged_by(page, e))?;
            let Some(record) = record else { return Err(EngineError::damaged(page)) };
            old.record_len = record.bytes.len();
            if record.kind != RecordKind::Head {
                return Ok(old);
            }
            for_each_piece(self.store.owner, page, record.bytes, &tx, |next, _| pieces.push(next))?;
        }
        for next in pieces {
            let page = page_of(next);
            match next {
                Next::Overflow { .. } => self.free_overflow(page)?,
                Next::Fragment { slot, .. } => {
                    self.remove_record(page, slot)?;
                    old.fragment_page = Some(page);
                }
            }
        }
        Ok(old)
    }
}

/// What is left of a document that is to be replaced.
struct OldRecord {
    /// The length of its record: of the head, if it was an overflow document.
    record_len: usize,
    /// The page that had its last piece.
    fragment_page: Option<PageId>,
}

fn record_at(page: PageId, slot: SlotId) -> RecordId {
    RecordId { page: page.get(), slot: slot.get() }
}

pub(super) fn page_and_slot(record_id: RecordId) -> Result<(PageId, SlotId)> {
    let page = PageId::new(record_id.page);
    Ok((page, SlotId::new(record_id.slot).ok_or_else(|| EngineError::damaged(page))?))
}

/// Documents are far below 4 GiB by their limit.
fn total_len(document: &[u8]) -> u32 {
    u32::try_from(document.len()).unwrap_or(u32::MAX)
}

/// How much of a page must be left for a head to be worth it: more than the page may
/// waste, and enough for all of the `_id`.
fn head_len_min(document: &[u8]) -> usize {
    let key_end = record_key(document)
        .map_or(0, |key| crate::pages::stored_doc::range_within(document, key).end);
    WASTE_BYTES_MAX.max(HEAD_HEADER_SIZE + key_end)
}

// The last piece of an overflow document is at most this long, and a page takes it.
const _: () =
    assert!(OVERFLOW_BYTES_MAX - WASTE_BYTES_MAX + FRAGMENT_HEADER_SIZE <= RECORD_BYTES_MAX);
