//! Commits, syncs and a switch to the next log, in every order.
//!
//! A model of `switch_log` and of `lead_sync` with their locks and with the group itself, but with
//! counters for files: what it shows is that the order of their steps is right.

use std::sync::Arc;

use nanodb_loom::{every_interleaving, thread};

use crate::sync::{AtomicU64, Mutex, Ordering};
use crate::wal::Lsn;
use crate::wal::group_commit::{GroupSync, SyncRole};

/// A log of records one byte long. Relaxed: the commit lock and the group order these.
#[derive(Default)]
struct File {
    /// Up to which place its records are written.
    written: AtomicU64,
    /// Up to which place they are on stable storage.
    synced: AtomicU64,
}

#[derive(Default)]
struct Commit {
    current: Option<usize>,
    next: usize,
    former: Option<usize>,
    end: Lsn,
}

#[derive(Default)]
struct Logs {
    commit: Mutex<Commit>,
    files: [File; 2],
    group: GroupSync,
}

impl Logs {
    fn commit(&self) {
        let (file, lsn) = {
            let mut commit = self.commit.lock();
            let next = commit.next;
            let file = *commit.current.get_or_insert(next);
            commit.end.0 += 1;
            self.files[file].written.store(commit.end.0, Ordering::Relaxed);
            (file, commit.end)
        };
        self.sync_log(lsn);
        assert!(self.files[file].synced.load(Ordering::Relaxed) >= lsn.0, "{lsn:?} is not synced");
    }

    /// Steps 1 and 2 of a checkpoint.
    fn checkpoint(&self) {
        let logged = {
            let mut commit = self.commit.lock();
            if let Some(old) = commit.current.take() {
                commit.next = old + 1;
                commit.former = Some(old);
            }
            commit.end
        };
        self.sync_log(logged);
        let synced = self.files[0].synced.load(Ordering::Relaxed);
        assert!(synced >= logged.0, "the log before the switch is not synced");
    }

    fn sync_log(&self, lsn: Lsn) {
        match self.group.join(lsn) {
            SyncRole::Done => {}
            SyncRole::Failed => panic!("nothing fails here"),
            SyncRole::Lead(leader) => {
                let end = self.lead_sync();
                self.group.finish(&leader, Some(end));
            }
        }
    }

    fn lead_sync(&self) -> Lsn {
        let (former, current, end) = {
            let mut commit = self.commit.lock();
            (commit.former.take(), commit.current, commit.end)
        };
        for file in former.into_iter().chain(current) {
            self.sync(file);
        }
        end
    }

    fn sync(&self, number: usize) {
        if let Some(former) = number.checked_sub(1).and_then(|former| self.files.get(former)) {
            let [synced, written] = [&former.synced, &former.written];
            let [synced, written] = [synced, written].map(|at| at.load(Ordering::Relaxed));
            assert_eq!(synced, written, "a log is synced before the end of the one before it");
        }
        let file = &self.files[number];
        file.synced.store(file.written.load(Ordering::Relaxed), Ordering::Relaxed);
    }
}

#[test]
fn a_switch_to_the_next_log_leaves_no_record_behind_unsynced() {
    every_interleaving(|| {
        let logs = Arc::new(Logs::default());
        let committer = {
            let logs = Arc::clone(&logs);
            thread::spawn(move || (0..2).for_each(|_| logs.commit()))
        };
        let checkpoint = {
            let logs = Arc::clone(&logs);
            thread::spawn(move || logs.checkpoint())
        };
        logs.commit();
        committer.join().unwrap();
        checkpoint.join().unwrap();
        assert_eq!(logs.group.synced(), Lsn(3));
    });
}
