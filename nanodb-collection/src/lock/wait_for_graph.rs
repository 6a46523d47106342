//! Who waits for whom, so that nobody waits for ever.
//!
//! A thread that finds a lock taken enters itself here, under one lock for the whole
//! process, before it blocks. Entering walks from lock to holder to the lock which that one
//! waits for, and so on; where the walk comes back to the thread that is about to wait,
//! it is refused.
//!
//! # Why no cycle is missed
//!
//! In a cycle every thread waits for a lock that the next one holds. Each has entered
//! itself before blocking, one after the other; take the last. All others are in the
//! graph by then. A thread notes itself as the holder of a lock before it does anything
//! else, so before it entered for the lock that it waits for now, and the graph's lock
//! orders that before the last one's walk. It still waits, so it has released nothing
//! since. The walk thus finds every lock of the cycle with its holder, and returns to
//! where it began.
//!
//! # Why nobody is refused for nothing
//!
//! The walk goes on only from threads that are in the graph. Such a thread is blocked,
//! or has just got its lock and not yet left the graph. Blocked, it releases nothing:
//! the locks that it holds are noted as its own and the walk is right about them. Not
//! blocked any more, it has noted itself as the holder, or nobody is noted (the former
//! holder takes its name off before it releases): the walk comes to the same thread
//! again or ends, and in neither case returns to its beginning.
//!
//! A transaction that is handed to another thread counts as held by the former until
//! the new one first uses it.
//!
//! # What is not seen here
//!
//! Waiting for anything else, such as joining a thread or receiving from a channel.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

use super::owner::{LockHolder, LockOwner};

/// One for all databases of the process: a cycle may pass through several.
pub(crate) static WAIT_FOR_GRAPH: WaitForGraph = WaitForGraph::new();

/// The threads that wait, each with the holder of what it waits for.
#[derive(Debug)]
pub(crate) struct WaitForGraph {
    waiting: Mutex<BTreeMap<LockOwner, Arc<LockHolder>>>,
}

/// Waiting would have been for ever.
#[derive(Debug)]
pub(crate) struct Deadlock {
    /// The lock, by its holder, that the requester itself holds.
    pub(crate) closing: Arc<LockHolder>,
}

/// A thread's entry in the graph; leaves it when dropped.
#[derive(Debug)]
#[must_use]
pub(crate) struct Waiting<'a> {
    waits: &'a WaitForGraph,
    owner: LockOwner,
}

impl WaitForGraph {
    pub(crate) const fn new() -> Self {
        Self { waiting: Mutex::new(BTreeMap::new()) }
    }

    /// Enters `owner` as waiting for what `holder` holds, unless it would wait for itself.
    pub(crate) fn enter(
        &self,
        owner: LockOwner,
        holder: &Arc<LockHolder>,
    ) -> Result<Waiting<'_>, Deadlock> {
        let mut waiting = self.waiting.lock();
        let mut at = holder;
        // Longer than all who wait is a cycle that `owner` is not part of: it is about
        // to come apart, see the module.
        for _ in 0..=waiting.len() {
            match at.get() {
                None => break,
                Some(next) if next == owner => return Err(Deadlock { closing: Arc::clone(at) }),
                Some(next) => match waiting.get(&next) {
                    Some(holder) => at = holder,
                    None => break,
                },
            }
        }
        waiting.insert(owner, Arc::clone(holder));
        Ok(Waiting { waits: self, owner })
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.waits.waiting.lock().remove(&self.owner);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held_by(number: u64) -> Arc<LockHolder> {
        let holder = LockHolder::default();
        holder.set(LockOwner::numbered(number));
        Arc::new(holder)
    }

    #[test]
    fn the_one_that_would_close_a_cycle_is_refused() {
        let waits = WaitForGraph::new();
        let [a, b, c] = [1, 2, 3].map(held_by);
        let _first = waits.enter(LockOwner::numbered(1), &b).unwrap();
        let _second = waits.enter(LockOwner::numbered(2), &c).unwrap();
        let refused = waits.enter(LockOwner::numbered(3), &a).unwrap_err();
        assert!(Arc::ptr_eq(&refused.closing, &c));
        assert!(waits.enter(LockOwner::numbered(4), &a).is_ok());
    }

    #[test]
    fn an_owner_does_not_wait_for_itself() {
        let waits = WaitForGraph::new();
        let a = held_by(1);
        assert!(waits.enter(LockOwner::numbered(1), &a).is_err());
        a.clear();
        assert!(waits.enter(LockOwner::numbered(1), &a).is_ok());
    }

    #[test]
    fn a_cycle_of_others_that_is_coming_apart_holds_nobody_up() {
        let waits = WaitForGraph::new();
        let a = held_by(1);
        // Owner 1 has got what it waited for and has not left the graph yet.
        a.clear();
        let _got_it = waits.enter(LockOwner::numbered(1), &a).unwrap();
        a.set(LockOwner::numbered(1));
        assert!(waits.enter(LockOwner::numbered(2), &a).is_ok());
    }
}
