//! A check beside those who read and write: it finds no fault where there is none, and nobody
//! waits for it.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use nanodb_database::{Database, Document, Durability, Options, doc};
use nanodb_sim::{Random, SimStorage};

/// Little memory, so that pages and parts of the index go and come back.
fn options() -> Options {
    Database::options()
        .durability(Durability::Buffered)
        .cache_bytes_max(1 << 18)
        .index_bytes_max(1 << 16)
        .log_bytes_max(1 << 18)
}

fn document(id: i64, random: &mut Random) -> Document {
    let bytes = match random.below(40) {
        0 => 20_000,
        1..4 => 3000,
        _ => random.below(200),
    };
    doc! { "_id": id, "text": ("x".repeat(bytes)) }
}

/// Does something or other that a check must not take for damage.
fn change(db: &Database, ids: usize, random: &mut Random) {
    let collection = db.collection(["a", "b", "c"][random.below(3)]);
    let id = i64::try_from(random.below(ids)).unwrap();
    match random.below(100) {
        0 => db.checkpoint().unwrap(),
        1 => db.compact().unwrap(),
        2 => drop(db.drop_collection("c").unwrap()),
        3 => {
            // Another thread may have it by another name.
            let _ = db.rename_collection("b", "d");
            let _ = db.rename_collection("d", "b");
        }
        4 => {
            let _ = db.write(|tx| {
                let a = tx.collection("a");
                (id..id + 200).try_for_each(|id| a.delete(id).map(drop))
            });
        }
        5..9 => {
            let _ = db.write(|tx| {
                for name in ["a", "c"] {
                    let collection = tx.collection(name);
                    collection.delete(id)?;
                    collection.insert(document(id, random))?;
                }
                Ok::<_, nanodb_database::Error>(())
            });
        }
        9..40 => drop(collection.insert(document(id, random))),
        40..70 => drop(collection.replace(id, document(id, random)).unwrap()),
        _ => drop(collection.delete(id).unwrap()),
    }
}

#[test]
fn what_is_changed_between_any_two_pages_that_a_check_reads_is_no_fault() {
    for seed in 1..=6 {
        let db = options().open_on(Arc::new(SimStorage::new())).unwrap();
        let mut random = Random::new(seed);
        for name in ["a", "b", "c"] {
            let documents = (0..700).map(|id| document(id, &mut random)).collect::<Vec<_>>();
            db.collection(name).insert_many(documents).unwrap();
        }
        for round in 0..3 {
            let before: u64 = db.collections().unwrap().iter().map(|info| info.count).sum();
            let mut pages = 0;
            let report = db.check_with(|at| {
                pages += 1;
                assert_eq!(at.pages_done, pages);
                // A commit each, on this very thread: a lock that the check holds would refuse it.
                (0..3).for_each(|_| change(&db, 1000, &mut random));
                ControlFlow::Continue(())
            });
            let report = report.unwrap().continue_value().unwrap();
            assert!(report.is_clean(), "seed {seed}, round {round}: {report}");
            assert_eq!((report.documents, report.pages), (before, pages));
        }
        let report = db.check().unwrap();
        assert!(report.is_clean(), "seed {seed}: {report}");
    }
}

#[test]
fn a_check_can_be_stopped() {
    let db = Database::in_memory().unwrap();
    db.collection("a").insert_many((0..2000).map(|id| doc! { "_id": id })).unwrap();
    let mut seen = Vec::new();
    let stopped = db.check_with(|at| {
        seen.push((at.pages_done, at.pages));
        if at.pages_done < 3 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    assert_eq!(stopped.unwrap().continue_value(), None);
    let pages = seen[0].1;
    assert!(pages > 3);
    assert_eq!(seen, [(1, pages), (2, pages), (3, pages)]);
}

#[test]
fn a_transaction_that_is_open_holds_no_check_up() {
    let db = Database::in_memory().unwrap();
    db.collection("a").insert_many((0..100).map(|id| doc! { "_id": id })).unwrap();
    let tx = db.begin_write();
    tx.collection("a").insert_many((100..5000).map(|id| doc! { "_id": id })).unwrap();
    tx.collection("b").insert(doc! {}).unwrap();
    tx.collection("a").delete(5).unwrap();
    let report = thread::scope(|scope| scope.spawn(|| db.check().unwrap()).join().unwrap());
    assert!(report.is_clean(), "{report}");
    assert_eq!((report.collections, report.documents), (1, 100));
    tx.commit().unwrap();
    assert_eq!(db.check().unwrap().documents, 5000);
}

#[test]
fn checks_beside_threads_that_change_everything_find_no_fault() {
    let rounds = if std::env::var_os("NANODB_TEST_LONG").is_some() { 2000 } else { 40 };
    for on_disk in [true, false] {
        let db = if on_disk {
            options().open_on(Arc::new(SimStorage::new())).unwrap()
        } else {
            options().in_memory().unwrap()
        };
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            for seed in 1..=3 {
                let (db, over) = (&db, &over);
                scope.spawn(move || {
                    let mut random = Random::new(seed);
                    while !over.load(Ordering::Relaxed) {
                        change(db, 1500, &mut random);
                    }
                });
            }
            // Ends the threads whatever comes of it.
            let found = (0..rounds).find_map(|_| {
                let report = db.check().unwrap();
                (!report.is_clean()).then_some(report)
            });
            over.store(true, Ordering::Relaxed);
            assert!(found.is_none(), "{}", found.unwrap());
        });
        let report = db.check().unwrap();
        assert!(report.is_clean(), "{report}");
    }
}
