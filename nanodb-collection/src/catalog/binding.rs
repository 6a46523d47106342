//! A name bound to the collection that it means.
//!
//! A handle finds out by its binding that its name has come to mean another collection, or none:
//! whoever drops or renames a collection *detaches* the binding, holding the collection's lock, so
//! that a writer who has taken that lock and finds the binding attached works on the right
//! collection.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam_utils::Backoff;

use crate::error::{EngineError, Result};
use crate::lock::LockGuard;
use crate::lock::owner::LockOwner;
use crate::store::{CollectionState, Store};

/// A name and the collection that it means.
#[derive(Debug)]
pub struct NameBinding {
    pub(crate) name: Arc<str>,
    pub(crate) store: Arc<Store>,
    /// Set once, when the name stops meaning this collection to writers.
    detached: AtomicBool,
}

impl NameBinding {
    /// Returns the name.
    #[inline]
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Returns the collection.
    #[inline]
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    pub(super) fn new(name: Arc<str>, store: Arc<Store>) -> Arc<Self> {
        Arc::new(Self { name, store, detached: AtomicBool::new(false) })
    }

    /// Whether the name still refers to this collection, for writers.
    #[inline]
    pub fn is_attached(&self) -> bool {
        // Acquire, with the release of `detach`.
        !self.detached.load(Ordering::Acquire)
    }

    /// The collection's lock, for the time of a call; `None` if the name means something
    /// else by now.
    #[inline]
    pub(crate) fn lock(&self, owner: LockOwner) -> Result<Option<LockGuard<'_, CollectionState>>> {
        let held = self.store.state.lock(owner).map_err(|_| EngineError::conflict(&self.name))?;
        Ok(self.is_attached().then_some(held))
    }

    /// The collection's lock, if nobody keeps it for long and the name means it still.
    pub(crate) fn try_lock(&self) -> Option<LockGuard<'_, CollectionState>> {
        let backoff = Backoff::new();
        while !backoff.is_completed() {
            if let Some(held) = self.store.state.try_lock(LockOwner::current()) {
                return self.is_attached().then_some(held);
            }
            backoff.snooze();
        }
        None
    }

    pub(super) fn detach(&self) {
        // Release, with the acquire of `is_attached`: who sees it finds the names changed.
        self.detached.store(true, Ordering::Release);
    }
}
