//! The lock that a collection's writers take turns with.
//!
//! A lock that is free costs one exchange. Whoever finds it taken goes through the
//! [graph of who waits for whom](crate::waits), and is refused where waiting would never
//! end.
//!
//! A lock belongs to a *thread*, not to a transaction: to the thread that last used the
//! transaction which holds it. So a thread is refused, too, what it would have to give
//! up itself, by another transaction of its own for example.

use std::cell::Cell;
use std::num::NonZeroU64;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::{ArcMutexGuard, Mutex, MutexGuard, RawMutex};

use crate::waits::{Deadlock, WAITS};

/// A thread, as far as it holds locks and waits for them. Numbers are not given twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Party(NonZeroU64);

impl Party {
    /// The calling thread.
    #[inline]
    pub(crate) fn current() -> Self {
        thread_local! {
            static PARTY: Cell<Option<Party>> = const { Cell::new(None) };
        }
        static NEXT: AtomicU64 = AtomicU64::new(1);
        PARTY.get().unwrap_or_else(|| {
            // Relaxed: only that no two get the same matters.
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let party = Self(NonZeroU64::new(number).unwrap_or(NonZeroU64::MAX));
            PARTY.set(Some(party));
            party
        })
    }

    #[cfg(test)]
    pub(crate) fn numbered(number: u64) -> Self {
        Self(NonZeroU64::new(number).unwrap())
    }
}

/// Who holds a lock, for those who may have to wait for it.
///
/// Relaxed throughout: what must be seen is ordered by the graph's own lock; see there.
#[derive(Debug, Default)]
pub(crate) struct Holder(AtomicU64);

impl Holder {
    pub(crate) fn get(&self) -> Option<Party> {
        NonZeroU64::new(self.0.load(Ordering::Relaxed)).map(Party)
    }

    pub(crate) fn set(&self, party: Party) {
        self.0.store(party.0.get(), Ordering::Relaxed);
    }

    pub(crate) fn clear(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

/// A lock that is never waited for in vain.
#[derive(Debug)]
pub(crate) struct Lock<T> {
    value: Arc<Mutex<T>>,
    holder: Arc<Holder>,
}

/// A lock that is held. `H` leads to its holder's name, which goes before the lock does.
#[derive(Debug)]
pub(crate) struct Held<G, H: Deref<Target = Holder>> {
    holder: H,
    guard: G,
}

/// Held for the time of a call.
pub(crate) type HeldRef<'a, T> = Held<MutexGuard<'a, T>, &'a Holder>;

/// Held by a transaction.
pub(crate) type HeldArc<T> = Held<ArcMutexGuard<RawMutex, T>, Arc<Holder>>;

impl<T> Lock<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { value: Arc::new(Mutex::new(value)), holder: Arc::default() }
    }

    /// Takes the lock, waiting for it if need be.
    #[inline]
    pub(crate) fn lock(&self, party: Party) -> Result<HeldRef<'_, T>, Deadlock> {
        let guard = match self.value.try_lock() {
            Some(guard) => guard,
            None => self.wait(party, || self.value.lock())?,
        };
        Ok(Held::new(&*self.holder, guard, party))
    }

    /// Takes the lock, waiting for it if need be, to hold it for longer.
    pub(crate) fn lock_arc(&self, party: Party) -> Result<HeldArc<T>, Deadlock> {
        let guard = match self.value.try_lock_arc() {
            Some(guard) => guard,
            None => self.wait(party, || self.value.lock_arc())?,
        };
        Ok(Held::new(Arc::clone(&self.holder), guard, party))
    }

    /// Takes the lock if nobody has it.
    #[inline]
    pub(crate) fn try_lock(&self, party: Party) -> Option<HeldRef<'_, T>> {
        Some(Held::new(&*self.holder, self.value.try_lock()?, party))
    }

    #[cold]
    fn wait<G>(&self, party: Party, lock: impl FnOnce() -> G) -> Result<G, Deadlock> {
        let _waiting = WAITS.enter(party, &self.holder)?;
        let guard = lock();
        // Before the graph forgets that we waited: see there.
        self.holder.set(party);
        Ok(guard)
    }
}

impl<G, H: Deref<Target = Holder>> Held<G, H> {
    fn new(holder: H, guard: G, party: Party) -> Self {
        holder.set(party);
        Self { holder, guard }
    }
}

impl<T> HeldArc<T> {
    /// Says that another thread has taken the lock over.
    pub(crate) fn hand_over(&self, party: Party) {
        self.holder.set(party);
    }

    /// Whether this is the lock that `deadlock` came back to.
    pub(crate) fn closes(&self, deadlock: &Deadlock) -> bool {
        Arc::ptr_eq(&self.holder, &deadlock.closing)
    }
}

impl<G, H: Deref<Target = Holder>> Drop for Held<G, H> {
    fn drop(&mut self) {
        // The guard goes after this, as a field: nobody else can be the holder yet.
        self.holder.clear();
    }
}

impl<G: Deref, H: Deref<Target = Holder>> Deref for Held<G, H> {
    type Target = G::Target;

    #[inline]
    fn deref(&self) -> &G::Target {
        &self.guard
    }
}

impl<G: DerefMut, H: Deref<Target = Holder>> DerefMut for Held<G, H> {
    #[inline]
    fn deref_mut(&mut self) -> &mut G::Target {
        &mut self.guard
    }
}
