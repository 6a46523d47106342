//! Searching collections of a Rust type, and changing what is found.

use std::fmt;
use std::marker::PhantomData;

use nanodb_document::Id;
use nanodb_query::{IntoProjection, IntoSort};
use serde_core::de::DeserializeOwned;

use super::cursor::Cursor;
use super::execution_stats::ExecutionStats;
use super::find::Find;
use super::find_one_and_modify::FindOneAndModify;
use super::plan::Plan;
use crate::error::{Result, no_id};
use nanodb_collection::StoredDoc;

/// A search for values of a Rust type under preparation; made by
/// [`TypedCollection::find`](crate::TypedCollection::find). See [`Find`].
///
/// ```
/// # extern crate nanodb_database as nanodb;
/// use nanodb::{Database, Sort, doc, field};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct User {
///     name: String,
///     age: u8,
/// }
///
/// # fn main() -> Result<(), nanodb::Error> {
/// let users = Database::in_memory()?.typed::<User>("users");
/// users.insert(&User { name: "Alice".into(), age: 31 })?;
/// users.insert(&User { name: "Bob".into(), age: 12 })?;
/// for user in users.find(field("age").gte(18)).sort(Sort::ascending("name")).run()? {
///     assert_eq!(user?.name, "Alice");
/// }
/// assert!(users.find_one(field("age").gt(90))?.is_none());
///
/// // The ids, where the type has none.
/// let found = users.find(doc! { "name": "Bob" }).with_ids().first()?;
/// let (id, bob) = found.expect("Bob is there");
/// assert_eq!((id, bob.age), (2.into(), 12));
/// # Ok(())
/// # }
/// ```
#[must_use = "a search does nothing until it is run"]
pub struct TypedFind<'c, T> {
    find: Find<'c>,
    _type: PhantomData<fn() -> T>,
}

impl<'c, T> TypedFind<'c, T> {
    pub(crate) fn new(find: Find<'c>) -> Self {
        Self { find, _type: PhantomData }
    }

    /// Sets the order in which values are returned; see [`Find::sort`].
    pub fn sort(self, sort: impl IntoSort) -> Self {
        Self::new(self.find.sort(sort))
    }

    /// Leaves out the first `count` matching values.
    pub fn skip(self, count: u64) -> Self {
        Self::new(self.find.skip(count))
    }

    /// Ends the search after `count` values; 0 means no limit.
    pub fn limit(self, count: u64) -> Self {
        Self::new(self.find.limit(count))
    }

    /// Sets which fields of each document are read; see [`Find::projection`]. `T` must not need the
    /// others.
    pub fn projection(self, projection: impl IntoProjection) -> Self {
        Self::new(self.find.projection(projection))
    }

    /// Sets how many threads evaluate the filter; see [`Find::threads`].
    pub fn threads(self, count: usize) -> Self {
        Self::new(self.find.threads(count))
    }

    /// Sets how many bytes of memory a sort may take; see [`Find::sort_bytes_max`].
    pub fn sort_bytes_max(self, bytes: usize) -> Self {
        Self::new(self.find.sort_bytes_max(bytes))
    }

    /// Has [`run`](WithIds::run) and [`first`](WithIds::first) return the id of each document as
    /// well: `(Id, T)`. Call it last: what it returns has no other methods.
    pub fn with_ids(self) -> WithIds<Self> {
        WithIds(self)
    }

    /// Returns how many values match.
    ///
    /// # Errors
    ///
    /// Same as [`Find::count`].
    pub fn count(self) -> Result<u64> {
        self.find.count()
    }

    /// Returns how the values would be found; see [`Find::explain`].
    ///
    /// # Errors
    ///
    /// Same as [`Find::explain`].
    pub fn explain(self) -> Result<Plan> {
        self.find.explain()
    }

    /// Runs the search, and returns how the values were found; see [`Find::explain_analyze`].
    ///
    /// # Errors
    ///
    /// Same as [`Find::explain_analyze`].
    pub fn explain_analyze(self) -> Result<ExecutionStats> {
        self.find.explain_analyze()
    }
}

impl<T: DeserializeOwned> TypedFind<'_, T> {
    /// Starts the search and returns an iterator over the values, as they are now.
    ///
    /// # Errors
    ///
    /// Same as [`Find::run`].
    pub fn run(self) -> Result<TypedCursor<T>> {
        Ok(TypedCursor { found: self.find.run()?, _type: PhantomData })
    }

    /// Returns the first value, if there is one.
    ///
    /// # Errors
    ///
    /// Same as [`Find::run`]; [`ErrorKind::WrongType`](crate::ErrorKind::WrongType) if the document
    /// does not have the shape of `T`.
    pub fn first(self) -> Result<Option<T>> {
        let collection = self.find.collection().to_owned();
        self.find.first()?.map(|document| document.to_typed(&collection)).transpose()
    }
}

impl<T> Clone for TypedFind<'_, T> {
    fn clone(&self) -> Self {
        Self::new(self.find.clone())
    }
}

impl<T> fmt::Debug for TypedFind<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TypedFind").field(&self.find).finish()
    }
}

/// An iterator over the values that a search finds; made by [`TypedFind::run`].
#[must_use = "an iterator does nothing until it is asked for values"]
pub struct TypedCursor<T> {
    found: Cursor,
    _type: PhantomData<fn() -> T>,
}

impl<T> TypedCursor<T> {
    /// Returns how many documents were examined so far; see [`Cursor::examined`].
    #[must_use]
    pub fn examined(&self) -> u64 {
        self.found.examined()
    }
}

impl<T: DeserializeOwned> Iterator for TypedCursor<T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Result<T>> {
        let document = self.found.next()?;
        Some(document.and_then(|document| document.to_typed(self.found.collection())))
    }
}

impl<T> fmt::Debug for TypedCursor<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TypedCursor").field(&self.found).finish()
    }
}

/// A search for one value of a Rust type that also updates, replaces or deletes its document, in
/// one step. See [`FindOneAndModify`].
///
/// ```
/// # extern crate nanodb_database as nanodb;
/// use nanodb::{Database, Update, doc};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct Job {
///     state: String,
///     urgency: u8,
/// }
///
/// # fn main() -> Result<(), nanodb::Error> {
/// let jobs = Database::in_memory()?.typed::<Job>("jobs");
/// jobs.insert_many([1, 5].map(|urgency| Job { state: "new".into(), urgency }))?;
/// let taken = jobs
///     .find_one_and_update(doc! { "state": "new" }, Update::new().set("state", "taken"))
///     .sort(doc! { "urgency": -1 })
///     .return_new()
///     .with_ids()
///     .run()?;
/// let (id, job) = taken.expect("there are jobs");
/// assert_eq!((id, job.state.as_str(), job.urgency), (2.into(), "taken", 5));
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is done until it is run"]
pub struct TypedFindOneAndModify<'c, T> {
    modify: FindOneAndModify<'c>,
    _type: PhantomData<fn() -> T>,
}

impl<'c, T> TypedFindOneAndModify<'c, T> {
    pub(crate) fn new(modify: FindOneAndModify<'c>) -> Self {
        Self { modify, _type: PhantomData }
    }

    /// Sets the order; see [`FindOneAndModify::sort`].
    pub fn sort(self, sort: impl IntoSort) -> Self {
        Self::new(self.modify.sort(sort))
    }

    /// Sets which fields of the document are read; see [`FindOneAndModify::projection`]. `T` must
    /// not need the others.
    pub fn projection(self, projection: impl IntoProjection) -> Self {
        Self::new(self.modify.projection(projection))
    }

    /// Has [`run`](Self::run) return the value as it is after the change, not as it was before; see
    /// [`FindOneAndModify::return_new`].
    pub fn return_new(self) -> Self {
        Self::new(self.modify.return_new())
    }

    /// Has a document inserted if none matches; see [`FindOneAndModify::upsert`].
    pub fn upsert(self) -> Self {
        Self::new(self.modify.upsert())
    }

    /// Has [`run`](WithIds::run) return the id of the document as well: `(Id, T)`.
    pub fn with_ids(self) -> WithIds<Self> {
        WithIds(self)
    }
}

impl<T: DeserializeOwned> TypedFindOneAndModify<'_, T> {
    /// Changes the document and returns the value, as it was before unless
    /// [`return_new`](Self::return_new) was called; see [`FindOneAndModify::run`].
    ///
    /// # Errors
    ///
    /// Same as [`FindOneAndModify::run`]; [`ErrorKind::WrongType`](crate::ErrorKind::WrongType) if
    /// the document does not have the shape of `T`: outside of a transaction the change is made
    /// all the same.
    pub fn run(self) -> Result<Option<T>> {
        let collection = self.modify.collection().to_owned();
        self.modify.run()?.map(|document| document.to_typed(&collection)).transpose()
    }
}

impl<T> fmt::Debug for TypedFindOneAndModify<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TypedFindOneAndModify").field(&self.modify).finish()
    }
}

/// A search or an iterator that returns the id beside each value of a Rust type; made by
/// [`TypedFind::with_ids`], which has an example, and its siblings.
#[must_use = "it does nothing until it is run, or asked for values"]
#[derive(Debug)]
pub struct WithIds<S>(pub(crate) S);

impl<'c, T: DeserializeOwned> WithIds<TypedFind<'c, T>> {
    /// Starts the search and returns an iterator over the ids and values; see [`TypedFind::run`].
    ///
    /// # Errors
    ///
    /// Same as [`Find::run`].
    pub fn run(self) -> Result<WithIds<TypedCursor<T>>> {
        Ok(WithIds(self.0.run()?))
    }

    /// Returns the first id and value, if there is one; see [`TypedFind::first`].
    ///
    /// # Errors
    ///
    /// Same as [`TypedFind::first`]; [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) if the
    /// projection leaves out `_id`.
    pub fn first(self) -> Result<Option<(Id, T)>> {
        let collection = self.0.find.collection().to_owned();
        self.0.find.first()?.map(|document| with_id(&document, &collection)).transpose()
    }
}

impl<T: DeserializeOwned> Iterator for WithIds<TypedCursor<T>> {
    type Item = Result<(Id, T)>;

    fn next(&mut self) -> Option<Result<(Id, T)>> {
        let found = &mut self.0.found;
        let document = found.next()?;
        Some(document.and_then(|document| with_id(&document, found.collection())))
    }
}

impl<T: DeserializeOwned> WithIds<TypedFindOneAndModify<'_, T>> {
    /// Changes the document and returns its id and the value; see [`TypedFindOneAndModify::run`].
    ///
    /// # Errors
    ///
    /// Same as [`TypedFindOneAndModify::run`]; [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) if
    /// the projection leaves out `_id`.
    pub fn run(self) -> Result<Option<(Id, T)>> {
        let modify = self.0.modify;
        let collection = modify.collection().to_owned();
        modify.run()?.map(|document| with_id(&document, &collection)).transpose()
    }
}

/// Returns the id and the value of a document.
pub(crate) fn with_id<T: DeserializeOwned>(
    document: &StoredDoc,
    collection: &str,
) -> Result<(Id, T)> {
    let value = document.to_typed(collection)?;
    match document.id() {
        Some(id) => Ok((id.to_owned(), value)),
        None => Err(no_id()),
    }
}
