//! Collections of values of one Rust type.

use std::borrow::Borrow;
use std::fmt;
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::collection::Collection;
use crate::error::Result;
use nanodb_collection::ScanIter;
use nanodb_document::ValueType;
use nanodb_document::{AsId, ID_FIELD, Id, IdRef};
use nanodb_document::{DocumentError, Draft, Encode, Error, ErrorParts, Serialized};

/// A [`Collection`] whose documents are read and written as values of a Rust type, through serde.
///
/// The id is `T`'s field `_id`, if it has one (`#[serde(rename = "_id")]` names it so) and
/// it is not null: where it is missing or null, the collection assigns the next integer.
///
/// It is the collection of the same name. Documents stored there in another way may not have
/// the shape of `T`; reading one of them here is an error.
///
/// ```
/// # extern crate nanodb_database as nanodb;
/// use nanodb::Database;
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
/// assert!(users.delete(103)? && !users.contains(103)?);
/// for user in users.iter()? {
///     println!("{}", user?.name);
/// }
/// let documents = users.collection();
/// assert_eq!((documents.name(), documents.count()?), (users.name(), users.count()?));
/// # Ok(())
/// # }
/// ```
pub struct TypedCollection<T> {
    collection: Collection,
    // Makes no claim on `T`: a handle can go to any thread, whatever `T` is.
    _type: PhantomData<fn() -> T>,
}

impl<T> TypedCollection<T> {
    pub(crate) fn new(collection: Collection) -> Self {
        Self { collection, _type: PhantomData }
    }

    /// Returns the same collection, as documents. Updates and deletions by a filter, bulk writes,
    /// snapshots and transactions work with that.
    #[must_use]
    pub fn collection(&self) -> &Collection {
        &self.collection
    }

    /// Returns the collection's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.collection.name()
    }

    /// Returns how many documents there are.
    ///
    /// # Errors
    ///
    /// [`Closed`](crate::ErrorKind::Closed).
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

    /// Deletes the document with this id; returns false if there is none. See
    /// [`Collection::delete`].
    ///
    /// # Errors
    ///
    /// Same as [`Collection::delete`].
    pub fn delete(&self, id: impl AsId) -> Result<bool> {
        self.collection.delete(id)
    }
}

impl<T: Serialize> TypedCollection<T> {
    /// Inserts a value, or what a reference refers to, and returns its id; see
    /// [`Collection::insert`].
    ///
    /// # Errors
    ///
    /// Same as [`Collection::insert`]; [`Invalid`](crate::ErrorKind::Invalid) if `T` does not
    /// serialise to a map.
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

    /// Replaces the value with this id; returns false if there is none. See
    /// [`Collection::replace`].
    ///
    /// # Errors
    ///
    /// Same as [`Collection::replace`].
    pub fn replace(&self, id: impl AsId, value: impl Borrow<T>) -> Result<bool> {
        self.collection.replace(id, Typed(value.borrow()))
    }
}

impl<T: DeserializeOwned> TypedCollection<T> {
    /// Returns the value with this id, if there is one; see [`Collection::get`].
    ///
    /// # Errors
    ///
    /// Same as [`Collection::get`]; [`WrongType`](crate::ErrorKind::WrongType) if the document
    /// does not have the shape of `T`.
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

    /// Iterates over all values, as they are now; see [`Collection::iter`].
    ///
    /// # Errors
    ///
    /// Same as [`Collection::iter`].
    pub fn iter(&self) -> Result<TypedScanIter<T>> {
        Ok(TypedScanIter { documents: self.collection.iter()?, _type: PhantomData })
    }
}

impl<T> Clone for TypedCollection<T> {
    fn clone(&self) -> Self {
        Self::new(self.collection.clone())
    }
}

impl<T> fmt::Debug for TypedCollection<T> {
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

impl<T: DeserializeOwned> Iterator for TypedScanIter<T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Result<T>> {
        let document = self.documents.next()?;
        Some(document.and_then(|document| document.to_typed(self.documents.name())))
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
        match Serialized(self.0).encode(fallback, out) {
            Err(error) if has_null_id(&error) => {
                let mut document = Serialized(self.0).to_document()?;
                document.remove(ID_FIELD);
                document.encode(fallback, out)
            }
            encoded => encoded,
        }
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

/// Whether a document is refused because its id is null.
fn has_null_id(error: &Error) -> bool {
    let rule = error.internal().and_then(|internal| internal.downcast_ref());
    matches!(rule, Some(DocumentError::IdType { found: ValueType::Null }))
}
