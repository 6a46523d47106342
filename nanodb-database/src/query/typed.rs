//! Searching collections of a Rust type.

use std::fmt;
use std::marker::PhantomData;

use nanodb_query::{IntoFilter, IntoSort};
use serde::de::DeserializeOwned;

use super::cursor::Cursor;
use super::explain::Explain;
use super::find::Find;
use super::plan::Plan;
use crate::error::Result;
use crate::typed::TypedCollection;

/// A search for values of a Rust type under preparation; made by [`TypedCollection::find`]. See
/// [`Find`].
///
/// ```
/// # extern crate nanodb_database as nanodb;
/// use nanodb::{Database, Sort, field};
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
/// # Ok(())
/// # }
/// ```
#[must_use = "a search does nothing until it is run"]
pub struct TypedFind<'c, T> {
    find: Find<'c>,
    _type: PhantomData<fn() -> T>,
}

impl<'c, T: DeserializeOwned> TypedFind<'c, T> {
    /// Sets the order in which values are returned; see [`Find::sort`].
    pub fn sort(self, sort: impl IntoSort) -> Self {
        self.with(|find| find.sort(sort))
    }

    /// Leaves out the first `count` matching values.
    pub fn skip(self, count: u64) -> Self {
        self.with(|find| find.skip(count))
    }

    /// Ends the search after `count` values; 0 means no limit.
    pub fn limit(self, count: u64) -> Self {
        self.with(|find| find.limit(count))
    }

    /// Sets how many threads evaluate the filter; see [`Find::threads`].
    pub fn threads(self, count: usize) -> Self {
        self.with(|find| find.threads(count))
    }

    /// Sets how many bytes of memory a sort may take; see [`Find::sort_bytes_max`].
    pub fn sort_bytes_max(self, bytes: usize) -> Self {
        self.with(|find| find.sort_bytes_max(bytes))
    }

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
    /// Same as [`Find::run`]; [`WrongType`](crate::ErrorKind::WrongType) if the document does not
    /// have the shape of `T`.
    pub fn first(self) -> Result<Option<T>> {
        let collection = self.find.collection().to_owned();
        self.find.first()?.map(|document| document.to_typed(&collection)).transpose()
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
    pub fn explain_analyze(self) -> Result<Explain> {
        self.find.explain_analyze()
    }

    fn with(self, change: impl FnOnce(Find<'c>) -> Find<'c>) -> Self {
        Self { find: change(self.find), _type: PhantomData }
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

impl<T: DeserializeOwned> TypedCollection<T> {
    /// Prepares a search for values whose documents match a filter; see [`TypedFind`].
    ///
    /// Updates and deletions by a filter are methods of the [`collection`](Self::collection).
    pub fn find(&self, filter: impl IntoFilter) -> TypedFind<'_, T> {
        TypedFind { find: self.collection().find(filter), _type: PhantomData }
    }

    /// Returns a value whose document matches, if there is one; any of several.
    ///
    /// # Errors
    ///
    /// Same as [`TypedFind::first`].
    pub fn find_one(&self, filter: impl IntoFilter) -> Result<Option<T>> {
        self.find(filter).first()
    }
}
