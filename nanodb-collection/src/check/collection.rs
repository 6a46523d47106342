//! One collection: its pages, its documents and their pieces, its index and its numbers.

use std::collections::HashMap;
use std::sync::Arc;

use nanodb_index::Place;
use nanodb_page::spill::Next;
use nanodb_page::{PageRef, RecordKind};
use nanodb_pager::{Extent, PageId, WriteTx};

use super::{Check, ProblemKind, why};
use crate::document::DocView;
use crate::error::{Error, Result};
use crate::id::{Id, IdRef, record_key};
use crate::limits::NEXT_ID_MAX;
use crate::runs::Runs;
use crate::spill::{SLOTTED, assemble, for_each_piece};
use crate::store::{Index, Store, Writer};

/// What is being checked, and what was found so far.
struct Walk<'a> {
    name: &'a str,
    store: &'a Store,
    index: &'a Index,
    tx: &'a WriteTx,
    documents: u64,
    id_max: u64,
    /// How often each fragment was found on a page, less how often one refers to it.
    fragments: HashMap<(u32, u16), i64, ahash::RandomState>,
    /// Overflow pages that documents refer to.
    overflow: Runs,
    /// Whether something could not be read, so that what is missing proves nothing.
    incomplete: bool,
}

impl Check {
    pub(super) fn collection(
        &mut self,
        name: &str,
        store: &Arc<Store>,
        writer: &mut Writer,
    ) -> Result<()> {
        self.report.collections += 1;
        let index = store.index_for_writer()?;
        if let Some(page) = store.damaged_run()? {
            let why = "part of the saved index of ids".to_owned();
            self.add(Some(name), Some(page.get()), ProblemKind::DamagedPage { why });
        }
        store.remove_retired(index, writer);
        let layout = writer.layout.clone();
        layout.extents.iter().for_each(|&extent| self.claim(Some(name), extent));
        writer.overflow.iter().for_each(|run| self.claim(Some(name), run));

        let tx = store.pager.begin();
        let mut walk = Walk {
            name,
            store,
            index,
            tx: &tx,
            documents: 0,
            id_max: 0,
            fragments: HashMap::default(),
            overflow: Runs::default(),
            incomplete: false,
        };
        for page in layout.pages() {
            self.report.pages += 1;
            match self.page(&mut walk, page) {
                Ok(()) => {}
                Err(error @ Error::DamagedPage { .. }) => {
                    walk.incomplete = true;
                    let page = error.page().or(Some(page.get()));
                    self.add(Some(name), page, ProblemKind::DamagedPage { why: why(&error) });
                }
                Err(error) => return Err(error),
            }
        }
        self.report.documents += walk.documents;
        let entries = store.count_entries(index)?;
        self.totals(&walk, writer, entries);
        Ok(())
    }

    fn page(&mut self, walk: &mut Walk<'_>, page: PageId) -> Result<()> {
        let held = walk.tx.page(page)?;
        if held.owner() != walk.store.owner || held.kind() != SLOTTED {
            return Err(Error::damaged(page));
        }
        let damaged_by = |error| Error::damaged_by(page, error);
        let slots = PageRef::parse(held.body()).map_err(damaged_by)?;
        if let Err(error) = slots.verify() {
            walk.incomplete = true;
            let kind = ProblemKind::DamagedPage { why: why(&damaged_by(error)) };
            self.add(Some(walk.name), Some(page.get()), kind);
        }
        let mut bytes = Vec::new();
        for record in slots.records() {
            let Ok(record) = record else { continue };
            let place = Place { page: page.get(), slot: record.slot.get() };
            match record.kind {
                RecordKind::Document => self.document(walk, place, record.bytes)?,
                RecordKind::Head => {
                    bytes.clear();
                    match self.assemble(walk, page, record.bytes, &mut bytes) {
                        Ok(()) => self.document(walk, place, &bytes)?,
                        Err(error @ Error::DamagedPage { .. }) => {
                            walk.incomplete = true;
                            walk.documents += 1;
                            let kind = ProblemKind::DamagedDocument { why: why(&error) };
                            self.add(Some(walk.name), error.page(), kind);
                        }
                        Err(error) => return Err(error),
                    }
                }
                _ => *walk.fragments.entry((place.page, place.slot)).or_default() += 1,
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
        let (tx, owner) = (walk.tx, walk.store.owner);
        let read = |page| Ok(tx.page(page)?);
        let mut stray = Vec::new();
        let followed = for_each_piece(owner, page, record, read, |next, _| match next {
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
        assemble(owner, page, record, read, bytes)
    }

    fn document(&mut self, walk: &mut Walk<'_>, place: Place, bytes: &[u8]) -> Result<()> {
        walk.documents += 1;
        let page = Some(place.page);
        if let Err(error) = DocView::parse(bytes) {
            let kind = ProblemKind::DamagedDocument { why: error.to_string() };
            self.add(Some(walk.name), page, kind);
        }
        let id = record_key(bytes).and_then(|key| Some((key, Id::from_key(key)?)));
        let Some((key, id)) = id else {
            let why = "it does not begin with an id".to_owned();
            self.add(Some(walk.name), page, ProblemKind::DamagedDocument { why });
            return Ok(());
        };
        if let IdRef::Int(number) = id.as_ref()
            && let Ok(number) = u64::try_from(number)
            && number < NEXT_ID_MAX
        {
            walk.id_max = walk.id_max.max(number);
        }
        let hash = walk.store.hash(key);
        match walk.store.find_installed(walk.tx, walk.index, hash, key) {
            Ok(Some(found)) if found == place => {}
            // Damage elsewhere keeps it from being found; that is reported where it is.
            Err(Error::DamagedPage { .. }) => {}
            Ok(_) => {
                let kind = ProblemKind::NotFoundById { id: id.to_string() };
                self.add(Some(walk.name), page, kind);
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Holds what was found against what the collection says of itself.
    fn totals(&mut self, walk: &Walk<'_>, writer: &Writer, entries: u64) {
        let name = Some(walk.name);
        if walk.id_max >= writer.next_id {
            let kind = ProblemKind::NextId { next: writer.next_id, used: walk.id_max };
            self.add(name, None, kind);
        }
        if walk.incomplete {
            return;
        }
        if writer.count != walk.documents {
            let kind = ProblemKind::Count { stored: writer.count, found: walk.documents };
            self.add(name, None, kind);
        }
        // Retired entries are still there, if their commits are not published yet.
        let entries = entries.saturating_sub(writer.retired.len() as u64);
        if entries != walk.documents {
            self.add(name, None, ProblemKind::IndexLen { entries, documents: walk.documents });
        }
        let mut stray: Vec<u32> = walk
            .fragments
            .iter()
            .filter(|&(_, &balance)| balance != 0)
            .map(|(&(page, _), _)| page)
            .collect();
        for run in writer.overflow.iter() {
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
                    && !writer.overflow.contains(page)
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
