//! Finding one document and changing it, as one step.

use std::fmt;

use nanodb_query::{Filter, Projection, Sort, Update};

use super::cursor::projected;
use super::find::Find;
use super::modify::{Action, change, check, context, id_of, insert};
use super::source::Source;
use crate::collection::Collection;
use crate::error::Result;
use crate::transaction_collection::TransactionCollection;
use nanodb_collection::StoredDoc;
use nanodb_document::Encode;

/// Finding one document and changing or deleting it, under preparation; made by
/// [`Collection::find_one_and_update`] and its siblings, and run by [`run`](Self::run).
///
/// ```
/// # extern crate nanodb_database as nanodb;
/// use nanodb::{Database, Sort, Update, doc, field};
///
/// # fn main() -> Result<(), nanodb::Error> {
/// let jobs = Database::in_memory()?.collection("jobs");
/// jobs.insert_many([doc! { "state": "new", "urgency": 1 }, doc! { "state": "new", "urgency": 5 }])?;
///
/// let take = Update::parse_json(r#"{"$set": {"state": "taken"}}"#)?;
/// let job = jobs
///     .find_one_and_update(field("state").eq("new"), &take)
///     .sort(Sort::descending("urgency"))
///     .return_new()
///     .run()?
///     .expect("there are jobs");
/// assert_eq!(job.to_document()?, doc! { "_id": 2, "state": "taken", "urgency": 5 });
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is done until it is run"]
pub struct FindOneAndModify<'c> {
    target: Target<'c>,
    filter: Filter,
    sort: Sort,
    projection: Projection,
    /// What is to be done; none to delete.
    action: Option<Action<'c>>,
    upserts: bool,
    returns_new: bool,
}

#[derive(Clone)]
enum Target<'c> {
    Collection(&'c Collection),
    Transaction(&'c TransactionCollection<'c>),
}

impl<'c> FindOneAndModify<'c> {
    fn new(target: Target<'c>, filter: Filter, action: Option<Action<'c>>) -> Self {
        Self {
            target,
            filter,
            sort: Sort::default(),
            projection: Projection::all(),
            action,
            upserts: false,
            returns_new: false,
        }
    }

    /// Of the documents that pass, the first in this order is taken.
    pub fn sort(mut self, sort: Sort) -> Self {
        self.sort = sort;
        self
    }

    /// Which fields of the document are returned.
    pub fn projection(mut self, projection: Projection) -> Self {
        self.projection = projection;
        self
    }

    /// Returns the document as it is after the change, not as it was before.
    pub fn return_new(mut self) -> Self {
        self.returns_new = true;
        self
    }

    /// Inserts a document if none passes; see [`Collection::upsert`].
    pub fn upsert(mut self) -> Self {
        self.upserts = true;
        self
    }

    /// Does it, and returns the document; `None` if no document passed, and, unless the new one is
    /// asked for, if one was inserted.
    ///
    /// # Errors
    ///
    /// As [`Collection::update_one`]; [`Error::Query`](crate::Error::Query) if the new document is asked for with
    /// a projection by `$`.
    pub fn run(self) -> Result<Option<StoredDoc>> {
        // The filter says nothing of the elements of the new document.
        if let Some(error) = self.projection.no_match().filter(|_| self.returns_new) {
            return Err(error.into());
        }
        match self.target.clone() {
            Target::Collection(collection) => {
                collection.in_transaction(|collection| self.run_in(collection))
            }
            Target::Transaction(collection) => self.run_in(collection),
        }
    }

    fn run_in(&self, collection: &TransactionCollection<'_>) -> Result<Option<StoredDoc>> {
        collection.check_access()?;
        let find = Find::new(Source::Transaction(collection), self.filter.clone());
        let Some(before) = find.sort(self.sort.clone()).first()? else {
            return match self.action {
                Some(action) if self.upserts => {
                    let id = insert(collection, &self.filter, action)?;
                    let new = if self.returns_new { collection.get(&id)? } else { None };
                    self.returned(collection.name(), new)
                }
                action => action.map_or(Ok(()), check).map(|()| None),
            };
        };
        let blame = |error| before.blame(collection.name(), error);
        let id = id_of(&before).map_err(blame)?;
        let Some(action) = self.action else {
            collection.delete(id)?;
            return self.returned(collection.name(), Some(before));
        };
        change(collection, &self.filter, action, &context(), &before).map_err(blame)?;
        let document = if self.returns_new { collection.get(id)? } else { Some(before) };
        self.returned(collection.name(), document)
    }

    fn returned(&self, name: &str, document: Option<StoredDoc>) -> Result<Option<StoredDoc>> {
        let Some(document) = document else { return Ok(None) };
        if self.projection.is_all() {
            return Ok(Some(document));
        }
        let made = projected(&self.projection, &self.filter, &document);
        Ok(Some(StoredDoc::made(made.map_err(|error| document.blame(name, error))?)))
    }
}

impl fmt::Debug for FindOneAndModify<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FindOneAndModify").field("filter", &self.filter).finish_non_exhaustive()
    }
}

impl Collection {
    /// Finds one document that passes a filter and updates it, as one step; see [`FindOneAndModify`].
    pub fn find_one_and_update<'c>(
        &'c self,
        filter: impl Into<Filter>,
        update: &'c Update,
    ) -> FindOneAndModify<'c> {
        FindOneAndModify::new(Target::Collection(self), filter.into(), Some(Action::Update(update)))
    }

    /// Finds one document that passes a filter and stores another one in its place, with its id, as one
    /// step; see [`FindOneAndModify`].
    pub fn find_one_and_replace<'c>(
        &'c self,
        filter: impl Into<Filter>,
        document: &'c impl Encode,
    ) -> FindOneAndModify<'c> {
        FindOneAndModify::new(
            Target::Collection(self),
            filter.into(),
            Some(Action::Replace(document)),
        )
    }

    /// Finds one document that passes a filter and deletes it, as one step; see [`FindOneAndModify`].
    pub fn find_one_and_delete(&self, filter: impl Into<Filter>) -> FindOneAndModify<'_> {
        FindOneAndModify::new(Target::Collection(self), filter.into(), None)
    }
}

impl TransactionCollection<'_> {
    /// Finds one document that passes a filter and updates it; see [`FindOneAndModify`].
    pub fn find_one_and_update<'c>(
        &'c self,
        filter: impl Into<Filter>,
        update: &'c Update,
    ) -> FindOneAndModify<'c> {
        FindOneAndModify::new(
            Target::Transaction(self),
            filter.into(),
            Some(Action::Update(update)),
        )
    }

    /// Finds one document that passes a filter and stores another one in its place; see [`FindOneAndModify`].
    pub fn find_one_and_replace<'c>(
        &'c self,
        filter: impl Into<Filter>,
        document: &'c impl Encode,
    ) -> FindOneAndModify<'c> {
        FindOneAndModify::new(
            Target::Transaction(self),
            filter.into(),
            Some(Action::Replace(document)),
        )
    }

    /// Finds one document that passes a filter and deletes it; see [`FindOneAndModify`].
    pub fn find_one_and_delete(&self, filter: impl Into<Filter>) -> FindOneAndModify<'_> {
        FindOneAndModify::new(Target::Transaction(self), filter.into(), None)
    }
}
