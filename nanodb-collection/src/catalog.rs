//! Which collections there are, by name.
//!
//! In memory a map; in the file what the commits' notes add up to. Making, dropping and
//! renaming collections are commits of their own, one after the other under one lock.
//! Everything else takes the map's lock just long enough to look a name up, and handles
//! keep what they found.
//!
//! A handle finds out by its [`Binding`] that its name has come to mean another
//! collection, or none: whoever drops or renames a collection *detaches* the binding,
//! holding the collection's writer lock, so that a writer who has taken that lock and
//! finds the binding attached works on the right collection.
//!
//! Locks are taken in this order: the catalog's, a collection's writer, the map.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use nanodb_pager::{Owner, Pager};
use parking_lot::{Mutex, MutexGuard, RwLock};

use crate::error::{Error, Result};
use crate::layout::Layout;
use crate::limits::COLLECTION_NAME_BYTES_MAX;
use crate::note::Entry;
use crate::root::{Root, Stored};
use crate::store::{Store, Writer};

/// All collections of a database.
pub(crate) struct Catalog {
    pager: Pager,
    /// Held by whoever makes, drops or renames; the number of the next new collection.
    next_collection: Mutex<u32>,
    names: RwLock<HashMap<Arc<str>, Arc<Binding>, ahash::RandomState>>,
}

/// A name and the collection that it means.
#[derive(Debug)]
pub(crate) struct Binding {
    pub(crate) name: Arc<str>,
    pub(crate) store: Arc<Store>,
    /// Set once, when the name stops meaning this collection. Release and acquire: who
    /// sees it finds the map changed.
    detached: AtomicBool,
}

impl Binding {
    fn new(name: Arc<str>, store: Arc<Store>) -> Arc<Self> {
        Arc::new(Self { name, store, detached: AtomicBool::new(false) })
    }

    #[inline]
    pub(crate) fn is_attached(&self) -> bool {
        !self.detached.load(Ordering::Acquire)
    }

    /// The collection's writer lock; `None` if the name means something else by now.
    pub(crate) fn lock(&self) -> Option<MutexGuard<'_, Writer>> {
        let writer = self.store.writer.lock();
        self.is_attached().then_some(writer)
    }
}

impl Catalog {
    /// The catalog that the pager's root describes.
    pub(crate) fn open(pager: Pager) -> Result<Self> {
        let root = Root::decode(&pager.root())?;
        root.check_pages(pager.space().page_count)?;
        let binding = |(id, mut stored): (u32, Stored)| {
            let name: Arc<str> = std::mem::take(&mut stored.name).into();
            let store = Store::new(Owner::new(id), pager.clone(), stored);
            (Arc::clone(&name), Binding::new(name, Arc::new(store)))
        };
        Ok(Self {
            next_collection: Mutex::new(root.next_collection),
            names: RwLock::new(root.collections.into_iter().map(binding).collect()),
            pager,
        })
    }

    pub(crate) fn get(&self, name: &str) -> Option<Arc<Binding>> {
        self.names.read().get(name).cloned()
    }

    /// All collections, by name.
    pub(crate) fn list(&self) -> Vec<Arc<Binding>> {
        let mut all: Vec<_> = self.names.read().values().cloned().collect();
        all.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        all
    }

    /// The collection of that name, made if there is none.
    pub(crate) fn get_or_create(&self, name: &str) -> Result<Arc<Binding>> {
        let mut next_collection = self.next_collection.lock();
        if let Some(binding) = self.get(name) {
            return Ok(binding);
        }
        check_name(name)?;
        let collection = *next_collection;
        let next = collection.checked_add(1).ok_or(Error::CollectionsExhausted)?;
        let installed = self.commit(&Entry::Create { collection, name })?;
        *next_collection = next;
        let stored = Stored { next_id: 1, ..Stored::default() };
        let store = Store::new(Owner::new(collection), self.pager.clone(), stored);
        let name: Arc<str> = name.into();
        let binding = Binding::new(Arc::clone(&name), Arc::new(store));
        self.names.write().insert(name, Arc::clone(&binding));
        installed.publish()?;
        Ok(binding)
    }

    /// Drops a collection; false if there is none of that name.
    pub(crate) fn drop_collection(&self, name: &str) -> Result<bool> {
        let _alone = self.next_collection.lock();
        let Some(binding) = self.get(name) else { return Ok(false) };
        let writer = binding.store.writer.lock();
        let mut tx = self.pager.begin();
        for &extent in &binding.store.layout.read().extents {
            tx.free_extent(extent)?;
        }
        for run in writer.overflow.iter() {
            tx.free_extent(run)?;
        }
        let mut note = Vec::new();
        Entry::Drop { collection: binding.store.owner.get() }.encode(&mut note);
        let installed = tx.install(&note)?;
        // Its pages go to others: who came here before it was detached finds it empty.
        *binding.store.layout.write() = Layout::default();
        self.names.write().remove(name);
        binding.detached.store(true, Ordering::Release);
        drop(writer);
        installed.publish()?;
        Ok(true)
    }

    pub(crate) fn rename(&self, from: &str, to: &str) -> Result<()> {
        let _alone = self.next_collection.lock();
        let missing = || Error::NoCollection { name: from.to_owned() };
        let binding = self.get(from).ok_or_else(missing)?;
        if from == to {
            return Ok(());
        }
        check_name(to)?;
        if self.get(to).is_some() {
            return Err(Error::CollectionExists { name: to.to_owned() });
        }
        let writer = binding.store.writer.lock();
        let collection = binding.store.owner.get();
        let installed = self.commit(&Entry::Rename { collection, name: to })?;
        let to: Arc<str> = to.into();
        let renamed = Binding::new(Arc::clone(&to), Arc::clone(&binding.store));
        {
            let mut names = self.names.write();
            names.remove(from);
            names.insert(to, renamed);
        }
        binding.detached.store(true, Ordering::Release);
        drop(writer);
        installed.publish()?;
        Ok(())
    }

    /// Keeps collections from being made, dropped and renamed.
    pub(crate) fn freeze(&self) -> MutexGuard<'_, u32> {
        self.next_collection.lock()
    }

    fn commit(&self, entry: &Entry<'_>) -> Result<nanodb_pager::Installed> {
        let mut note = Vec::new();
        entry.encode(&mut note);
        Ok(self.pager.begin().install(&note)?)
    }
}

/// Whether a collection can have this name.
pub(crate) fn check_name(name: &str) -> Result<()> {
    if (1..=COLLECTION_NAME_BYTES_MAX).contains(&name.len()) && !name.contains('\0') {
        return Ok(());
    }
    Err(Error::CollectionName { name: name.chars().take(64).collect() })
}
