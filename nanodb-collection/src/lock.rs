//! The lock that a collection's writers take turns with.
//!
//! A lock that is free costs one exchange. Whoever finds it taken goes through the
//! [graph of who waits for whom](crate::lock::wait_for_graph), and is refused where waiting would
//! never end.
//!
//! A lock belongs to a *thread*, not to a transaction: to the thread that last used the
//! transaction which holds it. So a thread is refused, too, what it would have to give
//! up itself, by another transaction of its own for example.

pub(crate) mod owner;
pub(crate) mod wait_for_graph;

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use parking_lot::{ArcMutexGuard, Mutex, MutexGuard, RawMutex};

use self::owner::{LockHolder, LockOwner};
use self::wait_for_graph::{Deadlock, WAIT_FOR_GRAPH};

/// A lock that is never waited for in vain.
#[derive(Debug)]
pub(crate) struct WriteLock<T> {
    value: Arc<Mutex<T>>,
    holder: Arc<LockHolder>,
}

/// A lock that is held. `H` leads to its holder's name, which goes before the lock does.
#[derive(Debug)]
pub(crate) struct Guard<G, H: Deref<Target = LockHolder>> {
    holder: H,
    guard: G,
}

/// Held for the time of a call.
pub(crate) type LockGuard<'a, T> = Guard<MutexGuard<'a, T>, &'a LockHolder>;

/// Held by a transaction.
pub(crate) type OwnedLockGuard<T> = Guard<ArcMutexGuard<RawMutex, T>, Arc<LockHolder>>;

impl<T> WriteLock<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { value: Arc::new(Mutex::new(value)), holder: Arc::default() }
    }

    /// Takes the lock, waiting for it if need be.
    #[inline]
    pub(crate) fn lock(&self, owner: LockOwner) -> Result<LockGuard<'_, T>, Deadlock> {
        let guard = match self.value.try_lock() {
            Some(guard) => guard,
            None => self.wait(owner, || self.value.lock())?,
        };
        Ok(Guard::new(&*self.holder, guard, owner))
    }

    /// Takes the lock, waiting for it if need be, to hold it for longer.
    pub(crate) fn lock_arc(&self, owner: LockOwner) -> Result<OwnedLockGuard<T>, Deadlock> {
        let guard = match self.value.try_lock_arc() {
            Some(guard) => guard,
            None => self.wait(owner, || self.value.lock_arc())?,
        };
        Ok(Guard::new(Arc::clone(&self.holder), guard, owner))
    }

    /// Takes the lock if nobody has it.
    #[inline]
    pub(crate) fn try_lock(&self, owner: LockOwner) -> Option<LockGuard<'_, T>> {
        Some(Guard::new(&*self.holder, self.value.try_lock()?, owner))
    }

    #[cold]
    fn wait<G>(&self, owner: LockOwner, lock: impl FnOnce() -> G) -> Result<G, Deadlock> {
        let _waiting = WAIT_FOR_GRAPH.enter(owner, &self.holder)?;
        let guard = lock();
        // Before the graph forgets that we waited: see there.
        self.holder.set(owner);
        Ok(guard)
    }
}

impl<G, H: Deref<Target = LockHolder>> Guard<G, H> {
    fn new(holder: H, guard: G, owner: LockOwner) -> Self {
        holder.set(owner);
        Self { holder, guard }
    }
}

impl<T> OwnedLockGuard<T> {
    /// Says that another thread has taken the lock over.
    pub(crate) fn transfer_to(&self, owner: LockOwner) {
        self.holder.set(owner);
    }

    /// Whether this is the lock that `deadlock` came back to.
    pub(crate) fn closes(&self, deadlock: &Deadlock) -> bool {
        Arc::ptr_eq(&self.holder, &deadlock.closing)
    }
}

impl<G, H: Deref<Target = LockHolder>> Drop for Guard<G, H> {
    fn drop(&mut self) {
        // The guard goes after this, as a field: nobody else can be the holder yet.
        self.holder.clear();
    }
}

impl<G: Deref, H: Deref<Target = LockHolder>> Deref for Guard<G, H> {
    type Target = G::Target;

    #[inline]
    fn deref(&self) -> &G::Target {
        &self.guard
    }
}

impl<G: DerefMut, H: Deref<Target = LockHolder>> DerefMut for Guard<G, H> {
    #[inline]
    fn deref_mut(&mut self) -> &mut G::Target {
        &mut self.guard
    }
}
