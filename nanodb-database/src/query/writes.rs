//! The verbs that change the documents that pass a filter.

use nanodb_query::{Filter, Update};

use super::modify::{Action, UpdateResult, Which, delete, update, upsert};
use crate::collection::Collection;
use crate::error::Result;
use crate::transaction_collection::TransactionCollection;
use nanodb_document::Encode;

/// For a write that is a transaction of its own: what fails takes all back.
const ALL: Which = Which::All { or_give_up: true };

impl Collection {
    /// Updates one document that passes a filter; any of several.
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use nanodb::{Database, Update, doc, field};
    ///
    /// # fn main() -> Result<(), nanodb::Error> {
    /// let users = Database::in_memory()?.collection("users");
    /// users.insert(doc! { "name": "Alice", "age": 30 })?;
    /// let birthday = Update::parse_json(r#"{"$inc": {"age": 1}}"#)?;
    /// assert_eq!(users.update_one(field("name").eq("Alice"), &birthday)?.modified, 1);
    /// assert_eq!(users.update_one(field("name").eq("Bob"), &birthday)?.matched, 0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Update`](crate::Error::Update) if the update can't be applied,
    /// [`Error::Document`](crate::Error::Document) if its result can't be stored; as
    /// [`replace`](Self::replace). Then nothing has changed.
    pub fn update_one(&self, filter: impl Into<Filter>, change: &Update) -> Result<UpdateResult> {
        let filter = filter.into();
        self.in_transaction(|collection| {
            update(collection, &filter, Action::Update(change), Which::First)
        })
    }

    /// Updates all documents that pass a filter, or none if one can't be.
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use nanodb::{Database, Update, doc, field};
    ///
    /// # fn main() -> Result<(), nanodb::Error> {
    /// let users = Database::in_memory()?.collection("users");
    /// users.insert_many([doc! { "age": 30 }, doc! { "age": 12 }, doc! { "age": "?" }])?;
    /// let birthday = Update::parse_json(r#"{"$inc": {"age": 1}}"#)?;
    /// assert_eq!(users.update_many(field("age").gt(0), &birthday)?.modified, 2);
    ///
    /// // A string has no successor.
    /// assert!(users.update_many(field("age").exists(true), &birthday).is_err());
    /// assert!(users.exists(field("age").eq(13))?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`update_one`](Self::update_one). [`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge) if it changes
    /// more pages than one transaction may: do it in parts then, by a filter on ids for example, or
    /// allow more by [`Options::transaction_bytes_max`](crate::Options::transaction_bytes_max).
    pub fn update_many(&self, filter: impl Into<Filter>, change: &Update) -> Result<UpdateResult> {
        let filter = filter.into();
        self.in_transaction(|collection| update(collection, &filter, Action::Update(change), ALL))
    }

    /// Updates one document that passes a filter; if none does, inserts one that has the values
    /// which the filter says fields must be equal to, and is then updated.
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use nanodb::{Database, Update, doc, field};
    ///
    /// # fn main() -> Result<(), nanodb::Error> {
    /// let hits = Database::in_memory()?.collection("hits");
    /// let count = Update::parse_json(r#"{"$inc": {"count": 1}}"#)?;
    /// let page = field("_id").eq("/index");
    /// assert_eq!(hits.upsert(&page, &count)?.upserted, Some("/index".into()));
    /// assert_eq!(hits.upsert(&page, &count)?.modified, 1);
    /// let index = hits.get("/index")?.map(|index| index.to_document()).transpose()?;
    /// assert_eq!(index, Some(doc! { "_id": "/index", "count": 2 }));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`update_one`](Self::update_one) and [`insert`](Self::insert).
    pub fn upsert(&self, filter: impl Into<Filter>, change: &Update) -> Result<UpdateResult> {
        let filter = filter.into();
        self.in_transaction(|collection| upsert(collection, &filter, Action::Update(change)))
    }

    /// Stores a document in place of one that passes a filter, with its id.
    ///
    /// # Errors
    ///
    /// As [`replace`](Self::replace).
    pub fn replace_one(
        &self,
        filter: impl Into<Filter>,
        document: &impl Encode,
    ) -> Result<UpdateResult> {
        let filter = filter.into();
        self.in_transaction(|collection| {
            update(collection, &filter, Action::Replace(document), Which::First)
        })
    }

    /// Stores a document in place of one that passes a filter, with its id; if none does, inserts
    /// it.
    ///
    /// # Errors
    ///
    /// As [`replace`](Self::replace) and [`insert`](Self::insert).
    pub fn replace_or_insert(
        &self,
        filter: impl Into<Filter>,
        document: &impl Encode,
    ) -> Result<UpdateResult> {
        let filter = filter.into();
        self.in_transaction(|collection| upsert(collection, &filter, Action::Replace(document)))
    }

    /// Deletes one document that passes a filter, any of several; returns how many were deleted.
    ///
    /// # Errors
    ///
    /// As [`delete`](Self::delete).
    pub fn delete_one(&self, filter: impl Into<Filter>) -> Result<u64> {
        let filter = filter.into();
        self.in_transaction(|collection| delete(collection, &filter, Which::First))
    }

    /// Deletes all documents that pass a filter; returns how many.
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use nanodb::{Database, doc, field};
    ///
    /// # fn main() -> Result<(), nanodb::Error> {
    /// let users = Database::in_memory()?.collection("users");
    /// users.insert_many([doc! { "age": 30 }, doc! { "age": 12 }])?;
    /// assert_eq!(users.delete_many(field("age").lt(18))?, 1);
    /// assert_eq!(users.count(), 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`delete`](Self::delete); as [`update_many`](Self::update_many) if it changes too many pages.
    pub fn delete_many(&self, filter: impl Into<Filter>) -> Result<u64> {
        let filter = filter.into();
        self.in_transaction(|collection| delete(collection, &filter, ALL))
    }
}

impl TransactionCollection<'_> {
    /// Updates one document that passes a filter; see
    /// [`Collection::update_one`].
    ///
    /// # Errors
    ///
    /// As [`Collection::update_one`] and [`count`](Self::count).
    pub fn update_one(&self, filter: impl Into<Filter>, change: &Update) -> Result<UpdateResult> {
        update(self, &filter.into(), Action::Update(change), Which::First)
    }

    /// Updates all documents that pass a filter, or none if one can't be; see
    /// [`Collection::update_many`]. Each is read twice, since the transaction goes on if one can't
    /// be updated.
    ///
    /// # Errors
    ///
    /// As [`Collection::update_one`] and [`count`](Self::count).
    pub fn update_many(&self, filter: impl Into<Filter>, change: &Update) -> Result<UpdateResult> {
        let all = Which::All { or_give_up: false };
        update(self, &filter.into(), Action::Update(change), all)
    }

    /// Updates one document that passes a filter, or inserts one; see [`Collection::upsert`].
    ///
    /// # Errors
    ///
    /// As [`Collection::upsert`] and [`count`](Self::count).
    pub fn upsert(&self, filter: impl Into<Filter>, change: &Update) -> Result<UpdateResult> {
        upsert(self, &filter.into(), Action::Update(change))
    }

    /// Stores a document in place of one that passes a filter; see [`Collection::replace_one`].
    ///
    /// # Errors
    ///
    /// As [`Collection::replace_one`] and [`count`](Self::count).
    pub fn replace_one(
        &self,
        filter: impl Into<Filter>,
        document: &impl Encode,
    ) -> Result<UpdateResult> {
        update(self, &filter.into(), Action::Replace(document), Which::First)
    }

    /// Stores a document in place of one that passes a filter, or inserts it; see
    /// [`Collection::replace_or_insert`].
    ///
    /// # Errors
    ///
    /// As [`Collection::replace_or_insert`] and [`count`](Self::count).
    pub fn replace_or_insert(
        &self,
        filter: impl Into<Filter>,
        document: &impl Encode,
    ) -> Result<UpdateResult> {
        upsert(self, &filter.into(), Action::Replace(document))
    }

    /// Deletes one document that passes a filter; see [`Collection::delete_one`].
    ///
    /// # Errors
    ///
    /// As [`Collection::delete_one`] and [`count`](Self::count).
    pub fn delete_one(&self, filter: impl Into<Filter>) -> Result<u64> {
        delete(self, &filter.into(), Which::First)
    }

    /// Deletes all documents that pass a filter; see [`Collection::delete_many`].
    ///
    /// # Errors
    ///
    /// As [`Collection::delete_many`] and [`count`](Self::count).
    pub fn delete_many(&self, filter: impl Into<Filter>) -> Result<u64> {
        delete(self, &filter.into(), ALL)
    }
}
