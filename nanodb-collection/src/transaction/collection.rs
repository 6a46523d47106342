//! A collection within a transaction.

use std::fmt;
use std::sync::Arc;

use nanodb_pager::Pager;

use super::Transaction;
use crate::collection::{id_of, replacement, with_buffer};
use crate::cursor::{Cursor, Documents};
use crate::error::Result;
use crate::stored::StoredDoc;
use nanodb_document::Encode;
use nanodb_document::{Id, IdRef, Key};

/// A collection within a [`Transaction`]; made by [`Transaction::collection`].
///
/// Has the verbs of a [`Collection`](crate::Collection). Reads see what the transaction has
/// done. A statement that is refused, because of a [`DuplicateId`] for example, has
/// changed nothing, and the transaction can go on; one in which reading or writing the
/// file fails may have come halfway, and with it the transaction is
/// [over](crate::Error::TransactionOver).
///
/// Each verb may return [`Conflict`](crate::Error::Conflict): the collection cannot be
/// locked without waiting for ever, and the transaction has given up all of its changes.
///
/// [`DuplicateId`]: crate::Error::DuplicateId
#[derive(Clone)]
pub struct TransactionCollection<'t> {
    transaction: &'t Transaction,
    name: Arc<str>,
}

impl<'t> TransactionCollection<'t> {
    pub(super) fn new(transaction: &'t Transaction, name: &str) -> Self {
        Self { transaction, name: name.into() }
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many documents there are. Costs the same for any number.
    ///
    /// # Errors
    ///
    /// [`Error::Conflict`](crate::Error::Conflict),
    /// [`Error::TransactionOver`](crate::Error::TransactionOver),
    /// [`Error::CollectionName`](crate::Error::CollectionName);
    /// [`Error::Storage`](crate::Error::Storage).
    pub fn count(&self) -> Result<u64> {
        self.transaction.statement(&self.name, |change| Ok(change.pending.count))
    }

    /// Inserts a document and returns its id; see
    /// [`Collection::insert`](crate::Collection::insert).
    ///
    /// An id that is assigned and then rolled back may be assigned again.
    ///
    /// # Errors
    ///
    /// As [`Collection::insert`](crate::Collection::insert) and [`count`](Self::count).
    pub fn insert(&self, document: impl Encode) -> Result<Id> {
        self.check_access()?;
        with_buffer(|buffer| {
            let mut draft = document.encode(None, buffer)?;
            let drafts = std::slice::from_mut(&mut draft);
            self.transaction
                .statement(&self.name, |change| change.insert(&self.name, drafts, buffer))?;
            id_of(draft, buffer)
        })
    }

    /// Inserts documents and returns their ids in the same order: all or none; see
    /// [`Collection::insert_many`](crate::Collection::insert_many).
    ///
    /// # Errors
    ///
    /// As [`insert`](Self::insert).
    pub fn insert_many<D: Encode>(
        &self,
        documents: impl IntoIterator<Item = D>,
    ) -> Result<Vec<Id>> {
        self.check_access()?;
        with_buffer(|buffer| {
            let documents = documents.into_iter();
            let mut drafts = Vec::with_capacity(documents.size_hint().0.min(1 << 16));
            for document in documents {
                drafts.push(document.encode(None, buffer)?);
            }
            self.transaction
                .statement(&self.name, |change| change.insert(&self.name, &mut drafts, buffer))?;
            drafts.into_iter().map(|draft| id_of(draft, buffer)).collect()
        })
    }

    /// The document with this id, if there is one; see
    /// [`Collection::get`](crate::Collection::get). It stays as it is whatever the
    /// transaction does next.
    ///
    /// # Errors
    ///
    /// As [`Collection::get`](crate::Collection::get) and [`count`](Self::count).
    pub fn get<'a>(&self, id: impl Into<IdRef<'a>>) -> Result<Option<StoredDoc>> {
        let key = Key::new(id.into());
        self.transaction.statement(&self.name, |change| Ok(change.get(&key)?))
    }

    /// The documents with these ids, in the same order.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub fn get_many<'a, I: Into<IdRef<'a>>>(
        &self,
        ids: impl IntoIterator<Item = I>,
    ) -> Result<Vec<Option<StoredDoc>>> {
        let keys: Vec<Key> = ids.into_iter().map(|id| Key::new(id.into())).collect();
        self.transaction.statement(&self.name, |change| {
            let found: Result<_> = keys.iter().map(|key| change.get(key)).collect();
            Ok(found?)
        })
    }

    /// Whether there is a document with this id.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub fn contains<'a>(&self, id: impl Into<IdRef<'a>>) -> Result<bool> {
        let key = Key::new(id.into());
        self.transaction.statement(&self.name, |change| {
            let hash = change.store.hash(&key);
            Ok(change.find(hash, &key)?.is_some())
        })
    }

    /// Stores a document in place of the one with this id; false, and no change, if there
    /// is none. See [`Collection::replace`](crate::Collection::replace).
    ///
    /// # Errors
    ///
    /// As [`Collection::replace`](crate::Collection::replace) and [`count`](Self::count).
    pub fn replace<'a>(&self, id: impl Into<IdRef<'a>>, document: impl Encode) -> Result<bool> {
        let id = id.into();
        let key = Key::new(id);
        self.check_access()?;
        with_buffer(|buffer| {
            let draft = replacement(id, &key, document, buffer)?;
            let record = draft.record(buffer);
            self.transaction.statement(&self.name, |change| change.replace(&key, record))
        })
    }

    /// Deletes the document with this id; false if there is none.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub fn delete<'a>(&self, id: impl Into<IdRef<'a>>) -> Result<bool> {
        self.check_access()?;
        let key = Key::new(id.into());
        self.transaction.statement(&self.name, |change| change.delete(&key))
    }

    /// Whether writing is refused for what the database was opened for.
    pub(crate) fn check_access(&self) -> Result<()> {
        self.transaction.db.check_access()
    }

    pub(crate) fn pager(&self) -> &Pager {
        &self.transaction.db.pager
    }

    /// Lends all documents one after the other, as they are now: whatever the transaction
    /// changes meanwhile, the cursor shows them as they were; see [`Cursor`].
    ///
    /// A cursor that is used when the transaction is over returns
    /// [`Error::TransactionOver`](crate::Error::TransactionOver).
    ///
    /// # Errors
    ///
    /// As [`count`](Self::count).
    pub fn scan(&self) -> Result<Cursor> {
        let over = Arc::clone(&self.transaction.over);
        let db = Arc::clone(&self.transaction.db);
        self.transaction.with_part(&self.name, |tx, part| {
            let view = tx.view(part.store().owner);
            Ok(Cursor::within(db, view, over, (part.store(), &self.name), part.layout()))
        })
    }

    /// Iterates over all documents, as they are now; see [`scan`](Self::scan).
    ///
    /// # Errors
    ///
    /// As [`count`](Self::count).
    pub fn iter(&self) -> Result<Documents> {
        Ok(Documents::new(self.scan()?))
    }
}

impl fmt::Debug for TransactionCollection<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransactionCollection").field("name", &self.name).finish_non_exhaustive()
    }
}
