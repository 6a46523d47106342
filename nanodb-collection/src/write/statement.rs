//! Statements on one collection within a transaction: inserting, replacing, deleting and finding.
//!
//! Each statement first finds out whether it can be done, and changes nothing until
//! then; what is refused leaves the change as it was. Only a failure of the storage can
//! strike in the middle.

use std::fmt;

use hashbrown::HashTable;
use nanodb_index::{KeyHash, RecordId};
use nanodb_pager::WriteTx;
use smallvec::SmallVec;

use super::write_set::WriteSet;
use crate::error::{EngineError, Result};
use crate::id_index::LoadedIndex;
use crate::ids::NEXT_ID_MAX;
use crate::pages::stored_doc::StoredDoc;
use crate::store::{CollectionState, Store};
use nanodb_document::Draft;
use nanodb_document::{Id, IdRef, record_key, same_key};

/// A statement on one collection, which is locked, within a transaction.
pub struct Statement<'a> {
    pub(super) store: &'a Store,
    pub(super) index: &'a LoadedIndex,
    pub(super) writer: &'a CollectionState,
    pub(super) tx: &'a mut WriteTx,
    pub(super) write_set: &'a mut WriteSet,
}

impl fmt::Debug for Statement<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Statement").finish_non_exhaustive()
    }
}

/// Why a statement was not done.
#[derive(Debug)]
pub enum Failure {
    /// It was refused, and has changed nothing.
    Refused(EngineError),
    /// It came to an end halfway: the change it belongs to is of no use any more.
    Halfway(EngineError),
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        Self::Refused(error)
    }
}

impl From<Failure> for EngineError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(error) | Failure::Halfway(error) => error,
        }
    }
}

impl<'a> Statement<'a> {
    /// A statement of the transaction `tx`, which has changed `write_set` in the collection so far.
    #[inline]
    pub(crate) fn new(
        store: &'a Store,
        index: &'a LoadedIndex,
        writer: &'a CollectionState,
        tx: &'a mut WriteTx,
        write_set: &'a mut WriteSet,
    ) -> Self {
        Self { store, index, writer, tx, write_set }
    }
}

impl Statement<'_> {
    /// Returns the number of documents.
    pub fn count(&self) -> u64 {
        self.write_set.count
    }

    /// Whether there is a document with this key.
    pub fn contains(&mut self, key: &[u8]) -> Result<bool> {
        let hash = self.store.hash(key);
        Ok(self.find(hash, key)?.is_some())
    }

    /// Inserts documents, all or none, and assigns ids to those without one.
    pub fn insert(
        &mut self,
        collection: &str,
        drafts: &mut [Draft],
        buffer: &mut [u8],
    ) -> Result<(), Failure> {
        let mut next_id = self.write_set.next_id;
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
        self.write_set.added.reserve(drafts.len());
        let records = drafts.iter().map(|draft| draft.record(buffer));
        self.append_all(batch.hashes.into_iter().zip(records)).map_err(Failure::Halfway)?;
        self.write_set.count += drafts.len() as u64;
        self.write_set.next_id = next_id;
        self.write_set.changed |= !drafts.is_empty();
        self.write_set.stored = true;
        Ok(())
    }

    /// Replaces the document with this key; returns false if there is none.
    pub fn replace(&mut self, key: &[u8], document: &[u8]) -> Result<bool, Failure> {
        let hash = self.store.hash(key);
        let Some(from) = self.find(hash, key)? else { return Ok(false) };
        self.replace_from(from, key, document)?;
        Ok(true)
    }

    /// Stores a document in place of the one with its key, which begins in that record.
    fn replace_from(&mut self, from: RecordId, key: &[u8], document: &[u8]) -> Result<(), Failure> {
        let to = self.replace_at(from, document).map_err(Failure::Halfway)?;
        if to != from {
            self.move_entry(self.store.hash(key), from, to);
        }
        self.write_set.changed = true;
        self.write_set.stored = true;
        Ok(())
    }

    /// Deletes the document with this key; returns false if there is none.
    pub fn delete(&mut self, key: &[u8]) -> Result<bool, Failure> {
        let hash = self.store.hash(key);
        let Some(record_id) = self.find(hash, key)? else { return Ok(false) };
        self.delete_from(record_id, hash)?;
        Ok(true)
    }

    /// Deletes the document with this key hash that begins in that record.
    fn delete_from(&mut self, record_id: RecordId, hash: KeyHash) -> Result<(), Failure> {
        self.remove_at(record_id).map_err(Failure::Halfway)?;
        self.forget_entry(hash, record_id);
        self.write_set.count = self.write_set.count.saturating_sub(1);
        self.write_set.changed = true;
        self.release_pages_if_many().map_err(Failure::Halfway)
    }

    /// Replaces a document that the transaction has found by one with the same id; returns false if
    /// the document was deleted meanwhile.
    ///
    /// `found` has the record id and the bytes. While the record holds these bytes nothing is
    /// looked up in the id index; otherwise the document is looked up by its key.
    pub fn replace_found(&mut self, found: &StoredDoc, document: &[u8]) -> Result<bool, Failure> {
        let key = key_of(found)?;
        match self.locate(found, key)? {
            Some(from) => self.replace_from(from, key, document).map(|()| true),
            None => Ok(false),
        }
    }

    /// Deletes a document that the transaction has found; returns false if it was deleted
    /// meanwhile. Finds it like [`replace_found`](Self::replace_found).
    pub fn delete_found(&mut self, found: &StoredDoc) -> Result<bool, Failure> {
        let key = key_of(found)?;
        match self.locate(found, key)? {
            Some(record_id) => self.delete_from(record_id, self.store.hash(key)).map(|()| true),
            None => Ok(false),
        }
    }

    /// Where a document is that was found.
    fn locate(&mut self, found: &StoredDoc, key: &[u8]) -> Result<Option<RecordId>> {
        if let Some(record_id) = found.record_id()
            // A page that cannot be read proves nothing; looking the key up says what is wrong.
            && self.store.holds(self.tx, record_id, found.as_bytes()).unwrap_or(false)
        {
            return Ok(Some(record_id));
        }
        self.find(self.store.hash(key), key)
    }

    /// Where the document with this key is, as of the installed commits and this change.
    pub(super) fn find(&mut self, hash: KeyHash, key: &[u8]) -> Result<Option<RecordId>> {
        if !self.write_set.added.is_empty() {
            let (store, tx, retired) = (self.store, &*self.tx, &self.writer.retired);
            let prove =
                |record_id| match store.proves_installed(tx, retired, (hash, record_id), key) {
                    Ok(true) => Some(Ok(record_id)),
                    Ok(false) => None,
                    Err(error) => Some(Err(error)),
                };
            if let Some(found) = self.write_set.added.find(hash, prove) {
                return found.map(Some);
            }
        }
        let installed = (&*self.tx, &self.writer.retired);
        self.store.find_installed(installed, self.index, hash, key)
    }

    /// Returns the document with this key, as this transaction sees it.
    pub fn get(&mut self, key: &[u8]) -> Result<Option<StoredDoc>> {
        let hash = self.store.hash(key);
        match self.find(hash, key)? {
            Some(record_id) => self.store.read_installed(self.tx, record_id, key),
            None => Ok(None),
        }
    }

    /// Notes that a document was moved.
    pub(super) fn move_entry(&mut self, hash: KeyHash, from: RecordId, to: RecordId) {
        self.forget_entry(hash, from);
        self.write_set.add_entry(hash, to);
        self.write_set.changed = true;
    }

    fn forget_entry(&mut self, hash: KeyHash, record_id: RecordId) {
        if self.write_set.added.is_empty() || !self.write_set.added.remove(hash, record_id) {
            self.write_set.removed.push(hash, record_id);
        }
    }
}

/// The key of a document that was found.
fn key_of(found: &StoredDoc) -> Result<&[u8]> {
    record_key(found.as_bytes()).ok_or_else(EngineError::malformed)
}

/// The hashes of the documents that one statement is about to insert.
struct Batch {
    hashes: SmallVec<[KeyHash; 1]>,
    /// Positions in `hashes` by hash; made when the first id has to be looked up.
    table: Option<HashTable<usize>>,
}

impl Batch {
    #[inline]
    fn push(&mut self, hash: KeyHash) {
        if let Some(table) = &mut self.table {
            let hashes = &self.hashes;
            table.insert_unique(hash.table_hash(), hashes.len(), |&at| hash_at(hashes, at));
        }
        self.hashes.push(hash);
    }

    /// Whether one of them has this key.
    fn has(&mut self, drafts: &[Draft], buffer: &[u8], hash: KeyHash, key: &[u8]) -> bool {
        let hashes = &self.hashes;
        if hashes.is_empty() {
            return false;
        }
        let table = self.table.get_or_insert_with(|| {
            let mut table = HashTable::with_capacity(hashes.capacity());
            for (at, &hash) in hashes.iter().enumerate() {
                table.insert_unique(hash.table_hash(), at, |&at| hash_at(hashes, at));
            }
            table
        });
        let mut same = table.iter_hash(hash.table_hash()).filter_map(|&at| drafts.get(at));
        same.any(|draft| draft.key(buffer).is_some_and(|other| same_key(other, key)))
    }
}

fn hash_at(hashes: &[KeyHash], at: usize) -> u64 {
    hashes.get(at).map_or(0, |hash| hash.table_hash())
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
        _ => Err(EngineError::IdsExhausted { collection: collection.to_owned() }),
    }
}

#[cold]
fn duplicate(collection: &str, key: &[u8]) -> EngineError {
    let id = Id::from_key(key).unwrap_or(Id::Binary(key.to_vec()));
    EngineError::DuplicateId { collection: collection.to_owned(), id }
}
