//! Finding a document by its id.

use std::cell::Cell;

use nanodb_index::{KeyHash, NotLoaded, RecordId};
use nanodb_page::overflow::Head;
use nanodb_page::{PageRef, RecordKind, SlotId};
use nanodb_pager::{PageGuard, PageId, Seq, Snapshot, WriteTx};

use super::Store;
use crate::error::{EngineError, Result};
use crate::id_index::LoadedIndex;
use crate::id_index::retired::RetiredEntries;
use crate::pages::overflow;
use crate::pages::records::{RecordSpan, document_start};
use crate::pages::source::{PageSource, StoredPage};
use crate::pages::stored_doc::StoredDoc;
use nanodb_document::{record_has_key, record_key, with_hashed_key};

/// A document's record, found and proved.
pub(crate) struct FoundRecord {
    guard: PageGuard,
    record: RecordSpan,
    overflows: bool,
}

/// What a candidate turned out to be.
enum Proof {
    Proved { record: RecordSpan, overflows: bool },
    NotIt,
}

/// Why a look-up at a commit has no answer.
enum ReadFailure {
    /// A version was dropped meanwhile: a newer commit has what is needed.
    Outdated(PageId),
    /// The index does not have this part of it in memory.
    NotLoaded,
    Failed(EngineError),
}

type Answer<T> = Result<T, ReadFailure>;

/// The commit that is read at.
#[derive(Clone, Copy)]
struct ReadPoint {
    at: Seq,
    /// Whether a snapshot keeps the versions that this reader wants.
    registered: bool,
}

/// A look-up under way.
struct IdLookup<'a> {
    store: &'a Store,
    key: &'a [u8],
    point: ReadPoint,
    damaged: Option<EngineError>,
}

/// The pages of a collection as of the commit that is read at.
struct PagesAt<'a> {
    store: &'a Store,
    point: ReadPoint,
    /// A page of which the version was dropped meanwhile.
    outdated: Cell<Option<PageId>>,
}

impl PageSource for PagesAt<'_> {
    type Page = PageGuard;

    fn page(&self, id: PageId) -> Result<PageGuard> {
        match self.store.page(id, self.point) {
            Ok(Some(guard)) => Ok(guard),
            Err(ReadFailure::Failed(error)) => Err(error),
            Err(ReadFailure::Outdated(page)) => {
                self.outdated.set(Some(page));
                Err(EngineError::damaged(id))
            }
            Ok(None) | Err(ReadFailure::NotLoaded) => Err(EngineError::damaged(id)),
        }
    }
}

impl IdLookup<'_> {
    /// The document, if that record is it.
    #[inline]
    fn probe(&mut self, record_id: RecordId) -> Option<Answer<FoundRecord>> {
        let guard = match self.store.page(PageId::new(record_id.page), self.point) {
            Ok(Some(guard)) => guard,
            Ok(None) => return None,
            // Another candidate may be the right one.
            Err(ReadFailure::Failed(error @ EngineError::DamagedPage { .. })) => {
                self.damaged = Some(error);
                return None;
            }
            Err(failure) => return Some(Err(failure)),
        };
        match self.store.prove(&guard, record_id, self.key) {
            Ok(Proof::NotIt) => None,
            Ok(Proof::Proved { record, overflows }) => {
                Some(Ok(FoundRecord { guard, record, overflows }))
            }
            Err(error) => {
                self.damaged = Some(error);
                None
            }
        }
    }

    /// What to answer when `found` came of all candidates.
    #[inline]
    fn end(self, found: Option<Answer<FoundRecord>>) -> Answer<Option<FoundRecord>> {
        match (found, self.damaged) {
            (Some(answer), _) => answer.map(Some),
            (None, Some(error)) => Err(ReadFailure::Failed(error)),
            (None, None) => Ok(None),
        }
    }
}

impl Store {
    pub(crate) fn hash(&self, key: &[u8]) -> KeyHash {
        with_hashed_key(key, |key| KeyHash::of_id(self.hash_seed, key))
    }

    /// Returns the document with this key as of the published commit.
    #[inline]
    pub fn get(&self, key: &[u8]) -> Result<Option<StoredDoc>> {
        self.read_now(key, |found, point| self.read(found, point).map(Some))
    }

    /// Whether there is a document with this key as of the published commit.
    pub fn contains(&self, key: &[u8]) -> Result<bool> {
        Ok(self.read_now(key, |_, _| Ok(Some(())))?.is_some())
    }

    /// Returns the document with this key as of a snapshot.
    pub fn get_at(&self, key: &[u8], snapshot: &Snapshot) -> Result<Option<StoredDoc>> {
        self.read_at(key, snapshot, |found, point| self.read(found, point).map(Some))
    }

    /// Whether there is a document with this key as of a snapshot.
    pub fn contains_at(&self, key: &[u8], snapshot: &Snapshot) -> Result<bool> {
        Ok(self.read_at(key, snapshot, |_, _| Ok(Some(())))?.is_some())
    }

    /// Looks a key up as of a snapshot: in the index, then in the history.
    fn read_at<T>(
        &self,
        key: &[u8],
        snapshot: &Snapshot,
        read: impl FnOnce(FoundRecord, ReadPoint) -> Answer<Option<T>>,
    ) -> Result<Option<T>> {
        let at = snapshot.seq();
        let point = ReadPoint { at, registered: true };
        let Some(index) = self.index_at(snapshot)? else { return Ok(None) };
        let hash = self.hash(key);
        let (mut lookup, mut found) = loop {
            let mut lookup = IdLookup { store: self, key, point, damaged: None };
            match index.ids.look_up(hash, |record_id| lookup.probe(record_id)) {
                Ok(found) => break (lookup, found),
                Err(NotLoaded) => self.load(index, hash)?,
            }
        };
        if found.is_none() {
            let former = self.history.lock().find(hash, at);
            found = former.into_iter().find_map(|record_id| lookup.probe(record_id));
        }
        let answer = match lookup.end(found) {
            Ok(Some(found)) => read(found, point),
            Ok(None) => return index.miss(),
            Err(failure) => Err(failure),
        };
        answer.map_err(|failure| match failure {
            ReadFailure::Failed(error) => error,
            ReadFailure::Outdated(page) => nanodb_pager::Error::NoVersion { page, at }.into(),
            // Of the index; nothing else answers so.
            ReadFailure::NotLoaded => EngineError::damaged(PageId::new(0)),
        })
    }

    /// Looks a key up at the published commit, as often as it takes.
    #[inline]
    fn read_now<T>(
        &self,
        key: &[u8],
        read: impl Fn(FoundRecord, ReadPoint) -> Answer<Option<T>>,
    ) -> Result<Option<T>> {
        let Some(index) = self.index()? else { return Ok(None) };
        loop {
            let moves = index.ids.moves();
            let point = ReadPoint { at: self.pager.published(), registered: false };
            let answer = match self.locate(index, key, point) {
                Ok(Some(found)) => read(found, point),
                Ok(None) if index.ids.moves() != moves => continue,
                Ok(None) => return index.miss(),
                Err(failure) => Err(failure),
            };
            match answer {
                Ok(answer) => return Ok(answer),
                Err(ReadFailure::Failed(error)) => return Err(error),
                Err(ReadFailure::Outdated(_)) => {}
                // The commit is taken anew, too: it was looked for in nothing.
                Err(ReadFailure::NotLoaded) => self.load(index, self.hash(key))?,
            }
        }
    }

    /// One look-up at one commit.
    #[inline]
    fn locate(
        &self,
        index: &LoadedIndex,
        key: &[u8],
        point: ReadPoint,
    ) -> Answer<Option<FoundRecord>> {
        let mut lookup = IdLookup { store: self, key, point, damaged: None };
        match index.ids.look_up(self.hash(key), |record_id| lookup.probe(record_id)) {
            Ok(found) => lookup.end(found),
            Err(NotLoaded) => Err(ReadFailure::NotLoaded),
        }
    }

    /// Whether a document with that hash began in that record as of a commit that a snapshot is
    /// open at. Yes, if nobody can tell.
    pub(super) fn was_at(&self, hash: KeyHash, record_id: RecordId, at: Seq) -> bool {
        let page = match self.pager.page(PageId::new(record_id.page), at) {
            Ok(page) => page,
            Err(nanodb_pager::Error::NoVersion { .. }) => return false,
            Err(_) => return true,
        };
        if !page.is_slotted_of(self.owner) {
            return false;
        }
        let (Ok(slots), Some(slot)) = (PageRef::parse(page.body()), SlotId::new(record_id.slot))
        else {
            return true;
        };
        match slots.get(slot) {
            Ok(Some(record)) => {
                let key = document_start(&record).and_then(record_key);
                key.is_some_and(|key| self.hash(key) == hash)
            }
            Ok(None) => false,
            Err(_) => true,
        }
    }

    /// A page as of a commit; `None` if it had nothing for a reader at that commit.
    #[inline]
    fn page(
        &self,
        page: PageId,
        ReadPoint { at, registered }: ReadPoint,
    ) -> Answer<Option<PageGuard>> {
        match self.pager.page(page, at) {
            Ok(guard) => Ok(Some(guard)),
            // Rule 4 of the module: versions are dropped only once a newer commit is
            // published. Until then, not there means not there yet.
            Err(nanodb_pager::Error::NoVersion { page, .. }) => {
                if registered || self.pager.published() == at {
                    return Ok(None);
                }
                Err(ReadFailure::Outdated(page))
            }
            Err(error) => Err(ReadFailure::Failed(error.into())),
        }
    }

    /// Whether that record of this page is the document with this key.
    #[inline]
    fn prove(&self, page: &impl StoredPage, record_id: RecordId, key: &[u8]) -> Result<Proof> {
        if !page.is_slotted_of(self.owner) {
            return Ok(Proof::NotIt);
        }
        let damaged_by = |e| EngineError::damaged_by(PageId::new(record_id.page), e);
        let slots = PageRef::parse(page.body()).map_err(damaged_by)?;
        let Some(slot) = SlotId::new(record_id.slot) else { return Ok(Proof::NotIt) };
        let Some(record) = slots.get(slot).map_err(damaged_by)? else { return Ok(Proof::NotIt) };
        let proved = document_start(&record).is_some_and(|start| record_has_key(start, key));
        if !proved {
            return Ok(Proof::NotIt);
        }
        let overflows = record.kind == RecordKind::Head;
        Ok(Proof::Proved { record: RecordSpan::of(&record), overflows })
    }

    #[inline]
    fn read(&self, found: FoundRecord, point: ReadPoint) -> Answer<StoredDoc> {
        if found.overflows {
            return self.assemble(&found, point);
        }
        Ok(StoredDoc::on_page(found.guard, found.record))
    }

    #[cold]
    fn assemble(&self, found: &FoundRecord, point: ReadPoint) -> Answer<StoredDoc> {
        let record = found.record.bytes(found.guard.body());
        let pages = PagesAt { store: self, point, outdated: Cell::new(None) };
        let mut bytes = Vec::new();
        let head = found.guard.id();
        let result = overflow::assemble(self.owner, head, record, &pages, &mut bytes);
        match (result, pages.outdated.get()) {
            (Ok(()), _) => Ok(StoredDoc::assembled(bytes, found.record.on(found.guard.id()))),
            (Err(_), Some(page)) => Err(ReadFailure::Outdated(page)),
            (Err(error), None) => Err(ReadFailure::Failed(error)),
        }
    }

    /// Where a writer finds the document with this key, as of the installed commits and
    /// its own changes. Under the writer's lock.
    pub(crate) fn find_installed(
        &self,
        (tx, retired): (&WriteTx, &RetiredEntries),
        index: &LoadedIndex,
        hash: KeyHash,
        key: &[u8],
    ) -> Result<Option<RecordId>> {
        let (failed, found) = loop {
            let mut failed = None;
            let probe = |record_id| match self.proves_installed(tx, retired, (hash, record_id), key)
            {
                Ok(true) => Some(record_id),
                Ok(false) => None,
                Err(error) => {
                    failed = Some(error);
                    None
                }
            };
            match index.ids.look_up(hash, probe) {
                Ok(found) => break (failed, found),
                Err(NotLoaded) => self.load(index, hash)?,
            }
        };
        match (found, failed) {
            (Some(record_id), _) => Ok(Some(record_id)),
            (None, Some(error)) => Err(error),
            (None, None) => index.miss(),
        }
    }

    /// The document that a writer has found, by its record.
    pub(crate) fn read_installed(
        &self,
        tx: &WriteTx,
        record_id: RecordId,
        key: &[u8],
    ) -> Result<Option<StoredDoc>> {
        let guard = tx.guard(PageId::new(record_id.page))?;
        let Proof::Proved { record, overflows } = self.prove(&guard, record_id, key)? else {
            return Ok(None);
        };
        if !overflows {
            return Ok(Some(StoredDoc::on_page(guard, record)));
        }
        let head = record.bytes(guard.body());
        let mut bytes = Vec::new();
        overflow::assemble(self.owner, guard.id(), head, &tx, &mut bytes)?;
        Ok(Some(StoredDoc::assembled(bytes, record_id)))
    }

    /// Whether a record begins the document that has exactly these bytes, as a writer sees it.
    pub(crate) fn holds(&self, tx: &WriteTx, record_id: RecordId, bytes: &[u8]) -> Result<bool> {
        let id = PageId::new(record_id.page);
        let page = PageSource::page(&tx, id)?;
        let slot = SlotId::new(record_id.slot).filter(|_| page.is_slotted_of(self.owner));
        let Some(slot) = slot else { return Ok(false) };
        let damaged_by = |e| EngineError::damaged_by(id, e);
        let record = match page.slots(id)?.get(slot).map_err(damaged_by)? {
            Some(record) if record.kind == RecordKind::Document => {
                return Ok(record.bytes == bytes);
            }
            Some(record) if record.kind == RecordKind::Head => record.bytes,
            _ => return Ok(false),
        };
        let head = Head::decode(record).map_err(damaged_by)?;
        if !bytes.starts_with(head.bytes) || head.total_len as usize != bytes.len() {
            return Ok(false);
        }
        let mut whole = Vec::with_capacity(bytes.len());
        overflow::assemble(self.owner, id, record, &tx, &mut whole)?;
        Ok(whole == bytes)
    }

    /// Whether the record that an entry leads to is the document with this key, as a writer sees
    /// it.
    pub(crate) fn proves_installed(
        &self,
        tx: &WriteTx,
        retired: &RetiredEntries,
        (hash, record_id): (KeyHash, RecordId),
        key: &[u8],
    ) -> Result<bool> {
        let proof = match tx.page(PageId::new(record_id.page)) {
            Ok(page) => self.prove(&page, record_id, key),
            // Gone, or another's that is just written: no page of this collection.
            Err(nanodb_pager::Error::WriteConflict { .. }) => return Ok(false),
            Err(error) => Err(error.into()),
        };
        match proof {
            Ok(proof) => Ok(matches!(proof, Proof::Proved { .. })),
            // A retired entry leads nowhere for writers, whatever has become of the page.
            Err(_) if retired.contains(hash, record_id) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
