//! A change to one collection under way: what a transaction has changed there so far, and what
//! the commit notes of it.
//!
//! [`records`] stores, replaces and removes documents; [`pages`] says on which pages.

mod compact;
mod pages;
mod records;

use std::collections::BTreeMap;

use nanodb_page::layout::record_len_max;
use nanodb_page::spill::overflow_len_max;
use nanodb_pager::{BODY_SIZE, Extent, Owner, PageId, WriteTx};

use crate::layout::{Layout, Position};
use crate::note::{Entry, Runs, encode_index, encode_state};
use crate::places::Places;
use crate::room::{Class, From};
use crate::store::{Index, Store, Writer};

/// The longest record that a page takes.
const RECORD_BYTES_MAX: usize = record_len_max(BODY_SIZE);

/// The most bytes of a document on one overflow page.
const OVERFLOW_BYTES_MAX: usize = overflow_len_max(BODY_SIZE);

/// What an index entry that comes or goes takes in memory until a checkpoint has saved it: 16
/// bytes with the index, in lists with some room; and as much again while the checkpoint puts
/// them in order.
const ENTRY_KEPT_BYTES: usize = 32;

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
    /// Whether this change has found the fill page to be what it should be.
    fill_is_sound: bool,
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
        Self {
            count: writer.count,
            next_id: writer.next_id,
            changed: false,
            stored: false,
            added: Places::default(),
            removed: Places::default(),
            fill: writer.room.fill.or_else(|| layout.tail()),
            fill_is_sound: false,
            room: BTreeMap::new(),
            room_from: From::START,
            hand: (writer.room.hand, writer.room.unseen),
            given_back: Vec::new(),
            trimmed: false,
            before: None,
            stuck: false,
            spare: layout.spare(),
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

    /// The memory that is kept for the index entries until a checkpoint has saved them.
    pub(crate) fn kept_bytes(&self) -> usize {
        (self.added.len() + self.removed.len()) * ENTRY_KEPT_BYTES
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
        let (layout, order) = (&mut writer.layout, &mut writer.order);
        self.given_back.iter().for_each(|&page| order.remove(Extent::new(page, 1)));
        if self.trimmed
            && let Some(spare) = layout.spare()
        {
            order.remove(spare);
        }
        give_back(layout, &self.given_back, self.trimmed);
        for extent in self.new_extents {
            layout.push(extent);
            order.insert(extent);
        }
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
            return (from, new.iter().skip(from).copied().collect());
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
/// Takes pages out of a layout, and those behind its tail.
fn give_back(layout: &mut Layout, pages: &[PageId], trimmed: bool) {
    if !pages.is_empty() {
        layout.remove(pages);
    }
    if trimmed {
        layout.trim();
    }
}
