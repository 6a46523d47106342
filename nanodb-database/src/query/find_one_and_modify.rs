//! Finding one document and changing it, as one step.

use std::fmt;

use nanodb_query::bytes::ProjectionBytes;
use nanodb_query::{
    Filter, IntoFilter, IntoProjection, IntoSort, IntoUpdate, Projection, Sort, Update,
};

use super::cursor::projected;
use super::find::Find;
use super::modify::{Action, change, check, context, id_of, insert};
use super::source::Source;
use crate::collection::Collection;
use crate::error::{Result, not_for_deletion};
use crate::transaction_collection::TransactionCollection;
use nanodb_collection::StoredDoc;
use nanodb_document::Encode;

/// A search for one document that also updates, replaces or deletes it, in one step.
///
/// Made by [`Collection::find_one_and_update`] and its siblings, and carried out by
/// [`run`](Self::run). It stays on the thread that prepares it, as a [`Find`] does.
///
/// ```
/// # extern crate nanodb_database as nanodb;
/// use nanodb::{Database, Sort, Update, doc, field};
///
/// # fn main() -> Result<(), nanodb::Error> {
/// let jobs = Database::in_memory()?.collection("jobs");
/// jobs.insert_many([doc! { "state": "new", "urgency": 1 }, doc! { "state": "new", "urgency": 5 }])?;
///
/// let take = Update::new().set("state", "taken");
/// let job = jobs
///     .find_one_and_update(field("state").eq("new"), take)
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
    change: Change<'c>,
    upserts: bool,
    returns_new: bool,
}

/// What happens to the document that is found.
enum Change<'c> {
    Update(Update),
    Replace(Box<dyn Encode + 'c>),
    Delete,
}

impl Change<'_> {
    /// Returns the change as an action; none for a deletion.
    fn action(&self) -> Option<Action<'_>> {
        match self {
            Self::Update(update) => Some(Action::Update(update)),
            Self::Replace(document) => Some(Action::Replace(&**document)),
            Self::Delete => None,
        }
    }
}

#[derive(Clone)]
enum Target<'c> {
    Collection(&'c Collection),
    Transaction(&'c TransactionCollection<'c>),
}

impl<'c> FindOneAndModify<'c> {
    fn new(target: Target<'c>, filter: Filter, change: Change<'c>) -> Self {
        Self {
            target,
            filter,
            sort: Sort::default(),
            projection: Projection::all(),
            change,
            upserts: false,
            returns_new: false,
        }
    }

    /// Sets the order: of the documents that match, the first in this order is changed.
    pub fn sort(mut self, sort: impl IntoSort) -> Self {
        self.sort = sort.into_sort();
        self
    }

    /// Sets which fields of the document are returned; all by default.
    pub fn projection(mut self, projection: impl IntoProjection) -> Self {
        self.projection = projection.into_projection();
        self
    }

    /// Has [`run`](Self::run) return the document as it is after the change, not as it was before.
    ///
    /// Not for [`find_one_and_delete`](Collection::find_one_and_delete): nothing is there after it.
    pub fn return_new(mut self) -> Self {
        self.returns_new = true;
        self
    }

    /// Has a document inserted if none matches; see [`Collection::upsert`].
    ///
    /// Not for [`find_one_and_delete`](Collection::find_one_and_delete), which has none to insert.
    pub fn upsert(mut self) -> Self {
        self.upserts = true;
        self
    }

    /// Changes the document and returns it, as it was before unless
    /// [`return_new`](Self::return_new) was called.
    ///
    /// Returns `None` if no document matched; also if one was inserted and the new one was not
    /// asked for.
    ///
    /// # Errors
    ///
    /// Same as [`Collection::update_one`]; [`Invalid`](crate::ErrorKind::Invalid) if the new
    /// document is asked for with a projection by `$`, or [`upsert`](Self::upsert) or
    /// [`return_new`](Self::return_new) was called for a deletion.
    pub fn run(self) -> Result<Option<StoredDoc>> {
        self.projection.check()?;
        self.check_deletion()?;
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

    /// Refuses what has no meaning for a deletion.
    fn check_deletion(&self) -> Result<()> {
        match self.change {
            Change::Delete if self.upserts => Err(not_for_deletion("upsert")),
            Change::Delete if self.returns_new => Err(not_for_deletion("return_new")),
            _ => Ok(()),
        }
    }

    /// The name of the collection.
    #[cfg(feature = "serde")]
    pub(super) fn collection(&self) -> &str {
        match &self.target {
            Target::Collection(collection) => collection.name(),
            Target::Transaction(collection) => collection.name(),
        }
    }

    fn run_in(&self, collection: &TransactionCollection<'_>) -> Result<Option<StoredDoc>> {
        collection.check_access()?;
        if let Change::Update(update) = &self.change {
            update.check()?;
        }
        let find = Find::new(Source::Transaction(collection), self.filter.clone());
        let Some(before) = find.sort(self.sort.clone()).first()? else {
            return match self.change.action() {
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
        let Some(action) = self.change.action() else {
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
    /// Prepares to find one document that matches a filter and update it, in one step; see
    /// [`FindOneAndModify`].
    pub fn find_one_and_update(
        &self,
        filter: impl IntoFilter,
        update: impl IntoUpdate,
    ) -> FindOneAndModify<'_> {
        let change = Change::Update(update.into_update());
        FindOneAndModify::new(Target::Collection(self), filter.into_filter(), change)
    }

    /// Prepares to find one document that matches a filter and replace it, in one step; see
    /// [`FindOneAndModify`]. The new document keeps the id.
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use nanodb::{Database, doc, field};
    ///
    /// # fn main() -> Result<(), nanodb::Error> {
    /// let users = Database::in_memory()?.collection("users");
    /// users.insert(doc! { "_id": 5, "name": "Alice" })?;
    /// let new = doc! { "name": "Bob" };
    /// let before = users.find_one_and_replace(field("name").eq("Alice"), new).run()?;
    /// assert_eq!(before.map(|user| user.to_document()).transpose()?, Some(doc! { "_id": 5, "name": "Alice" }));
    /// # Ok(())
    /// # }
    /// ```
    pub fn find_one_and_replace<'c>(
        &'c self,
        filter: impl IntoFilter,
        document: impl Encode + 'c,
    ) -> FindOneAndModify<'c> {
        FindOneAndModify::new(
            Target::Collection(self),
            filter.into_filter(),
            Change::Replace(Box::new(document)),
        )
    }

    /// Prepares to find one document that matches a filter and delete it, in one step; see
    /// [`FindOneAndModify`].
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use nanodb::{Database, Sort, doc, field};
    ///
    /// # fn main() -> Result<(), nanodb::Error> {
    /// let queue = Database::in_memory()?.collection("queue");
    /// queue.insert_many([doc! { "n": 7 }, doc! { "n": 8 }])?;
    /// let next = queue.find_one_and_delete(field("n").gt(0)).sort(Sort::ascending("_id")).run()?;
    /// assert_eq!(next.and_then(|next| next.get("n")?.as_i64()), Some(7));
    /// assert_eq!(queue.count()?, 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn find_one_and_delete(&self, filter: impl IntoFilter) -> FindOneAndModify<'_> {
        FindOneAndModify::new(Target::Collection(self), filter.into_filter(), Change::Delete)
    }
}

impl TransactionCollection<'_> {
    /// Prepares to find one document that matches a filter and update it; see
    /// [`FindOneAndModify`].
    pub fn find_one_and_update(
        &self,
        filter: impl IntoFilter,
        update: impl IntoUpdate,
    ) -> FindOneAndModify<'_> {
        let change = Change::Update(update.into_update());
        FindOneAndModify::new(Target::Transaction(self), filter.into_filter(), change)
    }

    /// Prepares to find one document that matches a filter and replace it; see
    /// [`FindOneAndModify`].
    pub fn find_one_and_replace<'c>(
        &'c self,
        filter: impl IntoFilter,
        document: impl Encode + 'c,
    ) -> FindOneAndModify<'c> {
        FindOneAndModify::new(
            Target::Transaction(self),
            filter.into_filter(),
            Change::Replace(Box::new(document)),
        )
    }

    /// Prepares to find one document that matches a filter and delete it; see
    /// [`FindOneAndModify`].
    pub fn find_one_and_delete(&self, filter: impl IntoFilter) -> FindOneAndModify<'_> {
        FindOneAndModify::new(Target::Transaction(self), filter.into_filter(), Change::Delete)
    }
}
