//! The searching verbs, as methods of each handle; what they do is in [`ReadCollection`].

use nanodb_collection::StoredDoc;
use nanodb_document::Value;
use nanodb_query::IntoFilter;

use super::find::Find;
use crate::collection::Collection;
use crate::error::Result;
use crate::read::ReadCollection;
use crate::snapshot::SnapshotCollection;
use crate::transaction_collection::TransactionCollection;

impl Collection {
    /// Prepares a search for the documents that match a filter; see [`Find`].
    ///
    /// A filter is a document in MongoDB's language, or built by [`field`](crate::field) and its
    /// methods, or read from JSON text by [`Filter::parse_json`](crate::Filter::parse_json).
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use nanodb::{Database, doc, field};
    ///
    /// # fn main() -> Result<(), nanodb::Error> {
    /// let users = Database::in_memory()?.collection("users");
    /// users.insert_many([doc! { "age": 30 }, doc! { "age": 12 }])?;
    /// for user in users.find(doc! { "age": { "$gte": 18 } }).run()? {
    ///     println!("{}", user?);
    /// }
    /// let adults = field("age").gte(18);
    /// let oldest = users.find(&adults).sort(doc! { "age": -1 }).first()?;
    /// assert_eq!(oldest.and_then(|user| user.get("age")?.as_i64()), Some(30));
    /// # Ok(())
    /// # }
    /// ```
    pub fn find(&self, filter: impl IntoFilter) -> Find<'_> {
        ReadCollection::find(self, filter)
    }

    /// Returns a document that matches a filter, if there is one; any of several.
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use nanodb::{Database, doc, field};
    ///
    /// # fn main() -> Result<(), nanodb::Error> {
    /// let users = Database::in_memory()?.collection("users");
    /// users.insert(doc! { "name": "Alice", "age": 30 })?;
    /// assert!(users.find_one(field("name").eq("Alice"))?.is_some());
    /// assert!(users.find_one(field("name").eq("Bob"))?.is_none());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Same as [`Find::run`].
    pub fn find_one(&self, filter: impl IntoFilter) -> Result<Option<StoredDoc>> {
        ReadCollection::find_one(self, filter)
    }

    /// Returns how many documents match a filter.
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use nanodb::{Database, doc, field};
    ///
    /// # fn main() -> Result<(), nanodb::Error> {
    /// let users = Database::in_memory()?.collection("users");
    /// users.insert_many([doc! { "age": 30 }, doc! { "age": 12 }])?;
    /// assert_eq!(users.count_documents(field("age").lt(18))?, 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Same as [`Find::count`].
    pub fn count_documents(&self, filter: impl IntoFilter) -> Result<u64> {
        ReadCollection::count_documents(self, filter)
    }

    /// Returns whether a document matches a filter. The search ends with the first that does.
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use nanodb::{Database, doc, field};
    ///
    /// # fn main() -> Result<(), nanodb::Error> {
    /// let users = Database::in_memory()?.collection("users");
    /// users.insert(doc! { "age": 30 })?;
    /// assert!(users.exists(field("age").gte(18))?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Same as [`Find::run`].
    pub fn exists(&self, filter: impl IntoFilter) -> Result<bool> {
        ReadCollection::exists(self, filter)
    }

    /// Returns the values at a path in the documents that match a filter, each once, in MongoDB's
    /// order over all values. An array counts as its elements. All values are kept in memory.
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use nanodb::{Database, Filter, Value, doc};
    ///
    /// # fn main() -> Result<(), nanodb::Error> {
    /// let users = Database::in_memory()?.collection("users");
    /// users.insert_many([doc! { "tags": ["b", "a"] }, doc! { "tags": "a" }])?;
    /// let tags = users.distinct("tags", Filter::all())?;
    /// assert_eq!(tags, [Value::from("a"), Value::from("b")]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Invalid`](crate::ErrorKind::Invalid) if the path is too long; same as [`Find::count`].
    pub fn distinct(&self, path: &str, filter: impl IntoFilter) -> Result<Vec<Value>> {
        ReadCollection::distinct(self, path, filter)
    }

    /// Returns the values at a path in the documents that match a filter, and how many documents
    /// have each, the most frequent first. An array counts as its elements; a document that has a
    /// value twice counts once. All values are kept in memory.
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use nanodb::{Database, Value, doc};
    ///
    /// # fn main() -> Result<(), nanodb::Error> {
    /// let log = Database::in_memory()?.collection("log");
    /// log.insert_many(["info", "error", "info"].map(|level| doc! { "level": level }))?;
    /// let levels = log.count_by("level", doc! {})?;
    /// assert_eq!(levels, [(Value::from("info"), 2), (Value::from("error"), 1)]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Same as [`distinct`](Self::distinct).
    pub fn count_by(&self, path: &str, filter: impl IntoFilter) -> Result<Vec<(Value, u64)>> {
        ReadCollection::count_by(self, path, filter)
    }
}

impl SnapshotCollection {
    /// Prepares a search for the documents that match a filter; see [`Collection::find`].
    pub fn find(&self, filter: impl IntoFilter) -> Find<'_> {
        ReadCollection::find(self, filter)
    }

    /// Returns a document that matches a filter, if there is one; see [`Collection::find_one`].
    ///
    /// # Errors
    ///
    /// Same as [`Find::run`].
    pub fn find_one(&self, filter: impl IntoFilter) -> Result<Option<StoredDoc>> {
        ReadCollection::find_one(self, filter)
    }

    /// Returns how many documents match a filter; see [`Collection::count_documents`].
    ///
    /// # Errors
    ///
    /// Same as [`Find::count`].
    pub fn count_documents(&self, filter: impl IntoFilter) -> Result<u64> {
        ReadCollection::count_documents(self, filter)
    }

    /// Returns whether a document matches a filter; see [`Collection::exists`].
    ///
    /// # Errors
    ///
    /// Same as [`Find::run`].
    pub fn exists(&self, filter: impl IntoFilter) -> Result<bool> {
        ReadCollection::exists(self, filter)
    }

    /// Returns the values at a path in the documents that match a filter, each once; see
    /// [`Collection::distinct`].
    ///
    /// # Errors
    ///
    /// Same as [`Collection::distinct`].
    pub fn distinct(&self, path: &str, filter: impl IntoFilter) -> Result<Vec<Value>> {
        ReadCollection::distinct(self, path, filter)
    }

    /// Returns the values at a path in the documents that match a filter, and how many documents
    /// have each; see [`Collection::count_by`].
    ///
    /// # Errors
    ///
    /// Same as [`Collection::count_by`].
    pub fn count_by(&self, path: &str, filter: impl IntoFilter) -> Result<Vec<(Value, u64)>> {
        ReadCollection::count_by(self, path, filter)
    }
}

impl TransactionCollection<'_> {
    /// Prepares a search for the documents that match a filter; see [`Collection::find`].
    pub fn find(&self, filter: impl IntoFilter) -> Find<'_> {
        ReadCollection::find(self, filter)
    }

    /// Returns a document that matches a filter, if there is one; see [`Collection::find_one`].
    ///
    /// # Errors
    ///
    /// Same as [`Find::run`].
    pub fn find_one(&self, filter: impl IntoFilter) -> Result<Option<StoredDoc>> {
        ReadCollection::find_one(self, filter)
    }

    /// Returns how many documents match a filter; see [`Collection::count_documents`].
    ///
    /// # Errors
    ///
    /// Same as [`Find::count`].
    pub fn count_documents(&self, filter: impl IntoFilter) -> Result<u64> {
        ReadCollection::count_documents(self, filter)
    }

    /// Returns whether a document matches a filter; see [`Collection::exists`].
    ///
    /// # Errors
    ///
    /// Same as [`Find::run`].
    pub fn exists(&self, filter: impl IntoFilter) -> Result<bool> {
        ReadCollection::exists(self, filter)
    }

    /// Returns the values at a path in the documents that match a filter, each once; see
    /// [`Collection::distinct`].
    ///
    /// # Errors
    ///
    /// Same as [`Collection::distinct`].
    pub fn distinct(&self, path: &str, filter: impl IntoFilter) -> Result<Vec<Value>> {
        ReadCollection::distinct(self, path, filter)
    }

    /// Returns the values at a path in the documents that match a filter, and how many documents
    /// have each; see [`Collection::count_by`].
    ///
    /// # Errors
    ///
    /// Same as [`Collection::count_by`].
    pub fn count_by(&self, path: &str, filter: impl IntoFilter) -> Result<Vec<(Value, u64)>> {
        ReadCollection::count_by(self, path, filter)
    }
}
