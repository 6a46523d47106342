//! The reading verbs, once for every handle that reads a collection.
//!
//! What differs between the handles is where a document comes from: the newest commit, a snapshot
//! or a transaction. Each handle says that in its own module; whatever can be said in terms of
//! it is said here, and the handles' methods of the same names come here.

use std::fmt;

use nanodb_collection::{Scan, ScanIter, StoredDoc};
use nanodb_document::{AsId, Value};
use nanodb_query::IntoFilter;

use crate::collection::Collection;
use crate::error::Result;
use crate::query::{Find, Source, count_by, distinct};
use crate::snapshot::SnapshotCollection;
use crate::transaction_collection::TransactionCollection;

/// The verbs that read a collection, for code that reads from any kind of handle.
///
/// [`Collection`] reads the newest commit, [`SnapshotCollection`] one moment, and
/// [`TransactionCollection`] what its transaction sees. All three have these verbs as methods of
/// their own, so that a program that holds one of them needs no import. Import the trait to
/// write a function that takes any of them:
///
/// ```
/// # extern crate nanodb_database as nanodb;
/// use nanodb::{Database, Error, ReadCollection, doc, field};
///
/// fn adults(users: &impl ReadCollection) -> Result<u64, Error> {
///     users.count_documents(field("age").gte(18))
/// }
///
/// # fn main() -> Result<(), Error> {
/// let db = Database::in_memory()?;
/// let users = db.collection("users");
/// users.insert(doc! { "age": 30 })?;
/// let before = db.snapshot();
/// db.write(|tx| {
///     tx.collection("users").insert(doc! { "age": 40 })?;
///     assert_eq!(adults(&tx.collection("users"))?, 2);
///     Ok(())
/// })?;
/// assert_eq!(adults(&users)?, 2);
/// assert_eq!(adults(&before.collection("users"))?, 1);
/// # Ok(())
/// # }
/// ```
///
/// Other crates cannot implement it.
pub trait ReadCollection: sealed::Readable + fmt::Debug {
    /// Returns the collection's name.
    #[must_use]
    fn name(&self) -> &str;

    /// Returns how many documents there are. Costs the same for any number.
    ///
    /// # Errors
    ///
    /// [`Closed`](crate::ErrorKind::Closed); in a transaction, those of
    /// [`TransactionCollection::count`].
    fn count(&self) -> Result<u64>;

    /// Returns the document with this id, if there is one; see [`Collection::get`].
    ///
    /// # Errors
    ///
    /// Same as [`Collection::get`] and, in a transaction, [`count`](Self::count).
    fn get(&self, id: impl AsId) -> Result<Option<StoredDoc>>;

    /// Returns the documents with these ids, in the same order, all as of one moment; see
    /// [`Collection::get_many`].
    ///
    /// # Errors
    ///
    /// Same as [`get`](Self::get).
    fn get_many<I: AsId>(&self, ids: impl IntoIterator<Item = I>)
    -> Result<Vec<Option<StoredDoc>>>;

    /// Returns whether there is a document with this id; see [`Collection::contains`].
    ///
    /// # Errors
    ///
    /// Same as [`get`](Self::get).
    fn contains(&self, id: impl AsId) -> Result<bool>;

    /// Lends all documents, one after the other; see [`Scan`].
    ///
    /// # Errors
    ///
    /// Same as [`count`](Self::count).
    fn scan(&self) -> Result<Scan>;

    /// Iterates over all documents; see [`Collection::iter`].
    ///
    /// # Errors
    ///
    /// Same as [`scan`](Self::scan).
    fn iter(&self) -> Result<ScanIter> {
        Ok(ScanIter::new(self.scan()?))
    }

    /// Prepares a search for the documents that match a filter; see [`Find`].
    fn find(&self, filter: impl IntoFilter) -> Find<'_> {
        Find::new(self.source(), filter.into_filter())
    }

    /// Returns a document that matches a filter, if there is one; any of several.
    ///
    /// # Errors
    ///
    /// Same as [`Find::run`].
    fn find_one(&self, filter: impl IntoFilter) -> Result<Option<StoredDoc>> {
        self.find(filter).first()
    }

    /// Returns how many documents match a filter.
    ///
    /// # Errors
    ///
    /// Same as [`Find::count`].
    fn count_documents(&self, filter: impl IntoFilter) -> Result<u64> {
        self.find(filter).count()
    }

    /// Returns whether a document matches a filter. The search ends with the first that does.
    ///
    /// # Errors
    ///
    /// Same as [`Find::run`].
    fn exists(&self, filter: impl IntoFilter) -> Result<bool> {
        Ok(self.find_one(filter)?.is_some())
    }

    /// Returns the values at a path in the documents that match a filter, each once; see
    /// [`Collection::distinct`].
    ///
    /// # Errors
    ///
    /// [`Invalid`](crate::ErrorKind::Invalid) if the path is too long; same as [`Find::count`].
    fn distinct(&self, path: &str, filter: impl IntoFilter) -> Result<Vec<Value>> {
        distinct(&self.find(filter), path)
    }

    /// Returns the values at a path in the documents that match a filter, and how many documents
    /// have each; see [`Collection::count_by`].
    ///
    /// # Errors
    ///
    /// Same as [`distinct`](Self::distinct).
    fn count_by(&self, path: &str, filter: impl IntoFilter) -> Result<Vec<(Value, u64)>> {
        count_by(&self.find(filter), path)
    }
}

/// Keeps the trait to the three handles, and their insides out of it.
mod sealed {
    use super::Source;

    /// What a search reads from.
    pub trait Readable {
        /// Returns this handle as one of the three.
        fn source(&self) -> Source<'_>;
    }
}

impl sealed::Readable for Collection {
    fn source(&self) -> Source<'_> {
        Source::Collection(self)
    }
}

impl sealed::Readable for SnapshotCollection {
    fn source(&self) -> Source<'_> {
        Source::Snapshot(self)
    }
}

impl sealed::Readable for TransactionCollection<'_> {
    fn source(&self) -> Source<'_> {
        Source::Transaction(self)
    }
}

// A handle's own method goes before the trait's of the same name: each of these calls that.

impl ReadCollection for Collection {
    fn name(&self) -> &str {
        self.name()
    }

    fn count(&self) -> Result<u64> {
        self.count()
    }

    #[inline]
    fn get(&self, id: impl AsId) -> Result<Option<StoredDoc>> {
        self.get(id)
    }

    fn get_many<I: AsId>(
        &self,
        ids: impl IntoIterator<Item = I>,
    ) -> Result<Vec<Option<StoredDoc>>> {
        self.get_many(ids)
    }

    fn contains(&self, id: impl AsId) -> Result<bool> {
        self.contains(id)
    }

    fn scan(&self) -> Result<Scan> {
        self.scan()
    }
}

impl ReadCollection for SnapshotCollection {
    fn name(&self) -> &str {
        self.name()
    }

    fn count(&self) -> Result<u64> {
        self.count()
    }

    #[inline]
    fn get(&self, id: impl AsId) -> Result<Option<StoredDoc>> {
        self.get(id)
    }

    fn get_many<I: AsId>(
        &self,
        ids: impl IntoIterator<Item = I>,
    ) -> Result<Vec<Option<StoredDoc>>> {
        self.get_many(ids)
    }

    fn contains(&self, id: impl AsId) -> Result<bool> {
        self.contains(id)
    }

    fn scan(&self) -> Result<Scan> {
        self.scan()
    }
}

impl ReadCollection for TransactionCollection<'_> {
    fn name(&self) -> &str {
        self.name()
    }

    fn count(&self) -> Result<u64> {
        self.count()
    }

    #[inline]
    fn get(&self, id: impl AsId) -> Result<Option<StoredDoc>> {
        self.get(id)
    }

    fn get_many<I: AsId>(
        &self,
        ids: impl IntoIterator<Item = I>,
    ) -> Result<Vec<Option<StoredDoc>>> {
        self.get_many(ids)
    }

    fn contains(&self, id: impl AsId) -> Result<bool> {
        self.contains(id)
    }

    fn scan(&self) -> Result<Scan> {
        self.scan()
    }
}

#[cfg(test)]
mod tests;
