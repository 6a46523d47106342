//! Inserting, replacing and deleting documents, each as one commit.

use hashbrown::HashTable;
use nanodb_index::Place;
use nanodb_pager::{Installed, WriteTx};
use parking_lot::MutexGuard;
use smallvec::SmallVec;

use super::{Index, Store, Writer};
use crate::change::Change;
use crate::document::Draft;
use crate::error::{Error, Result};
use crate::id::{Id, IdRef};
use crate::limits::NEXT_ID_MAX;

impl Store {
    /// Inserts documents, all or none, and gives those an id that wait for one.
    pub(crate) fn insert(
        &self,
        collection: &str,
        mut writer: MutexGuard<'_, Writer>,
        drafts: &mut [Draft],
        buffer: &mut [u8],
    ) -> Result<()> {
        let index = self.index_locked(&mut writer)?;
        self.remove_retired(index, &mut writer);
        let mut change = Change::begin(self);
        let mut batch = Batch::new(drafts.len());
        let mut next_id = writer.next_id;
        for draft in drafts {
            let is_new = match draft.key(buffer) {
                Some(key) => count_id_in(&mut next_id, key),
                None => {
                    let id = take_next_id(&mut next_id, collection)?;
                    draft.assign_id(id, buffer);
                    true
                }
            };
            let key = draft.key(buffer).unwrap_or_default();
            let hash = self.hash(key);
            if !is_new
                && (batch.find(self, &change.tx, hash, key)?
                    || self.find_installed(&change.tx, index, hash, key)?.is_some())
            {
                return Err(duplicate(collection, key));
            }
            batch.push(hash, change.append(draft.record(buffer))?);
        }

        let inserted = batch.entries.len() as u64;
        let count = writer.count + inserted;
        let installed = change.install(&mut writer, count, next_id)?;
        let mut ids = index.ids.write();
        for &(hash, place) in &batch.entries {
            if writer.retired.is_empty() || !writer.retired.revive(hash, place) {
                ids.insert(hash, place);
            }
        }
        drop(ids);
        self.publish(index, writer, installed, |store| store.add_to_count(inserted))
    }

    /// Stores a document in place of the one with its key; false if there is none.
    pub(crate) fn replace(
        &self,
        mut writer: MutexGuard<'_, Writer>,
        key: &[u8],
        document: &[u8],
    ) -> Result<bool> {
        let index = self.index_locked(&mut writer)?;
        self.remove_retired(index, &mut writer);
        let mut change = Change::begin(self);
        let hash = self.hash(key);
        let Some(from) = self.find_installed(&change.tx, index, hash, key)? else {
            return Ok(false);
        };
        let to = change.replace(from, document)?;

        let (count, next_id) = (writer.count, writer.next_id);
        let installed = change.install(&mut writer, count, next_id)?;
        if to != from {
            if !writer.retired.revive(hash, to) {
                index.ids.insert(hash, to);
            }
            writer.retired.push(installed.seq(), hash, from);
        }
        self.publish(index, writer, installed, |_| ())?;
        Ok(true)
    }

    /// Deletes the document with this key; false if there is none.
    pub(crate) fn delete(&self, mut writer: MutexGuard<'_, Writer>, key: &[u8]) -> Result<bool> {
        let index = self.index_locked(&mut writer)?;
        self.remove_retired(index, &mut writer);
        let mut change = Change::begin(self);
        let hash = self.hash(key);
        let Some(place) = self.find_installed(&change.tx, index, hash, key)? else {
            return Ok(false);
        };
        change.remove(place)?;

        let (count, next_id) = (writer.count.saturating_sub(1), writer.next_id);
        let installed = change.install(&mut writer, count, next_id)?;
        writer.retired.push(installed.seq(), hash, place);
        self.publish(index, writer, installed, |store| store.take_from_count(1))?;
        Ok(true)
    }

    /// Lets the next writer in, then makes the commit durable and visible. If that
    /// fails, nobody will see it: its entries prove nothing at any published commit.
    fn publish(
        &self,
        index: &Index,
        writer: MutexGuard<'_, Writer>,
        installed: Installed,
        count: impl FnOnce(&Self),
    ) -> Result<()> {
        let has_retired = !writer.retired.is_empty();
        drop(writer);
        installed.publish()?;
        count(self);
        // If another writer is at it, it is for that one, or the next, to clean up.
        if has_retired && let Some(mut writer) = self.writer.try_lock() {
            self.remove_retired(index, &mut writer);
        }
        Ok(())
    }
}

/// What a transaction has inserted so far.
struct Batch {
    entries: SmallVec<[(u64, Place); 1]>,
    /// Positions in `entries` by hash; made when the first id has to be looked up.
    table: Option<HashTable<usize>>,
}

impl Batch {
    fn new(documents: usize) -> Self {
        Self { entries: SmallVec::with_capacity(documents), table: None }
    }

    #[inline]
    fn push(&mut self, hash: u64, place: Place) {
        if let Some(table) = &mut self.table {
            let entries = &self.entries;
            table.insert_unique(hash, entries.len(), |&at| hash_at(entries, at));
        }
        self.entries.push((hash, place));
    }

    /// Whether a document with this key is among those inserted.
    fn find(&mut self, store: &Store, tx: &WriteTx, hash: u64, key: &[u8]) -> Result<bool> {
        let entries = &self.entries;
        let table = self.table.get_or_insert_with(|| {
            let mut table = HashTable::with_capacity(entries.capacity());
            for (at, &(hash, _)) in entries.iter().enumerate() {
                table.insert_unique(hash, at, |&at| hash_at(entries, at));
            }
            table
        });
        for &at in table.iter_hash(hash) {
            if let Some(&(found, place)) = entries.get(at)
                && found == hash
                && store.proves_installed(tx, place, key)?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn hash_at(entries: &[(u64, Place)], at: usize) -> u64 {
    entries.get(at).map_or(0, |&(hash, _)| hash)
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
