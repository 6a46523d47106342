//! What a transaction has changed in one collection so far, and the edits that the commit makes of
//! it.

use std::collections::BTreeMap;

use nanodb_index::{KeyHash, RecordId};
use nanodb_pager::{Extent, Owner, PageId};

use crate::catalog::edit::{CatalogEdit, Counters, Runs, encode_index, encode_state};
use crate::id_index::entry_set::EntrySet;
use crate::ids::CollectionId;
use crate::pages::extents::{Extents, Position};
use crate::pages::free_space::{SearchStart, SpaceClass};
use crate::store::CollectionState;

/// What an index entry that comes or goes takes in memory until a checkpoint has saved it: 16
/// bytes with the index, in lists with some room; and as much again while the checkpoint puts
/// them in order.
const ENTRY_KEPT_BYTES: usize = 32;

/// What a transaction has changed in one collection so far, besides pages.
#[derive(Debug)]
pub(crate) struct WriteSet {
    pub(crate) count: u64,
    pub(crate) next_id: u64,
    /// Whether there is anything to commit.
    pub(crate) changed: bool,
    /// Whether documents were stored. If not, what is to be committed frees space.
    pub(crate) stored: bool,
    /// Entries for the index.
    pub(crate) added: EntrySet,
    /// Entries of the index that lead nowhere any more.
    pub(crate) removed: EntrySet,
    /// Where documents go.
    pub(super) fill: Option<PageId>,
    /// Whether this change has found the fill page to be what it should be.
    pub(super) fill_is_sound: bool,
    /// Pages whose free space has changed.
    pub(super) space_classes: BTreeMap<u32, SpaceClass>,
    /// How far the search for pages with free space has come.
    pub(super) search_start: SearchStart,
    /// How far the scan for free space has come, and how many pages are left to scan.
    pub(super) position: (Position, u64),
    /// Pages that are released, by number.
    pub(super) released_pages: Vec<PageId>,
    /// Whether the pages behind the tail are released.
    pub(super) trimmed: bool,
    /// In compaction: documents are to go to pages before this one.
    pub(super) before: Option<PageId>,
    /// In compaction: there was no such page.
    pub(super) stuck: bool,
    /// Pages behind the tail that were taken already.
    pub(super) spare: Option<Extent>,
    pub(super) used_pages: u64,
    pub(super) total_pages: u64,
    pub(super) new_extents: Vec<Extent>,
    pub(super) runs_added: Vec<Extent>,
    pub(super) runs_removed: Vec<Extent>,
}

impl WriteSet {
    /// Nothing yet.
    pub(crate) fn new(writer: &CollectionState) -> Self {
        let extents = &writer.extents;
        Self {
            count: writer.count,
            next_id: writer.next_id,
            changed: false,
            stored: false,
            added: EntrySet::default(),
            removed: EntrySet::default(),
            fill: writer.free_space.fill.or_else(|| extents.tail()),
            fill_is_sound: false,
            space_classes: BTreeMap::new(),
            search_start: SearchStart::START,
            position: (writer.free_space.position, writer.free_space.unscanned),
            released_pages: Vec::new(),
            trimmed: false,
            before: None,
            stuck: false,
            spare: extents.spare(),
            used_pages: extents.used_pages,
            total_pages: extents.total_pages,
            new_extents: Vec::new(),
            runs_added: Vec::new(),
            runs_removed: Vec::new(),
        }
    }

    /// Appends the edits to a commit's metadata: what the change is besides pages.
    pub(crate) fn encode(&self, writer: &CollectionState, owner: Owner, edits: &mut Vec<u8>) {
        let collection = CollectionId::of(owner);
        // In this order: a page that was taken and given back is in both.
        let entries =
            [CatalogEdit::RunsAdded as fn(Runs) -> CatalogEdit<'static>, CatalogEdit::RunsRemoved];
        for (runs, entry) in [&self.runs_added, &self.runs_removed].into_iter().zip(entries) {
            if !runs.is_empty() {
                entry(Runs { collection, runs: runs.clone() }).encode(edits);
            }
        }
        let Self { count, next_id, used_pages, .. } = *self;
        let counters = Counters { count, next_id, used_pages };
        let (from, extents) = self.changed_extents(writer);
        encode_state(edits, collection, counters, from, &extents);
        if !(self.added.is_empty() && self.removed.is_empty()) {
            encode_index(edits, collection, self.removed.iter(), self.added.iter());
        }
    }

    /// The memory that is kept for the index entries until a checkpoint has saved them.
    pub(crate) fn kept_bytes(&self) -> usize {
        (self.added.len() + self.removed.len()) * ENTRY_KEPT_BYTES
    }

    #[inline]
    pub(crate) fn add_entry(&mut self, hash: KeyHash, record_id: RecordId) {
        // One that the index has already, and that was to go, stays.
        if self.removed.is_empty() || !self.removed.remove(hash, record_id) {
            self.added.push(hash, record_id);
        }
    }

    /// Index entries to add and to retire.
    pub(crate) fn take_entries(&mut self) -> (EntrySet, EntrySet) {
        (std::mem::take(&mut self.added), std::mem::take(&mut self.removed))
    }

    /// Makes what was changed the installed state.
    pub(crate) fn apply(self, writer: &mut CollectionState) {
        writer.count = self.count;
        writer.next_id = self.next_id;
        self.runs_added.into_iter().for_each(|run| writer.overflow.insert(run));
        self.runs_removed.into_iter().for_each(|run| writer.overflow.remove(run));
        let (extents, order) = (&mut writer.extents, &mut writer.order);
        self.released_pages.iter().for_each(|&page| order.remove(Extent::new(page, 1)));
        if self.trimmed
            && let Some(spare) = extents.spare()
        {
            order.remove(spare);
        }
        release_pages(extents, &self.released_pages, self.trimmed);
        for extent in self.new_extents {
            extents.push(extent);
            order.insert(extent);
        }
        extents.used_pages = self.used_pages;
        let free_space = &mut writer.free_space;
        self.space_classes.into_iter().for_each(|(page, class)| free_space.set(page, class));
        (free_space.position, free_space.unscanned) = self.position;
        free_space.fill = self.fill;
    }

    /// The pages as the change leaves them.
    pub(crate) fn extents(&self, writer: &CollectionState) -> Extents {
        let mut extents = writer.extents.clone();
        release_pages(&mut extents, &self.released_pages, self.trimmed);
        self.new_extents.iter().for_each(|&extent| extents.push(extent));
        extents.used_pages = self.used_pages;
        extents
    }

    /// The extents from the first that this change touches on.
    fn changed_extents(&self, writer: &CollectionState) -> (usize, Vec<Extent>) {
        let extents = &writer.extents;
        if !self.released_pages.is_empty() || self.trimmed {
            let new = self.extents(writer).list;
            let same = extents.list.iter().zip(new.iter()).take_while(|(old, new)| old == new);
            let from = same.count();
            return (from, new.iter().skip(from).copied().collect());
        }
        if self.new_extents.is_empty() {
            return (extents.list.len(), Vec::new());
        }
        // A new extent may lengthen the last one.
        let mut changed = Extents::default();
        extents.list.last().into_iter().for_each(|&last| changed.push(last));
        self.new_extents.iter().for_each(|&new| changed.push(new));
        (extents.list.len().saturating_sub(1), changed.list.to_vec())
    }
}

/// Takes pages out of the extents, and those behind its tail.
fn release_pages(extents: &mut Extents, pages: &[PageId], trimmed: bool) {
    if !pages.is_empty() {
        extents.remove(pages);
    }
    if trimmed {
        extents.trim();
    }
}
