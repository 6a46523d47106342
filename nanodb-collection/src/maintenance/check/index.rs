//! The index of a collection's ids: that it has each document, and nothing else.

use std::ops::ControlFlow;

use nanodb_index::{KeyHash, RecordId};
use nanodb_page::SlotId;
use nanodb_pager::{Extent, PageId};

use super::collection::Walk;
use super::{Check, ProblemKind};
use crate::catalog::binding::NameBinding;
use crate::catalog::manifest::StoredCollection;
use crate::error::{EngineError, Result};
use crate::id_index::LoadedIndex;
use crate::id_index::run::{IndexRun, decode_pages};
use crate::id_index::run_writer::RUN_READ_PAGES_MAX;
use crate::lock::owner::LockOwner;
use crate::pages::extents::Extents;
use crate::pages::records::{document_start, for_each_document};
use crate::pages::source::{PageSource, StoredPage};
use crate::store::Store;
use nanodb_document::{Id, record_key};

/// So many entries are compared at a time: 48 MiB. For more the pages are read again.
pub(super) const ENTRIES_MAX: u64 = 4 << 20;

/// An entry: the key hash, and the record id.
type Entry = (KeyHash, RecordId);

/// The entries that documents should have, of a part of all keys.
pub(super) struct Entries {
    parts: u64,
    part: u64,
    first: u32,
    last: u32,
    found: Vec<Entry>,
}

impl Entries {
    /// Of the first keys, if there are so many documents.
    pub(super) fn new(documents: u64) -> Self {
        let parts = documents / ENTRIES_MAX + 1;
        let mut entries = Self { parts, part: 0, first: 0, last: 0, found: Vec::new() };
        entries.last = entries.end(1);
        entries
    }

    pub(super) fn push(&mut self, key: KeyHash, record_id: RecordId) {
        if (self.first..=self.last).contains(&key.bits()) {
            self.found.push((key, record_id));
        }
    }

    #[cfg(test)]
    pub(super) fn keys(&self) -> (u32, u32) {
        (self.first, self.last)
    }

    /// The last key of so many parts.
    fn end(&self, parts: u64) -> u32 {
        let end = (u128::from(parts) << u32::BITS) / u128::from(self.parts);
        u32::try_from(end.saturating_sub(1)).unwrap_or(u32::MAX)
    }

    /// Turns to the next keys; false if there are none.
    pub(super) fn advance(&mut self) -> bool {
        self.found.clear();
        self.part += 1;
        self.first = self.last.wrapping_add(1);
        self.last = self.end(self.part + 1);
        self.part < self.parts
    }
}

impl Check<'_> {
    /// Reads what the last checkpoint has saved of the index.
    pub(super) fn saved_index(
        &mut self,
        binding: &NameBinding,
        saved: &StoredCollection,
    ) -> Result<()> {
        let store = &binding.store;
        let mut damaged = store.damaged_run();
        for run in saved.saved.iter().flatten() {
            if damaged.is_none() {
                damaged = damaged_page(store, run)?;
            }
        }
        if let Some(page) = damaged {
            let why = "part of the saved id index".to_owned();
            let kind = ProblemKind::DamagedPage { why };
            self.add(Some(&binding.name), Some(page.get()), kind);
        }
        Ok(())
    }

    /// Compares the index with the documents that were found, and reads the pages again where there
    /// are too many for one time.
    pub(super) fn index(
        &mut self,
        walk: &mut Walk<'_>,
        extents: &Extents,
    ) -> Result<ControlFlow<()>> {
        let store = walk.store;
        let Some(index) = store.index_at(walk.snapshot)? else {
            return Ok(ControlFlow::Continue(()));
        };
        let mut stray = 0;
        loop {
            walk.entries.found.sort_unstable();
            stray += self.part(walk, index)?;
            if !walk.entries.advance() {
                break;
            }
            let (owner, seed) = (walk.store.owner, walk.store.hash_seed);
            for page in extents.pages() {
                // What cannot be read was told of the first time.
                let Ok(held) = PageSource::page(walk.snapshot, page) else { continue };
                let entries = &mut walk.entries;
                for_each_document(&held, owner, seed, |key, slot| {
                    entries.push(key, RecordId { page: page.get(), slot });
                });
                if self.tell().is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
        }
        if stray > 0 && !walk.incomplete {
            let documents = walk.documents;
            let kind = ProblemKind::IndexLen { entries: documents + stray, documents };
            self.add(Some(walk.name), None, kind);
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Compares the keys that are being compared, group by group. How many entries are too many.
    fn part(&mut self, walk: &Walk<'_>, index: &LoadedIndex) -> Result<u64> {
        let Entries { found, first, last, .. } = &walk.entries;
        let (mut stray, mut left, mut next) = (0, found.as_slice(), Some(*first));
        while let Some(key) = next.filter(|key| key <= last) {
            let (mut indexed, group_last) =
                walk.store.group_entries(index, KeyHash::from_bits(key))?;
            let to = group_last.min(*last);
            indexed.retain(|entry| (key..=to).contains(&entry.0.bits()));
            let (found, rest) = left.split_at(left.partition_point(|entry| entry.0.bits() <= to));
            stray += self.group(walk, index, found, &indexed)?;
            (left, next) = (rest, to.checked_add(1));
        }
        Ok(stray)
    }

    /// Compares the entries of a group, both in order.
    fn group(
        &mut self,
        walk: &Walk<'_>,
        index: &LoadedIndex,
        found: &[Entry],
        indexed: &[Entry],
    ) -> Result<u64> {
        for &(key, record_id) in found {
            let is_there = index.ids.look_up(key, |found| (found == record_id).then_some(()));
            // Not loaded any more: then it was there when the entries were listed, or not.
            let is_there = match is_there {
                Ok(there) => there.is_some(),
                Err(_) => indexed.binary_search(&(key, record_id)).is_ok(),
            };
            if !is_there && !walk.store.has_former(key, record_id, walk.snapshot.seq()) {
                self.not_found(walk, index, record_id);
            }
        }
        for same in found.chunk_by(|a, b| a.0 == b.0).filter(|same| same.len() > 1) {
            let mut ids: Vec<(Option<Id>, RecordId)> =
                same.iter().map(|&(_, record_id)| (walk.id_at(record_id), record_id)).collect();
            ids.sort_unstable_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
            for twice in ids.windows(2) {
                if let [(Some(first), _), (Some(second), record_id)] = twice
                    && first == second
                {
                    self.not_found(walk, index, *record_id);
                }
            }
        }
        let twice = indexed.windows(2).filter(|pair| pair.first() == pair.last()).count() as u64;
        let new = indexed.iter().filter(|entry| found.binary_search(entry).is_err());
        let new: Vec<Entry> = new.copied().collect();
        if new.is_empty() {
            return Ok(twice);
        }
        Ok(twice + walk.store.count_stray(walk.name, index, &new)?)
    }

    fn not_found(&mut self, walk: &Walk<'_>, index: &LoadedIndex, record_id: RecordId) {
        // Where pages could not be read when it was made, that is reported.
        if index.miss::<()>().is_err() {
            return;
        }
        let id = walk.id_at(record_id).map_or_else(String::new, |id| id.to_string());
        self.add(Some(walk.name), Some(record_id.page), ProblemKind::NotFoundById { id });
    }
}

impl Walk<'_> {
    /// The id of a document that was found there.
    fn id_at(&self, record_id: RecordId) -> Option<Id> {
        let number = PageId::new(record_id.page);
        let page = self.snapshot.slotted(self.store.owner, number).ok()?;
        let slots = page.slots(number).ok()?;
        let record = slots.get(SlotId::new(record_id.slot)?).ok()??;
        Id::from_key(document_start(&record).and_then(record_key)?)
    }
}

impl Store {
    /// How many of these entries are still in the index and lead nowhere, not even as of the newest
    /// commit, and are not about to go. They are of one group, and in order.
    fn count_stray(&self, name: &str, index: &LoadedIndex, entries: &[Entry]) -> Result<u64> {
        let owner = LockOwner::current();
        let writer = self.state.lock(owner).map_err(|_| EngineError::conflict(name))?;
        // Dropped: nobody looks for it any more, and its pages may be anybody's.
        if writer.extents.used_pages == 0 {
            return Ok(0);
        }
        let retired = writer.retired.among(entries);
        let tx = self.pager.begin();
        let mut stray = 0;
        for (&(hash, record_id), is_retired) in entries.iter().zip(retired) {
            let is_there = index.ids.look_up(hash, |found| (found == record_id).then_some(()));
            if is_retired || !matches!(is_there, Ok(Some(()))) {
                continue;
            }
            // One that cannot be read is told of elsewhere.
            let Ok(page) = tx.page(PageId::new(record_id.page)) else { continue };
            let mut leads_there = false;
            for_each_document(&page, self.owner, self.hash_seed, |found, slot| {
                leads_there |= (found, slot) == (hash, record_id.slot);
            });
            stray += u64::from(!leads_there);
        }
        Ok(stray)
    }
}

/// The first page of a run that can't be read, if the run is still in use then.
fn damaged_page(store: &Store, run: &IndexRun) -> Result<Option<PageId>> {
    let mark = run.mark(store.owner);
    let is_sound = |extent| match store.pager.read_checkpoint_pages(extent, mark) {
        Ok(read) => Ok(decode_pages(&read, &mut Vec::new()).is_ok()),
        Err(nanodb_pager::Error::Corrupt(_)) => Ok(false),
        // A checkpoint may have cut its pages off the file.
        Err(error) if store.has_saved(run.seq) => Err(EngineError::from(error)),
        Err(_) => Ok(false),
    };
    let mut at = 0;
    while let Some(extent) = run.extent_at(at, RUN_READ_PAGES_MAX) {
        if !is_sound(extent)? {
            for page in (0..extent.pages).filter_map(|page| extent.page(page)) {
                if !is_sound(Extent::new(page, 1))? {
                    // A checkpoint may have given its pages to others.
                    return Ok(Some(page).filter(|_| store.has_saved(run.seq)));
                }
            }
        }
        at += u64::from(extent.pages);
    }
    Ok(None)
}
