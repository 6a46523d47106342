//! Searching collections of a Rust type.

use std::fmt;
use std::marker::PhantomData;

use nanodb_query::{Filter, Sort};
use serde::de::DeserializeOwned;

use super::cursor::Cursor;
use super::explain::Explain;
use super::find::Find;
use super::plan::Plan;
use crate::error::Result;
use crate::typed::TypedCollection;

/// A search for values of a Rust type under preparation; made by [`TypedCollection::find`]. See [`Find`].
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
    /// The order in which values come; see [`Find::sort`].
    pub fn sort(self, sort: Sort) -> Self {
        self.with(|find| find.sort(sort))
    }

    /// Leaves out so many values at the start.
    pub fn skip(self, count: u64) -> Self {
        self.with(|find| find.skip(count))
    }

    /// Ends after so many values; 0 is no limit.
    pub fn limit(self, count: u64) -> Self {
        self.with(|find| find.limit(count))
    }

    /// On how many threads documents are looked at; see [`Find::threads`].
    pub fn threads(self, count: usize) -> Self {
        self.with(|find| find.threads(count))
    }

    /// How many bytes a sort keeps in memory at most; see [`Find::sort_bytes_max`].
    pub fn sort_bytes_max(self, bytes: usize) -> Self {
        self.with(|find| find.sort_bytes_max(bytes))
    }

    /// The values, as they are now.
    ///
    /// # Errors
    ///
    /// As [`Find::run`].
    pub fn run(self) -> Result<TypedCursor<T>> {
        Ok(TypedCursor { found: self.find.run()?, _type: PhantomData })
    }

    /// The first value, if there is one.
    ///
    /// # Errors
    ///
    /// As [`Find::run`]; [`Error::Document`](crate::Error::Document) if the document does not have the
    /// shape of `T`.
    pub fn first(self) -> Result<Option<T>> {
        let collection = self.find.collection().to_owned();
        self.find.first()?.map(|document| document.to_typed(&collection)).transpose()
    }

    /// How many values there are.
    ///
    /// # Errors
    ///
    /// As [`Find::count`].
    pub fn count(self) -> Result<u64> {
        self.find.count()
    }

    /// How the values would be found; see [`Find::explain`].
    ///
    /// # Errors
    ///
    /// As [`Find::explain`].
    pub fn explain(self) -> Result<Plan> {
        self.find.explain()
    }

    /// How the values are found, and how many documents are looked at for that; see
    /// [`Find::explain_analyze`].
    ///
    /// # Errors
    ///
    /// As [`Find::explain_analyze`].
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

/// Iterates over the values that a search finds; made by [`TypedFind::run`].
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
    /// Searches for values whose documents pass a filter. What changes them by a filter is on the
    /// [`collection`](Self::collection) as documents.
    pub fn find(&self, filter: impl Into<Filter>) -> TypedFind<'_, T> {
        TypedFind { find: self.collection().find(filter), _type: PhantomData }
    }

    /// A value whose document passes, if there is one; any of several.
    ///
    /// # Errors
    ///
    /// As [`TypedFind::first`].
    pub fn find_one(&self, filter: impl Into<Filter>) -> Result<Option<T>> {
        self.find(filter).first()
    }
}
