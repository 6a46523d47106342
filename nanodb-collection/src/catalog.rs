//! Which collections there are, by name.
//!
//! In memory [names]; in the file what the edits of commits add up to. A collection is
//! made by the first commit that puts something into it; dropping and renaming are commits
//! of their own. There is no lock for all of it: what is done to a collection is done
//! under that one's writers' lock, making it included. Whoever is about to make one
//! *reserves* the name with a collection that is locked from its first moment on, so that
//! another who wants the name waits for that lock as for any.
//!
//! Locks are taken in this order: collections' (in any order, see [`crate::lock::wait_for_graph`]),
//! the next number, the names.

pub(crate) mod binding;
pub(crate) mod edit;
pub(crate) mod manifest;
pub(crate) mod names;
pub(crate) mod reservation;
pub(crate) mod varint;

use std::collections::HashMap;
use std::sync::Arc;

use nanodb_pager::{Pager, RandomState};
use parking_lot::Mutex;
use smallvec::smallvec;

use crate::catalog::edit::{CatalogEdit, CatalogEdits};
use crate::catalog::manifest::{Manifest, StoredCollection};
use crate::error::{EngineError, Result};
use crate::id_index::index_set::IndexSet;
use crate::ids::{COLLECTION_NAME_BYTES_MAX, CollectionId};
use crate::lock::owner::LockOwner;
use crate::lock::{LockGuard, OwnedLockGuard};
use crate::reclaim::Reclaimer;
use crate::store::{CollectionState, Store};
use crate::write::commit::{Change, Commit, Part};

use self::binding::NameBinding;
use self::names::NameTable;
use self::reservation::NameReservation;

/// All collections of a database.
pub(crate) struct Catalog {
    pager: Pager,
    reclaimer: Arc<Reclaimer>,
    pub(crate) index_set: Arc<IndexSet>,
    pub(crate) names: Arc<NameTable>,
    /// The id of the next new collection.
    next_collection: Mutex<CollectionId>,
}

/// A name, and the lock of what it means.
pub(crate) enum ReserveOutcome {
    /// There is such a collection, or somebody else is making it.
    Taken(Arc<NameBinding>),
    /// There is none, and nobody else will make it before this is given up.
    New(Arc<NameBinding>, NameReservation, OwnedLockGuard<CollectionState>),
}

impl Catalog {
    /// The catalog that the pager's metadata root describes.
    pub(crate) fn open(
        pager: Pager,
        reclaimer: Arc<Reclaimer>,
        index_set: Arc<IndexSet>,
    ) -> Result<Self> {
        let manifest = Manifest::decode(&pager.metadata_root())?;
        manifest.check_pages(pager.page_count())?;
        let mut replayed = replayed(&pager);
        let binding = |(id, mut stored): (CollectionId, StoredCollection)| {
            let name: Arc<str> = std::mem::take(&mut stored.name).into();
            let (reclaimer, index_set) = (Arc::clone(&reclaimer), Arc::clone(&index_set));
            let replayed = replayed.remove(&id).unwrap_or_default();
            let store =
                Store::open(id.owner(), pager.clone(), reclaimer, index_set, stored, replayed);
            NameBinding::new(name, Arc::new(store))
        };
        let bindings = manifest.collections.into_iter().map(binding);
        let names = Arc::new(NameTable::new(pager.clone(), Arc::clone(&reclaimer), bindings));
        for binding in names.all_current() {
            index_set.enter(binding.store.owner, &binding.store.id_index);
        }
        let next_collection = Mutex::new(manifest.next_collection);
        Ok(Self { pager, reclaimer, index_set, names, next_collection })
    }

    /// What the name means to a writer; reserved if it means nothing.
    pub(crate) fn reserve(&self, name: &str, owner: LockOwner) -> Result<ReserveOutcome> {
        if let Some(binding) = self.names.current(name) {
            return Ok(ReserveOutcome::Taken(binding));
        }
        check_name(name)?;
        let mut next_collection = self.next_collection.lock();
        let id = *next_collection;
        let next = id.next().ok_or(EngineError::CollectionsExhausted)?;
        let (reclaimer, index_set) = (Arc::clone(&self.reclaimer), Arc::clone(&self.index_set));
        let store = Store::unmade(id.owner(), self.pager.clone(), reclaimer, index_set);
        let binding = NameBinding::new(name.into(), Arc::new(store));
        // Nobody else has it yet.
        let held = binding.store.state.lock_arc(owner).map_err(|_| EngineError::conflict(name))?;
        if let Err(taken) = self.names.reserve(&binding) {
            return Ok(ReserveOutcome::Taken(taken));
        }
        *next_collection = next;
        self.index_set.enter(binding.store.owner, &binding.store.id_index);
        let reservation = NameReservation::new(&self.names, &binding);
        Ok(ReserveOutcome::New(binding, reservation, held))
    }

    /// The lock of what the name means to a writer, for the time of a call.
    fn with_current<T>(
        &self,
        name: &str,
        then: impl FnOnce(&Arc<NameBinding>, LockGuard<'_, CollectionState>) -> Result<T>,
    ) -> Result<Option<T>> {
        let owner = LockOwner::current();
        while let Some(binding) = self.names.current(name) {
            if let Some(held) = binding.lock(owner)? {
                return then(&binding, held).map(Some);
            }
        }
        Ok(None)
    }

    /// Drops a collection; false if there is none of that name.
    pub(crate) fn drop_collection(&self, name: &str) -> Result<bool> {
        self.pager.check_access()?;
        let dropped = self.with_current(name, |binding, held| {
            let mut tx = self.pager.begin();
            tx.may_use_reserve();
            for &extent in held.extents.list.iter() {
                tx.free_extent(extent)?;
            }
            for run in held.overflow.iter() {
                tx.free_extent(run)?;
            }
            let change = Change::Dropped(Arc::clone(&self.names));
            let part = Part { change, held, binding };
            Commit::install(tx, smallvec![part], || ())?.publish()?;
            Ok(Arc::clone(binding))
        })?;
        let Some(binding) = dropped else { return Ok(false) };
        // Handles may keep the collection for long. Who reads it in a snapshot loads what it needs.
        binding.store.id_index.drop_all();
        Ok(true)
    }

    /// Gives a collection another name.
    pub(crate) fn rename(&self, from: &str, to: &str) -> Result<()> {
        self.pager.check_access()?;
        loop {
            let renamed = self.with_current(from, |binding, held| {
                if from == to {
                    return Ok(RenameOutcome::Done);
                }
                check_name(to)?;
                let renamed = NameBinding::new(to.into(), Arc::clone(&binding.store));
                if let Err(taken) = self.names.reserve(&renamed) {
                    return Ok(RenameOutcome::Taken(taken));
                }
                // Gives the name up if the commit fails.
                let reservation = NameReservation::new(&self.names, &renamed);
                let change = Change::Renamed(reservation, Arc::clone(&self.names));
                let part = Part { change, held, binding };
                let commit = Commit::install(self.pager.begin(), smallvec![part], || ())?;
                commit.publish()?;
                Ok(RenameOutcome::Done)
            })?;
            let missing = || EngineError::NoCollection { name: from.to_owned() };
            match renamed.ok_or_else(missing)? {
                RenameOutcome::Done => return Ok(()),
                // Whoever has it may be about to give it up.
                RenameOutcome::Taken(binding) => {
                    if binding.lock(LockOwner::current())?.is_some() {
                        return Err(EngineError::CollectionExists { name: to.to_owned() });
                    }
                }
            }
        }
    }
}

/// The changes of id indexes that opening found in the logs.
fn replayed(pager: &Pager) -> HashMap<CollectionId, Vec<nanodb_index::Change>, RandomState> {
    let mut replayed: HashMap<CollectionId, Vec<nanodb_index::Change>, RandomState> =
        HashMap::default();
    pager.for_each_uncheckpointed(|metadata| {
        for entry in CatalogEdits::new(metadata).flatten() {
            if let CatalogEdit::Index(index) = entry {
                replayed.entry(index.collection).or_default().extend(index.changes());
            }
        }
    });
    replayed
}

/// How an attempt at renaming ended.
enum RenameOutcome {
    Done,
    Taken(Arc<NameBinding>),
}

/// Whether a collection can have this name.
pub(crate) fn check_name(name: &str) -> Result<()> {
    if (1..=COLLECTION_NAME_BYTES_MAX).contains(&name.len()) && !name.contains('\0') {
        return Ok(());
    }
    Err(EngineError::CollectionName { name: name.chars().take(64).collect() })
}
