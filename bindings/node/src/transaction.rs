//! Transactions: several writes as one.
//!
//! JavaScript sends one step of a transaction after the other; should two come at once, the second
//! waits for the lock.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use nanodb::{Durability, Transaction, TransactionCollection};

use crate::failure::{Failure, Result};
use crate::gate::{self, Answer, Key};
use crate::object::{Object, OpenDatabase};
use crate::operation::Operation;
use crate::reply::Reply;
use crate::request::Request;

/// A transaction until it ends.
pub(crate) struct OpenTransaction {
    number: u64,
    /// The thread of JavaScript that began it.
    thread: u32,
    file: Arc<str>,
    transaction: Mutex<Option<Transaction>>,
}

impl OpenTransaction {
    /// Begins one.
    pub(crate) fn begin(open: &OpenDatabase, request: Request<'_>) -> Result<Self> {
        let thread = request.number("thread")?.unwrap_or_default();
        let transaction = open.database.begin_write();
        if let Some(name) = request.optional_text("durability") {
            transaction.set_durability(durability(name)?);
        }
        Ok(Self {
            number: gate::next_transaction(),
            thread: u32::try_from(thread).unwrap_or(u32::MAX),
            file: Arc::clone(&open.file),
            transaction: Mutex::new(Some(transaction)),
        })
    }

    fn take(&self) -> Result<Transaction> {
        let mut transaction = self.transaction.lock().unwrap_or_else(PoisonError::into_inner);
        transaction.take().ok_or_else(Failure::over)
    }

    /// Ends it.
    pub(crate) fn run(&self, operation: Operation, reply: &mut Reply) -> Result<()> {
        reply.nothing();
        match operation {
            Operation::Commit => {
                let committed = self.take().and_then(|transaction| Ok(transaction.commit()?));
                gate::release(self.number);
                committed
            }
            Operation::Rollback => {
                if let Ok(transaction) = self.take() {
                    transaction.rollback();
                }
                gate::release(self.number);
                Ok(())
            }
            _ => Err(Failure::request("an operation of a transaction")),
        }
    }
}

impl Drop for OpenTransaction {
    fn drop(&mut self) {
        // First the transaction, then the way to what it held.
        drop(self.take());
        gate::release(self.number);
    }
}

impl fmt::Debug for OpenTransaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenTransaction").field("number", &self.number).finish_non_exhaustive()
    }
}

/// A collection as a transaction sees it.
#[derive(Debug)]
pub(crate) struct CollectionInTransaction {
    transaction: Arc<OpenTransaction>,
    name: String,
    key: Key,
}

impl CollectionInTransaction {
    /// Returns the collection of that name.
    pub(crate) fn new(transaction: &Arc<OpenTransaction>, name: &str) -> Self {
        let key = Key::new(&transaction.file, name);
        Self { transaction: Arc::clone(transaction), name: name.to_owned(), key }
    }

    /// Returns whether a step may begin.
    pub(crate) fn ask(&self) -> Answer {
        gate::hold(&self.key, self.transaction.number, self.transaction.thread)
    }

    /// Runs a step.
    pub(crate) fn with<T>(
        &self,
        run: impl FnOnce(&TransactionCollection<'_>) -> Result<T>,
    ) -> Result<T> {
        let held = self.transaction.transaction.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = held.as_ref().ok_or_else(Failure::over)?;
        run(&transaction.collection(&self.name))
    }
}

/// Returns the durability of that name.
pub(crate) fn durability(name: &str) -> Result<Durability> {
    match name {
        "immediate" => Ok(Durability::Immediate),
        "buffered" => Ok(Durability::Buffered),
        "relaxed" => Ok(Durability::Relaxed),
        other => Err(Failure::invalid(format!(
            "`durability` must be \"immediate\", \"buffered\" or \"relaxed\", not {other:?}"
        ))),
    }
}

/// Begins a transaction of a database.
pub(crate) fn begin(open: &OpenDatabase, request: Request<'_>, reply: &mut Reply) -> Result<()> {
    let transaction = OpenTransaction::begin(open, request)?;
    reply.object(Object::Transaction(Arc::new(transaction)));
    Ok(())
}
