//! Snapshots.

use std::sync::{Mutex, PoisonError};

use nanodb::Snapshot;
use pyo3::prelude::*;

use crate::collection::{RawCollection, Source};
use crate::database::Share;
use crate::failure::{About, Failure};
use crate::process::Held;

/// All collections as of one moment.
#[pyclass(frozen, module = "nanodb._nanodb")]
pub(crate) struct RawSnapshot {
    /// Until it is closed. Locked for moments only.
    snapshot: Mutex<Option<Held<Snapshot>>>,
    share: Share,
}

impl RawSnapshot {
    pub(crate) fn new(share: &Share, py: Python<'_>) -> Result<Self, Failure> {
        let database = share.database()?;
        let snapshot = py.detach(|| database.snapshot());
        Ok(Self { snapshot: Mutex::new(Some(Held::new(snapshot))), share: share.clone() })
    }

    fn with<T>(&self, read: impl FnOnce(&Snapshot) -> T) -> Result<T, Failure> {
        // In a fork the lock may be one that nobody gives up.
        self.share.database()?;
        let snapshot = self.snapshot.lock().unwrap_or_else(PoisonError::into_inner);
        let snapshot = snapshot.as_ref().ok_or(Failure::Released("snapshot"))?;
        Ok(read(snapshot.get()?))
    }
}

#[pymethods]
impl RawSnapshot {
    fn collection(&self, py: Python<'_>, name: String) -> PyResult<RawCollection> {
        let collection = py.detach(|| self.with(|snapshot| snapshot.collection(&name)));
        let collection = collection.map_err(|failure| failure.raise(py, About::Database))?;
        let source = Source::Snapshot(Box::new(Held::new(collection)));
        Ok(RawCollection::new(name, source, self.share.clone()))
    }

    /// The collections that there were, by name, with their counts.
    fn collections(&self, py: Python<'_>) -> PyResult<Vec<(String, u64)>> {
        let collections = py.detach(|| {
            self.with(Snapshot::collections).and_then(|listed| listed.map_err(Failure::from))
        });
        let collections = collections.map_err(|failure| failure.raise(py, About::Database))?;
        Ok(collections.into_iter().map(|info| (info.name, info.count)).collect())
    }

    /// Lets go of it; collections that were taken from it keep it alive.
    fn close(&self, py: Python<'_>) {
        if self.share.database().is_err() {
            return;
        }
        py.detach(|| {
            drop(self.snapshot.lock().unwrap_or_else(PoisonError::into_inner).take());
        });
    }
}
