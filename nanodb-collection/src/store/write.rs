//! Inserting, replacing and deleting documents within a change, and ending it.
//!
//! Each statement first finds out whether it can be done, and changes nothing until
//! then; what is refused leaves the change as it was. Only a failure of the storage can
//! strike in the middle.

use std::sync::Arc;

use hashbrown::HashTable;
use nanodb_index::Place;
use nanodb_pager::Seq;
use smallvec::SmallVec;

use super::{Store, Writer};
use crate::change::{Change, Pending};
use crate::error::{Error, Result};
use crate::limits::NEXT_ID_MAX;
use crate::lock::Party;
use crate::stored::StoredDoc;
use nanodb_document::Draft;
use nanodb_document::{Id, IdRef, same_key};

/// Why a statement was not done.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It was refused, and has changed nothing.
    Refused(Error),
    /// It came to an end halfway: the change it belongs to is of no use any more.
    Halfway(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(error) | Failure::Halfway(error) => error,
        }
    }
}

impl Change<'_> {
    /// Inserts documents, all or none, and gives those an id that wait for one.
    pub(crate) fn insert(
        &mut self,
        collection: &str,
        drafts: &mut [Draft],
        buffer: &mut [u8],
    ) -> Result<(), Failure> {
        let mut next_id = self.pending.next_id;
        let mut batch = Batch { hashes: SmallVec::with_capacity(drafts.len()), table: None };
        for at in 0..drafts.len() {
            let Some(draft) = drafts.get_mut(at) else { break };
            let is_new = match draft.key(buffer) {
                Some(key) => count_id_in(&mut next_id, key),
                None => {
                    let id = take_next_id(&mut next_id, collection)?;
                    draft.assign_id(id, buffer);
                    true
                }
            };
            let key = draft.key(buffer).unwrap_or_default();
            let hash = self.store.hash(key);
            if !is_new && (batch.has(drafts, buffer, hash, key) || self.find(hash, key)?.is_some())
            {
                return Err(duplicate(collection, key).into());
            }
            batch.push(hash);
        }
        self.pending.added.reserve(drafts.len());
        let records = drafts.iter().map(|draft| draft.record(buffer));
        self.append_all(batch.hashes.into_iter().zip(records)).map_err(Failure::Halfway)?;
        self.pending.count += drafts.len() as u64;
        self.pending.next_id = next_id;
        self.pending.changed |= !drafts.is_empty();
        self.pending.stored = true;
        Ok(())
    }

    /// Stores a document in place of the one with its key; false if there is none.
    pub(crate) fn replace(&mut self, key: &[u8], document: &[u8]) -> Result<bool, Failure> {
        let hash = self.store.hash(key);
        let Some(from) = self.find(hash, key)? else { return Ok(false) };
        let to = self.replace_at(from, document).map_err(Failure::Halfway)?;
        if to != from {
            self.move_entry(hash, from, to);
        }
        self.pending.changed = true;
        self.pending.stored = true;
        Ok(true)
    }

    /// Deletes the document with this key; false if there is none.
    pub(crate) fn delete(&mut self, key: &[u8]) -> Result<bool, Failure> {
        let hash = self.store.hash(key);
        let Some(place) = self.find(hash, key)? else { return Ok(false) };
        self.remove_at(place).map_err(Failure::Halfway)?;
        self.forget_entry(hash, place);
        self.pending.count = self.pending.count.saturating_sub(1);
        self.pending.changed = true;
        self.give_back_if_many().map_err(Failure::Halfway)?;
        Ok(true)
    }

    /// Where the document with this key is, as of the installed commits and this change.
    pub(crate) fn find(&mut self, hash: u64, key: &[u8]) -> Result<Option<Place>> {
        if !self.pending.added.is_empty() {
            let (store, tx, retired) = (self.store, &*self.tx, &self.writer.retired);
            let prove = |place| match store.proves_installed(tx, retired, (hash, place), key) {
                Ok(true) => Some(Ok(place)),
                Ok(false) => None,
                Err(error) => Some(Err(error)),
            };
            if let Some(found) = self.pending.added.find(hash, prove) {
                return found.map(Some);
            }
        }
        let installed = (&*self.tx, &self.writer.retired);
        self.store.find_installed(installed, self.index, hash, key)
    }

    /// The document with this key, as the change leaves it.
    pub(crate) fn get(&mut self, key: &[u8]) -> Result<Option<StoredDoc>> {
        let hash = self.store.hash(key);
        match self.find(hash, key)? {
            Some(place) => self.store.read_installed(self.tx, place, key),
            None => Ok(None),
        }
    }

    /// Notes that a document was moved.
    pub(crate) fn move_entry(&mut self, hash: u64, from: Place, to: Place) {
        self.forget_entry(hash, from);
        self.pending.add_entry(hash, to);
        self.pending.changed = true;
    }

    fn forget_entry(&mut self, hash: u64, place: Place) {
        if self.pending.added.is_empty() || !self.pending.added.remove(hash, place) {
            self.pending.removed.push(hash, place);
        }
    }
}

impl Pending {
    #[inline]
    pub(crate) fn add_entry(&mut self, hash: u64, place: Place) {
        // One that the index has already, and that was to go, stays.
        if self.removed.is_empty() || !self.removed.remove(hash, place) {
            self.added.push(hash, place);
        }
    }
}

impl Store {
    /// Brings the collection's own books up to date with a change that was installed as
    /// commit `seq`. Under the writers' lock, before the commit is published.
    pub(crate) fn settle(self: &Arc<Self>, writer: &mut Writer, mut pending: Pending, seq: Seq) {
        let (mut added, removed) = pending.take_entries();
        // The index was there before the first change.
        if !(added.is_empty() && removed.is_empty())
            && let Some(index) = self.built_index()
        {
            let mut ids = index.ids.write();
            for (removed, places) in [(true, &removed), (false, &added)] {
                for (key, place) in places.keys() {
                    ids.record(seq.get(), nanodb_index::Change { key, place, removed });
                }
            }
            writer.retired.revive(&mut added);
            added.iter().for_each(|(hash, place)| ids.insert(hash, place));
            removed.iter().for_each(|(hash, place)| writer.retired.push(seq, hash, place));
            ids.set_pending(writer.retired.first());
            drop(ids);
            if let Some((hash, _)) = added.iter().next() {
                self.keep_index_budget(hash);
            }
        }
        pending.settle(writer);
        self.push_state(writer, seq);
    }

    /// Removes retired entries after a commit is published. If another writer is at it, it
    /// is for that one, or the next, to do so.
    pub(crate) fn clean_up(self: &Arc<Self>) {
        if let Some(index) = self.built_index()
            && let Some(mut writer) = self.writer.try_lock(Party::current())
        {
            self.remove_retired(index, &mut writer);
        }
    }
}

/// The hashes of the documents that one statement is about to insert.
struct Batch {
    hashes: SmallVec<[u64; 1]>,
    /// Positions in `hashes` by hash; made when the first id has to be looked up.
    table: Option<HashTable<usize>>,
}

impl Batch {
    #[inline]
    fn push(&mut self, hash: u64) {
        if let Some(table) = &mut self.table {
            let hashes = &self.hashes;
            table.insert_unique(hash, hashes.len(), |&at| hash_at(hashes, at));
        }
        self.hashes.push(hash);
    }

    /// Whether one of them has this key.
    fn has(&mut self, drafts: &[Draft], buffer: &[u8], hash: u64, key: &[u8]) -> bool {
        let hashes = &self.hashes;
        if hashes.is_empty() {
            return false;
        }
        let table = self.table.get_or_insert_with(|| {
            let mut table = HashTable::with_capacity(hashes.capacity());
            for (at, &hash) in hashes.iter().enumerate() {
                table.insert_unique(hash, at, |&at| hash_at(hashes, at));
            }
            table
        });
        let mut same = table.iter_hash(hash).filter_map(|&at| drafts.get(at));
        same.any(|draft| draft.key(buffer).is_some_and(|other| same_key(other, key)))
    }
}

fn hash_at(hashes: &[u64], at: usize) -> u64 {
    hashes.get(at).copied().unwrap_or_default()
}

/// Makes sure that the id with this key is never assigned. True if the id is known
/// never to have been used: all integers that were are below the next one.
#[inline]
fn count_id_in(next_id: &mut u64, key: &[u8]) -> bool {
    let Some(IdRef::Int(number)) = IdRef::from_key(key) else { return false };
    match u64::try_from(number) {
        Ok(number) if number >= *next_id && number < NEXT_ID_MAX => {
            *next_id = number + 1;
            true
        }
        _ => false,
    }
}

#[inline]
fn take_next_id(next_id: &mut u64, collection: &str) -> Result<i64> {
    match i64::try_from(*next_id) {
        Ok(id) if *next_id < NEXT_ID_MAX => {
            *next_id += 1;
            Ok(id)
        }
        _ => Err(Error::IdsExhausted { collection: collection.to_owned() }),
    }
}

#[cold]
fn duplicate(collection: &str, key: &[u8]) -> Error {
    let id = Id::from_key(key).unwrap_or(Id::Binary(key.to_vec()));
    Error::DuplicateId { collection: collection.to_owned(), id }
}
