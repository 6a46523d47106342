//! Group commit: threads that commit at the same time share a sync.
//!
//! Who finds no sync under way leads: it writes what has gathered, syncs on its own
//! thread and wakes the others. Who comes while one is under way waits, and leads
//! the next if its own record was not covered.

use parking_lot::{Condvar, Mutex};

use super::Lsn;

/// How far the logs are on stable storage, and whether somebody is seeing to it.
#[derive(Default)]
pub(crate) struct GroupSync {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    synced: Lsn,
    leading: bool,
    failed: bool,
}

/// What a thread that needs a sync is to do.
pub(crate) enum Turn {
    /// Its record is on stable storage.
    Done,
    /// It syncs, then calls [`GroupSync::finish`].
    Lead,
    /// A sync has failed; none will follow.
    Failed,
}

impl GroupSync {
    /// How far the logs are on stable storage.
    pub(crate) fn synced(&self) -> Lsn {
        self.state.lock().synced
    }

    /// Waits until `lsn` is synced, a sync has failed, or it is this thread's turn to lead.
    pub(crate) fn turn(&self, lsn: Lsn) -> Turn {
        let mut state = self.state.lock();
        loop {
            if state.synced >= lsn {
                return Turn::Done;
            }
            if state.failed {
                return Turn::Failed;
            }
            if !state.leading {
                state.leading = true;
                return Turn::Lead;
            }
            self.changed.wait(&mut state);
        }
    }

    /// Ends a leader's turn: synced up to `Some` place, or failed.
    pub(crate) fn finish(&self, synced: Option<Lsn>) {
        let mut state = self.state.lock();
        state.leading = false;
        match synced {
            Some(lsn) => state.synced = state.synced.max(lsn),
            None => state.failed = true,
        }
        drop(state);
        self.changed.notify_all();
    }
}
