//! Moving documents towards the front of the file.
//!
//! A document is moved as by an update that does not fit: it is stored anew, and the index gets
//! its new record id in the same commit. So readers need not know of it.

use nanodb_index::RecordId;
use nanodb_page::RecordKind;
use nanodb_page::overflow::Next;
use nanodb_pager::{Extent, PageId};

use super::records::page_and_slot;
use super::statement::Statement;
use crate::error::{EngineError, Result};
use crate::pages::free_space::SpaceClass;
use crate::pages::overflow::{assemble, for_each_piece};
use crate::pages::source::{PageSource, StoredPage, page_of};
use nanodb_document::record_key;

/// What a page of a collection is made up of.
pub(crate) struct PageSurvey {
    pub(crate) class: SpaceClass,
    pub(crate) live_bytes: usize,
    /// The documents that begin here, and where their other pieces are.
    pub(crate) documents: Vec<(RecordId, Vec<PageId>)>,
}

impl Statement<'_> {
    /// From now on documents go to pages before this one, as long as there are any.
    pub(crate) fn move_before(&mut self, page: PageId) -> Result<()> {
        self.write_set.before = Some(page);
        // A page taken alone must follow the tail.
        self.trim()?;
        if let Some(fill) = self.write_set.fill
            && fill >= page
        {
            self.write_set.fill = None;
            // One that is damaged has no free space.
            let class = self.look(fill).map_or(SpaceClass::None, |(class, _)| class);
            self.write_set.space_classes.insert(fill.get(), class);
            self.write_set.changed = true;
        }
        Ok(())
    }

    /// Whether a page had to be taken that is not before that one, since this was asked last.
    pub(crate) fn take_stuck(&mut self) -> bool {
        std::mem::take(&mut self.write_set.stuck)
    }

    /// What is on a page.
    pub(crate) fn survey(&self, page: PageId) -> Result<PageSurvey> {
        let tx = &*self.tx;
        let held = tx.slotted(self.store.owner, page)?;
        let slots = held.slots(page)?;
        let mut documents = Vec::new();
        for record in slots.records() {
            let record = record.map_err(|e| EngineError::damaged_by(page, e))?;
            let record_id = RecordId { page: page.get(), slot: record.slot.get() };
            let mut pieces = Vec::new();
            if record.kind == RecordKind::Head {
                for_each_piece(self.store.owner, page, record.bytes, &tx, |next: Next, _| {
                    pieces.push(page_of(next));
                })?;
            } else if record.kind != RecordKind::Document {
                continue;
            }
            documents.push((record_id, pieces));
        }
        Ok(PageSurvey { class: SpaceClass::of(&slots), live_bytes: slots.live_bytes(), documents })
    }

    /// Stores the document of a record anew; returns how many bytes it has, 0 if there is none any
    /// more.
    pub(crate) fn relocate(&mut self, at: RecordId) -> Result<usize> {
        let (page, slot) = page_and_slot(at)?;
        let mut document = Vec::new();
        {
            let tx = &*self.tx;
            let held = tx.page(page)?;
            if !held.is_slotted_of(self.store.owner) {
                return Ok(0);
            }
            match held.slots(page)?.get(slot).map_err(|e| EngineError::damaged_by(page, e))? {
                Some(record) if record.kind == RecordKind::Document => {
                    document.extend_from_slice(record.bytes);
                }
                Some(record) if record.kind == RecordKind::Head => {
                    assemble(self.store.owner, page, record.bytes, &tx, &mut document)?;
                }
                _ => return Ok(0),
            }
        }
        let key = record_key(&document).ok_or_else(|| EngineError::damaged(page))?;
        let hash = self.store.hash(key);
        if self.find(hash, key)? != Some(at) {
            return Ok(0);
        }
        self.remove_at(at)?;
        let to = self.append(&document)?;
        self.move_entry(hash, at, to);
        Ok(document.len())
    }

    /// What free space a page has, as far as is known.
    pub(crate) fn class(&self, page: PageId) -> SpaceClass {
        let changed = self.write_set.space_classes.get(&page.get()).copied();
        changed.unwrap_or_else(|| self.writer.free_space.class(page.get()))
    }

    /// Notes what free space a page has that was looked at. It is not filled in this change.
    pub(crate) fn note_class(&mut self, page: PageId, class: SpaceClass) {
        self.write_set.space_classes.insert(page.get(), class);
    }

    /// How many bytes the pages before that one take, at least.
    pub(crate) fn space_before(&self, page: PageId) -> usize {
        self.writer.free_space.bytes_before(page.get())
    }

    pub(crate) fn is_fill(&self, page: PageId) -> bool {
        self.write_set.fill == Some(page)
    }

    /// Whether a page of the collection is not an overflow page.
    pub(crate) fn is_slotted(&self, page: PageId) -> bool {
        !self.writer.overflow.contains(page)
    }

    /// Gives all pages without documents back to the file. Before anything else in a change.
    pub(crate) fn release_pages(&mut self) -> Result<()> {
        let is_empty = |page| self.look(page).is_ok_and(|(class, _)| class == SpaceClass::Empty);
        let empty = match self.write_set.fill {
            Some(page) if is_empty(page) => self.write_set.fill.take(),
            _ => None,
        };
        self.release_empty(empty.as_slice())?;
        self.trim()
    }

    /// Gives all pages of a collection back that has no documents, whether or not anybody has seen
    /// them since it was opened. Before anything else in a change.
    pub(crate) fn release_all(&mut self) -> Result<()> {
        self.write_set.fill = None;
        let all: Vec<PageId> = self.writer.extents.pages().collect();
        self.release_empty(&all)?;
        self.trim()
    }

    /// Gives the pages behind the tail back to the file.
    pub(crate) fn trim(&mut self) -> Result<()> {
        if let Some(Extent { pages: 1.., .. }) = self.write_set.spare
            && let Some(spare) = self.write_set.spare.take()
        {
            self.tx.free_extent(spare)?;
            self.write_set.total_pages -= u64::from(spare.pages);
            self.write_set.trimmed = true;
            self.write_set.changed = true;
        }
        Ok(())
    }
}
