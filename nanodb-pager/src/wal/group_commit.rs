//! Group commit: threads that commit at the same time share a sync.
//!
//! Who finds no sync under way leads: it writes what has gathered, syncs on its own
//! thread and wakes the others. Who comes while one is under way waits, and leads
//! the next if its own record was not covered.
//!
//! Those who were woken together commit again at about the same time, but a little after the
//! one who leads next. So a leader gives as many as shared the last sync a moment to come:
//! a fraction of what that sync took. A thread that commits alone waits for nobody.

use std::time::Duration;

use super::Lsn;
use crate::sync::{AtomicU64, AtomicUsize, Backoff, Condvar, Instant, Mutex, Ordering};

/// Which part of the last sync's time a leader waits for others at most.
const WAIT_FRACTION: u32 = 4;

/// How far the logs are on stable storage, and whether somebody is seeing to it.
#[derive(Default)]
pub(crate) struct GroupSync {
    state: Mutex<State>,
    changed: Condvar,
    /// What `state` says of it, for who only asks.
    synced: AtomicU64,
    /// Threads that need a sync right now. Relaxed: a count that only decides how long
    /// a leader waits.
    waiting: AtomicUsize,
}

#[derive(Default)]
struct State {
    synced: Lsn,
    leading: bool,
    failed: bool,
    last: LastSync,
}

/// What the last sync was like.
#[derive(Clone, Copy, Default)]
struct LastSync {
    shared_by: usize,
    took: Duration,
}

/// What a thread that needs a sync is to do.
pub(crate) enum SyncRole {
    /// Its record is on stable storage.
    Done,
    /// It syncs, then calls [`GroupSync::finish`].
    Lead(Leader),
    /// A sync has failed; none will follow.
    Failed,
}

/// A leader's turn.
#[must_use = "a turn is ended by finishing it"]
pub(crate) struct Leader {
    shared_by: usize,
    began: Instant,
}

impl GroupSync {
    /// How far the logs are on stable storage.
    pub(crate) fn synced(&self) -> Lsn {
        // Acquire, with the release in `finish`: who sees a place sees it after its sync.
        Lsn(self.synced.load(Ordering::Acquire))
    }

    /// Waits until `lsn` is synced, a sync has failed, or it is this thread's turn to lead.
    pub(crate) fn join(&self, lsn: Lsn) -> SyncRole {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let waited = self.wait(lsn);
        let last = match waited {
            Some(Ok(last)) => last,
            Some(Err(())) => return self.leave(SyncRole::Failed),
            None => return self.leave(SyncRole::Done),
        };
        let arrived = Instant::now();
        // It spins for those who are on other processors already, then gives its own up.
        let backoff = Backoff::new();
        while self.waiting.load(Ordering::Relaxed) < last.shared_by
            && arrived.elapsed() < last.took / WAIT_FRACTION
        {
            backoff.snooze();
        }
        let shared_by = self.waiting.load(Ordering::Relaxed);
        self.leave(SyncRole::Lead(Leader { shared_by, began: Instant::now() }))
    }

    fn leave(&self, role: SyncRole) -> SyncRole {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        role
    }

    /// Nothing when `lsn` is synced; else the last sync for who leads, or that one failed.
    fn wait(&self, lsn: Lsn) -> Option<Result<LastSync, ()>> {
        let mut state = self.state.lock();
        loop {
            if state.synced >= lsn {
                return None;
            }
            if state.failed {
                return Some(Err(()));
            }
            if !state.leading {
                state.leading = true;
                return Some(Ok(state.last));
            }
            self.changed.wait(&mut state);
        }
    }

    /// Ends a leader's turn: synced up to `Some` place, or failed.
    pub(crate) fn finish(&self, leader: &Leader, synced: Option<Lsn>) {
        let mut state = self.state.lock();
        state.leading = false;
        match synced {
            Some(lsn) => {
                state.synced = state.synced.max(lsn);
                self.synced.store(state.synced.0, Ordering::Release);
            }
            None => state.failed = true,
        }
        state.last = LastSync { shared_by: leader.shared_by, took: leader.began.elapsed() };
        drop(state);
        self.changed.notify_all();
    }
}

#[cfg(all(test, loom))]
mod interleavings;
