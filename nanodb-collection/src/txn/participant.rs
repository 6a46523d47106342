//! One collection within a transaction, and committing several of them.

use std::sync::Arc;

use nanodb_pager::WriteTx;
use smallvec::SmallVec;

use crate::catalog::ReserveOutcome;
use crate::catalog::binding::NameBinding;
use crate::catalog::reservation::NameReservation;
use crate::engine::Engine;
use crate::error::{EngineError, Result};
use crate::lock::OwnedLockGuard;
use crate::lock::owner::LockOwner;
use crate::lock::wait_for_graph::Deadlock;
use crate::pages::extents::Extents;
use crate::store::{CollectionState, Store};
use crate::write::commit::{self, Change, Commit};
use crate::write::statement::Statement;
use crate::write::write_set::WriteSet;

/// A collection that a transaction has locked, and what it has changed there.
///
/// The fields go in this order: whoever gets the lock finds the name given up.
pub(crate) struct Participant {
    write_set: WriteSet,
    reservation: Option<NameReservation>,
    held: OwnedLockGuard<CollectionState>,
    binding: Arc<NameBinding>,
}

/// Why a collection was not locked.
pub(crate) enum LockFailure {
    Deadlock(Deadlock),
    Error(EngineError),
}

impl From<EngineError> for LockFailure {
    fn from(error: EngineError) -> Self {
        Self::Error(error)
    }
}

impl Participant {
    /// Locks the collection of that name, or the name if there is none.
    pub(crate) fn lock(db: &Engine, name: &str, owner: LockOwner) -> Result<Self, LockFailure> {
        loop {
            let (binding, reservation, mut held) = match db.catalog.reserve(name, owner)? {
                ReserveOutcome::New(binding, reservation, held) => {
                    (binding, Some(reservation), held)
                }
                ReserveOutcome::Taken(binding) => {
                    let held =
                        binding.store.state.lock_arc(owner).map_err(LockFailure::Deadlock)?;
                    if !binding.is_attached() {
                        continue;
                    }
                    (binding, None, held)
                }
            };
            let index = binding.store.index_for_writer()?;
            binding.store.remove_retired(index, &mut held);
            return Ok(Self { write_set: WriteSet::new(&held), reservation, held, binding });
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.binding.name
    }

    pub(crate) fn store(&self) -> &Arc<Store> {
        &self.binding.store
    }

    /// The pages as the transaction sees them.
    pub(crate) fn extents(&self) -> Extents {
        self.write_set.extents(&self.held)
    }

    /// The change to the collection so far, for the next statement.
    pub(crate) fn change<'a>(&'a mut self, tx: &'a mut WriteTx) -> Result<Statement<'a>> {
        let store = &self.binding.store;
        let index = store.index_for_writer()?;
        // A transaction may take long. Entries that were waiting for publication when it began lead
        // to pages that others may have by now.
        store.remove_retired(index, &mut self.held);
        Ok(Statement::new(store, index, &self.held, tx, &mut self.write_set))
    }

    pub(crate) fn transfer_to(&self, owner: LockOwner) {
        self.held.transfer_to(owner);
    }

    pub(crate) fn closes(&self, deadlock: &Deadlock) -> bool {
        self.held.closes(deadlock)
    }
}

/// Commits what a transaction has done to collections; calls `installed` before it unlocks them.
pub(crate) fn commit(tx: WriteTx, parts: Vec<Participant>, installed: impl FnOnce()) -> Result<()> {
    if parts.is_empty() {
        return Ok(());
    }
    let bindings: SmallVec<[_; 4]> = parts.iter().map(|part| Arc::clone(&part.binding)).collect();
    let parts = parts.into_iter().zip(&bindings).map(|(part, binding)| {
        let Participant { write_set, reservation, held, binding: _ } = part;
        commit::Part { change: Change::Written(write_set, reservation), held, binding }
    });
    Commit::install(tx, parts.collect(), installed)?.publish()
}
