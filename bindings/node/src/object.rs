//! What JavaScript holds by a number. Clones are the same object.

use std::fmt;
use std::sync::{Arc, Mutex};

use nanodb::{Collection, Database, Snapshot, SnapshotCollection};

use crate::cursor::Portions;
use crate::failure::Result;
use crate::gate::Key;
use crate::transaction::{CollectionInTransaction, OpenTransaction};

/// An object of the database.
#[derive(Clone)]
pub(crate) enum Object {
    Database(Arc<OpenDatabase>),
    Snapshot(Snapshot),
    Transaction(Arc<OpenTransaction>),
    Collection(Arc<CollectionOfDatabase>),
    SnapshotCollection(Arc<SnapshotCollection>),
    TransactionCollection(Arc<CollectionInTransaction>),
    Cursor(Arc<Mutex<Portions>>),
}

/// A database, and the name by which the transactions of this process know it.
#[derive(Debug)]
pub(crate) struct OpenDatabase {
    pub(crate) database: Database,
    pub(crate) file: Arc<str>,
}

/// A collection, not within a transaction.
#[derive(Debug)]
pub(crate) struct CollectionOfDatabase {
    pub(crate) database: Database,
    pub(crate) collection: Collection,
    pub(crate) key: Key,
}

impl Object {
    /// Returns the collection of that name in a database, a snapshot or a transaction; none in
    /// other objects.
    pub(crate) fn collection(&self, name: &str) -> Result<Option<Self>> {
        Ok(match self {
            Self::Database(open) => Some(Self::Collection(Arc::new(CollectionOfDatabase {
                database: open.database.clone(),
                collection: open.database.collection(name),
                key: Key::new(&open.file, name),
            }))),
            Self::Snapshot(snapshot) => {
                Some(Self::SnapshotCollection(Arc::new(snapshot.collection(name))))
            }
            Self::Transaction(transaction) => Some(Self::TransactionCollection(Arc::new(
                CollectionInTransaction::new(transaction, name),
            ))),
            _ => None,
        })
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Database(_) => "Database",
            Self::Snapshot(_) => "Snapshot",
            Self::Transaction(_) => "Transaction",
            Self::Collection(_) => "Collection",
            Self::SnapshotCollection(_) => "SnapshotCollection",
            Self::TransactionCollection(_) => "TransactionCollection",
            Self::Cursor(_) => "Cursor",
        })
    }
}
