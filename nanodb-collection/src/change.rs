//! A change to one collection under way: where records go, and what the commit notes.
//!
//! Documents are appended to the tail page. One that does not fit in what the tail has
//! left begins a new tail page, if that wastes little. Else it is *spilled*: its head
//! fills what is left, whole overflow pages take the bulk, and the last piece becomes a
//! fragment on the new tail page, where other documents join it:
//!
//! ```text
//! old tail           overflow pages               new tail
//! [ ... | head ] ->  [ piece ] -> [ piece ]  ->   [ fragment | next documents ... ]
//! ```
//!
//! So whatever the size of documents, a page is filled to seven eighths at least.
//!
//! The page that documents go to, the *fill page*, is at first the tail. When it is full, a page
//! that deletions have left [room](crate::room) in takes its place, and a new tail only where there
//! is none. When an eighth of a collection's pages are empty, they go back to the file. That is not for the
//! transaction that empties them to do: who reads a page which is given back sees it as it was
//! before, and must find no document there that is gone.
//!
//! Overflow pages are taken from the pager for each document, next to each other, and
//! are not part of the extents: scans pass over none of them, and a document that
//! goes gives back its own. The catalog keeps them as [runs](crate::runs), so that
//! dropping the collection need not look for them.

mod compact;

use std::collections::{BTreeMap, HashSet};
use std::num::NonZeroU32;

use nanodb_index::Place;
use nanodb_page::layout::record_len_max;
use nanodb_page::spill::{
    FRAGMENT_HEADER_SIZE, HEAD_HEADER_SIZE, Head, Next, Piece, overflow_len_max,
};
use nanodb_page::{PageMut, PageRef, RecordKind, SlotId};
use nanodb_pager::{BODY_SIZE, Extent, Owner, PageId, WriteTx};

use crate::error::{Error, Result};
use crate::id::record_key;
use crate::layout::{Layout, Position};
use crate::note::{Entry, Runs, encode_index, encode_state};
use crate::places::Places;
use crate::room::{Class, From};
use crate::spill::{OVERFLOW, SLOTTED, for_each_piece, page_of};
use crate::store::{Index, Store, Writer};

/// A page is given up as full when less than this is left of it: an eighth.
const WASTE_BYTES_MAX: usize = 512;

/// So many pages the hand passes at most for each one that is asked for.
const HAND_PAGES: usize = 4;

/// So many of the pages that are listed as having room are looked at for a fragment.
const LOOKS_MAX: usize = 8;

/// So many empty pages go back to the file, if they are such a part of the collection.
const EMPTY_PAGES_MIN: u64 = 64;
const EMPTY_PART: u64 = 8;

/// The longest record that a page takes.
const RECORD_BYTES_MAX: usize = record_len_max(BODY_SIZE);

/// The most bytes of a document on one overflow page.
const OVERFLOW_BYTES_MAX: usize = overflow_len_max(BODY_SIZE);

/// What a transaction has changed in one collection so far, besides pages.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) count: u64,
    pub(crate) next_id: u64,
    /// Whether there is anything to commit.
    pub(crate) changed: bool,
    /// Whether documents were stored. If not, what is to be committed makes room.
    pub(crate) stored: bool,
    /// Entries for the index.
    pub(crate) added: Places,
    /// Entries of the index that lead nowhere any more.
    pub(crate) removed: Places,
    /// Where documents go.
    fill: Option<PageId>,
    /// Pages whose room has changed.
    room: BTreeMap<u32, Class>,
    /// How far the search for pages with room has come.
    room_from: From,
    /// How far the hand has come, and how many pages are before it.
    hand: (Position, u64),
    /// Pages that are given back, by number.
    given_back: Vec<PageId>,
    /// Whether the pages behind the tail are given back.
    trimmed: bool,
    /// In compaction: documents are to go to pages before this one.
    before: Option<PageId>,
    /// In compaction: there was no such page.
    stuck: bool,
    /// Pages behind the tail that were taken already.
    spare: Option<Extent>,
    used_pages: u64,
    total_pages: u64,
    new_extents: Vec<Extent>,
    runs_added: Vec<Extent>,
    runs_removed: Vec<Extent>,
}

/// A change to one collection under way, within a transaction.
pub(crate) struct Change<'a> {
    pub(crate) store: &'a Store,
    pub(crate) index: &'a Index,
    pub(crate) writer: &'a Writer,
    pub(crate) tx: &'a mut WriteTx,
    pub(crate) pending: &'a mut Pending,
}

impl Pending {
    /// Nothing yet.
    pub(crate) fn new(writer: &Writer) -> Self {
        let layout = &writer.layout;
        let spare = layout.next_page().and_then(|page| {
            let pages = u32::try_from(layout.total_pages.saturating_sub(layout.used_pages)).ok()?;
            Some(Extent::new(page, pages))
        });
        Self {
            count: writer.count,
            next_id: writer.next_id,
            changed: false,
            stored: false,
            added: Places::default(),
            removed: Places::default(),
            fill: writer.room.fill.or_else(|| layout.tail()),
            room: BTreeMap::new(),
            room_from: From::START,
            hand: (writer.room.hand, writer.room.unseen),
            given_back: Vec::new(),
            trimmed: false,
            before: None,
            stuck: false,
            spare,
            used_pages: layout.used_pages,
            total_pages: layout.total_pages,
            new_extents: Vec::new(),
            runs_added: Vec::new(),
            runs_removed: Vec::new(),
        }
    }

    /// Appends to a commit's note what the change says besides pages.
    pub(crate) fn encode(&self, writer: &Writer, owner: Owner, note: &mut Vec<u8>) {
        let owner = owner.get();
        // In this order: a page that was taken and given back is in both.
        let entries = [Entry::RunsAdded as fn(Runs) -> Entry<'static>, Entry::RunsRemoved];
        for (runs, entry) in [&self.runs_added, &self.runs_removed].into_iter().zip(entries) {
            if !runs.is_empty() {
                entry(Runs { collection: owner, runs: runs.clone() }).encode(note);
            }
        }
        let numbers = [self.count, self.next_id, self.used_pages];
        let (from, extents) = self.changed_extents(writer);
        encode_state(note, owner, numbers, from, &extents);
        if !(self.added.is_empty() && self.removed.is_empty()) {
            encode_index(note, owner, self.removed.keys(), self.added.keys());
        }
    }

    /// Index entries to add and to retire.
    pub(crate) fn take_entries(&mut self) -> (Places, Places) {
        (std::mem::take(&mut self.added), std::mem::take(&mut self.removed))
    }

    /// Makes what was changed the installed state.
    pub(crate) fn settle(self, writer: &mut Writer) {
        writer.count = self.count;
        writer.next_id = self.next_id;
        self.runs_added.into_iter().for_each(|run| writer.overflow.insert(run));
        self.runs_removed.into_iter().for_each(|run| writer.overflow.remove(run));
        let layout = &mut writer.layout;
        give_back(layout, &self.given_back, self.trimmed);
        self.new_extents.into_iter().for_each(|extent| layout.push(extent));
        layout.used_pages = self.used_pages;
        let room = &mut writer.room;
        self.room.into_iter().for_each(|(page, class)| room.set(page, class));
        (room.hand, room.unseen) = self.hand;
        room.fill = self.fill;
    }

    /// The pages as the change leaves them.
    pub(crate) fn layout(&self, writer: &Writer) -> Layout {
        let mut layout = writer.layout.clone();
        give_back(&mut layout, &self.given_back, self.trimmed);
        self.new_extents.iter().for_each(|&extent| layout.push(extent));
        layout.used_pages = self.used_pages;
        layout
    }

    /// The extents from the first that this change touches on.
    fn changed_extents(&self, writer: &Writer) -> (usize, Vec<Extent>) {
        let layout = &writer.layout;
        if !self.given_back.is_empty() || self.trimmed {
            let new = self.layout(writer).extents;
            let same = layout.extents.iter().zip(new.iter()).take_while(|(old, new)| old == new);
            let from = same.count();
            return (from, new.get(from..).unwrap_or_default().to_vec());
        }
        if self.new_extents.is_empty() {
            return (layout.extents.len(), Vec::new());
        }
        // A new extent may lengthen the last one.
        let mut changed = Layout::default();
        layout.extents.last().into_iter().for_each(|&last| changed.push(last));
        self.new_extents.iter().for_each(|&new| changed.push(new));
        (layout.extents.len().saturating_sub(1), changed.extents.to_vec())
    }
}

impl Change<'_> {
    /// Stores a document at the tail.
    #[inline]
    pub(crate) fn append(&mut self, document: &[u8]) -> Result<Place> {
        if let Some(tail) = self.pending.fill
            && document.len() <= RECORD_BYTES_MAX
            && let Some(slot) = self.insert_record(tail, RecordKind::Document, &[document])?
        {
            return Ok(place(tail, slot));
        }
        self.append_slow(document)
    }

    fn append_slow(&mut self, document: &[u8]) -> Result<Place> {
        let (tail, free) = match self.pending.fill {
            Some(fill) => match self.free_bytes(fill)? {
                free if free >= head_len_min(document) => (fill, free),
                _ => self.next_fill(head_len_min(document))?,
            },
            None => self.next_fill(head_len_min(document))?,
        };
        if document.len() > free {
            return self.spill(tail, free, document);
        }
        match self.insert_record(tail, RecordKind::Document, &[document])? {
            Some(slot) => Ok(place(tail, slot)),
            None => Err(Error::damaged(tail)),
        }
    }

    /// Stores a document that is larger than the `free` bytes of the tail page.
    fn spill(&mut self, tail: PageId, free: usize, document: &[u8]) -> Result<Place> {
        let head_len = free.saturating_sub(HEAD_HEADER_SIZE);
        let (bytes, rest) = document.split_at_checked(head_len).unwrap_or_default();
        let next = self.write_rest(rest, None)?;
        let header = Head { total_len: total_len(document), next, bytes }.header();
        match self.insert_record(tail, RecordKind::Head, &[&header, bytes])? {
            Some(slot) => Ok(place(tail, slot)),
            None => Err(Error::damaged(tail)),
        }
    }

    /// Stores what a head has no room for; returns where it begins. The last piece goes to
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
        first.or(fragment).ok_or(Error::damaged(PageId::new(0)))
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
        let page = match self.page_for(FRAGMENT_HEADER_SIZE + bytes.len())? {
            Some(page) => page,
            None => self.new_tail()?,
        };
        self.write_fragment(page, bytes)?.ok_or_else(|| Error::damaged(page))
    }

    /// Stores a piece of a document on a page, if that has room.
    fn write_fragment(&mut self, page: PageId, bytes: &[u8]) -> Result<Option<Next>> {
        let header = Piece { next: None, bytes }.fragment_header();
        let slot = self.insert_record(page, RecordKind::Fragment, &[&header, bytes])?;
        let Some(slot) = slot else { return Ok(None) };
        let page = NonZeroU32::new(page.get()).ok_or_else(|| Error::damaged(page))?;
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
            dirty.mark(piece.encode_overflow(body).map_err(|e| Error::damaged_by(page, e))?);
        }
        Ok(first)
    }

    /// Takes overflow pages: side by side if possible, in compaction those nearest to the front.
    fn take_overflow(&mut self, count: u32) -> Result<Vec<PageId>> {
        let mut pages = Vec::with_capacity(count as usize);
        while let Some(left @ 1..) = count.checked_sub(u32::try_from(pages.len()).unwrap_or(count))
        {
            let each = if self.pending.before.is_some() { 1 } else { left };
            let run = self.tx.allocate_up_to(each)?;
            self.note_taken(run);
            pages.extend((0..run.pages).filter_map(|index| run.page(index)));
            match self.pending.runs_added.last_mut() {
                Some(last) if last.end() == u64::from(run.start.get()) => last.pages += run.pages,
                _ => self.pending.runs_added.push(run),
            }
        }
        Ok(pages)
    }

    /// Makes the page behind the tail the new tail, taking an extent if need be.
    fn new_tail(&mut self) -> Result<PageId> {
        let spare = match self.pending.spare {
            Some(spare) if spare.pages > 0 => spare,
            _ => {
                let layout = Layout { total_pages: self.pending.total_pages, ..Layout::default() };
                let compacting = self.pending.before.is_some();
                let pages = if compacting { 1 } else { layout.next_extent_pages() };
                let extent = self.tx.allocate_up_to(pages)?;
                self.note_taken(extent);
                self.pending.total_pages += u64::from(extent.pages);
                self.pending.new_extents.push(extent);
                extent
            }
        };
        let page = spare.start;
        self.pending.spare =
            Some(Extent::new(PageId::new(page.get().wrapping_add(1)), spare.pages - 1));
        let mut held = self.tx.init_page(page, SLOTTED, self.store.owner)?;
        let (body, dirty) = held.split();
        PageMut::format(body, |range| dirty.mark(range)).map_err(|e| Error::damaged_by(page, e))?;
        self.pending.used_pages += 1;
        self.set_fill(page)?;
        Ok(page)
    }

    /// Another page for documents to go to, and how many bytes it takes: `bytes_min` at least.
    fn next_fill(&mut self, bytes_min: usize) -> Result<(PageId, usize)> {
        match self.page_with_room(bytes_min)? {
            Some(found) => Ok(found),
            None => Ok((self.new_tail()?, RECORD_BYTES_MAX)),
        }
    }

    /// The page that was left the most room in, and how much: `bytes_min` at least. It becomes
    /// the fill page.
    fn page_with_room(&mut self, bytes_min: usize) -> Result<Option<(PageId, usize)>> {
        let writer = self.writer;
        for (class, page) in writer.room.roomiest(self.pending.room_from) {
            self.pending.room_from = From { class, after: Some(page) };
            let page = PageId::new(page);
            match self.room_in(page) {
                Some((_, free)) if free >= bytes_min => {
                    self.set_fill(page)?;
                    return Ok(Some((page, free.min(RECORD_BYTES_MAX))));
                }
                Some(_) => {}
                None => self.unlist(page),
            }
        }
        let unseen = self.unseen_page(bytes_min)?;
        Ok(unseen.map(|(page, free)| (page, free.min(RECORD_BYTES_MAX))))
    }

    /// A page that was left room in for a record of so many bytes; it becomes the fill page.
    fn page_for(&mut self, bytes: usize) -> Result<Option<PageId>> {
        // A long search through what this change has used already is not worth it.
        let writer = self.writer;
        let listed = writer.room.tightest(bytes).take(LOOKS_MAX).map(PageId::new);
        for page in listed {
            match self.room_in(page) {
                Some((_, free)) if free >= bytes => {
                    self.set_fill(page)?;
                    return Ok(Some(page));
                }
                Some(_) => {}
                None => self.unlist(page),
            }
        }
        Ok(self.unseen_page(bytes)?.map(|(page, _)| page))
    }

    /// Moves the hand over pages that nobody has looked at since the collection was opened, until
    /// one takes so many bytes, which becomes the fill page; but not far.
    fn unseen_page(&mut self, bytes: usize) -> Result<Option<(PageId, usize)>> {
        for _ in 0..HAND_PAGES {
            let (hand, unseen) = &mut self.pending.hand;
            let Some(left) = unseen.checked_sub(1) else { return Ok(None) };
            *unseen = left;
            let Some(page) = hand.advance(&self.writer.layout.extents) else { return Ok(None) };
            match self.room_in(page) {
                Some((_, free)) if free >= bytes => {
                    self.set_fill(page)?;
                    return Ok(Some((page, free)));
                }
                Some((class, _)) => {
                    self.pending.room.insert(page.get(), class);
                }
                None => {}
            }
        }
        Ok(None)
    }

    /// What room a page has, if any, as long as this change has not used it.
    fn room_in(&self, page: PageId) -> Option<(Class, usize)> {
        let used = self.pending.room.contains_key(&page.get());
        let behind = self.pending.before.is_some_and(|before| page >= before);
        if used || behind || self.pending.fill == Some(page) {
            return None;
        }
        // One that can't be read has no room.
        let held = self.tx.page(page).ok()?;
        let sound = held.owner() == self.store.owner && held.kind() == SLOTTED;
        let slots = PageRef::parse(held.body()).ok().filter(|_| sound)?;
        let class = Class::of(&slots);
        (class != Class::None).then(|| (class, slots.free_bytes()))
    }

    /// Takes a page off the list that turned out to have no room, or that may not be used now.
    fn unlist(&mut self, page: PageId) {
        if self.pending.before.is_none_or(|before| page < before) {
            self.pending.room.entry(page.get()).or_insert(Class::None);
        }
    }

    fn note_taken(&mut self, extent: Extent) {
        let behind = |before: PageId| extent.end() > u64::from(before.get());
        self.pending.stuck |= self.pending.before.is_some_and(behind);
    }

    fn set_fill(&mut self, page: PageId) -> Result<()> {
        if let Some(before) = self.pending.fill.replace(page)
            && before != page
        {
            let held = self.tx.page(before)?;
            let slots = PageRef::parse(held.body()).map_err(|e| Error::damaged_by(before, e))?;
            let class = Class::of(&slots);
            if class != Class::None {
                self.pending.room.insert(before.get(), class);
            }
        }
        self.pending.room.insert(page.get(), Class::None);
        Ok(())
    }

    /// Notes that a record has gone from a page, or become shorter or longer.
    fn note_room(&mut self, page: PageId, before: Class, after: Class) {
        if before != after && self.pending.fill != Some(page) {
            self.pending.room.insert(page.get(), after);
        }
    }

    /// Gives empty pages back to the file, if there are many. Once for each change.
    pub(crate) fn give_back_if_many(&mut self) -> Result<()> {
        let empty = self.writer.room.empty_pages().len() as u64;
        let many = EMPTY_PAGES_MIN.max(self.writer.layout.used_pages / EMPTY_PART);
        if empty >= many && self.pending.given_back.is_empty() {
            self.give_back_empty(None)?;
        }
        Ok(())
    }

    /// Gives the pages back to the file that were empty before this change and still are.
    fn give_back_empty(&mut self, fill: Option<PageId>) -> Result<()> {
        let empty = self.writer.room.empty_pages().iter().copied();
        let listed: HashSet<u32, ahash::RandomState> = empty.chain(fill.map(PageId::get)).collect();
        let mut pages: Vec<PageId> = self
            .writer
            .layout
            .pages()
            .filter(|page| listed.contains(&page.get()))
            .filter(|&page| self.room_in(page).is_some_and(|(class, _)| class == Class::Empty))
            .collect();
        pages.sort_unstable();
        for run in pages.chunk_by(|a, b| a.get() + 1 == b.get()) {
            if let (Some(&first), Ok(len)) = (run.first(), u32::try_from(run.len())) {
                self.tx.free_extent(Extent::new(first, len))?;
            }
        }
        for page in &pages {
            self.pending.room.insert(page.get(), Class::None);
        }
        self.pending.used_pages -= pages.len() as u64;
        self.pending.total_pages -= pages.len() as u64;
        self.pending.changed |= !pages.is_empty();
        self.pending.given_back = pages;
        Ok(())
    }

    #[inline]
    fn insert_record(
        &mut self,
        page: PageId,
        kind: RecordKind,
        parts: &[&[u8]],
    ) -> Result<Option<SlotId>> {
        let mut held = self.tx.page_mut(page)?;
        if held.owner() != self.store.owner || held.kind() != SLOTTED {
            return Err(Error::damaged(page));
        }
        let (body, dirty) = held.split();
        PageMut::parse(body, |range| dirty.mark(range))
            .and_then(|mut slots| slots.insert(kind, parts))
            .map_err(|e| Error::damaged_by(page, e))
    }

    fn free_bytes(&self, page: PageId) -> Result<usize> {
        let held = self.tx.page(page)?;
        let slots = PageRef::parse(held.body()).map_err(|e| Error::damaged_by(page, e))?;
        Ok(slots.free_bytes())
    }

    /// Stores `document` in place of the one at `place`; returns where it is now.
    ///
    /// It stays in its page if that has room for all of it, or if it has to be spilled
    /// anyway and the old record's room does for a head. Else it moves to the tail.
    pub(crate) fn replace_at(&mut self, at: Place, document: &[u8]) -> Result<Place> {
        let (page, slot) = page_and_slot(at)?;
        let old = self.free_pieces(page, slot)?;
        if document.len() <= RECORD_BYTES_MAX {
            if self.replace_record(page, slot, RecordKind::Document, &[document])? {
                return Ok(at);
            }
        } else if old.record_len >= head_len_min(document) {
            let head_len = old.record_len - HEAD_HEADER_SIZE;
            let (bytes, rest) = document.split_at_checked(head_len).unwrap_or_default();
            let next =
                self.write_rest(rest, old.fragment_page.into_iter().chain(self.pending.fill))?;
            let header = Head { total_len: total_len(document), next, bytes }.header();
            if self.replace_record(page, slot, RecordKind::Head, &[&header, bytes])? {
                return Ok(at);
            }
            return Err(Error::damaged(page));
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
        let mut held = self.tx.page_mut(page)?;
        let (body, dirty) = held.split();
        let mut slots = PageMut::parse(body, |range| dirty.mark(range))
            .map_err(|e| Error::damaged_by(page, e))?;
        let before = Class::of(&slots.view());
        let done = slots.replace(slot, kind, parts).map_err(|e| Error::damaged_by(page, e))?;
        let after = Class::of(&slots.view());
        self.note_room(page, before, after);
        Ok(done)
    }

    /// Removes the document at `place`.
    pub(crate) fn remove_at(&mut self, at: Place) -> Result<()> {
        let (page, slot) = page_and_slot(at)?;
        let _old = self.free_pieces(page, slot)?;
        self.remove_record(page, slot)
    }

    fn remove_record(&mut self, page: PageId, slot: SlotId) -> Result<()> {
        let mut held = self.tx.page_mut(page)?;
        let (body, dirty) = held.split();
        let mut slots = PageMut::parse(body, |range| dirty.mark(range))
            .map_err(|e| Error::damaged_by(page, e))?;
        let before = Class::of(&slots.view());
        let removed = slots.remove(slot).map_err(|e| Error::damaged_by(page, e))?;
        let after = Class::of(&slots.view());
        self.note_room(page, before, after);
        if removed { Ok(()) } else { Err(Error::damaged(page)) }
    }

    /// Gives back all pieces of a document but the record in `slot`.
    fn free_pieces(&mut self, page: PageId, slot: SlotId) -> Result<Old> {
        let mut pieces = Vec::new();
        let mut old = Old { record_len: 0, fragment_page: None };
        {
            let held = self.tx.page(page)?;
            let slots = PageRef::parse(held.body()).map_err(|e| Error::damaged_by(page, e))?;
            let record = slots.get(slot).map_err(|e| Error::damaged_by(page, e))?;
            let Some(record) = record else { return Err(Error::damaged(page)) };
            old.record_len = record.bytes.len();
            if record.kind != RecordKind::Head {
                return Ok(old);
            }
            let read = |page| Ok(self.tx.page(page)?);
            for_each_piece(self.store.owner, page, record.bytes, read, |next, _| {
                pieces.push(next)
            })?;
        }
        for next in pieces {
            let page = page_of(next);
            match next {
                Next::Overflow { .. } => {
                    self.tx.free(page)?;
                    let run = Extent::new(page, 1);
                    match self.pending.runs_removed.last_mut() {
                        Some(last) if last.end() == u64::from(page.get()) => last.pages += 1,
                        _ => self.pending.runs_removed.push(run),
                    }
                }
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
struct Old {
    /// The length of its record: of the head, if it was spilled.
    record_len: usize,
    /// The page that had its last piece.
    fragment_page: Option<PageId>,
}

/// Takes pages out of a layout, and those behind its tail.
fn give_back(layout: &mut Layout, pages: &[PageId], trimmed: bool) {
    if !pages.is_empty() {
        layout.remove(pages);
    }
    if trimmed {
        layout.trim();
    }
}

fn place(page: PageId, slot: SlotId) -> Place {
    Place { page: page.get(), slot: slot.get() }
}

fn page_and_slot(place: Place) -> Result<(PageId, SlotId)> {
    let page = PageId::new(place.page);
    Ok((page, SlotId::new(place.slot).ok_or_else(|| Error::damaged(page))?))
}

/// Documents are far below 4 GiB by their limit.
fn total_len(document: &[u8]) -> u32 {
    u32::try_from(document.len()).unwrap_or(u32::MAX)
}

/// How much of a page must be left for a head to be worth it: more than the page may
/// waste, and enough for all of the `_id`.
fn head_len_min(document: &[u8]) -> usize {
    let key_end =
        record_key(document).map_or(0, |key| crate::stored::range_within(document, key).end);
    WASTE_BYTES_MAX.max(HEAD_HEADER_SIZE + key_end)
}

// The last piece of a spilled document is at most this long, and a page takes it.
const _: () =
    assert!(OVERFLOW_BYTES_MAX - WASTE_BYTES_MAX + FRAGMENT_HEADER_SIZE <= RECORD_BYTES_MAX);
