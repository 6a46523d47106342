//! Which collections there are, by name.
//!
//! In memory [names]; in the file what the commits' notes add up to. A collection is
//! made by the first commit that puts something into it; dropping and renaming are commits
//! of their own. There is no lock for all of it: what is done to a collection is done
//! under that one's writers' lock, making it included. Whoever is about to make one
//! *claims* the name with a collection that is locked from its first moment on, so that
//! another who wants the name waits for that lock as for any.
//!
//! A handle finds out by its [`Binding`] that its name has come to mean another
//! collection, or none: whoever drops or renames a collection *detaches* the binding,
//! holding the collection's lock, so that a writer who has taken that lock and
//! finds the binding attached works on the right collection.
//!
//! Locks are taken in this order: collections' (in any order, see [`crate::waits`]), the
//! next number, the names.

mod names;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use nanodb_index::Change;
use nanodb_pager::{Owner, Pager, Seq};
use parking_lot::Mutex;

use crate::attic::Attic;
use crate::error::{Error, Result};
use crate::indexes::Indexes;
use crate::layout::Layout;
use crate::limits::COLLECTION_NAME_BYTES_MAX;
use crate::lock::{HeldArc, HeldRef, Party};
use crate::note::{Entries, Entry};
use crate::order::Order;
use crate::room::Room;
use crate::root::{Root, Stored};
use crate::runs::Runs;
use crate::store::{Store, Writer};

pub(crate) use self::names::Names;

/// All collections of a database.
pub(crate) struct Catalog {
    pager: Pager,
    attic: Arc<Attic>,
    pub(crate) indexes: Arc<Indexes>,
    pub(crate) names: Arc<Names>,
    /// The number of the next new collection.
    next_collection: Mutex<u32>,
}

/// A name and the collection that it means.
#[derive(Debug)]
pub(crate) struct Binding {
    pub(crate) name: Arc<str>,
    pub(crate) store: Arc<Store>,
    /// Set once, when the name stops meaning this collection to writers.
    detached: AtomicBool,
}

impl Binding {
    fn new(name: Arc<str>, store: Arc<Store>) -> Arc<Self> {
        Arc::new(Self { name, store, detached: AtomicBool::new(false) })
    }

    #[inline]
    pub(crate) fn is_attached(&self) -> bool {
        // Acquire, with the release of `detach`.
        !self.detached.load(Ordering::Acquire)
    }

    /// The collection's lock, for the time of a call; `None` if the name means something
    /// else by now.
    #[inline]
    pub(crate) fn lock(&self, party: Party) -> Result<Option<HeldRef<'_, Writer>>> {
        let held = self.store.writer.lock(party).map_err(|_| Error::conflict(&self.name))?;
        Ok(self.is_attached().then_some(held))
    }
}

/// A collection that a name was claimed for and that no commit has made yet. Dropped, it
/// gives the name up.
pub(crate) struct Making {
    names: Arc<Names>,
    binding: Option<Arc<Binding>>,
}

/// A name, and the lock of what it means.
pub(crate) enum Claim {
    /// There is such a collection, or somebody else is making it.
    Taken(Arc<Binding>),
    /// There is none, and nobody else will make it before this is given up.
    Made(Arc<Binding>, Making, HeldArc<Writer>),
}

impl Catalog {
    /// The catalog that the pager's root describes.
    pub(crate) fn open(pager: Pager, attic: Arc<Attic>, indexes: Arc<Indexes>) -> Result<Self> {
        let root = Root::decode(&pager.root())?;
        root.check_pages(pager.page_count())?;
        let mut replayed = replayed(&pager);
        let binding = |(id, mut stored): (u32, Stored)| {
            let name: Arc<str> = std::mem::take(&mut stored.name).into();
            let (attic, indexes) = (Arc::clone(&attic), Arc::clone(&indexes));
            let replayed = replayed.remove(&id).unwrap_or_default();
            let store =
                Store::open(Owner::new(id), pager.clone(), attic, indexes, stored, replayed);
            Binding::new(name, Arc::new(store))
        };
        let bindings = root.collections.into_iter().map(binding);
        let names = Arc::new(Names::new(pager.clone(), Arc::clone(&attic), bindings));
        for binding in names.all_current() {
            indexes.enter(binding.store.owner, &binding.store.shelf);
        }
        let next_collection = Mutex::new(root.next_collection);
        Ok(Self { pager, attic, indexes, names, next_collection })
    }

    /// What the name means to a writer; claimed if it means nothing.
    pub(crate) fn claim(&self, name: &str, party: Party) -> Result<Claim> {
        if let Some(binding) = self.names.current(name) {
            return Ok(Claim::Taken(binding));
        }
        check_name(name)?;
        let mut next_collection = self.next_collection.lock();
        let number = *next_collection;
        let next = number.checked_add(1).ok_or(Error::CollectionsExhausted)?;
        let (attic, indexes) = (Arc::clone(&self.attic), Arc::clone(&self.indexes));
        let store = Store::unmade(Owner::new(number), self.pager.clone(), attic, indexes);
        let binding = Binding::new(name.into(), Arc::new(store));
        // Nobody else has it yet.
        let held = binding.store.writer.lock_arc(party).map_err(|_| Error::conflict(name))?;
        if let Err(taken) = self.names.claim(&binding) {
            return Ok(Claim::Taken(taken));
        }
        *next_collection = next;
        self.indexes.enter(binding.store.owner, &binding.store.shelf);
        Ok(Claim::Made(Arc::clone(&binding), self.making(&binding), held))
    }

    fn making(&self, binding: &Arc<Binding>) -> Making {
        Making { names: Arc::clone(&self.names), binding: Some(Arc::clone(binding)) }
    }

    /// The lock of what the name means to a writer, for the time of a call.
    fn with_current<T>(
        &self,
        name: &str,
        then: impl FnOnce(&Arc<Binding>, HeldRef<'_, Writer>) -> Result<T>,
    ) -> Result<Option<T>> {
        let party = Party::current();
        while let Some(binding) = self.names.current(name) {
            if let Some(held) = binding.lock(party)? {
                return then(&binding, held).map(Some);
            }
        }
        Ok(None)
    }

    /// Drops a collection; false if there is none of that name.
    pub(crate) fn drop_collection(&self, name: &str) -> Result<bool> {
        self.pager.check_access()?;
        let dropped = self.with_current(name, |binding, mut writer| {
            let mut tx = self.pager.begin();
            tx.give_space_back();
            for &extent in writer.layout.extents.iter() {
                tx.free_extent(extent)?;
            }
            for run in writer.overflow.iter() {
                tx.free_extent(run)?;
            }
            let mut note = Vec::new();
            Entry::Drop { collection: binding.store.owner.get() }.encode(&mut note);
            let installed = tx.install(&note)?;
            // Its pages go to others: who comes at this commit or later finds it empty.
            writer.layout = Layout::default();
            writer.order = Order::default();
            writer.overflow = Runs::default();
            writer.room = Room::default();
            writer.count = 0;
            binding.store.push_state(&writer, installed.seq());
            self.names.end(binding, installed.seq());
            Ok((installed, Arc::clone(binding)))
        })?;
        let (installed, binding) = dropped.unzip();
        let is_dropped = self.publish(installed)?;
        // Handles may keep the collection for long. Who reads it in a snapshot loads what it needs.
        binding.iter().for_each(|binding| binding.store.shelf.drop_all());
        Ok(is_dropped)
    }

    /// Gives a collection another name.
    pub(crate) fn rename(&self, from: &str, to: &str) -> Result<()> {
        self.pager.check_access()?;
        loop {
            let renamed = self.with_current(from, |binding, _writer| {
                if from == to {
                    return Ok(Renamed::Done(None));
                }
                check_name(to)?;
                let renamed = Binding::new(to.into(), Arc::clone(&binding.store));
                if let Err(taken) = self.names.claim(&renamed) {
                    return Ok(Renamed::Taken(taken));
                }
                // Gives the name up if the commit fails.
                let mut making = self.making(&renamed);
                let collection = binding.store.owner.get();
                let mut note = Vec::new();
                Entry::Rename { collection, name: to }.encode(&mut note);
                let mut tx = self.pager.begin();
                tx.grows_root(note.len());
                let installed = tx.install(&note)?;
                making.made(installed.seq());
                self.names.end(binding, installed.seq());
                Ok(Renamed::Done(Some(installed)))
            })?;
            let missing = || Error::NoCollection { name: from.to_owned() };
            match renamed.ok_or_else(missing)? {
                Renamed::Done(installed) => return self.publish(installed).map(|_| ()),
                // Whoever has it may be about to give it up.
                Renamed::Taken(binding) => {
                    if binding.lock(Party::current())?.is_some() {
                        return Err(Error::CollectionExists { name: to.to_owned() });
                    }
                }
            }
        }
    }

    /// Publishes a commit, if there is one; says whether there is.
    fn publish(&self, installed: Option<nanodb_pager::Installed>) -> Result<bool> {
        let Some(installed) = installed else { return Ok(false) };
        installed.publish()?;
        self.attic.sweep();
        Ok(true)
    }
}

/// The changes of id indexes that opening found in the logs.
fn replayed(pager: &Pager) -> HashMap<u32, Vec<Change>, ahash::RandomState> {
    let mut replayed: HashMap<u32, Vec<Change>, ahash::RandomState> = HashMap::default();
    pager.for_each_note(|note| {
        for entry in Entries::new(note).flatten() {
            if let Entry::Index(index) = entry {
                replayed.entry(index.collection).or_default().extend(index.changes());
            }
        }
    });
    replayed
}

/// How an attempt at renaming ended.
enum Renamed {
    Done(Option<nanodb_pager::Installed>),
    Taken(Arc<Binding>),
}

impl Making {
    /// Commit `since` has made the collection, or given it the name.
    pub(crate) fn made(&mut self, since: Seq) {
        if let Some(binding) = self.binding.take() {
            self.names.begin(&binding, since);
        }
    }
}

impl Drop for Making {
    fn drop(&mut self) {
        // Its number is not given to another: a transaction writes pages before it commits, and
        // those carry it.
        if let Some(binding) = self.binding.take() {
            self.names.disclaim(&binding);
        }
    }
}

/// Whether a collection can have this name.
pub(crate) fn check_name(name: &str) -> Result<()> {
    if (1..=COLLECTION_NAME_BYTES_MAX).contains(&name.len()) && !name.contains('\0') {
        return Ok(());
    }
    Err(Error::CollectionName { name: name.chars().take(64).collect() })
}
