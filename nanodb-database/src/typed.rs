//! Collections of values of one Rust type, over any handle.

use std::borrow::Borrow;
use std::fmt;
use std::marker::PhantomData;

use nanodb_document::{AsId, Draft, Encode, Id, IdRef, Serialized, Value};
use nanodb_query::{IntoFilter, IntoUpdate};
use serde_core::Serialize;
use serde_core::de::DeserializeOwned;

use crate::collection::Collection;
use crate::error::Result;
use crate::query::{
    BulkOperation, BulkWriteResult, TypedFind, TypedFindOneAndModify, UpdateResult, WithIds,
    with_id,
};
use crate::read::ReadCollection;
use crate::snapshot::{Snapshot, SnapshotCollection};
use crate::transaction::Transaction;
use crate::transaction_collection::TransactionCollection;
use crate::write::WriteCollection;
use nanodb_collection::ScanIter;

/// A collection whose documents are read and written as values of a Rust type, through serde.
///
/// It has the verbs of the handle that it stands on: a [`Collection`], a [`TransactionCollection`]
/// or, to read, a [`SnapshotCollection`]. Filters, updates, sorts and projections are about
/// documents, as everywhere.
///
/// The id is `T`'s field `_id`, if it has one (`#[serde(rename = "_id")]` names it so) and it is
/// not null: where it is missing or null, the collection assigns the next integer.
/// [`with_ids`](TypedFind::with_ids) returns the ids of values that do not have them.
///
/// It is the collection of the same name. Documents stored there in another way may not have the
/// shape of `T`; reading one of them here is an error that names the document.
///
/// ```
/// # extern crate nanodb_database as nanodb;
/// use nanodb::{Database, doc};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize, Debug, PartialEq)]
/// struct User {
///     #[serde(rename = "_id")]
///     id: u64,
///     name: String,
/// }
///
/// # fn main() -> Result<(), nanodb::Error> {
/// let users = Database::in_memory()?.typed::<User>("users");
/// let alice = User { id: 101, name: "Alice".into() };
/// users.insert(&alice)?;
/// users.insert_many([User { id: 102, name: "Bob".into() }, User { id: 103, name: "Eve".into() }])?;
/// assert_eq!(users.get(101)?, Some(alice));
/// assert_eq!(users.get_many([103, 104])?.len(), 2);
///
/// assert!(users.replace(102, User { id: 102, name: "Robert".into() })?);
/// assert_eq!(users.update_many(doc! { "name": "Robert" }, doc! { "$set": { "name": "Bob" } })?.modified, 1);
/// assert!(users.update(102, doc! { "$set": { "name": "Rob" } })?);
/// assert!(users.delete(103)? && !users.contains(103)?);
/// for user in users.iter()? {
///     println!("{}", user?.name);
/// }
/// let documents = users.collection();
/// assert_eq!((documents.name(), documents.count_documents(doc! {})?), (users.name(), users.count()?));
/// # Ok(())
/// # }
/// ```
///
/// In a transaction:
///
/// ```
/// # extern crate nanodb_database as nanodb;
/// use nanodb::{Database, doc};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct Account {
///     #[serde(rename = "_id")]
///     owner: String,
///     cents: i64,
/// }
///
/// # fn main() -> Result<(), nanodb::Error> {
/// let db = Database::in_memory()?;
/// db.typed::<Account>("accounts").insert(Account { owner: "ada".into(), cents: 500 })?;
/// db.write(|tx| {
///     let accounts = tx.typed::<Account>("accounts");
///     let Some(mut ada) = accounts.get("ada")? else { return Ok(()) };
///     ada.cents -= 200;
///     accounts.put("ada", &ada)?;
///     accounts.put("bob", Account { owner: "bob".into(), cents: 200 })?;
///     Ok(())
/// })?;
/// let after = db.snapshot().typed::<Account>("accounts");
/// assert_eq!(after.find_one(doc! { "cents": 200 })?.map(|bob| bob.owner), Some("bob".into()));
/// # Ok(())
/// # }
/// ```
pub struct TypedCollection<T, C = Collection> {
    collection: C,
    // Makes no claim on `T`: a handle can go to any thread, whatever `T` is.
    _type: PhantomData<fn() -> T>,
}

impl Collection {
    /// Returns this collection as one of a Rust type; see [`TypedCollection`].
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use nanodb::{Database, doc};
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Name {
    ///     name: String,
    /// }
    ///
    /// # fn main() -> Result<(), nanodb::Error> {
    /// let users = Database::in_memory()?.collection("users");
    /// users.insert(doc! { "_id": 5, "name": "Ada" })?;
    /// assert_eq!(users.typed::<Name>().get(5)?.map(|user| user.name), Some("Ada".into()));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn typed<T>(&self) -> TypedCollection<T> {
        TypedCollection::new(self.clone())
    }
}

impl Transaction {
    /// Returns the collection of that name as one of a Rust type; see [`TypedCollection`], which
    /// has an example, and [`collection`](Self::collection).
    #[must_use]
    pub fn typed<T>(&self, name: &str) -> TypedCollection<T, TransactionCollection<'_>> {
        TypedCollection::new(self.collection(name))
    }
}

impl TransactionCollection<'_> {
    /// Returns this collection as one of a Rust type; see [`TypedCollection`], which has an
    /// example, and [`Collection::typed`].
    #[must_use]
    pub fn typed<T>(&self) -> TypedCollection<T, Self> {
        TypedCollection::new(self.clone())
    }
}

impl SnapshotCollection {
    /// Returns this collection as one of a Rust type; see [`TypedCollection`], which has an
    /// example, and [`Collection::typed`].
    #[must_use]
    pub fn typed<T>(&self) -> TypedCollection<T, Self> {
        TypedCollection::new(self.clone())
    }
}

impl Snapshot {
    /// Returns the collection that had this name as one of a Rust type; see [`TypedCollection`],
    /// which has an example, and [`collection`](Self::collection).
    #[must_use]
    pub fn typed<T>(&self, name: &str) -> TypedCollection<T, SnapshotCollection> {
        TypedCollection::new(self.collection(name))
    }
}

impl<T, C> TypedCollection<T, C> {
    pub(crate) fn new(collection: C) -> Self {
        Self { collection, _type: PhantomData }
    }

    /// Returns the same collection, as documents.
    #[must_use]
    pub fn collection(&self) -> &C {
        &self.collection
    }
}

impl<T, C: ReadCollection> TypedCollection<T, C> {
    /// Returns the collection's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.collection.name()
    }

    /// Returns how many documents there are. Costs the same for any number.
    ///
    /// # Errors
    ///
    /// Same as [`ReadCollection::count`].
    pub fn count(&self) -> Result<u64> {
        self.collection.count()
    }

    /// Returns whether there is a document with this id; see [`Collection::contains`].
    ///
    /// # Errors
    ///
    /// Same as [`Collection::contains`].
    pub fn contains(&self, id: impl AsId) -> Result<bool> {
        self.collection.contains(id)
    }

    /// Returns whether a document matches a filter; see [`Collection::exists`].
    ///
    /// # Errors
    ///
    /// Same as [`Collection::exists`].
    pub fn exists(&self, filter: impl IntoFilter) -> Result<bool> {
        self.collection.exists(filter)
    }

    /// Returns how many documents match a filter; see [`Collection::count_documents`].
    ///
    /// # Errors
    ///
    /// Same as [`Collection::count_documents`].
    pub fn count_documents(&self, filter: impl IntoFilter) -> Result<u64> {
        self.collection.count_documents(filter)
    }

    /// Returns the values at a path in the documents that match a filter, each once; see
    /// [`Collection::distinct`].
    ///
    /// # Errors
    ///
    /// Same as [`Collection::distinct`].
    pub fn distinct(&self, path: &str, filter: impl IntoFilter) -> Result<Vec<Value>> {
        self.collection.distinct(path, filter)
    }

    /// Returns the values at a path in the documents that match a filter, and how many documents
    /// have each; see [`Collection::count_by`].
    ///
    /// # Errors
    ///
    /// Same as [`Collection::count_by`].
    pub fn count_by(&self, path: &str, filter: impl IntoFilter) -> Result<Vec<(Value, u64)>> {
        self.collection.count_by(path, filter)
    }
}

impl<T: DeserializeOwned, C: ReadCollection> TypedCollection<T, C> {
    /// Returns the value with this id, if there is one; see [`Collection::get`].
    ///
    /// # Errors
    ///
    /// Same as [`Collection::get`]; [`ErrorKind::WrongType`](crate::ErrorKind::WrongType) if the
    /// document does not have the shape of `T`.
    pub fn get(&self, id: impl AsId) -> Result<Option<T>> {
        match self.collection.get(id)? {
            Some(document) => document.to_typed(self.name()).map(Some),
            None => Ok(None),
        }
    }

    /// Returns the values with these ids, in the same order, all as of one moment.
    ///
    /// # Errors
    ///
    /// Same as [`get`](Self::get).
    pub fn get_many<I: AsId>(&self, ids: impl IntoIterator<Item = I>) -> Result<Vec<Option<T>>> {
        let documents = self.collection.get_many(ids)?.into_iter();
        documents
            .map(|document| document.map(|document| document.to_typed(self.name())).transpose())
            .collect()
    }

    /// Prepares a search for values whose documents match a filter; see [`TypedFind`].
    pub fn find(&self, filter: impl IntoFilter) -> TypedFind<'_, T> {
        TypedFind::new(self.collection.find(filter))
    }

    /// Returns a value whose document matches, if there is one; any of several.
    ///
    /// # Errors
    ///
    /// Same as [`TypedFind::first`].
    pub fn find_one(&self, filter: impl IntoFilter) -> Result<Option<T>> {
        self.find(filter).first()
    }

    /// Iterates over all values, as they are now; see [`Collection::iter`].
    ///
    /// # Errors
    ///
    /// Same as [`Collection::iter`].
    pub fn iter(&self) -> Result<TypedScanIter<T>> {
        Ok(TypedScanIter { documents: self.collection.iter()?, _type: PhantomData })
    }
}

impl<T, C: WriteCollection> TypedCollection<T, C> {
    /// Deletes the document with this id; returns false if there is none. See
    /// [`Collection::delete`].
    ///
    /// # Errors
    ///
    /// Same as [`Collection::delete`].
    pub fn delete(&self, id: impl AsId) -> Result<bool> {
        self.collection.delete(id)
    }

    /// Deletes one document that matches a filter; see [`Collection::delete_one`].
    ///
    /// # Errors
    ///
    /// Same as [`Collection::delete_one`].
    pub fn delete_one(&self, filter: impl IntoFilter) -> Result<u64> {
        self.collection.delete_one(filter)
    }

    /// Deletes all documents that match a filter; see [`Collection::delete_many`].
    ///
    /// # Errors
    ///
    /// Same as [`Collection::delete_many`].
    pub fn delete_many(&self, filter: impl IntoFilter) -> Result<u64> {
        self.collection.delete_many(filter)
    }

    /// Updates the document with this id; returns false if there is none. See
    /// [`Collection::update`].
    ///
    /// Whether the result has the shape of `T` is found out when it is read.
    ///
    /// # Errors
    ///
    /// Same as [`Collection::update`].
    pub fn update(&self, id: impl AsId, update: impl IntoUpdate) -> Result<bool> {
        self.collection.update(id, update)
    }

    /// Updates one document that matches a filter; see [`Collection::update_one`].
    ///
    /// Whether the result has the shape of `T` is found out when it is read.
    ///
    /// # Errors
    ///
    /// Same as [`Collection::update_one`].
    pub fn update_one(
        &self,
        filter: impl IntoFilter,
        update: impl IntoUpdate,
    ) -> Result<UpdateResult> {
        self.collection.update_one(filter, update)
    }

    /// Updates all documents that match a filter; see [`Collection::update_many`].
    ///
    /// # Errors
    ///
    /// Same as [`Collection::update_many`].
    pub fn update_many(
        &self,
        filter: impl IntoFilter,
        update: impl IntoUpdate,
    ) -> Result<UpdateResult> {
        self.collection.update_many(filter, update)
    }

    /// Updates one document that matches a filter, or inserts one; see [`Collection::upsert`].
    ///
    /// # Errors
    ///
    /// Same as [`Collection::upsert`].
    pub fn upsert(&self, filter: impl IntoFilter, update: impl IntoUpdate) -> Result<UpdateResult> {
        self.collection.upsert(filter, update)
    }

    /// Makes several writes of documents; see [`Collection::bulk_write`].
    ///
    /// # Errors
    ///
    /// Same as [`Collection::bulk_write`].
    pub fn bulk_write<'a>(
        &self,
        operations: impl IntoIterator<Item = BulkOperation<'a>>,
    ) -> Result<BulkWriteResult> {
        self.collection.bulk_write(operations)
    }
}

impl<T: Serialize, C: WriteCollection> TypedCollection<T, C> {
    /// Inserts a value, or what a reference refers to, and returns its id; see
    /// [`Collection::insert`].
    ///
    /// # Errors
    ///
    /// Same as [`Collection::insert`]; [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) if `T`
    /// does not serialise to a map.
    pub fn insert(&self, value: impl Borrow<T>) -> Result<Id> {
        self.collection.insert(Typed(value.borrow()))
    }

    /// Inserts values and returns their ids in the same order, all or none; see
    /// [`Collection::insert_many`].
    ///
    /// # Errors
    ///
    /// Same as [`insert`](Self::insert).
    pub fn insert_many<V: Borrow<T>>(
        &self,
        values: impl IntoIterator<Item = V>,
    ) -> Result<Vec<Id>> {
        self.collection.insert_many(values.into_iter().map(Lent::new))
    }

    /// Stores a value under an id, whether there is one or not; see [`Collection::put`].
    ///
    /// # Errors
    ///
    /// Same as [`Collection::put`].
    pub fn put(&self, id: impl AsId, value: impl Borrow<T>) -> Result<bool> {
        self.collection.put(id, Typed(value.borrow()))
    }

    /// Replaces the value with this id; returns false if there is none. See
    /// [`Collection::replace`].
    ///
    /// # Errors
    ///
    /// Same as [`Collection::replace`].
    pub fn replace(&self, id: impl AsId, value: impl Borrow<T>) -> Result<bool> {
        self.collection.replace(id, Typed(value.borrow()))
    }

    /// Replaces one document that matches a filter; see [`Collection::replace_one`].
    ///
    /// # Errors
    ///
    /// Same as [`Collection::replace_one`].
    pub fn replace_one(
        &self,
        filter: impl IntoFilter,
        value: impl Borrow<T>,
    ) -> Result<UpdateResult> {
        self.collection.replace_one(filter, Typed(value.borrow()))
    }

    /// Replaces one document that matches a filter, or inserts the value; see
    /// [`Collection::replace_or_insert`].
    ///
    /// # Errors
    ///
    /// Same as [`Collection::replace_or_insert`].
    pub fn replace_or_insert(
        &self,
        filter: impl IntoFilter,
        value: impl Borrow<T>,
    ) -> Result<UpdateResult> {
        self.collection.replace_or_insert(filter, Typed(value.borrow()))
    }
}

impl<T: DeserializeOwned, C: WriteCollection> TypedCollection<T, C> {
    /// Prepares to find one document that matches a filter and update it, in one step; see
    /// [`TypedFindOneAndModify`].
    pub fn find_one_and_update(
        &self,
        filter: impl IntoFilter,
        update: impl IntoUpdate,
    ) -> TypedFindOneAndModify<'_, T> {
        TypedFindOneAndModify::new(self.collection.find_one_and_update(filter, update))
    }

    /// Prepares to find one document that matches a filter and delete it, in one step; see
    /// [`TypedFindOneAndModify`].
    pub fn find_one_and_delete(&self, filter: impl IntoFilter) -> TypedFindOneAndModify<'_, T> {
        TypedFindOneAndModify::new(self.collection.find_one_and_delete(filter))
    }
}

impl<T: Serialize + DeserializeOwned, C: WriteCollection> TypedCollection<T, C> {
    /// Prepares to find one document that matches a filter and replace it by a value, in one step;
    /// see [`TypedFindOneAndModify`]. The value keeps the id of the document.
    pub fn find_one_and_replace<'c, V: Borrow<T> + 'c>(
        &'c self,
        filter: impl IntoFilter,
        value: V,
    ) -> TypedFindOneAndModify<'c, T>
    where
        T: 'c,
    {
        TypedFindOneAndModify::new(self.collection.find_one_and_replace(filter, Lent::new(value)))
    }
}

impl<T, C: Clone> Clone for TypedCollection<T, C> {
    fn clone(&self) -> Self {
        Self::new(self.collection.clone())
    }
}

impl<T, C: ReadCollection> fmt::Debug for TypedCollection<T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TypedCollection").field("name", &self.name()).finish_non_exhaustive()
    }
}

/// Iterates over the values of a collection; made by [`TypedCollection::iter`].
#[must_use = "an iterator does nothing until it is asked for values"]
pub struct TypedScanIter<T> {
    documents: ScanIter,
    _type: PhantomData<fn() -> T>,
}

impl<T> TypedScanIter<T> {
    /// Returns the id of each document as well: `(Id, T)`. What does not fit `T` is an error that
    /// has the id, too.
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use nanodb::{Database, doc};
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Name {
    ///     name: String,
    /// }
    ///
    /// # fn main() -> Result<(), nanodb::Error> {
    /// let users = Database::in_memory()?.collection("users");
    /// users.insert(doc! { "_id": 5, "name": "Ada" })?;
    /// for user in users.typed::<Name>().iter()?.with_ids() {
    ///     let (id, user) = user?;
    ///     println!("{id}: {}", user.name);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_ids(self) -> WithIds<Self> {
        WithIds(self)
    }
}

impl<T: DeserializeOwned> Iterator for TypedScanIter<T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Result<T>> {
        let document = self.documents.next()?;
        Some(document.and_then(|document| document.to_typed(self.documents.name())))
    }
}

impl<T: DeserializeOwned> Iterator for WithIds<TypedScanIter<T>> {
    type Item = Result<(Id, T)>;

    fn next(&mut self) -> Option<Result<(Id, T)>> {
        let documents = &mut self.0.documents;
        let document = documents.next()?;
        Some(document.and_then(|document| with_id(&document, documents.name())))
    }
}

impl<T> fmt::Debug for TypedScanIter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TypedScanIter").finish_non_exhaustive()
    }
}

/// A value whose `_id` may be null, as that of an `Option` that is `None`.
struct Typed<'a, T>(&'a T);

impl<T: Serialize> Encode for Typed<'_, T> {
    fn encode(&self, fallback: Option<IdRef<'_>>, out: &mut Vec<u8>) -> Result<Draft> {
        Serialized(self.0).encode_without_null_id(fallback, out)
    }
}

/// A value, or a reference to one, on its way in.
struct Lent<V, T>(V, PhantomData<fn() -> T>);

impl<V: Borrow<T>, T> Lent<V, T> {
    fn new(value: V) -> Self {
        Self(value, PhantomData)
    }
}

impl<V: Borrow<T>, T: Serialize> Encode for Lent<V, T> {
    fn encode(&self, fallback: Option<IdRef<'_>>, out: &mut Vec<u8>) -> Result<Draft> {
        Typed(self.0.borrow()).encode(fallback, out)
    }
}
