//! A collection within a transaction.

use std::fmt;
use std::sync::Arc;

use nanodb_pager::Pager;

use crate::encode_buffer::{id_of, put, replacement, with_buffer};
use crate::error::Result;
use crate::transaction::Transaction;
use nanodb_collection::{EngineError, Opening, Scan, ScanIter, Statement, StoredDoc};
use nanodb_document::Encode;
use nanodb_document::{AsId, Id, Key};

/// A collection within a [`Transaction`]; made by [`Transaction::collection`].
///
/// Has the verbs of a [`Collection`](crate::Collection). Reads see what the transaction has done. A
/// statement that is refused, because of a [`DuplicateId`] for example, has changed nothing, and
/// the transaction can go on. If reading or writing the file fails in the middle of a statement,
/// the transaction is [over](crate::ErrorKind::TransactionOver).
///
/// Every verb may return [`Conflict`](crate::ErrorKind::Conflict): locking the collection would
/// deadlock, and the transaction has been rolled back.
///
/// ```
/// # extern crate nanodb_database as nanodb;
/// use nanodb::{Database, doc};
///
/// # fn main() -> nanodb::Result<()> {
/// let db = Database::in_memory()?;
/// db.collection("accounts").insert_many([
///     doc! { "_id": "alice", "cents": 500 },
///     doc! { "_id": "bob", "cents": 0 },
/// ])?;
/// db.write(|tx| {
///     let accounts = tx.collection("accounts");
///     let Some(alice) = accounts.get("alice")? else { return Ok(()) };
///     let cents = alice.get_i64("cents")?;
///     accounts.replace("alice", doc! { "cents": 0 })?;
///     accounts.replace("bob", doc! { "cents": cents })?;
///     Ok(())
/// })?;
/// let bob = db.collection("accounts").get("bob")?.expect("stored above");
/// assert_eq!(bob.get_i64("cents")?, 500);
/// # Ok(())
/// # }
/// ```
///
/// [`DuplicateId`]: crate::ErrorKind::DuplicateId
#[derive(Clone)]
pub struct TransactionCollection<'t> {
    transaction: &'t Transaction,
    name: Arc<str>,
}

impl Transaction {
    /// Returns the collection of that name. It is locked when it is first read or written; the
    /// first insert creates it if it does not exist.
    #[must_use]
    pub fn collection(&self, name: &str) -> TransactionCollection<'_> {
        TransactionCollection::new(self, name)
    }
}

impl<'t> TransactionCollection<'t> {
    pub(crate) fn new(transaction: &'t Transaction, name: &str) -> Self {
        Self { transaction, name: name.into() }
    }

    /// Returns the collection's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns how many documents there are. Costs the same for any number.
    ///
    /// # Errors
    ///
    /// [`Conflict`](crate::ErrorKind::Conflict),
    /// [`TransactionOver`](crate::ErrorKind::TransactionOver),
    /// [`Closed`](crate::ErrorKind::Closed), [`Invalid`](crate::ErrorKind::Invalid);
    /// [`Io`](crate::ErrorKind::Io).
    pub fn count(&self) -> Result<u64> {
        Ok(self.transaction.txn.statement(&self.name, |statement| Ok(statement.count()))?)
    }

    /// Inserts a document and returns its id; see
    /// [`Collection::insert`](crate::Collection::insert).
    ///
    /// An id that is assigned and then rolled back may be assigned again.
    ///
    /// # Errors
    ///
    /// Same as [`Collection::insert`](crate::Collection::insert) and [`count`](Self::count).
    pub fn insert(&self, document: impl Encode) -> Result<Id> {
        self.check_access()?;
        with_buffer(|buffer| {
            let mut draft = document.encode(None, buffer)?;
            let drafts = std::slice::from_mut(&mut draft);
            self.transaction
                .txn
                .statement(&self.name, |statement| statement.insert(&self.name, drafts, buffer))?;
            id_of(draft, buffer)
        })
    }

    /// Inserts documents and returns their ids in the same order, all or none; see
    /// [`Collection::insert_many`](crate::Collection::insert_many).
    ///
    /// # Errors
    ///
    /// Same as [`insert`](Self::insert).
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
            self.transaction.txn.statement(&self.name, |statement| {
                statement.insert(&self.name, &mut drafts, buffer)
            })?;
            drafts.into_iter().map(|draft| id_of(draft, buffer)).collect()
        })
    }

    /// Returns the document with this id, if there is one; see
    /// [`Collection::get`](crate::Collection::get). It stays as it is whatever the transaction does
    /// next.
    ///
    /// # Errors
    ///
    /// Same as [`Collection::get`](crate::Collection::get) and [`count`](Self::count).
    pub fn get(&self, id: impl AsId) -> Result<Option<StoredDoc>> {
        let key = Key::new(id.as_id());
        Ok(self.transaction.txn.statement(&self.name, |statement| Ok(statement.get(&key)?))?)
    }

    /// Returns the documents with these ids, in the same order.
    ///
    /// # Errors
    ///
    /// Same as [`get`](Self::get).
    pub fn get_many<I: AsId>(
        &self,
        ids: impl IntoIterator<Item = I>,
    ) -> Result<Vec<Option<StoredDoc>>> {
        let keys: Vec<Key> = ids.into_iter().map(|id| Key::new(id.as_id())).collect();
        Ok(self.transaction.txn.statement(&self.name, |statement| {
            let found: Result<_, EngineError> = keys.iter().map(|key| statement.get(key)).collect();
            Ok(found?)
        })?)
    }

    /// Returns whether there is a document with this id.
    ///
    /// # Errors
    ///
    /// Same as [`get`](Self::get).
    pub fn contains(&self, id: impl AsId) -> Result<bool> {
        let key = Key::new(id.as_id());
        Ok(self.transaction.txn.statement(&self.name, |statement| Ok(statement.contains(&key)?))?)
    }

    /// Replaces the document with this id; returns false, and changes nothing, if there is none.
    /// See [`Collection::replace`](crate::Collection::replace).
    ///
    /// # Errors
    ///
    /// Same as [`Collection::replace`](crate::Collection::replace) and [`count`](Self::count).
    pub fn replace(&self, id: impl AsId, document: impl Encode) -> Result<bool> {
        let id = id.as_id();
        let key = Key::new(id);
        self.check_access()?;
        with_buffer(|buffer| {
            let draft = replacement(id, &key, document, buffer)?;
            let record = draft.record(buffer);
            let replace = |statement: &mut Statement<'_>| statement.replace(&key, record);
            Ok(self.transaction.txn.statement(&self.name, replace)?)
        })
    }

    /// Stores a document under an id, whether there is one or not; returns true if it took
    /// another's place. See [`Collection::put`](crate::Collection::put).
    ///
    /// # Errors
    ///
    /// Same as [`Collection::put`](crate::Collection::put) and [`count`](Self::count).
    pub fn put(&self, id: impl AsId, document: impl Encode) -> Result<bool> {
        let id = id.as_id();
        let key = Key::new(id);
        self.check_access()?;
        with_buffer(|buffer| {
            let mut draft = replacement(id, &key, document, buffer)?;
            let run = |statement: &mut Statement<'_>| {
                put(statement, &self.name, &key, &mut draft, buffer)
            };
            Ok(self.transaction.txn.statement(&self.name, run)?)
        })
    }

    /// Deletes the document with this id; returns false if there is none.
    ///
    /// # Errors
    ///
    /// Same as [`get`](Self::get).
    pub fn delete(&self, id: impl AsId) -> Result<bool> {
        self.check_access()?;
        let key = Key::new(id.as_id());
        Ok(self.transaction.txn.statement(&self.name, |statement| statement.delete(&key))?)
    }

    /// Stores a document, in stored form and with the same id, in place of one that was found in
    /// this transaction; false if that has gone meanwhile.
    pub(crate) fn replace_found(&self, found: &StoredDoc, record: &[u8]) -> Result<bool> {
        let replace = |statement: &mut Statement<'_>| statement.replace_found(found, record);
        Ok(self.transaction.txn.statement(&self.name, replace)?)
    }

    /// Deletes a document that was found in this transaction; false if it has gone meanwhile.
    pub(crate) fn delete_found(&self, found: &StoredDoc) -> Result<bool> {
        Ok(self.transaction.txn.statement(&self.name, |statement| statement.delete_found(found))?)
    }

    /// Whether writing is refused for what the database was opened for.
    pub(crate) fn check_access(&self) -> Result<()> {
        self.check_open()?;
        Ok(self.transaction.txn.engine().check_access()?)
    }

    /// Returns an error if the database is closed, unless this is within a call that is waited for.
    pub(crate) fn check_open(&self) -> Result<()> {
        Ok(self.transaction.txn.check_open()?)
    }

    pub(crate) fn opening(&self) -> &Arc<Opening> {
        self.transaction.txn.opening()
    }

    pub(crate) fn pager(&self) -> &Pager {
        self.transaction.txn.engine().pager()
    }

    /// Lends all documents, one after the other, as they are now; see [`Scan`].
    ///
    /// What the transaction changes later does not show in it. Once the transaction is over, using
    /// the scan returns [`TransactionOver`](crate::ErrorKind::TransactionOver).
    ///
    /// # Errors
    ///
    /// Same as [`count`](Self::count).
    pub fn scan(&self) -> Result<Scan> {
        Ok(self.transaction.txn.scan(&self.name)?)
    }

    /// Iterates over all documents, as they are now; see [`scan`](Self::scan).
    ///
    /// # Errors
    ///
    /// Same as [`count`](Self::count).
    pub fn iter(&self) -> Result<ScanIter> {
        Ok(ScanIter::new(self.scan()?))
    }
}

impl fmt::Debug for TransactionCollection<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransactionCollection").field("name", &self.name).finish_non_exhaustive()
    }
}
