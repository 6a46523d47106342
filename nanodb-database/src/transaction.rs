//! Transactions, as users hold them.

use std::fmt;
use std::sync::Arc;

use nanodb_collection::{Call, Durability, Opening, Txn};

use crate::error::Result;

/// Changes to any number of collections that are made as a whole or not at all.
///
/// Begun by [`Database::begin_write`](crate::Database::begin_write), or by
/// [`Database::write`](crate::Database::write), which commits it and runs it again after a
/// conflict.
///
/// Transactions are serializable: the outcome is as if they had run one after the other. A
/// transaction locks a collection when it first reads or writes it, and holds the lock until it
/// ends; other writers of that collection wait, readers outside of transactions do not. When two
/// transactions wait for each other, one gets [`Conflict`](crate::ErrorKind::Conflict) and is
/// rolled back.
///
/// Which collections there are is no part of it:
/// [`Database::collections`](crate::Database::collections) lists those of the newest commit, and
/// renaming or dropping one is a commit of its own.
///
/// Dropping a transaction rolls it back. It can be sent to another thread.
///
/// ```
/// # extern crate nanodb_database as nanodb;
/// use nanodb::{Database, doc};
///
/// # fn main() -> Result<(), nanodb::Error> {
/// let db = Database::in_memory()?;
/// let tx = db.begin_write();
/// tx.collection("users").insert(doc! { "_id": "alice" })?;
/// tx.collection("log").insert(doc! { "what": "alice came" })?;
/// assert!(tx.collection("users").contains("alice")?);
/// assert_eq!(db.collection("users").count()?, 0);
/// tx.commit()?;
/// assert_eq!(db.collection("users").count()?, 1);
/// # Ok(())
/// # }
/// ```
#[must_use = "a transaction that is dropped does nothing"]
pub struct Transaction {
    pub(crate) txn: Txn,
}

impl Transaction {
    pub(crate) fn new(opening: Arc<Opening>) -> Self {
        Self { txn: Txn::new(opening) }
    }

    /// One that is over before the call is.
    pub(crate) fn within(call: &Call<'_>, opening: Arc<Opening>) -> Self {
        Self { txn: Txn::within(call, opening) }
    }

    /// Overrides the database's durability for this transaction; see [`Durability`].
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use nanodb::{Database, Durability, doc};
    ///
    /// # fn main() -> Result<(), nanodb::Error> {
    /// let db = Database::in_memory()?;
    /// let tx = db.begin_write();
    /// tx.set_durability(Durability::Buffered); // commit does not wait for the disk
    /// tx.collection("events").insert(doc! { "n": 1 })?;
    /// tx.commit()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_durability(&self, durability: Durability) {
        self.txn.set_durability(durability);
    }

    /// Makes all changes visible to others, at once, and as durable as its [`Durability`] says.
    ///
    /// A transaction that changed nothing waits until what it has read is as durable as its writers
    /// asked.
    ///
    /// # Errors
    ///
    /// [`Conflict`](crate::ErrorKind::Conflict) or
    /// [`TransactionOver`](crate::ErrorKind::TransactionOver) if it was rolled back before;
    /// [`TooLarge`](crate::ErrorKind::TooLarge), [`Io`](crate::ErrorKind::Io) or
    /// [`Poisoned`](crate::ErrorKind::Poisoned). After `Poisoned` the changes may turn out to have
    /// survived when the file is opened again; after the others nothing has changed.
    pub fn commit(self) -> Result<()> {
        Ok(self.txn.commit()?)
    }

    /// Discards all changes. Dropping the transaction does the same.
    ///
    /// What it has read may not be durable yet, and others may not see it yet: commit a transaction
    /// that only reads.
    ///
    /// ```
    /// # extern crate nanodb_database as nanodb;
    /// use nanodb::{Database, doc};
    ///
    /// # fn main() -> Result<(), nanodb::Error> {
    /// let db = Database::in_memory()?;
    /// let tx = db.begin_write();
    /// tx.collection("users").insert(doc! {})?;
    /// tx.rollback();
    /// assert_eq!(db.collection("users").count()?, 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn rollback(self) {}
}

impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_over = self.txn.is_finished();
        f.debug_struct("Transaction").field("is_over", &is_over).finish_non_exhaustive()
    }
}
