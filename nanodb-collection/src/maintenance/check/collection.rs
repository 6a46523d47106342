//! One collection: its pages, its documents and their pieces, its index and its numbers.

use std::collections::HashMap;
use std::ops::ControlFlow;

use nanodb_index::{KeyHash, RecordId};
use nanodb_page::RecordKind;
use nanodb_page::overflow::Next;
use nanodb_pager::{Extent, PageId, RandomState, Snapshot};

use super::index::Entries;
use super::{Check, ProblemKind, why};
use crate::catalog::binding::NameBinding;
use crate::catalog::manifest::StoredCollection;
use crate::error::{EngineError, Result};
use crate::ids::NEXT_ID_MAX;
use crate::pages::extent_set::ExtentSet;
use crate::pages::overflow::{assemble, for_each_piece};
use crate::pages::source::{PageSource, StoredPage};
use crate::store::Store;
use nanodb_document::DocView;
use nanodb_document::{Id, IdRef, record_key, with_hashed_key};

/// What is being checked, and what was found so far.
pub(super) struct Walk<'a> {
    pub(super) name: &'a str,
    pub(super) store: &'a Store,
    pub(super) snapshot: &'a Snapshot,
    pub(super) documents: u64,
    id_max: u64,
    /// How often each fragment was found on a page, less how often one refers to it.
    fragments: HashMap<(u32, u16), i64, RandomState>,
    /// Overflow pages that documents refer to.
    overflow: ExtentSet,
    /// The entries that the index has to have, those of some keys at a time.
    pub(super) entries: Entries,
    /// Whether something could not be read, so that what is missing proves nothing.
    pub(super) incomplete: bool,
}

impl Check<'_> {
    pub(super) fn collection(
        &mut self,
        binding: &NameBinding,
        stored: &StoredCollection,
        snapshot: &Snapshot,
    ) -> Result<ControlFlow<()>> {
        self.report.collections += 1;
        let (name, store) = (&*binding.name, &*binding.store);
        stored.extents.list.iter().for_each(|&extent| self.mark_in_use(Some(name), extent));
        stored.overflow.iter().for_each(|run| self.mark_in_use(Some(name), run));

        let mut walk = Walk {
            name,
            store,
            snapshot,
            documents: 0,
            id_max: 0,
            fragments: HashMap::default(),
            overflow: ExtentSet::default(),
            entries: Entries::new(stored.count),
            incomplete: false,
        };
        for page in stored.extents.pages() {
            self.report.pages += 1;
            match self.page(&mut walk, page) {
                Ok(()) => {}
                Err(error @ EngineError::DamagedPage { .. }) => {
                    walk.incomplete = true;
                    let page = error.page().or(Some(page.get()));
                    self.add(Some(name), page, ProblemKind::DamagedPage { why: why(&error) });
                }
                Err(error) => return Err(error),
            }
            if self.tell().is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        self.report.documents += walk.documents;
        self.totals(&walk, stored);
        self.index(&mut walk, &stored.extents)
    }

    fn page(&mut self, walk: &mut Walk<'_>, page: PageId) -> Result<()> {
        let held = walk.snapshot.slotted(walk.store.owner, page)?;
        let slots = held.slots(page)?;
        if let Err(error) = slots.verify() {
            walk.incomplete = true;
            let why = why(&EngineError::damaged_by(page, error));
            let kind = ProblemKind::DamagedPage { why };
            self.add(Some(walk.name), Some(page.get()), kind);
        }
        let mut bytes = Vec::new();
        for record in slots.records() {
            let Ok(record) = record else { continue };
            let record_id = RecordId { page: page.get(), slot: record.slot.get() };
            match record.kind {
                RecordKind::Document => self.document(walk, record_id, record.bytes),
                RecordKind::Head => {
                    bytes.clear();
                    match self.assemble(walk, page, record.bytes, &mut bytes) {
                        Ok(()) => self.document(walk, record_id, &bytes),
                        Err(error @ EngineError::DamagedPage { .. }) => {
                            walk.incomplete = true;
                            walk.documents += 1;
                            let kind = ProblemKind::DamagedDocument { why: why(&error) };
                            self.add(Some(walk.name), error.page(), kind);
                        }
                        Err(error) => return Err(error),
                    }
                }
                _ => *walk.fragments.entry((record_id.page, record_id.slot)).or_default() += 1,
            }
        }
        Ok(())
    }

    fn assemble(
        &mut self,
        walk: &mut Walk<'_>,
        page: PageId,
        record: &[u8],
        bytes: &mut Vec<u8>,
    ) -> Result<()> {
        let (snapshot, owner) = (walk.snapshot, walk.store.owner);
        let mut stray = Vec::new();
        let followed = for_each_piece(owner, page, record, snapshot, |next, _| match next {
            Next::Overflow { page } => {
                let page = PageId::new(page.get());
                if walk.overflow.contains(page) {
                    stray.push(page);
                }
                walk.overflow.insert(Extent::new(page, 1));
            }
            Next::Fragment { page, slot } => {
                *walk.fragments.entry((page.get(), slot.get())).or_default() -= 1;
            }
        });
        for page in stray {
            self.add(Some(walk.name), Some(page.get()), ProblemKind::StrayPiece);
        }
        followed?;
        assemble(owner, page, record, snapshot, bytes)
    }

    fn document(&mut self, walk: &mut Walk<'_>, record_id: RecordId, bytes: &[u8]) {
        walk.documents += 1;
        let page = Some(record_id.page);
        if let Err(error) = DocView::parse(bytes) {
            let kind = ProblemKind::DamagedDocument { why: error.to_string() };
            self.add(Some(walk.name), page, kind);
        }
        let id = record_key(bytes).and_then(|key| Some((key, Id::from_key(key)?)));
        let Some((key, id)) = id else {
            let why = "it does not begin with an id".to_owned();
            self.add(Some(walk.name), page, ProblemKind::DamagedDocument { why });
            return;
        };
        if let IdRef::Int(number) = id.as_ref()
            && let Ok(number) = u64::try_from(number)
            && number < NEXT_ID_MAX
        {
            walk.id_max = walk.id_max.max(number);
        }
        let hash = with_hashed_key(key, |key| KeyHash::of_id(walk.store.hash_seed, key));
        walk.entries.push(hash, record_id);
    }

    /// Holds what was found against what the collection says of itself.
    fn totals(&mut self, walk: &Walk<'_>, stored: &StoredCollection) {
        let name = Some(walk.name);
        if walk.id_max >= stored.next_id {
            let kind = ProblemKind::NextId { next: stored.next_id, used: walk.id_max };
            self.add(name, None, kind);
        }
        if walk.incomplete {
            return;
        }
        // What the edits say, and what is in memory.
        let counts = [stored.count, walk.store.count_at(walk.snapshot.seq())];
        if let Some(&count) = counts.iter().find(|&&count| count != walk.documents) {
            let kind = ProblemKind::Count { stored: count, found: walk.documents };
            self.add(name, None, kind);
        }
        let mut stray: Vec<u32> = walk
            .fragments
            .iter()
            .filter(|&(_, &balance)| balance != 0)
            .map(|(&(page, _), _)| page)
            .collect();
        for run in stored.overflow.iter() {
            for index in 0..run.pages {
                if let Some(page) = run.page(index)
                    && !walk.overflow.contains(page)
                {
                    stray.push(page.get());
                }
            }
        }
        for run in walk.overflow.iter() {
            for index in 0..run.pages {
                if let Some(page) = run.page(index)
                    && !stored.overflow.contains(page)
                {
                    stray.push(page.get());
                }
            }
        }
        stray.sort_unstable();
        for page in stray {
            self.add(name, Some(page), ProblemKind::StrayPiece);
        }
    }
}
