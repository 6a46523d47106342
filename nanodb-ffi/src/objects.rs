//! What handles stand for.

use std::sync::Arc;

use nanodb::{Collection, Cursor, Database, Scan, Snapshot, SnapshotCollection, Transaction};
use parking_lot::Mutex;

use crate::failure::{Failure, Result};
use crate::status::{
    NANODB_CLOSED, NANODB_EXHAUSTED, NANODB_LOCKED, NANODB_READ_ONLY, NANODB_TRANSACTION_OVER,
};
use crate::table::{Missing, Table};
use crate::types::{
    nanodb_collection, nanodb_cursor, nanodb_db, nanodb_snapshot, nanodb_transaction,
};

static OBJECTS: Table<Object> = Table::new();

enum Object {
    Database(Database),
    Collection(Target),
    Transaction(Arc<OpenTransaction>),
    Snapshot(Snapshot),
    Cursor(Mutex<OpenCursor>),
}

/// What the verbs work on.
pub(crate) enum Target {
    /// A collection, and its database.
    Collection(Collection, Database),
    Snapshot(SnapshotCollection),
    /// The collection of that name in a transaction.
    Transaction(Arc<OpenTransaction>, Box<str>),
}

/// A transaction, until it is committed or rolled back. One call at a time uses it; others wait.
pub(crate) struct OpenTransaction(Mutex<Option<Transaction>>);

/// Where the documents of a cursor come from, and what it owes.
pub(crate) struct OpenCursor {
    pub(crate) source: CursorSource,
    /// An error that came behind documents, which were handed out before it.
    pub(crate) pending: Option<Failure>,
}

pub(crate) enum CursorSource {
    Find(Box<Cursor>),
    Scan(Box<Scan>),
}

impl OpenTransaction {
    pub(crate) fn new(transaction: Transaction) -> Self {
        Self(Mutex::new(Some(transaction)))
    }

    /// Calls `run` with the transaction, if it is not over.
    pub(crate) fn with<R>(&self, run: impl FnOnce(&Transaction) -> Result<R>) -> Result<R> {
        match &*self.0.lock() {
            Some(transaction) => run(transaction),
            None => Err(over()),
        }
    }

    /// Takes the transaction out, which ends all use of it.
    pub(crate) fn take(&self) -> Result<Transaction> {
        self.0.lock().take().ok_or_else(over)
    }
}

#[cold]
fn over() -> Failure {
    let text = "the transaction was committed or rolled back";
    Failure::Own(NANODB_TRANSACTION_OVER, text.into())
}

impl Target {
    /// Why a collection of a snapshot is not written to.
    #[cold]
    pub(crate) fn read_only() -> Failure {
        Failure::Own(NANODB_READ_ONLY, "the collection is one of a snapshot".into())
    }
}

/// Calls a function that is generic over [`nanodb::ReadCollection`] with the target's collection.
macro_rules! reading {
    ($target:expr, $collection:ident => $run:expr) => {
        match $target {
            $crate::objects::Target::Collection($collection, _) => $run,
            $crate::objects::Target::Snapshot($collection) => $run,
            $crate::objects::Target::Transaction(transaction, name) => {
                transaction.with(|transaction| {
                    let $collection = &transaction.collection(name);
                    $run
                })
            }
        }
    };
}

/// Calls a function that is generic over [`nanodb::WriteCollection`] with the target's collection.
macro_rules! writing {
    ($target:expr, $collection:ident => $run:expr) => {
        match $target {
            $crate::objects::Target::Collection($collection, _) => $run,
            $crate::objects::Target::Snapshot(_) => Err($crate::objects::Target::read_only()),
            $crate::objects::Target::Transaction(transaction, name) => {
                transaction.with(|transaction| {
                    let $collection = &transaction.collection(name);
                    $run
                })
            }
        }
    };
}

pub(crate) use {reading, writing};

/// Makes the functions of a type of handle.
macro_rules! handles {
    ($($type:ident, $kind:literal, $variant:ident($object:ty), $what:literal,
       $insert:ident, $with:ident, $remove:ident;)*) => {$(
        /// Gives out a handle.
        pub(crate) fn $insert(object: $object) -> Result<$type> {
            let id = OBJECTS.insert($kind, Object::$variant(object));
            id.map(|id| $type { id }).ok_or_else(too_many)
        }

        /// Calls `run` with what a handle stands for.
        #[inline]
        pub(crate) fn $with<R>(
            handle: $type,
            run: impl FnOnce(&$object) -> Result<R>,
        ) -> Result<R> {
            let found = OBJECTS.with($kind, handle.id, |object| match object {
                Object::$variant(object) => run(object),
                // The kind is a part of the handle.
                _ => Err(missing($what, Missing::Foreign)),
            });
            found.unwrap_or_else(|why| Err(missing($what, why)))
        }

        /// Frees a handle; nothing happens if it stands for nothing. What is freed is dropped when
        /// no call uses it any more.
        pub(crate) fn $remove(handle: $type) {
            drop(OBJECTS.remove($kind, handle.id));
        }
    )*};
}

handles! {
    nanodb_db, 1, Database(Database), "database",
        insert_database, with_database, remove_database;
    nanodb_collection, 2, Collection(Target), "collection",
        insert_collection, with_collection, remove_collection;
    nanodb_transaction, 3, Transaction(Arc<OpenTransaction>), "transaction",
        insert_transaction, with_transaction, remove_transaction;
    nanodb_snapshot, 4, Snapshot(Snapshot), "snapshot",
        insert_snapshot, with_snapshot, remove_snapshot;
    nanodb_cursor, 5, Cursor(Mutex<OpenCursor>), "cursor",
        insert_cursor, with_cursor, remove_cursor;
}

/// Returns how many handles are in use.
pub(crate) fn live() -> usize {
    OBJECTS.live()
}

#[cold]
fn missing(what: &str, why: Missing) -> Failure {
    match why {
        Missing::Null => Failure::misuse(format!("the handle of the {what} is zero")),
        Missing::Foreign => Failure::misuse(format!("the handle is not one of a {what}")),
        Missing::Freed => {
            Failure::Own(NANODB_CLOSED, format!("the handle of the {what} was freed").into())
        }
        Missing::Inherited => {
            let text = format!(
                "the {what} was opened by the process that this one was forked from: open the \
                 database here, once that has closed it"
            );
            Failure::Own(NANODB_LOCKED, text.into())
        }
    }
}

#[cold]
fn too_many() -> Failure {
    let text = "too many handles are in use: free those that are not needed";
    Failure::Own(NANODB_EXHAUSTED, text.into())
}
