//! Writes that are not durable when they return, and how they become so.

use std::sync::Arc;
use std::time::{Duration, Instant};

use nanodb_database::{Database, Durability, Options, doc};
use nanodb_sim::{Action, CallKind, Crash, Failure, Fault, SimStorage, Unsynced};

/// The least that may be asked for.
const LOG_BYTES_MAX: u64 = 64 << 10;

/// Waits for what another thread is going to do; fails if it does not.
fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < Duration::from_secs(30), "{what}");
        std::thread::yield_now();
    }
}

fn open(options: &Options, storage: &SimStorage) -> Database {
    options.clone().open_on(Arc::new(storage.clone())).unwrap()
}

fn relaxed() -> Options {
    Database::options()
        .durability(Durability::Relaxed)
        .relaxed_flush_interval(Duration::from_millis(1))
}

#[test]
fn a_relaxed_write_is_flushed_in_time_whatever_another_database_does() {
    let slow_storage = SimStorage::new();
    let options = Database::options().log_bytes_max(LOG_BYTES_MAX).durability(Durability::Buffered);
    let slow = open(&options, &slow_storage);
    let storage = SimStorage::new();
    let fast = open(&relaxed(), &storage);
    fast.collection("a").insert(doc! { "_id": 0 }).unwrap();
    slow.collection("a").insert(doc! { "_id": "first" }).unwrap();
    fast.sync().unwrap();
    slow.sync().unwrap();

    // Its checkpoint is due, made in the background, and does not end.
    let hold = slow_storage.hold(CallKind::Sync);
    // No more commits than that: those that can't wait for it would make it themselves.
    while slow.stats().unwrap().log_bytes <= LOG_BYTES_MAX / 8 * 7 {
        slow.collection("a").insert(doc! { "pad": ("p".repeat(500)) }).unwrap();
    }
    wait_until("a checkpoint", || slow_storage.held() > 0);
    storage.start_journal();
    fast.collection("a").insert(doc! { "_id": 1 }).unwrap();
    wait_until("the write is flushed", || {
        let journal = storage.journal();
        journal.iter().any(|e| e.file.starts_with("-log") && e.action == Action::Sync)
    });
    assert!(slow_storage.held() > 0);
    drop(hold);
}

#[test]
fn what_was_written_before_a_sync_survives_a_power_cut_at_every_level() {
    for level in [Durability::Immediate, Durability::Buffered, Durability::Relaxed] {
        let storage = SimStorage::new();
        let options = Database::options().background(false);
        let db = open(&options.clone().durability(level), &storage);
        let a = db.collection("a");
        a.insert(doc! { "_id": 0 }).unwrap();
        db.checkpoint().unwrap();
        let mut crash = Crash::new(&storage.files());
        storage.start_journal();
        // So many that they are written to the file itself, and some that are not.
        a.insert_many((1..500).map(|id| doc! { "_id": id, "pad": ("p".repeat(900)) })).unwrap();
        db.write(|tx| tx.collection("b").insert(doc! { "_id": 1 })).unwrap();
        assert!(a.delete(0).unwrap());
        db.sync().unwrap();
        assert_eq!(db.stats().unwrap().checkpoints, 1);
        let synced = storage.journal_len();
        a.insert(doc! { "_id": "later" }).unwrap();
        let journal = storage.take_journal();
        for (events, event) in journal.iter().enumerate() {
            if events >= synced {
                let cut = SimStorage::from_files(crash.image(Unsynced::Lost));
                let found = open(&options, &cut);
                let ids = (
                    found.collection("a").count().unwrap(),
                    found.collection("b").count().unwrap(),
                );
                assert!([(499, 1), (500, 1)].contains(&ids), "{level:?}: {ids:?}");
                assert!(!found.collection("a").contains(0).unwrap());
                cut.set_fault(Fault::once(0, Failure::Device).for_ever());
            }
            crash.advance(event);
        }
        let found = open(&options, &SimStorage::from_files(crash.image(Unsynced::Lost)));
        assert!(found.collection("a").contains(499).unwrap());
    }
}
