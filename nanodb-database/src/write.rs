//! The writing verbs, as a trait of the handles that write.
//!
//! What they do is said in the modules of the handles and in [`query`](crate::query); the trait is
//! for code that is generic over them, collections of a Rust type above all.

use nanodb_document::{AsId, Encode, Id};
use nanodb_query::{IntoFilter, IntoUpdate};

use crate::collection::Collection;
use crate::error::Result;
use crate::query::{BulkOperation, BulkWriteResult, FindOneAndModify, UpdateResult};
use crate::read::ReadCollection;
use crate::transaction_collection::TransactionCollection;

/// The verbs that write to a collection, for code that writes through any kind of handle.
///
/// [`Collection`] makes each call a commit of its own, [`TransactionCollection`] a part of its
/// transaction. Both have these verbs as methods of their own, so that a program that holds one of
/// them needs no import. Import the trait to write a function that takes either:
///
/// ```
/// # extern crate nanodb_database as nanodb;
/// use nanodb::{Database, Result, Update, WriteCollection, doc, field};
///
/// fn deactivate(users: &impl WriteCollection, name: &str) -> Result<u64> {
///     let update = Update::new().set("active", false);
///     Ok(users.update_many(field("name").eq(name), update)?.modified)
/// }
///
/// # fn main() -> Result<()> {
/// let db = Database::in_memory()?;
/// let users = db.collection("users");
/// users.insert_many([doc! { "name": "Ada" }, doc! { "name": "Bob" }])?;
/// assert_eq!(deactivate(&users, "Ada")?, 1);
/// db.write(|tx| {
///     assert_eq!(deactivate(&tx.collection("users"), "Bob")?, 1);
///     Ok(())
/// })?;
/// # Ok(())
/// # }
/// ```
///
/// Other crates cannot implement it.
pub trait WriteCollection: ReadCollection {
    /// Inserts a document and returns its id; see [`Collection::insert`].
    ///
    /// # Errors
    ///
    /// Same as [`Collection::insert`] and, in a transaction, [`TransactionCollection::count`]; so
    /// do all others of this trait.
    fn insert(&self, document: impl Encode) -> Result<Id>;

    /// Inserts documents and returns their ids in the same order, all or none; see
    /// [`Collection::insert_many`].
    ///
    /// # Errors
    ///
    /// Same as [`Collection::insert_many`].
    fn insert_many<D: Encode>(&self, documents: impl IntoIterator<Item = D>) -> Result<Vec<Id>>;

    /// Stores a document under an id, whether there is one or not; see [`Collection::put`].
    ///
    /// # Errors
    ///
    /// Same as [`Collection::put`].
    fn put(&self, id: impl AsId, document: impl Encode) -> Result<bool>;

    /// Replaces the document with this id; see [`Collection::replace`].
    ///
    /// # Errors
    ///
    /// Same as [`Collection::replace`].
    fn replace(&self, id: impl AsId, document: impl Encode) -> Result<bool>;

    /// Deletes the document with this id; see [`Collection::delete`].
    ///
    /// # Errors
    ///
    /// Same as [`Collection::delete`].
    fn delete(&self, id: impl AsId) -> Result<bool>;

    /// Updates the document with this id; see [`Collection::update`].
    ///
    /// # Errors
    ///
    /// Same as [`Collection::update`].
    fn update(&self, id: impl AsId, update: impl IntoUpdate) -> Result<bool>;

    /// Updates one document that matches a filter; see [`Collection::update_one`].
    ///
    /// # Errors
    ///
    /// Same as [`Collection::update_one`].
    fn update_one(&self, filter: impl IntoFilter, update: impl IntoUpdate) -> Result<UpdateResult>;

    /// Updates all documents that match a filter; see [`Collection::update_many`].
    ///
    /// # Errors
    ///
    /// Same as [`Collection::update_many`].
    fn update_many(&self, filter: impl IntoFilter, update: impl IntoUpdate)
    -> Result<UpdateResult>;

    /// Updates one document that matches a filter, or inserts one; see [`Collection::upsert`].
    ///
    /// # Errors
    ///
    /// Same as [`Collection::upsert`].
    fn upsert(&self, filter: impl IntoFilter, update: impl IntoUpdate) -> Result<UpdateResult>;

    /// Replaces one document that matches a filter; see [`Collection::replace_one`].
    ///
    /// # Errors
    ///
    /// Same as [`Collection::replace_one`].
    fn replace_one(&self, filter: impl IntoFilter, document: impl Encode) -> Result<UpdateResult>;

    /// Replaces one document that matches a filter, or inserts the new one; see
    /// [`Collection::replace_or_insert`].
    ///
    /// # Errors
    ///
    /// Same as [`Collection::replace_or_insert`].
    fn replace_or_insert(
        &self,
        filter: impl IntoFilter,
        document: impl Encode,
    ) -> Result<UpdateResult>;

    /// Deletes one document that matches a filter; see [`Collection::delete_one`].
    ///
    /// # Errors
    ///
    /// Same as [`Collection::delete_one`].
    fn delete_one(&self, filter: impl IntoFilter) -> Result<u64>;

    /// Deletes all documents that match a filter; see [`Collection::delete_many`].
    ///
    /// # Errors
    ///
    /// Same as [`Collection::delete_many`].
    fn delete_many(&self, filter: impl IntoFilter) -> Result<u64>;

    /// Makes several writes, one after the other; see [`Collection::bulk_write`] and
    /// [`TransactionCollection::bulk_write`].
    ///
    /// # Errors
    ///
    /// Same as [`Collection::bulk_write`].
    fn bulk_write<'a>(
        &self,
        operations: impl IntoIterator<Item = BulkOperation<'a>>,
    ) -> Result<BulkWriteResult>;

    /// Prepares to find one document and update it; see [`FindOneAndModify`].
    fn find_one_and_update(
        &self,
        filter: impl IntoFilter,
        update: impl IntoUpdate,
    ) -> FindOneAndModify<'_>;

    /// Prepares to find one document and replace it; see [`FindOneAndModify`].
    fn find_one_and_replace<'c>(
        &'c self,
        filter: impl IntoFilter,
        document: impl Encode + 'c,
    ) -> FindOneAndModify<'c>;

    /// Prepares to find one document and delete it; see [`FindOneAndModify`].
    fn find_one_and_delete(&self, filter: impl IntoFilter) -> FindOneAndModify<'_>;
}

/// Has a handle write through the trait.
macro_rules! write_through_the_trait {
    ($handle:ty) => {
        // A handle's own method goes before the trait's of the same name: each of these calls that.
        impl WriteCollection for $handle {
            #[inline]
            fn insert(&self, document: impl Encode) -> Result<Id> {
                self.insert(document)
            }

            fn insert_many<D: Encode>(
                &self,
                documents: impl IntoIterator<Item = D>,
            ) -> Result<Vec<Id>> {
                self.insert_many(documents)
            }

            fn put(&self, id: impl AsId, document: impl Encode) -> Result<bool> {
                self.put(id, document)
            }

            fn replace(&self, id: impl AsId, document: impl Encode) -> Result<bool> {
                self.replace(id, document)
            }

            fn delete(&self, id: impl AsId) -> Result<bool> {
                self.delete(id)
            }

            fn update(&self, id: impl AsId, update: impl IntoUpdate) -> Result<bool> {
                self.update(id, update)
            }

            fn update_one(
                &self,
                filter: impl IntoFilter,
                update: impl IntoUpdate,
            ) -> Result<UpdateResult> {
                self.update_one(filter, update)
            }

            fn update_many(
                &self,
                filter: impl IntoFilter,
                update: impl IntoUpdate,
            ) -> Result<UpdateResult> {
                self.update_many(filter, update)
            }

            fn upsert(
                &self,
                filter: impl IntoFilter,
                update: impl IntoUpdate,
            ) -> Result<UpdateResult> {
                self.upsert(filter, update)
            }

            fn replace_one(
                &self,
                filter: impl IntoFilter,
                document: impl Encode,
            ) -> Result<UpdateResult> {
                self.replace_one(filter, document)
            }

            fn replace_or_insert(
                &self,
                filter: impl IntoFilter,
                document: impl Encode,
            ) -> Result<UpdateResult> {
                self.replace_or_insert(filter, document)
            }

            fn delete_one(&self, filter: impl IntoFilter) -> Result<u64> {
                self.delete_one(filter)
            }

            fn delete_many(&self, filter: impl IntoFilter) -> Result<u64> {
                self.delete_many(filter)
            }

            fn bulk_write<'a>(
                &self,
                operations: impl IntoIterator<Item = BulkOperation<'a>>,
            ) -> Result<BulkWriteResult> {
                self.bulk_write(operations)
            }

            fn find_one_and_update(
                &self,
                filter: impl IntoFilter,
                update: impl IntoUpdate,
            ) -> FindOneAndModify<'_> {
                self.find_one_and_update(filter, update)
            }

            fn find_one_and_replace<'c>(
                &'c self,
                filter: impl IntoFilter,
                document: impl Encode + 'c,
            ) -> FindOneAndModify<'c> {
                self.find_one_and_replace(filter, document)
            }

            fn find_one_and_delete(&self, filter: impl IntoFilter) -> FindOneAndModify<'_> {
                self.find_one_and_delete(filter)
            }
        }
    };
}

write_through_the_trait!(Collection);
write_through_the_trait!(TransactionCollection<'_>);
