//! Several writes in one call.

use std::collections::BTreeMap;
use std::fmt;

use nanodb_query::{Filter, IntoFilter, IntoUpdate, Update};

use super::modify::{Action, UpdateResult, Which, delete, update, upsert};
use crate::collection::Collection;
use crate::error::{Result, bulk_write};
use crate::transaction_collection::TransactionCollection;
use nanodb_document::Id;
use nanodb_document::{Encode, ErrorKind};

/// One write of a bulk write; see [`Collection::bulk_write`].
///
/// It can be sent to another thread, a writer of its own for example: its document must be `Send`.
///
/// ```
/// # extern crate nanodb_database as nanodb;
/// use nanodb::{BulkOperation, Database, doc, field};
///
/// # fn main() -> Result<(), nanodb::Error> {
/// let stock = Database::in_memory()?.collection("stock");
/// let operations = [
///     BulkOperation::insert(doc! { "_id": "tea", "count": 5 }),
///     BulkOperation::replace_one(field("_id").eq("tea"), doc! { "count": 6 }),
/// ];
/// assert_eq!(stock.bulk_write(operations)?.modified, 1);
/// # Ok(())
/// # }
/// ```
#[must_use = "an operation does nothing until it is handed to `bulk_write`"]
pub struct BulkOperation<'a>(Operation<'a>);

enum Operation<'a> {
    Insert(Box<dyn Encode + Send + 'a>),
    Update { filter: Filter, update: Update, which: Matched },
    Replace { filter: Filter, document: Box<dyn Encode + Send + 'a>, which: Matched },
    Delete { filter: Filter, which: Matched },
}

/// Which of the matching documents are changed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Matched {
    One,
    OneOrNew,
    All,
}

impl<'a> BulkOperation<'a> {
    /// Makes the operation that [`Collection::insert`] does.
    pub fn insert(document: impl Encode + Send + 'a) -> Self {
        Self(Operation::Insert(Box::new(document)))
    }

    /// Makes the operation that [`Collection::update_one`] does.
    pub fn update_one(filter: impl IntoFilter, update: impl IntoUpdate) -> Self {
        Self(Operation::Update {
            filter: filter.into_filter(),
            update: update.into_update(),
            which: Matched::One,
        })
    }

    /// Makes the operation that [`Collection::update_many`] does.
    pub fn update_many(filter: impl IntoFilter, update: impl IntoUpdate) -> Self {
        Self(Operation::Update {
            filter: filter.into_filter(),
            update: update.into_update(),
            which: Matched::All,
        })
    }

    /// Makes the operation that [`Collection::upsert`] does.
    pub fn upsert(filter: impl IntoFilter, update: impl IntoUpdate) -> Self {
        Self(Operation::Update {
            filter: filter.into_filter(),
            update: update.into_update(),
            which: Matched::OneOrNew,
        })
    }

    /// Makes the operation that [`Collection::replace_one`] does.
    pub fn replace_one(filter: impl IntoFilter, document: impl Encode + Send + 'a) -> Self {
        Self::replace(filter.into_filter(), Box::new(document), Matched::One)
    }

    /// Makes the operation that [`Collection::replace_or_insert`] does.
    pub fn replace_or_insert(filter: impl IntoFilter, document: impl Encode + Send + 'a) -> Self {
        Self::replace(filter.into_filter(), Box::new(document), Matched::OneOrNew)
    }

    fn replace(filter: Filter, document: Box<dyn Encode + Send + 'a>, which: Matched) -> Self {
        Self(Operation::Replace { filter, document, which })
    }

    /// Makes the operation that [`Collection::delete_one`] does.
    pub fn delete_one(filter: impl IntoFilter) -> Self {
        Self(Operation::Delete { filter: filter.into_filter(), which: Matched::One })
    }

    /// Makes the operation that [`Collection::delete_many`] does.
    pub fn delete_many(filter: impl IntoFilter) -> Self {
        Self(Operation::Delete { filter: filter.into_filter(), which: Matched::All })
    }
}

impl fmt::Debug for BulkOperation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, filter) = match &self.0 {
            Operation::Insert(_) => ("insert", None),
            Operation::Update { filter, .. } => ("update", Some(filter)),
            Operation::Replace { filter, .. } => ("replace", Some(filter)),
            Operation::Delete { filter, .. } => ("delete", Some(filter)),
        };
        f.debug_struct("BulkOperation")
            .field("operation", &name)
            .field("filter", &filter)
            .finish_non_exhaustive()
    }
}

/// What all operations of a bulk write did together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BulkWriteResult {
    /// How many documents inserts have added.
    pub inserted: u64,
    /// How many documents matched the filters of updates and replacements.
    pub matched: u64,
    /// How many documents were actually changed.
    pub modified: u64,
    /// How many documents were deleted.
    pub deleted: u64,
    /// How many documents upserts have added because none matched.
    pub upserted: u64,
    /// The ids of the documents that inserts added, by the operation's position, counted from 0.
    pub inserted_ids: BTreeMap<usize, Id>,
    /// The ids of the documents that upserts added, likewise.
    pub upserted_ids: BTreeMap<usize, Id>,
}

impl BulkWriteResult {
    fn add(&mut self, position: usize, updated: UpdateResult) {
        self.matched += updated.matched;
        self.modified += updated.modified;
        if let Some(id) = updated.upserted {
            self.upserted += 1;
            self.upserted_ids.insert(position, id);
        }
    }
}

impl Collection {
    /// Makes several writes as one commit, all or none. Each sees what those before it did.
    ///
    /// One commit is what makes it faster than as many calls.
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use nanodb::{BulkOperation, Database, Update, doc, field};
    ///
    /// # fn main() -> Result<(), nanodb::Error> {
    /// let stock = Database::in_memory()?.collection("stock");
    /// let done = stock.bulk_write([
    ///     BulkOperation::insert(doc! { "_id": "tea", "count": 5 }),
    ///     BulkOperation::insert(doc! { "_id": "milk", "count": 1 }),
    ///     BulkOperation::update_many(field("count").gt(0), Update::new().inc("count", -1)),
    ///     BulkOperation::delete_many(field("count").eq(0)),
    ///     BulkOperation::replace_or_insert(field("_id").eq("sugar"), doc! { "count": 9 }),
    /// ])?;
    /// assert_eq!((done.inserted, done.modified, done.deleted), (2, 2, 1));
    /// assert_eq!(done.inserted_ids[&1], "milk".into());
    /// assert_eq!(done.upserted_ids[&4], "sugar".into());
    ///
    /// let done = stock.bulk_write([
    ///     BulkOperation::delete_one(field("_id").eq("sugar")),
    ///     BulkOperation::insert(doc! { "_id": "tea" }),
    /// ]);
    /// let error = done.unwrap_err();
    /// assert_eq!(error.operation(), Some(1));
    /// assert_eq!(
    ///     error.to_string(),
    ///     "operation 1 of the bulk write, counted from 0: \
    ///      collection \"stock\" already has a document with the id \"tea\"",
    /// );
    /// assert!(stock.contains("sugar")?); // nothing was done
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// That of the first operation that failed, with its [position](crate::Error::operation);
    /// those before it are undone, and those after it were not tried.
    /// [`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge) and other errors of a commit.
    pub fn bulk_write<'a>(
        &self,
        operations: impl IntoIterator<Item = BulkOperation<'a>>,
    ) -> Result<BulkWriteResult> {
        let operations: Vec<_> = operations.into_iter().collect();
        self.in_transaction(|collection| run(collection, &operations, true))
    }
}

impl TransactionCollection<'_> {
    /// Makes several writes, one after the other; see [`Collection::bulk_write`].
    ///
    /// The first one that fails ends the call. Those before it stay done, as if each had been
    /// called on its own, and the transaction can go on; roll it back to undo them.
    ///
    /// # Errors
    ///
    /// Same as [`Collection::bulk_write`] and [`count`](Self::count).
    pub fn bulk_write<'a>(
        &self,
        operations: impl IntoIterator<Item = BulkOperation<'a>>,
    ) -> Result<BulkWriteResult> {
        let operations: Vec<_> = operations.into_iter().collect();
        run(self, &operations, false)
    }
}

fn run(
    collection: &TransactionCollection<'_>,
    operations: &[BulkOperation<'_>],
    or_give_up: bool,
) -> Result<BulkWriteResult> {
    collection.check_access()?;
    let mut written = BulkWriteResult::default();
    for (position, operation) in operations.iter().enumerate() {
        run_one(collection, position, &operation.0, or_give_up, &mut written).map_err(|error| {
            match error.kind() {
                // Of the transaction, whatever it was about to do.
                ErrorKind::Conflict | ErrorKind::TransactionOver | ErrorKind::Closed => error,
                _ => bulk_write(position, error),
            }
        })?;
    }
    Ok(written)
}

fn run_one(
    collection: &TransactionCollection<'_>,
    position: usize,
    operation: &Operation<'_>,
    or_give_up: bool,
    written: &mut BulkWriteResult,
) -> Result<()> {
    let all = Which::All { or_give_up };
    let changed = |filter, action, which| match which {
        Matched::One => update(collection, filter, action, Which::First),
        Matched::OneOrNew => upsert(collection, filter, action),
        Matched::All => update(collection, filter, action, all),
    };
    match operation {
        Operation::Insert(document) => {
            let id = collection.insert(&**document)?;
            written.inserted += 1;
            written.inserted_ids.insert(position, id);
        }
        Operation::Update { filter, update, which } => {
            written.add(position, changed(filter, Action::Update(update), *which)?);
        }
        Operation::Replace { filter, document, which } => {
            written.add(position, changed(filter, Action::Replace(&**document), *which)?);
        }
        Operation::Delete { filter, which } => {
            let which = if *which == Matched::All { all } else { Which::First };
            written.deleted += delete(collection, filter, which)?;
        }
    }
    Ok(())
}
