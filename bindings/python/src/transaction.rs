//! Transactions.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nanodb::{Durability, ErrorKind, Transaction};
use pyo3::prelude::*;

use crate::collection::{RawCollection, Source};
use crate::database::Share;
use crate::failure::{About, Failure};
use crate::process::Held;

/// A transaction that its collections share. Its statements run one after the other, whichever
/// threads they come from.
pub(crate) struct Shared {
    /// Asked before anything is locked: in a fork a lock may be one that nobody gives up.
    process: Held<()>,
    /// Until it is committed or rolled back.
    transaction: Mutex<Option<Held<Transaction>>>,
    /// The collection that it could not lock without a deadlock: it was rolled back.
    conflict: Mutex<Option<String>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    /// Runs a statement. It may wait, for another statement of the transaction too, so the
    /// interpreter must be released.
    pub(crate) fn run<T>(
        &self,
        statement: impl FnOnce(&Transaction) -> nanodb::Result<T>,
    ) -> Result<T, Failure> {
        self.process.get()?;
        let transaction = lock(&self.transaction);
        let transaction = transaction.as_ref().ok_or(Failure::Over)?.get()?;
        statement(transaction).map_err(|error| {
            if error.kind() == ErrorKind::Conflict {
                *lock(&self.conflict) = Some(error.collection().unwrap_or_default().to_owned());
            }
            Failure::from(error)
        })
    }

    fn take(&self) -> Result<Held<Transaction>, Failure> {
        self.process.get()?;
        lock(&self.transaction).take().ok_or(Failure::Over)
    }
}

/// Several writes that are made as a whole or not at all.
#[pyclass(frozen, module = "nanodb._nanodb")]
pub(crate) struct RawTransaction {
    shared: Arc<Shared>,
    share: Share,
}

impl RawTransaction {
    pub(crate) fn new(share: &Share, durability: Option<Durability>) -> Result<Self, Failure> {
        let transaction = share.database()?.begin_write();
        if let Some(durability) = durability {
            transaction.set_durability(durability);
        }
        let transaction = Mutex::new(Some(Held::new(transaction)));
        let conflict = Mutex::default();
        let shared = Arc::new(Shared { process: Held::new(()), transaction, conflict });
        Ok(Self { shared, share: share.clone() })
    }
}

#[pymethods]
impl RawTransaction {
    fn collection(&self, name: String) -> RawCollection {
        let source = Source::Transaction(Arc::clone(&self.shared));
        RawCollection::new(name, source, self.share.clone())
    }

    fn commit(&self, py: Python<'_>) -> PyResult<()> {
        let done = py.detach(|| {
            let transaction = self.shared.take()?.into_inner()?;
            transaction.commit().map_err(Failure::from)
        });
        done.map_err(|failure| failure.raise(py, About::Database))
    }

    /// Discards all changes; it may be over already.
    fn rollback(&self, py: Python<'_>) {
        py.detach(|| drop(self.shared.take()));
    }

    /// Whether it was committed or rolled back by a call.
    #[getter]
    fn is_over(&self, py: Python<'_>) -> bool {
        py.detach(|| self.shared.process.get().is_err() || lock(&self.shared.transaction).is_none())
    }

    /// The collection that it could not lock without a deadlock, if it was rolled back for that.
    #[getter]
    fn conflict(&self) -> Option<String> {
        self.shared.process.get().ok()?;
        lock(&self.shared.conflict).clone()
    }

    /// Locks a collection, as reading or writing it does.
    fn lock(&self, py: Python<'_>, name: &str) -> PyResult<()> {
        let locked = py.detach(|| {
            self.shared.run(|transaction| transaction.collection(name).count().map(drop))
        });
        locked.map_err(|failure| failure.raise(py, About::Database))
    }
}
