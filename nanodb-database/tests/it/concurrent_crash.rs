//! Power cuts while threads commit to several collections at once, others read and hold snapshots,
//! and documents move to the front and the file is cut beside them.
//!
//! Each thread's transactions are numbered. One of them inserts a document, deletes an older one,
//! and writes its number to a collection that all share. So what is there of a thread says which
//! of its transactions was the last, in two places that must agree.

#![allow(clippy::cast_possible_truncation, reason = "the numbers are small")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use nanodb_database::{Database, Document, Error, Snapshot, doc};
use nanodb_sim::{Crash, Event, Failure, Fault, Files, Random, SimStorage, Unsynced};

const THREADS: usize = 3;
const TRANSACTIONS: i64 = 60;
/// So many of a thread's documents are there at most.
const KEPT: i64 = 25;

fn open(storage: &SimStorage) -> Result<Database, Error> {
    // Checkpoints come often by themselves, and the indexes are dropped and loaded all the time.
    let options = Database::options().cache_bytes_max(24 * 4096).log_bytes_max(0);
    options.index_bytes_max(2_000).open_on(Arc::new(storage.clone()))
}

fn own(thread: usize) -> String {
    format!("of thread {thread}")
}

/// How long the text of a thread's document is: mostly small, sometimes several pages.
fn len(thread: usize, number: i64) -> usize {
    let random = Random::new(thread as u64 * 1000 + number as u64).below(12);
    match random {
        0 => 9_000,
        1 => 3_000,
        other => other * 60,
    }
}

fn document(thread: usize, number: i64) -> Document {
    doc! { "_id": number, "text": "x".repeat(len(thread, number)) }
}

/// Transaction `number` of a thread.
fn transact(db: &Database, thread: usize, number: i64) -> Result<(), Error> {
    db.write(|tx| {
        let own = tx.collection(&own(thread));
        own.insert(document(thread, number))?;
        if number > KEPT {
            assert!(own.delete(number - KEPT)?);
        }
        let shared = tx.collection("shared");
        let last = doc! { "_id": (thread as i64), "last": number };
        if number == 1 {
            shared.insert(last).map(drop)
        } else {
            assert!(shared.replace(thread as i64, last)?);
            Ok(())
        }
    })
}

/// A thread's last transaction, by all that is there of it.
fn last(snapshot: &Snapshot, thread: usize, what: &str) -> i64 {
    let failed = |error: Error| -> ! { panic!("{what}: {error:?}") };
    let shared = snapshot.collection("shared");
    let noted = shared.get(thread as i64).unwrap_or_else(|error| failed(error));
    let noted = noted.map_or(0, |document| {
        let document = document.to_document().unwrap();
        document.get("last").unwrap().as_i64().unwrap()
    });
    let own = snapshot.collection(&own(thread));
    let mut found = BTreeMap::new();
    for document in own.iter().unwrap_or_else(|error| failed(error)) {
        let document = document.unwrap_or_else(|error| failed(error)).to_document().unwrap();
        let id = document.get("_id").unwrap().as_i64().unwrap();
        found.insert(id, document.get("text").unwrap().as_str().unwrap().len());
    }
    let expected: BTreeMap<i64, usize> =
        ((noted - KEPT + 1).max(1)..=noted).map(|number| (number, len(thread, number))).collect();
    assert_eq!(found, expected, "{what}: thread {thread} after transaction {noted}");
    for id in [noted, noted - KEPT, noted + 1] {
        let there = own.contains(id).unwrap_or_else(|error| failed(error));
        assert_eq!(there, expected.contains_key(&id), "{what}: thread {thread}: {id}");
    }
    noted
}

/// When a thread's transactions had begun and were known to be durable, in events.
type Told = Vec<(usize, usize)>;

struct Run {
    before: Files,
    journal: Vec<Event>,
    told: Vec<Told>,
}

impl Run {
    fn new() -> Self {
        let storage = SimStorage::new();
        let db = open(&storage).unwrap();
        db.checkpoint().unwrap();
        let before = storage.files();
        storage.start_journal();
        let stop = AtomicBool::new(false);
        let told = std::thread::scope(|scope| {
            let (db, storage, stop) = (&db, &storage, &stop);
            let busy = || !stop.load(Ordering::Relaxed);
            let mover = scope.spawn(move || {
                let mut rounds = 0;
                while busy() {
                    db.compact().unwrap();
                    db.checkpoint().unwrap();
                    rounds += 1;
                }
                rounds
            });
            let reader = scope.spawn(move || {
                let mut held: Vec<(Snapshot, Vec<i64>)> = Vec::new();
                while busy() {
                    let snapshot = db.snapshot();
                    let lasts: Vec<i64> =
                        (0..THREADS).map(|thread| last(&snapshot, thread, "read")).collect();
                    held.push((snapshot, lasts));
                    if held.len() > 3 {
                        let (snapshot, lasts) = held.remove(0);
                        for (thread, &number) in lasts.iter().enumerate() {
                            assert_eq!(last(&snapshot, thread, "read again"), number);
                        }
                    }
                }
            });
            let writers: Vec<_> = (0..THREADS)
                .map(|thread| {
                    scope.spawn(move || {
                        let one = |number| {
                            let begun = storage.journal_len();
                            transact(db, thread, number).unwrap();
                            (begun, storage.journal_len())
                        };
                        (1..=TRANSACTIONS).map(one).collect::<Told>()
                    })
                })
                .collect();
            let told = writers.into_iter().map(|writer| writer.join().unwrap()).collect();
            stop.store(true, Ordering::Relaxed);
            assert!(mover.join().unwrap() > 0);
            reader.join().unwrap();
            told
        });
        db.close().unwrap();
        Self { before, journal: storage.take_journal(), told }
    }

    fn check(&self, files: Files, events: usize, what: &str) {
        let storage = SimStorage::from_files(files);
        let db = open(&storage).unwrap_or_else(|error| panic!("{what}: {error:?}"));
        let snapshot = db.snapshot();
        for (thread, told) in self.told.iter().enumerate() {
            let found = last(&snapshot, thread, what) as usize;
            let durable = told.iter().take_while(|(_, durable)| *durable <= events).count();
            let begun = told.iter().take_while(|(begun, _)| *begun <= events).count();
            assert!(
                (durable..=begun).contains(&found),
                "{what}: thread {thread}: {found} of {durable}..={begun}"
            );
        }
        drop(snapshot);
        let report = db.check().unwrap_or_else(|error| panic!("{what}: {error:?}"));
        let serious = report.problems.iter().any(|problem| problem.page.is_none_or(|n| n > 1));
        assert!(!serious, "{what}: {report}");
        let next = last(&db.snapshot(), 0, what) + 1;
        transact(&db, 0, next).unwrap_or_else(|error| panic!("{what}: {error:?}"));
        assert_eq!(last(&db.snapshot(), 0, what), next, "{what}");
        // The disk is gone: nothing is brought up to date.
        storage.set_fault(Fault::once(0, Failure::Device).for_ever());
    }
}

#[test]
fn whatever_threads_that_move_and_commit_were_at_a_power_cut_leaves_whole_transactions() {
    let is_long = std::env::var_os("NANODB_TEST_LONG").is_some();
    let (rounds, step) = if is_long { (40, 3) } else { (1_usize, 23_usize) };
    for seed in 0..rounds {
        let run = Run::new();
        let mut crash = Crash::new(&run.before);
        let mut checked = 0;
        for (events, event) in (1..).zip(&run.journal) {
            crash.advance(event);
            if !(events + seed).is_multiple_of(step) {
                continue;
            }
            let random = |n| Unsynced::Random((seed * 100_000 + events * 10 + n) as u64);
            for fate in [Unsynced::Lost, Unsynced::Kept, random(0), random(1)] {
                run.check(crash.image(fate), events, &format!("{events} events, {fate:?}"));
                checked += 1;
            }
        }
        assert!(checked > 100, "{checked}");
    }
}
