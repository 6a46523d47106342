//! Transactions that want the same collections in different orders: all come to an end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use fastrand::Rng;
use nanodb::{Database, Durability, Error, ErrorKind, Snapshot, StoredDoc, Transaction, doc};

const COLLECTIONS: usize = 6;
const TOTAL: i64 = 100 * COLLECTIONS as i64;

fn amount(document: Option<StoredDoc>) -> Option<i64> {
    document?.get("amount")?.as_i64()
}

/// Moves something from each collection to the next; none is there if one has another name
/// at the moment.
fn shift(tx: &Transaction, names: &[String], random: &mut Rng) -> Result<bool, Error> {
    let mut amounts = Vec::new();
    for name in names {
        let Some(amount) = amount(tx.collection(name).get(1)?) else { return Ok(false) };
        if random.u8(..4) == 0 {
            thread::yield_now();
        }
        amounts.push(amount);
    }
    let moved = random.i64(1..5);
    *amounts.first_mut().unwrap() -= moved;
    *amounts.last_mut().unwrap() += moved;
    for (name, amount) in names.iter().zip(amounts) {
        let padding = "p".repeat(random.usize(..400));
        assert!(tx.collection(name).replace(1, doc! { "amount": amount, "padding": padding })?);
    }
    Ok(true)
}

fn total(snapshot: &Snapshot) -> i64 {
    let all =
        snapshot.collections().unwrap().into_iter().filter(|info| info.name.starts_with("money"));
    all.map(|info| amount(snapshot.collection(&info.name).get(1).unwrap()).unwrap()).sum()
}

/// Two or three collections, in any order.
fn some_collections(random: &mut Rng) -> Vec<String> {
    let mut numbers: Vec<_> = (0..COLLECTIONS).collect();
    random.shuffle(&mut numbers);
    numbers.truncate(random.usize(2..=3));
    numbers.into_iter().map(|number| format!("money {number}")).collect()
}

fn fill(db: &Database) {
    for number in 0..COLLECTIONS {
        db.collection(&format!("money {number}"))
            .insert(doc! { "_id": 1, "amount": TOTAL / COLLECTIONS as i64 })
            .unwrap();
    }
}

/// Runs all of these, each on a thread of its own, and fails if they are not done after a
/// time that no machine takes.
fn all_end(threads: Vec<Box<dyn FnOnce() + Send>>) {
    let (done, is_done) = channel::<()>();
    let threads: Vec<_> = threads
        .into_iter()
        .map(|run| {
            let done = done.clone();
            thread::spawn(move || {
                let _done = done;
                run();
            })
        })
        .collect();
    drop(done);
    let ended = is_done.recv_timeout(Duration::from_secs(600));
    assert_eq!(ended, Err(RecvTimeoutError::Disconnected), "they wait for ever");
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

/// How many transactions each thread is to run.
fn rounds(short: usize) -> usize {
    if std::env::var_os("NANODB_TEST_LONG").is_some() { short * 50 } else { short }
}

#[test]
fn transactions_that_lock_in_any_order_all_end_and_lose_nothing() {
    let rounds = rounds(300);
    let db = Database::in_memory().unwrap();
    fill(&db);
    let (conflicts, refused) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let thread = |number: u64| -> Box<dyn FnOnce() + Send> {
        let (db, conflicts, refused) = (db.clone(), Arc::clone(&conflicts), Arc::clone(&refused));
        Box::new(move || {
            let mut random = Rng::with_seed(number);
            for _ in 0..rounds {
                let names = some_collections(&mut random);
                if random.u8(..4) == 0 {
                    // Without a second attempt.
                    let tx = db.begin_write();
                    match shift(&tx, &names, &mut random).and_then(|_| tx.commit()) {
                        Ok(()) => {}
                        Err(error) => {
                            assert_eq!(error.kind(), ErrorKind::Conflict);
                            refused.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                    continue;
                }
                let mut attempts = 0;
                let moved = db.write(|tx| {
                    attempts += 1;
                    shift(tx, &names, &mut random)
                });
                assert!(moved.unwrap());
                conflicts.fetch_add(attempts - 1, Ordering::Relaxed);
            }
        })
    };
    all_end((0..8).map(thread).collect());
    println!(
        "{} transactions, {} run again, {} refused",
        8 * rounds,
        conflicts.load(Ordering::Relaxed),
        refused.load(Ordering::Relaxed)
    );
    assert!(conflicts.load(Ordering::Relaxed) > 0, "nobody was in anybody's way");
    assert_eq!(total(&db.snapshot()), TOTAL);
    let report = db.check().unwrap();
    assert!(report.is_clean(), "{report}");
}

#[test]
fn transactions_go_on_beside_renames_drops_checkpoints_checks_and_snapshots() {
    let rounds = rounds(80);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data.nanodb");
    let options = Database::options().cache_bytes_max(1 << 17).log_bytes_max(1 << 16);
    let db = options.durability(Durability::Buffered).open(&path).unwrap();
    fill(&db);
    // How many threads write; the others go on until none does.
    const WRITERS: usize = 4;
    let writing = Arc::new(AtomicUsize::new(WRITERS));
    let moved = Arc::new(AtomicUsize::new(0));
    let beside: [fn(&Database, &mut Rng); 4] = [
        |db, _| {
            // Whoever finds it under neither name comes another time.
            db.rename_collection("money 5", "money away").unwrap();
            assert_eq!(total(&db.snapshot()), TOTAL);
            db.rename_collection("money away", "money 5").unwrap();
        },
        |db, random| {
            db.drop_collection(&format!("log {}", random.u8(..3))).unwrap();
            db.collection(&format!("log {}", random.u8(..3))).insert(doc! {}).unwrap();
        },
        |db, random| match random.u8(..8) {
            0 => db.checkpoint().unwrap(),
            1 => {
                let report = db.check().unwrap();
                assert!(report.is_clean(), "{report}");
            }
            _ => {
                db.stats().unwrap();
            }
        },
        |db, random| {
            let snapshot = db.snapshot();
            for _ in 0..random.u8(1..4) {
                assert_eq!(total(&snapshot), TOTAL);
                for info in snapshot.collections().unwrap() {
                    let collection = snapshot.collection(&info.name);
                    assert_eq!(
                        collection.iter().unwrap().count() as u64,
                        collection.count().unwrap()
                    );
                }
                thread::yield_now();
            }
        },
    ];
    let mut threads: Vec<Box<dyn FnOnce() + Send>> = Vec::new();
    for number in 0..WRITERS {
        let (db, writing, moved) = (db.clone(), Arc::clone(&writing), Arc::clone(&moved));
        threads.push(Box::new(move || {
            let mut random = Rng::with_seed(number as u64 + 100);
            let _end = End(writing);
            for _ in 0..rounds {
                let names = some_collections(&mut random);
                let log = format!("log {}", random.u8(..3));
                let done: bool = db
                    .write(|tx| {
                        if random.bool() {
                            tx.collection(&log).insert(doc! { "by": number as i64 })?;
                        }
                        let done = shift(tx, &names, &mut random)?;
                        tx.collection(&log).insert(doc! { "done": done })?;
                        Ok::<_, Error>(done)
                    })
                    .unwrap();
                moved.fetch_add(done.into(), Ordering::Relaxed);
            }
        }));
    }
    for (number, act) in beside.into_iter().enumerate() {
        let (db, writing) = (db.clone(), Arc::clone(&writing));
        threads.push(Box::new(move || {
            let mut random = Rng::with_seed(number as u64);
            while writing.load(Ordering::Relaxed) > 0 {
                act(&db, &mut random);
            }
        }));
    }
    all_end(threads);
    assert!(moved.load(Ordering::Relaxed) > 0);
    let verify = |db: &Database| {
        assert_eq!(total(&db.snapshot()), TOTAL);
        let report = db.check().unwrap();
        assert!(report.is_clean(), "{report}");
    };
    verify(&db);
    db.close().unwrap();
    verify(&Database::open(&path).unwrap());
}

/// One less when dropped, by a panic too.
struct End(Arc<AtomicUsize>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
