//! The verbs that change the documents that match a filter.

use nanodb_query::{IntoFilter, IntoUpdate};

use super::modify::{self, Action, UpdateResult, Which};
use crate::collection::Collection;
use crate::error::Result;
use crate::transaction_collection::TransactionCollection;
use nanodb_document::{AsId, Encode};

/// For a write that is a transaction of its own: what fails takes all back.
const ALL: Which = Which::All { or_give_up: true };

impl Collection {
    /// Updates the document with this id; returns false, and changes nothing, if there is none.
    ///
    /// Returns true also if the update leaves the document as it is. Costs what
    /// [`get`](Self::get) and [`replace`](Self::replace) do, however large the collection is. For
    /// an upsert, see [`upsert`](Self::upsert) with a filter on `_id`.
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use nanodb::{Database, Update, doc};
    ///
    /// # fn main() -> Result<(), nanodb::Error> {
    /// let users = Database::in_memory()?.collection("users");
    /// users.insert(doc! { "_id": 5, "name": "Alice", "age": 30 })?;
    /// assert!(users.update(5, Update::new().inc("age", 1))?);
    /// assert!(users.update(5, doc! { "$set": { "city": "Bonn" } })?);
    /// assert!(!users.update(6, Update::new().inc("age", 1))?);
    /// let alice = users.get(5)?.map(|alice| alice.to_document()).transpose()?;
    /// assert_eq!(alice, Some(doc! { "_id": 5, "name": "Alice", "age": 31, "city": "Bonn" }));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Same as [`update_one`](Self::update_one). Nothing has changed then.
    pub fn update(&self, id: impl AsId, update: impl IntoUpdate) -> Result<bool> {
        let (id, update) = (id.as_id(), update.into_update());
        self.in_transaction(|collection| modify::update_by_id(collection, id, &update))
    }

    /// Updates one document that matches a filter; any of several.
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use nanodb::{Database, Update, doc, field};
    ///
    /// # fn main() -> Result<(), nanodb::Error> {
    /// let users = Database::in_memory()?.collection("users");
    /// users.insert(doc! { "name": "Alice", "age": 30 })?;
    /// let birthday = Update::new().inc("age", 1);
    /// assert_eq!(users.update_one(field("name").eq("Alice"), &birthday)?.modified, 1);
    /// assert_eq!(users.update_one(field("name").eq("Bob"), &birthday)?.matched, 0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Invalid`](crate::ErrorKind::Invalid) if the update cannot be applied, or its result cannot
    /// be stored; same as [`replace`](Self::replace). Nothing has changed then.
    pub fn update_one(
        &self,
        filter: impl IntoFilter,
        update: impl IntoUpdate,
    ) -> Result<UpdateResult> {
        let (filter, update) = (filter.into_filter(), update.into_update());
        self.in_transaction(|collection| {
            modify::update(collection, &filter, Action::Update(&update), Which::First)
        })
    }

    /// Updates all documents that match a filter, or none if one of them cannot be updated.
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use nanodb::{Database, Update, doc, field};
    ///
    /// # fn main() -> Result<(), nanodb::Error> {
    /// let users = Database::in_memory()?.collection("users");
    /// users.insert_many([doc! { "age": 30 }, doc! { "age": 12 }, doc! { "age": "?" }])?;
    /// let birthday = Update::new().inc("age", 1);
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
    /// Same as [`update_one`](Self::update_one).
    /// [`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge) if it changes more pages than one
    /// transaction may: update in parts, by a filter on ids for example, or raise
    /// [`Options::transaction_bytes_max`](crate::Options::transaction_bytes_max).
    pub fn update_many(
        &self,
        filter: impl IntoFilter,
        update: impl IntoUpdate,
    ) -> Result<UpdateResult> {
        let (filter, update) = (filter.into_filter(), update.into_update());
        self.in_transaction(|collection| {
            modify::update(collection, &filter, Action::Update(&update), ALL)
        })
    }

    /// Updates one document that matches a filter; if none does, inserts one.
    ///
    /// The new document begins with the values that the filter requires fields to be equal to, and
    /// the update is applied to it.
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use nanodb::{Database, Update, doc, field};
    ///
    /// # fn main() -> Result<(), nanodb::Error> {
    /// let hits = Database::in_memory()?.collection("hits");
    /// let count = Update::new().inc("count", 1);
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
    /// Same as [`update_one`](Self::update_one) and [`insert`](Self::insert).
    pub fn upsert(&self, filter: impl IntoFilter, update: impl IntoUpdate) -> Result<UpdateResult> {
        let (filter, update) = (filter.into_filter(), update.into_update());
        self.in_transaction(|collection| {
            modify::upsert(collection, &filter, Action::Update(&update))
        })
    }

    /// Replaces one document that matches a filter, any of several; the new one keeps its id.
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use nanodb::{Database, doc, field};
    ///
    /// # fn main() -> Result<(), nanodb::Error> {
    /// let users = Database::in_memory()?.collection("users");
    /// users.insert(doc! { "_id": 5, "name": "Alice" })?;
    /// let done = users.replace_one(field("name").eq("Alice"), doc! { "name": "Bob" })?;
    /// assert_eq!((done.matched, done.modified), (1, 1));
    /// assert_eq!(users.get(5)?.map(|user| user.to_string()), Some(r#"{"_id": 5, "name": "Bob"}"#.into()));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Same as [`replace`](Self::replace); [`Invalid`](crate::ErrorKind::Invalid) if a name of the
    /// new document begins with a dollar, as those of an update do.
    pub fn replace_one(
        &self,
        filter: impl IntoFilter,
        document: impl Encode,
    ) -> Result<UpdateResult> {
        let filter = filter.into_filter();
        self.in_transaction(|collection| {
            modify::update(collection, &filter, Action::Replace(&document), Which::First)
        })
    }

    /// Replaces one document that matches a filter; if none does, inserts the new one.
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use nanodb::{Database, doc, field};
    ///
    /// # fn main() -> Result<(), nanodb::Error> {
    /// let prices = Database::in_memory()?.collection("prices");
    /// let tea = field("item").eq("tea");
    /// let done = prices.replace_or_insert(&tea, doc! { "item": "tea", "price": 3 })?;
    /// assert_eq!(done.upserted, Some(1.into()));
    /// let done = prices.replace_or_insert(&tea, doc! { "item": "tea", "price": 4 })?;
    /// assert_eq!((done.modified, prices.count()?), (1, 1));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Same as [`replace_one`](Self::replace_one) and [`insert`](Self::insert).
    pub fn replace_or_insert(
        &self,
        filter: impl IntoFilter,
        document: impl Encode,
    ) -> Result<UpdateResult> {
        let filter = filter.into_filter();
        self.in_transaction(|collection| {
            modify::upsert(collection, &filter, Action::Replace(&document))
        })
    }

    /// Deletes one document that matches a filter, any of several; returns how many were deleted.
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use nanodb::{Database, doc, field};
    ///
    /// # fn main() -> Result<(), nanodb::Error> {
    /// let users = Database::in_memory()?.collection("users");
    /// users.insert_many([doc! { "age": 3 }, doc! { "age": 12 }])?;
    /// assert_eq!(users.delete_one(field("age").lt(18))?, 1);
    /// assert_eq!(users.count()?, 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Same as [`delete`](Self::delete).
    pub fn delete_one(&self, filter: impl IntoFilter) -> Result<u64> {
        let filter = filter.into_filter();
        self.in_transaction(|collection| modify::delete(collection, &filter, Which::First))
    }

    /// Deletes all documents that match a filter; returns how many.
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use nanodb::{Database, doc, field};
    ///
    /// # fn main() -> Result<(), nanodb::Error> {
    /// let users = Database::in_memory()?.collection("users");
    /// users.insert_many([doc! { "age": 30 }, doc! { "age": 12 }])?;
    /// assert_eq!(users.delete_many(field("age").lt(18))?, 1);
    /// assert_eq!(users.count()?, 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Same as [`delete`](Self::delete); same as [`update_many`](Self::update_many) if it changes
    /// too many pages.
    pub fn delete_many(&self, filter: impl IntoFilter) -> Result<u64> {
        let filter = filter.into_filter();
        self.in_transaction(|collection| modify::delete(collection, &filter, ALL))
    }
}

impl TransactionCollection<'_> {
    /// Updates the document with this id; returns false, and changes nothing, if there is none. See
    /// [`Collection::update`].
    ///
    /// # Errors
    ///
    /// Same as [`Collection::update`] and [`count`](Self::count).
    pub fn update(&self, id: impl AsId, update: impl IntoUpdate) -> Result<bool> {
        modify::update_by_id(self, id.as_id(), &update.into_update())
    }

    /// Updates one document that matches a filter; see [`Collection::update_one`].
    ///
    /// # Errors
    ///
    /// Same as [`Collection::update_one`] and [`count`](Self::count).
    pub fn update_one(
        &self,
        filter: impl IntoFilter,
        update: impl IntoUpdate,
    ) -> Result<UpdateResult> {
        modify::update(
            self,
            &filter.into_filter(),
            Action::Update(&update.into_update()),
            Which::First,
        )
    }

    /// Updates all documents that match a filter, or none if one of them cannot be updated; see
    /// [`Collection::update_many`].
    ///
    /// Each document is read twice: the transaction can go on after a refusal, so all updates are
    /// tried before the first is made.
    ///
    /// # Errors
    ///
    /// Same as [`Collection::update_one`] and [`count`](Self::count).
    pub fn update_many(
        &self,
        filter: impl IntoFilter,
        update: impl IntoUpdate,
    ) -> Result<UpdateResult> {
        let all = Which::All { or_give_up: false };
        modify::update(self, &filter.into_filter(), Action::Update(&update.into_update()), all)
    }

    /// Updates one document that matches a filter, or inserts one; see [`Collection::upsert`].
    ///
    /// # Errors
    ///
    /// Same as [`Collection::upsert`] and [`count`](Self::count).
    pub fn upsert(&self, filter: impl IntoFilter, update: impl IntoUpdate) -> Result<UpdateResult> {
        modify::upsert(self, &filter.into_filter(), Action::Update(&update.into_update()))
    }

    /// Replaces one document that matches a filter; see [`Collection::replace_one`].
    ///
    /// # Errors
    ///
    /// Same as [`Collection::replace_one`] and [`count`](Self::count).
    pub fn replace_one(
        &self,
        filter: impl IntoFilter,
        document: impl Encode,
    ) -> Result<UpdateResult> {
        modify::update(self, &filter.into_filter(), Action::Replace(&document), Which::First)
    }

    /// Replaces one document that matches a filter, or inserts the new one; see
    /// [`Collection::replace_or_insert`].
    ///
    /// # Errors
    ///
    /// Same as [`Collection::replace_or_insert`] and [`count`](Self::count).
    pub fn replace_or_insert(
        &self,
        filter: impl IntoFilter,
        document: impl Encode,
    ) -> Result<UpdateResult> {
        modify::upsert(self, &filter.into_filter(), Action::Replace(&document))
    }

    /// Deletes one document that matches a filter; see [`Collection::delete_one`].
    ///
    /// # Errors
    ///
    /// Same as [`Collection::delete_one`] and [`count`](Self::count).
    pub fn delete_one(&self, filter: impl IntoFilter) -> Result<u64> {
        modify::delete(self, &filter.into_filter(), Which::First)
    }

    /// Deletes all documents that match a filter; see [`Collection::delete_many`].
    ///
    /// # Errors
    ///
    /// Same as [`Collection::delete_many`] and [`count`](Self::count).
    pub fn delete_many(&self, filter: impl IntoFilter) -> Result<u64> {
        modify::delete(self, &filter.into_filter(), ALL)
    }
}
