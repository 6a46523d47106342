//! Finding a document by its id.

use std::ops::Range;

use nanodb_index::{Place, hash_id};
use nanodb_page::{PageRef, RecordKind, SlotId};
use nanodb_pager::{PageGuard, PageId, Seq, Snapshot, WriteTx};

use super::build::document_start;
use super::{Index, Store};
use crate::error::{Error, Result};
use crate::id::record_has_key;
use crate::spill::{self, AsPage, SLOTTED};
use crate::stored::{StoredDoc, range_within};

/// A document's record, found and proved.
pub(crate) struct Found {
    guard: PageGuard,
    record: Range<usize>,
    spilled: bool,
}

/// What a candidate turned out to be.
enum Proof {
    Proved { record: Range<usize>, spilled: bool },
    NotIt,
}

/// Why a look-up at a commit has no answer.
enum Unanswered {
    /// A version was dropped meanwhile: a newer commit has what is needed.
    Outdated(PageId),
    Failed(Error),
}

type Answer<T> = Result<T, Unanswered>;

/// The commit that is read at.
#[derive(Clone, Copy)]
struct View {
    at: Seq,
    /// Whether a snapshot keeps the versions that this reader wants.
    registered: bool,
}

impl Store {
    pub(crate) fn hash(&self, key: &[u8]) -> u64 {
        hash_id(self.hash_seed, key)
    }

    /// The document with this key as of now.
    #[inline]
    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<StoredDoc>> {
        self.read_now(key, |found, view| self.read(found, view).map(Some))
    }

    /// Whether there is a document with this key now.
    pub(crate) fn contains(&self, key: &[u8]) -> Result<bool> {
        Ok(self.read_now(key, |_, _| Ok(Some(())))?.is_some())
    }

    /// The documents with these keys as of one commit.
    pub(crate) fn get_many<K: AsRef<[u8]>>(&self, keys: &[K]) -> Result<Vec<Option<StoredDoc>>> {
        let index = self.index()?;
        let moves = index.ids.moves();
        let found = self.get_all(index, keys, &self.pager.snapshot())?;
        if found.iter().all(Option::is_some) || index.ids.moves() == moves {
            return Ok(found);
        }
        // Entries went meanwhile that this snapshot may have wanted. With so many ids that
        // may well be so at the next attempt, too: keep writers from it.
        let _writer = self.writer.lock();
        self.get_all(index, keys, &self.pager.snapshot())
    }

    fn get_all<K: AsRef<[u8]>>(
        &self,
        index: &Index,
        keys: &[K],
        snapshot: &Snapshot,
    ) -> Result<Vec<Option<StoredDoc>>> {
        let at = snapshot.seq();
        let view = View { at, registered: true };
        let get = |key: &K| {
            let answer = match self.locate(index, key.as_ref(), view) {
                Ok(Some(found)) => self.read(found, view).map(Some),
                Ok(None) => return index.miss(),
                Err(unanswered) => Err(unanswered),
            };
            answer.map_err(|unanswered| match unanswered {
                Unanswered::Failed(error) => error,
                Unanswered::Outdated(page) => nanodb_pager::Error::NoVersion { page, at }.into(),
            })
        };
        keys.iter().map(get).collect()
    }

    /// Looks a key up at the published commit, as often as it takes.
    #[inline]
    fn read_now<T>(
        &self,
        key: &[u8],
        read: impl Fn(Found, View) -> Answer<Option<T>>,
    ) -> Result<Option<T>> {
        let index = self.index()?;
        loop {
            let moves = index.ids.moves();
            let view = View { at: self.pager.published(), registered: false };
            let answer = match self.locate(index, key, view) {
                Ok(Some(found)) => read(found, view),
                Ok(None) if index.ids.moves() != moves => continue,
                Ok(None) => return index.miss(),
                Err(unanswered) => Err(unanswered),
            };
            match answer {
                Ok(answer) => return Ok(answer),
                Err(Unanswered::Failed(error)) => return Err(error),
                Err(Unanswered::Outdated(_)) => {}
            }
        }
    }

    /// One look-up at one commit.
    #[inline]
    fn locate(&self, index: &Index, key: &[u8], view: View) -> Answer<Option<Found>> {
        let mut damaged = None;
        let answer = index.ids.find(self.hash(key), |place| {
            let guard = match self.page(PageId::new(place.page), view) {
                Ok(Some(guard)) => guard,
                Ok(None) => return None,
                // Another candidate may be the right one.
                Err(Unanswered::Failed(error @ Error::DamagedPage { .. })) => {
                    damaged = Some(error);
                    return None;
                }
                Err(unanswered) => return Some(Err(unanswered)),
            };
            match self.prove(&guard, place, key) {
                Ok(Proof::NotIt) => None,
                Ok(Proof::Proved { record, spilled }) => Some(Ok(Found { guard, record, spilled })),
                Err(error) => {
                    damaged = Some(error);
                    None
                }
            }
        });
        match (answer, damaged) {
            (Some(answer), _) => answer.map(Some),
            (None, Some(error)) => Err(Unanswered::Failed(error)),
            (None, None) => Ok(None),
        }
    }

    /// A page as of a commit; `None` if it had nothing for a reader at that commit.
    #[inline]
    fn page(&self, page: PageId, View { at, registered }: View) -> Answer<Option<PageGuard>> {
        match self.pager.page(page, at) {
            Ok(guard) => Ok(Some(guard)),
            // Rule 4 of the module: versions are dropped only once a newer commit is
            // published. Until then, not there means not there yet.
            Err(nanodb_pager::Error::NoVersion { page, .. }) => {
                if registered || self.pager.published() == at {
                    return Ok(None);
                }
                Err(Unanswered::Outdated(page))
            }
            Err(error) => Err(Unanswered::Failed(error.into())),
        }
    }

    /// Whether the record at `place` of this page is the document with this key.
    #[inline]
    fn prove<P: AsPage>(&self, page: &P, place: Place, key: &[u8]) -> Result<Proof> {
        if page.owner() != self.owner || page.kind() != SLOTTED {
            return Ok(Proof::NotIt);
        }
        let damaged_by = |e| Error::damaged_by(PageId::new(place.page), e);
        let body = page.body();
        let slots = PageRef::parse(body).map_err(damaged_by)?;
        let Some(slot) = SlotId::new(place.slot) else { return Ok(Proof::NotIt) };
        let Some(record) = slots.get(slot).map_err(damaged_by)? else { return Ok(Proof::NotIt) };
        let proved = document_start(&record).is_some_and(|start| record_has_key(start, key));
        if !proved {
            return Ok(Proof::NotIt);
        }
        let spilled = record.kind == RecordKind::Head;
        Ok(Proof::Proved { record: range_within(body, record.bytes), spilled })
    }

    #[inline]
    fn read(&self, found: Found, view: View) -> Answer<StoredDoc> {
        if found.spilled {
            return self.assemble(&found, view);
        }
        Ok(StoredDoc::on_page(found.guard, found.record))
    }

    #[cold]
    fn assemble(&self, found: &Found, view: View) -> Answer<StoredDoc> {
        let record = found.guard.body().get(found.record.clone()).unwrap_or_default();
        let mut outdated = None;
        let mut bytes = Vec::new();
        let page = |page| match self.page(page, view) {
            Ok(Some(guard)) => Ok(guard),
            Ok(None) => Err(Error::damaged(page)),
            Err(Unanswered::Failed(error)) => Err(error),
            Err(Unanswered::Outdated(page)) => {
                outdated = Some(page);
                Err(Error::damaged(page))
            }
        };
        let result = spill::assemble(self.owner, found.guard.id(), record, page, &mut bytes);
        match (result, outdated) {
            (Ok(()), _) => Ok(StoredDoc::assembled(bytes)),
            (Err(_), Some(page)) => Err(Unanswered::Outdated(page)),
            (Err(error), None) => Err(Unanswered::Failed(error)),
        }
    }

    /// Where a writer finds the document with this key, as of the installed commits and
    /// its own changes. Under the writer's lock.
    pub(crate) fn find_installed(
        &self,
        tx: &WriteTx,
        index: &Index,
        hash: u64,
        key: &[u8],
    ) -> Result<Option<Place>> {
        let mut failed = None;
        let found = index.ids.find(hash, |place| match self.proves_installed(tx, place, key) {
            Ok(true) => Some(place),
            Ok(false) => None,
            Err(error) => {
                failed = Some(error);
                None
            }
        });
        match (found, failed) {
            (Some(place), _) => Ok(Some(place)),
            (None, Some(error)) => Err(error),
            (None, None) => index.miss(),
        }
    }

    /// Whether the record at `place` is the document with this key, as a writer sees it.
    pub(crate) fn proves_installed(&self, tx: &WriteTx, place: Place, key: &[u8]) -> Result<bool> {
        let page = tx.page(PageId::new(place.page))?;
        Ok(matches!(self.prove(&page, place, key)?, Proof::Proved { .. }))
    }
}
