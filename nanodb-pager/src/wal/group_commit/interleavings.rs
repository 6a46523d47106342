//! Threads that need a sync at the same time, in every order.

use std::sync::Arc;

use nanodb_loom::{every_interleaving, thread};

use super::{GroupSync, SyncRole};
use crate::sync::{AtomicU64, Mutex, Ordering};
use crate::wal::Lsn;

/// A log of records one byte long.
#[derive(Default)]
struct Log {
    appended: Mutex<u64>,
    /// Relaxed: only the group orders it.
    synced: AtomicU64,
    group: GroupSync,
}

impl Log {
    fn append(&self) -> Lsn {
        let mut appended = self.appended.lock();
        *appended += 1;
        Lsn(*appended)
    }

    /// Returns whether the log is synced up to `lsn`.
    fn sync(&self, lsn: Lsn, works: bool) -> bool {
        match self.group.join(lsn) {
            SyncRole::Done => true,
            SyncRole::Failed => false,
            SyncRole::Lead(leader) => {
                let end = Lsn(*self.appended.lock());
                if works {
                    self.synced.store(end.0, Ordering::Relaxed);
                }
                self.group.finish(&leader, works.then_some(end));
                works
            }
        }
    }

    fn synced(&self) -> u64 {
        self.synced.load(Ordering::Relaxed)
    }
}

#[test]
fn nobody_goes_on_before_its_record_is_synced_and_nobody_waits_for_ever() {
    every_interleaving(|| {
        let log = Arc::new(Log::default());
        let commit = |log: &Log| {
            let lsn = log.append();
            assert!(log.sync(lsn, true));
            assert!(log.synced() >= lsn.0, "{lsn:?} is not synced");
            assert!(log.group.synced() >= lsn);
        };
        let others = [(); 2].map(|()| {
            let log = Arc::clone(&log);
            thread::spawn(move || commit(&log))
        });
        commit(&log);
        others.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!((log.synced(), log.group.synced()), (3, Lsn(3)));
    });
}

#[test]
fn after_a_sync_that_failed_nobody_is_told_that_its_record_is_synced() {
    every_interleaving(|| {
        let log = Arc::new(Log::default());
        let others = [true, false].map(|works| {
            let log = Arc::clone(&log);
            thread::spawn(move || {
                let lsn = log.append();
                if log.sync(lsn, works) {
                    assert!(log.synced() >= lsn.0, "{lsn:?} is not synced");
                }
            })
        });
        others.into_iter().for_each(|thread| thread.join().unwrap());
        let (synced, known) = (log.synced(), log.group.synced());
        assert_eq!(Lsn(synced), known);
        // Unless one led for both.
        if synced < 2 {
            let lsn = log.append();
            assert!(!log.sync(lsn, true), "a sync is tried again");
        }
    });
}
